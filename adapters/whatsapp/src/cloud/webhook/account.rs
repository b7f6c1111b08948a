//! Account: what Meta says about our business account and its numbers.

use super::Change;
use crate::fields::Fields;
use crate::item::{AccountEffect, AccountUpdate, Body, Limit, Notice, Stopped};

/// A change of what the business account may do.
pub(super) fn update(value: &Fields<'_>) -> Body {
    let Some(event) = value.text("event") else { return Body::Malformed { why: "expected `event`" } };
    let stops_all = AccountEffect::Stops { what: vec![Stopped::All], until: None };
    let effect = match event.as_str() {
        "ACCOUNT_RESTRICTION" => restriction(value),
        "DISABLED_UPDATE" => ban(value),
        "ACCOUNT_DELETED" | "ACCOUNT_OFFBOARDED" | "PARTNER_REMOVED" => stops_all,
        "ACCOUNT_VIOLATION" => AccountEffect::Warns,
        "ACCOUNT_RECONNECTED" => AccountEffect::Restores,
        _ => AccountEffect::Informs,
    };
    Body::Account(AccountUpdate { event, effect })
}

/// Restrictions of other things than sending stop no message. The latest end of those that do is the end of all.
fn restriction(value: &Fields<'_>) -> AccountEffect {
    let restrictions = value.objects("restriction_info");
    let stopped = |restriction: &Fields<'_>| stopped_by(&restriction.text("restriction_type")?);
    let stopping: Vec<_> =
        restrictions.iter().filter_map(|restriction| Some((stopped(restriction)?, restriction.seconds("expiration")))).collect();
    if stopping.is_empty() {
        return AccountEffect::Warns;
    }
    let is_endless = stopping.iter().any(|(_, until)| until.is_none());
    let until = stopping.iter().filter_map(|(_, until)| *until).max().filter(|_| !is_endless);
    AccountEffect::Stops { what: stopping.into_iter().map(|(what, _)| what).collect(), until }
}

fn stopped_by(restriction_type: &str) -> Option<Stopped> {
    match restriction_type {
        "RESTRICTED_BIZ_INITIATED_MESSAGING" => Some(Stopped::BusinessInitiated),
        "RESTRICTED_CUSTOMER_INITIATED_MESSAGING" => Some(Stopped::CustomerInitiated),
        // The documented word has a prefix that differs between pages.
        other => other.ends_with("UTILITY_TEMPLATES").then_some(Stopped::UtilityTemplates),
    }
}

fn ban(value: &Fields<'_>) -> AccountEffect {
    match value.fields("ban_info").and_then(|ban| ban.text("waba_ban_state")).as_deref() {
        Some("REINSTATE") => AccountEffect::Restores,
        Some("SCHEDULE_FOR_DISABLE") => AccountEffect::Warns,
        _ => AccountEffect::Stops { what: vec![Stopped::All], until: None },
    }
}

/// Another fact about the account or a number, of the fields that are known.
pub(super) fn notice(change: &Change<'_>) -> Option<Notice> {
    let value = &change.value;
    let word = match change.field.as_str() {
        "account_alerts" => value.fields("alert_info").and_then(|alert| alert.text("alert_type")),
        "account_review_update" | "phone_number_name_update" => value.text("decision"),
        "business_capability_update" => None,
        "business_username_updates" => value.text("status"),
        "phone_number_quality_update" | "security" => value.text("event"),
        _ => return None,
    };
    Some(Notice { is_warning: is_warning(&change.field, word.as_deref(), value), limit: limit(value), event: word })
}

fn is_warning(field: &str, word: Option<&str>, value: &Fields<'_>) -> bool {
    match field {
        "account_alerts" => value.fields("alert_info").and_then(|alert| alert.text("alert_severity")).as_deref() != Some("INFORMATIONAL"),
        "account_review_update" | "phone_number_name_update" => word != Some("APPROVED"),
        "phone_number_quality_update" => matches!(word, Some("FLAGGED" | "DOWNGRADE")),
        "security" => true,
        _ => false,
    }
}

/// The limit under its several names, as a number or as the name of a tier.
fn limit(value: &Fields<'_>) -> Option<Limit> {
    let names = ["max_daily_conversations_per_business", "max_daily_conversation_per_phone", "current_limit"];
    names.iter().find_map(|name| value.id(name).and_then(|text| limit_of(&text)))
}

fn limit_of(text: &str) -> Option<Limit> {
    let tier = text.strip_prefix("TIER_").unwrap_or(text);
    if matches!(tier, "UNLIMITED" | "-1") {
        return Some(Limit::Unlimited);
    }
    let (digits, unit) = tier.strip_suffix('K').map_or((tier, 1), |digits| (digits, 1_000));
    digits.parse::<u64>().ok()?.checked_mul(unit).map(Limit::People)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_tier() {
        let people = |number| Some(Limit::People(number));
        for (text, limit) in [
            ("2000", people(2_000)),
            ("TIER_2K", people(2_000)),
            ("TIER_250", people(250)),
            ("TIER_100K", people(100_000)),
            ("-1", Some(Limit::Unlimited)),
            ("TIER_UNLIMITED", Some(Limit::Unlimited)),
            ("TIER_NOT_SET", None),
            ("99999999999999999999K", None),
            ("18446744073709551615K", None),
        ] {
            assert_eq!(limit_of(text), limit, "{text}");
        }
    }
}
