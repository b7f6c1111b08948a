//! Category: what kind of unwanted message it looks like, in one word.

use serde::{Deserialize, Serialize};

use super::{Decision, Effect, Evidence, Group, Reason, RuleId};
use crate::{Family, RefusedPurpose};

/// What kind of unwanted message it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// None.
    Ok,
    /// It promotes or sells.
    Marketing,
    /// It canvasses.
    Political,
    /// It pitches to a stranger.
    ColdOutreach,
    /// It asks for credentials, codes or cards.
    Phishing,
    /// It asks for money, or plays on greed.
    Scam,
    /// It claims to be somebody.
    Impersonation,
    /// It is bad because of a link.
    HarmfulLink,
    /// It hides what is written, and shows nothing else.
    Obfuscation,
}

impl Category {
    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Marketing => "marketing",
            Self::Political => "political",
            Self::ColdOutreach => "cold_outreach",
            Self::Phishing => "phishing",
            Self::Scam => "scam",
            Self::Impersonation => "impersonation",
            Self::HarmfulLink => "harmful_link",
            Self::Obfuscation => "obfuscation",
        }
    }

    /// The category that a sender names. `unknown` names none: such a message is blocked for its purpose, not for what it says.
    const fn of_purpose(purpose: RefusedPurpose) -> Option<Self> {
        match purpose {
            RefusedPurpose::Unknown => None,
            RefusedPurpose::ColdOutreach => Some(Self::ColdOutreach),
            RefusedPurpose::Political => Some(Self::Political),
            RefusedPurpose::BulkCampaign | RefusedPurpose::Marketing | RefusedPurpose::Promotion => Some(Self::Marketing),
        }
    }

    /// Of equal points, the one that does most harm is named.
    const BY_HARM: [Self; 8] = [
        Self::Phishing,
        Self::HarmfulLink,
        Self::Scam,
        Self::Impersonation,
        Self::Political,
        Self::ColdOutreach,
        Self::Marketing,
        Self::Obfuscation,
    ];
}

impl Decision {
    /// What kind of unwanted message it looks like, or its sender says it is; `ok` where its content was no reason to stop it.
    pub fn category(&self) -> Category {
        let named = self.reasons.iter().find_map(|reason| match reason.evidence {
            Evidence::Purpose(purpose) => Category::of_purpose(purpose),
            _ => None,
        });
        named.unwrap_or_else(|| self.category_of_content())
    }

    fn category_of_content(&self) -> Category {
        let stops = |reason: &Reason| {
            matches!(reason.rule, RuleId::RiskReview | RuleId::RiskBlock)
                || (reason.rule.group() != Group::State && reason.effect > Effect::Risk)
        };
        if !self.reasons.iter().any(stops) {
            return Category::Ok;
        }
        let points = |category: Category| -> u32 {
            let of_category = self.reasons.iter().filter(|reason| category_of(reason) == Some(category));
            of_category.map(|reason| u32::from(reason.points)).sum()
        };
        let most = Category::BY_HARM.into_iter().rev().max_by_key(|category| points(*category));
        most.filter(|category| points(*category) > 0).unwrap_or(Category::Ok)
    }
}

/// What a reason speaks for.
fn category_of(reason: &Reason) -> Option<Category> {
    if let Evidence::Heard { family, .. } = reason.evidence {
        return Some(match family {
            Family::Marketing => Category::Marketing,
            Family::Political => Category::Political,
            Family::ColdOutreach => Category::ColdOutreach,
            Family::Fraud => Category::Scam,
        });
    }
    Some(match reason.rule {
        RuleId::AccountThreat | RuleId::VerifyRequest | RuleId::SecretRequest | RuleId::LinkBait | RuleId::LinkUnnamed => {
            Category::Phishing
        }
        RuleId::Prize | RuleId::EasyMoney | RuleId::FeeFirst | RuleId::PaymentTrick | RuleId::Hurry => Category::Scam,
        RuleId::AuthorityThreat | RuleId::NewNumber | RuleId::Secrecy => Category::Impersonation,
        RuleId::RemoteInstall | RuleId::Lure => Category::HarmfulLink,
        other => match other.group() {
            Group::Link => Category::HarmfulLink,
            Group::Marketing => Category::Marketing,
            Group::Political => Category::Political,
            Group::ColdOutreach => Category::ColdOutreach,
            Group::Obfuscation => Category::Obfuscation,
            Group::State | Group::Fraud | Group::Wording | Group::Behaviour | Group::Reputation => return None,
        },
    })
}
