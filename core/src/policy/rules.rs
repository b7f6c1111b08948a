//! The rule table: everything that can speak against a message, in the order in which it is told.
//!
//! A rule looks at the facts and finds something or nothing. It never stops the others: reviewers ask what else. To add a rule, add
//! its row: name, finding, group, effect, points and how it is found. Points of rules that add to the risk are added up in their group, as
//! far as the group's cap; points of the others are a floor for the score.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ContactState, Effect, Evidence, Fact, FactName, Facts, Group, Subject, behaviour};
use crate::{Cause, Connection, ContentKind, DeclaredPurpose, KeyState, Origin, Provider, Purpose, Signal, Timestamp};

/// One row of the table.
pub(super) struct Rule {
    pub(super) id: RuleId,
    pub(super) effect: Effect,
    pub(super) find: fn(&Facts, &Subject, Timestamp) -> Option<Evidence>,
}

/// There is no such rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the name of a rule")]
pub struct UnknownRule;

macro_rules! rules {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $text:literal, $group:ident, $effect:ident, $points:expr, $find:expr;)*) => {
        /// The name of a rule. It never changes its meaning.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum RuleId { $($(#[$doc])* #[serde(rename = $name)] $id,)* }

        impl RuleId {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// The name used in answers and rows.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// The finding as a sentence for people, in English.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$id => $text,)* }
            }

            /// What it is about: points of one group are capped together.
            pub const fn group(self) -> Group {
                match self { $(Self::$id => Group::$group,)* }
            }

            /// Whether a policy can set its points: it adds to the risk. Others hold or block by themselves, or are only noted.
            pub const fn adds_to_risk(self) -> bool {
                matches!(match self { $(Self::$id => Effect::$effect,)* }, Effect::Risk)
            }

            /// What it adds to the risk, or the least risk it stands for, unless a policy says otherwise.
            pub const fn points(self) -> u8 {
                match self { $(Self::$id => $points,)* }
            }

        }

        impl FromStr for RuleId {
            type Err = UnknownRule;

            fn from_str(name: &str) -> Result<Self, UnknownRule> {
                Self::ALL.iter().copied().find(|rule| rule.as_str() == name).ok_or(UnknownRule)
            }
        }

        pub(super) const RULES: &[Rule] = &[
            $(Rule { id: RuleId::$id, effect: Effect::$effect, find: $find },)*
        ];
    };
}

rules! {
    /// The key was revoked or expired after the caller was let in.
    KeyNotInForce = "key_not_in_force", "the API key is no longer in force", State, Block, 0,
        |facts, _, _| facts.key.known().is_some_and(|state| *state != KeyState::Active).then_some(Evidence::None);
    /// The operator closed the account.
    AccountSuspended = "account_suspended", "the account is suspended", State, Block, 90,
        |facts, _, _| facts.account.suspended.then_some(Evidence::None);
    /// Nothing of the account goes out.
    AccountPaused = "account_paused", "the account is paused", State, Block, 0,
        |facts, _, _| facts.account.paused.then_some(Evidence::None);
    /// Nothing of the instance goes out.
    InstancePaused = "instance_paused", "the instance is paused", State, Block, 0,
        |facts, _, _| facts.instance.paused.then_some(Evidence::None);
    /// The number is not connected.
    InstanceNotConnected = "instance_not_connected", "the instance is not connected", State, Block, 0,
        |facts, _, _| (facts.instance.connection != Connection::Open).then_some(Evidence::Connection(facts.instance.connection));
    /// The recipient opted out or was blocked.
    RecipientSuppressed = "recipient_suppressed", "the recipient opted out or was blocked", State, Block, 90, find_suppression;
    /// The purpose is one of the six.
    PurposeNotAllowed = "purpose_not_allowed", "messages are not sent for this purpose", State, Block, 90,
        |_, subject, _| match subject.purpose {
            DeclaredPurpose::Refused(purpose) => Some(Evidence::Purpose(purpose)),
            DeclaredPurpose::Allowed(_) => None,
        };
    /// A link to a program, or one that is a program.
    LinkExecutable = "link_executable", "a link leads to a program", Link, Block, 85,
        |facts, _, _| find_signal(facts, Signal::LinkExecutable);
    /// Words of an offer or a sale.
    Offer = "offer", "it has words of an offer", Marketing, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::Offer);
    /// A call to buy, or not to miss something.
    BuyNow = "buy_now", "it calls to buy, or not to miss something", Marketing, Risk, 25,
        |facts, _, _| find_signal(facts, Signal::BuyNow);
    /// A call to vote for somebody or something.
    Vote = "vote", "it calls to vote for somebody or something", Political, Risk, 40,
        |facts, _, _| find_signal(facts, Signal::Vote);
    /// Words of a campaign, a party or a petition.
    Campaign = "campaign", "it has words of a campaign", Political, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::Campaign);
    /// What a stranger says who wants to sell.
    Pitch = "pitch", "it has words of a pitch to strangers", ColdOutreach, Risk, 35,
        |facts, _, _| find_signal(facts, Signal::Pitch);
    /// A prize or an inheritance.
    Prize = "prize", "it promises a prize or an inheritance", Fraud, Risk, 35,
        |facts, _, _| find_signal(facts, Signal::Prize);
    /// Money without work or risk.
    EasyMoney = "easy_money", "it promises money without work or risk", Fraud, Risk, 35,
        |facts, _, _| find_signal(facts, Signal::EasyMoney);
    /// A fee before something is given.
    FeeFirst = "fee_first", "it asks for a fee before something is given", Fraud, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::FeeFirst);
    /// A threat to close an account.
    AccountThreat = "account_threat", "it threatens to close an account", Fraud, Risk, 20,
        |facts, _, _| find_signal(facts, Signal::AccountThreat);
    /// A call to confirm an identity or details.
    VerifyRequest = "verify_request", "it asks to confirm an identity or details", Fraud, Risk, 20,
        |facts, _, _| find_signal(facts, Signal::VerifyRequest);
    /// A call to hand over a code, a PIN, a password or a card.
    SecretRequest = "secret_request", "it asks to hand over a code, a PIN, a password or a card", Fraud, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::SecretRequest);
    /// A call to install or open something.
    RemoteInstall = "remote_install", "it asks to install or open something", Fraud, Risk, 25,
        |facts, _, _| find_signal(facts, Signal::RemoteInstall);
    /// A threat with an authority.
    AuthorityThreat = "authority_threat", "it threatens with an authority", Fraud, Risk, 25,
        |facts, _, _| find_signal(facts, Signal::AuthorityThreat);
    /// Somebody known with a number that is not.
    NewNumber = "new_number", "somebody known writes from a number that is not", Fraud, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::NewNumber);
    /// A wish to keep it secret.
    Secrecy = "secrecy", "it asks to keep it secret", Fraud, Risk, 25,
        |facts, _, _| find_signal(facts, Signal::Secrecy);
    /// Money by a way that nobody gets it back from.
    PaymentTrick = "payment_trick", "it asks for money by a way that nobody gets it back from", Fraud, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::PaymentTrick);
    /// Haste.
    Hurry = "hurry", "it presses for time", Fraud, Risk, 5,
        |facts, _, _| find_signal(facts, Signal::Hurry);
    /// A call to look at something.
    Lure = "lure", "it asks to look at something", Fraud, Risk, 25,
        |facts, _, _| find_signal(facts, Signal::Lure);
    /// A link to a bare address.
    LinkNumericHost = "link_numeric_host", "a link leads to a bare address", Link, Risk, 50,
        |facts, _, _| find_signal(facts, Signal::LinkNumericHost);
    /// A link with a name before its host.
    LinkUserInfo = "link_user_info", "a link hides its host behind a name", Link, Risk, 60,
        |facts, _, _| find_signal(facts, Signal::LinkUserInfo);
    /// A link whose host is written in Punycode.
    LinkPunycode = "link_punycode", "the host of a link is written in Punycode", Link, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::LinkPunycode);
    /// A link whose host has letters of two scripts.
    LinkMixedScript = "link_mixed_script", "the host of a link has letters of two scripts", Link, Risk, 60,
        |facts, _, _| find_signal(facts, Signal::LinkMixedScript);
    /// A link that hides where it leads.
    LinkShortener = "link_shortener", "a link hides where it leads", Link, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::LinkShortener);
    /// A link to a page of links.
    LinkInBio = "link_in_bio", "a link leads to a page of links that anybody can make", Link, Risk, 25,
        |facts, _, _| find_signal(facts, Signal::LinkInBio);
    /// A link to a host that moves.
    LinkDynamicDns = "link_dynamic_dns", "a link leads to a host that moves", Link, Risk, 50,
        |facts, _, _| find_signal(facts, Signal::LinkDynamicDns);
    /// A link that imitates a well-known brand.
    LinkLookAlike = "link_look_alike", "a link imitates a well-known brand", Link, Risk, 50,
        |facts, _, _| find_signal(facts, Signal::LinkLookAlike);
    /// A link that imitates the account's own name.
    LinkOwnLookAlike = "link_own_look_alike", "a link imitates a domain of the sender", Link, Risk, 60,
        |facts, _, _| find_signal(facts, Signal::LinkOwnLookAlike);
    /// A link whose host is made to be followed.
    LinkBait = "link_bait", "the host of a link is made to be followed", Link, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::LinkBait);
    /// A link inside a link.
    LinkNested = "link_nested", "a link leads on to another", Link, Risk, 15,
        |facts, _, _| find_signal(facts, Signal::LinkNested);
    /// A link whose host the text does not name.
    LinkUnnamed = "link_unnamed", "the text does not name the host of a link", Link, Risk, 5,
        |facts, _, _| find_signal(facts, Signal::LinkUnnamed);
    /// Characters that nobody sees, inside words.
    HiddenCharacters = "hidden_characters", "there are characters that nobody sees inside words", Obfuscation, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::HiddenCharacters);
    /// Words of letters from two scripts.
    MixedScript = "mixed_script", "there are words of letters from two scripts", Obfuscation, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::MixedScript);
    /// Letters that are signs of mathematics or in circles.
    StyledLetters = "styled_letters", "there are letters that no keyboard has", Obfuscation, Risk, 15,
        |facts, _, _| find_signal(facts, Signal::StyledLetters);
    /// A word letter by letter.
    SpelledOut = "spelled_out", "a word is written letter by letter", Obfuscation, Risk, 15,
        |facts, _, _| find_signal(facts, Signal::SpelledOut);
    /// Digits and signs for letters.
    SignsForLetters = "signs_for_letters", "digits and signs stand for letters", Obfuscation, Risk, 15,
        |facts, _, _| find_signal(facts, Signal::SignsForLetters);
    /// The direction of reading turned around.
    TurnedText = "turned_text", "the direction of reading is turned around", Obfuscation, Risk, 30,
        |facts, _, _| find_signal(facts, Signal::TurnedText);
    /// Longer than what is read.
    TooLong = "too_long", "it is longer than what is read", Obfuscation, Risk, 10,
        |facts, _, _| find_signal(facts, Signal::TooLong);
    /// The wording is like that of unwanted messages, as far as the model can tell.
    Wording = "wording", "the wording is like that of unwanted messages", Wording, Risk, 50, find_wording;
    /// Every link leads to a domain of the sender.
    LinksTrusted = "links_trusted", "its links lead to domains of the sender", Link, Note, 0,
        |facts, _, _| facts.content.known()?.own_links.then_some(Evidence::None);
    /// A template that the provider approved.
    TemplateApproved = "template_approved", "the provider approved the template", Wording, Note, 0,
        |_, subject, _| (subject.content == ContentKind::Template).then_some(Evidence::None);
    /// A free text outside the conversation window.
    ConversationWindowClosed = "conversation_window_closed", "the recipient has not written in the last 24 hours", State, Block, 0, find_closed_window;
    /// The month is used up.
    MonthlyLimit = "monthly_limit", "the limit of the month is reached", State, Throttle, 0,
        |facts, _, _| facts.usage.known().and_then(|usage| find_limit(facts.limits.per_month, usage.month, usage.windows.month.ends_at));
    /// The day is used up.
    DailyLimit = "daily_limit", "the limit of the day is reached", State, Throttle, 0,
        |facts, _, _| facts.usage.known().and_then(|usage| find_limit(facts.limits.per_day, usage.day, usage.windows.day.ends_at));
    /// The account sends too fast.
    AccountVelocity = "account_velocity", "the account sends too fast", State, Throttle, 0,
        |facts, _, now| facts.velocity.known().and_then(|v| find_too_fast(facts.limits.account_rate, v.account, now));
    /// The instance sends too fast.
    InstanceVelocity = "instance_velocity", "the instance sends too fast", State, Throttle, 0,
        |facts, _, now| facts.velocity.known().and_then(|v| find_too_fast(facts.limits.instance_rate, v.instance, now));
    /// The recipient is written to too often.
    RecipientVelocity = "recipient_velocity", "the recipient is written to too often", State, Throttle, 0,
        |facts, _, now| facts.velocity.known().and_then(|v| find_too_fast(facts.limits.recipient_rate, v.recipient, now));
    /// The recipient may have asked for no more messages.
    OptOutSuspected = "opt_out_suspected", "the recipient may have opted out, and a person must look", State, Hold, 50, find_suspicion;
    /// A person must release each message of the account.
    AccountSupervised = "account_supervised", "each message of this account is released by a person", State, Hold, 50,
        |facts, _, _| facts.account.supervised.then_some(Evidence::None);
    /// Many others were sent the same text, and most of the account's messages are first contacts.
    SameText = "same_text", "many others who never wrote were sent the same text", Behaviour, Risk, behaviour::SAME_TEXT,
        behaviour::find_same_text;
    /// Most of the account's messages are first contacts.
    FirstContactShare = "first_contact_share", "most of the account's messages go to people who never wrote", Behaviour, Risk, behaviour::FIRST_CONTACT_SHARE,
        |facts, _, _| behaviour::find_first_contact_share(facts);
    /// Far more people are written to than usual.
    FanOut = "fan_out", "the account suddenly writes to far more people than usual", Behaviour, Risk, behaviour::FAN_OUT,
        |facts, _, _| behaviour::find_fan_out(facts);
    /// A young account writes to many people who never wrote.
    WarmUp = "warm_up", "the account is new and writes to many people for the first time", Behaviour, Risk, behaviour::WARM_UP,
        behaviour::find_warm_up;
    /// Much of what the account sends is not delivered.
    FailureRate = "failure_rate", "many of the account's messages are not delivered", Reputation, Risk, behaviour::FAILURE_RATE,
        |facts, _, _| behaviour::find_failure_rate(facts);
    /// Many of whom the account writes to opt out.
    OptOutRate = "opt_out_rate", "many of the account's recipients opt out", Reputation, Risk, behaviour::OPT_OUT_RATE,
        |facts, _, _| behaviour::find_opt_out_rate(facts);
    /// Much of what the account wants to send is blocked.
    BlockRate = "block_rate", "many of the account's messages are blocked", Reputation, Risk, behaviour::BLOCK_RATE,
        |facts, _, _| behaviour::find_block_rate(facts);
    /// What adds to the risk comes to so much that a person must release it.
    RiskReview = "risk_review", "it looks so risky that a person must release it", State, Hold, 0, |_, _, _| None;
    /// What adds to the risk comes to so much that it must not go out.
    RiskBlock = "risk_block", "it looks too risky to go out", State, Block, 0, |_, _, _| None;
    /// A guard that cannot see must not send.
    FactMissing = "fact_missing", "something could not be read that must be known before sending", State, Hold, 50, find_missing_fact;
}

impl RuleId {
    /// What would change it, for people, in English; where nothing does, nothing.
    pub const fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Self::KeyNotInForce => "use a key that is in force",
            Self::AccountSuspended | Self::AccountPaused | Self::InstancePaused => "ask who runs the gateway to resume it",
            Self::InstanceNotConnected => "connect the instance",
            Self::RecipientSuppressed => "the recipient can start messages again by writing START",
            Self::PurposeNotAllowed => "declare what it is for, if that is one of the allowed purposes",
            Self::ConversationWindowClosed => "send an approved template, or wait until the recipient writes",
            Self::MonthlyLimit | Self::DailyLimit => "wait for the next window, or ask for a greater limit",
            Self::AccountVelocity | Self::InstanceVelocity | Self::RecipientVelocity => "send it later",
            Self::OptOutSuspected | Self::AccountSupervised | Self::RiskReview => "a person can release it",
            Self::RiskBlock => "change what adds to the risk",
            Self::FactMissing => "try again, or let a person release it",
            Self::Wording => "say plainly what it is about, without an offer or a request for more",
            Self::LinkUnnamed => "name whose link it is, or have the domain entered as the sender's",
            Self::LinksTrusted | Self::TemplateApproved => return None,
            _ => match self.group() {
                Group::Link => "remove the link, or lead to a domain of the sender",
                Group::Obfuscation => "write it in plain letters",
                Group::Behaviour => "write to people who wrote first, and begin slowly",
                Group::Reputation => "write to those only who want to be written to",
                _ => "leave out the words that were found",
            },
        })
    }

    /// Whether it can pass, or a person can look further: such a held message is not lost. A key that was revoked or rerolled
    /// meanwhile keeps its messages held.
    pub const fn passes(self) -> bool {
        !matches!(self, Self::PurposeNotAllowed | Self::RecipientSuppressed | Self::LinkExecutable)
    }
}

fn find_signal(facts: &Facts, signal: Signal) -> Option<Evidence> {
    let found = facts.content.known()?.found.iter().find(|finding| finding.signal == signal)?;
    Some(Evidence::Found { at: found.at, times: found.times })
}

/// What the model says counts for as much as it is sure of; the policy says how sure it must be.
fn find_wording(facts: &Facts, _: &Subject, _: Timestamp) -> Option<Evidence> {
    let heard = facts.content.known()?.tone?;
    Some(Evidence::Heard { family: heard.tone.family, margin: heard.tone.margin, at: heard.at })
}

fn find_suppression(facts: &Facts, subject: &Subject, _: Timestamp) -> Option<Evidence> {
    let ContactState::Suppressed { cause, .. } = facts.contact.known()? else { return None };
    let passes = passes_suppression(*cause, facts.account.one_time_codes_pass, is_one_time_code(facts), subject);
    (!passes).then_some(Evidence::Cause(*cause))
}

fn find_suspicion(facts: &Facts, subject: &Subject, _: Timestamp) -> Option<Evidence> {
    let ContactState::Suspected { .. } = facts.contact.known()? else { return None };
    (!is_requested_code(is_one_time_code(facts), subject)).then_some(Evidence::None)
}

fn is_one_time_code(facts: &Facts) -> bool {
    facts.content.known().is_some_and(|findings| findings.one_time_code)
}

/// The two exceptions to a suppression, where the recipient's own wish is the cause: its one confirmation, and a one-time code.
pub(super) fn passes_suppression(cause: Cause, codes_pass: bool, one_time_code: bool, subject: &Subject) -> bool {
    let is_exception = subject.origin == Origin::Confirmation || (codes_pass && is_requested_code(one_time_code, subject));
    cause.is_own_wish() && is_exception
}

/// Whether it is a one-time code that the recipient just asked for.
pub(super) fn is_requested_code(one_time_code: bool, subject: &Subject) -> bool {
    one_time_code && subject.purpose == DeclaredPurpose::Allowed(Purpose::Authentication) && !subject.origin.is_threecx()
}

/// The Cloud API sends free content only inside the window; 3CX replies only inside it, whoever carries them, unless its integration says
/// otherwise.
fn find_closed_window(facts: &Facts, subject: &Subject, now: Timestamp) -> Option<Evidence> {
    let is_template = subject.content == ContentKind::Template;
    let live_cloud = facts.instance.provider == Provider::CloudApi && subject.mode == crate::Mode::Live;
    let needs_window = subject.origin.needs_window() || (live_cloud && !is_template);
    let is_open = facts.conversation.known()?.is_open_at(now);
    (needs_window && !is_open).then_some(Evidence::None)
}

fn find_limit(limit: u64, used: u64, until: Timestamp) -> Option<Evidence> {
    (used >= limit).then_some(Evidence::Limit { limit, used, until })
}

fn find_too_fast(rate: Option<crate::Rate>, tat: crate::Tat, now: Timestamp) -> Option<Evidence> {
    rate?.take(tat, now).err().map(Evidence::Until)
}

fn find_missing_fact(facts: &Facts, _: &Subject, _: Timestamp) -> Option<Evidence> {
    fn is_missing<T>(fact: &Fact<T>) -> bool {
        fact.known().is_none()
    }
    let names = [
        (is_missing(&facts.key), FactName::Key),
        (is_missing(&facts.contact), FactName::Contact),
        (is_missing(&facts.conversation), FactName::Conversation),
        (is_missing(&facts.content), FactName::Content),
        (is_missing(&facts.traffic), FactName::Traffic),
        (is_missing(&facts.usage), FactName::Usage),
        (is_missing(&facts.velocity), FactName::Velocity),
    ];
    names.into_iter().find(|(missing, _)| *missing).map(|(_, name)| Evidence::Fact(name))
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
