//! Told: an item as the core heeds it.

use gatepost::{ErrorClass, NewInbound, SaidCard, SaidDetail, SaidFile, StatusReport, Told};

use super::{Body, Card, Inbound, Item, Said, StatusUpdate};

impl Item {
    /// This item as the core heeds it. What is said to many, or by ourselves, is kept and nothing follows from it.
    pub fn told(&self) -> NewInbound {
        let told = match &self.body {
            Body::Message(inbound) if self.is_inbound() => Told::Said(said(inbound, self.opens_window())),
            Body::Status(update) => Told::Status(report(update)),
            Body::Preference(preference) => Told::Preference(preference.wish),
            Body::Identity(change) => Told::Identity(change.now.clone()),
            Body::Connection(update) => Told::Connection(update.connection),
            Body::Malformed { why } => Told::Quarantined { why: (*why).to_owned() },
            _ => Told::Other,
        };
        NewInbound { key: self.key.clone(), kind: self.kind.clone(), at: self.at, people: self.people.clone(), told }
    }
}

fn said(inbound: &Inbound, opens_window: bool) -> gatepost::Said {
    gatepost::Said {
        external_id: inbound.id.clone(),
        form: form(&inbound.said).to_owned(),
        text: inbound.text.clone(),
        detail: detail(&inbound.said),
        sender_name: inbound.profile.name.clone(),
        file: match &inbound.said {
            Said::Media(file) => Some(SaidFile { id: file.id.clone(), mime_type: file.mime_type.clone() }),
            _ => None,
        },
        reply_to: reply_to(inbound).map(str::to_owned),
        opens_window,
        meaning: None,
    }
}

/// The message that it answers to, or reacts to.
fn reply_to(inbound: &Inbound) -> Option<&str> {
    match (&inbound.quoted, &inbound.said) {
        (Some(quoted), _) => Some(&quoted.id),
        (None, Said::Reaction { to, .. }) => to.as_deref(),
        _ => None,
    }
}

/// What is not said in words.
fn detail(said: &Said) -> Option<SaidDetail> {
    match said {
        Said::Contacts { cards } => Some(SaidDetail::Contacts(cards.iter().map(card).collect())),
        Said::Location { latitude_e6, longitude_e6, name, address } => Some(SaidDetail::Location {
            latitude_e6: *latitude_e6,
            longitude_e6: *longitude_e6,
            name: name.clone(),
            address: address.clone(),
        }),
        Said::Order { lines, .. } => Some(SaidDetail::Order { lines: u32::try_from(*lines).unwrap_or(u32::MAX) }),
        Said::Reaction { emoji, .. } => Some(SaidDetail::Reaction { emoji: emoji.clone() }),
        _ => None,
    }
}

fn card(card: &Card) -> SaidCard {
    SaidCard { name: card.name.clone(), phones: card.phones.clone() }
}

/// The form as customers are told it.
const fn form(said: &Said) -> &'static str {
    match said {
        Said::Text => "text",
        Said::Media(file) => file.media.as_str(),
        Said::Choice { .. } => "choice",
        Said::Form { .. } => "form",
        Said::CallPermission { .. } => "call_permission",
        Said::Reaction { .. } => "reaction",
        Said::Location { .. } => "location",
        Said::Contacts { .. } => "contacts",
        Said::Order { .. } => "order",
        Said::Edit { .. } => "edit",
        Said::Revoke { .. } => "revoke",
        Said::Unsupported { .. } => "unsupported",
        Said::Unknown => "unknown",
    }
}

/// What the errors of a status mean. The first one counts, but for a wish to get no more.
fn classes(update: &StatusUpdate) -> impl Iterator<Item = ErrorClass> {
    update.errors.iter().map(|error| error.problem.class())
}

fn report(update: &StatusUpdate) -> StatusReport {
    StatusReport {
        message: update.message(),
        external_id: update.external_id.clone(),
        progress: update.progress,
        error: classes(update).find(|class| *class == ErrorClass::OptedOut).or_else(|| classes(update).next()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use gatepost::{MessageId, Progress, Words};

    use super::*;
    use crate::cloud::webhook;

    /// What Alice says by a message of this form.
    fn alice_says(message: &str) -> gatepost::Said {
        let profile = r#""contacts":[{"wa_id":"999501234567","profile":{"name":"Alice"}}]"#;
        let message = format!(r#"{{"from":"999501234567","id":"wamid.1","timestamp":"1795500000",{message}}}"#);
        let Ok([Told::Said(said)]) = <[Told; 1]>::try_from(told(&format!(r#"{profile},"messages":[{message}]"#))) else {
            panic!("{message}")
        };
        said
    }

    /// What is said by a message of Evolution API with this content.
    fn said_by_evolution(message: &str) -> gatepost::Said {
        let key = r#"{"remoteJid":"999501234567@s.whatsapp.net","fromMe":false,"id":"3EB0"}"#;
        let data = format!(r#"{{"key":{key},"pushName":"Alice","message":{message},"messageTimestamp":1795500000}}"#);
        let body = format!(r#"{{"event":"messages.upsert","instance":"desk","data":{data}}}"#);
        match crate::evolution::webhook(body.as_bytes()).unwrap().items[0].told().told {
            Told::Said(said) => said,
            other => panic!("{other:?}"),
        }
    }

    fn words(text: &str) -> Option<Words> {
        Some(Words::new(text.to_owned()))
    }

    /// What is told by a value of the field `messages`.
    fn told(value: &str) -> Vec<Told> {
        let metadata = r#""metadata":{"phone_number_id":"8007"}"#;
        let changes = format!(r#"[{{"field":"messages","value":{{{metadata},{value}}}}}]"#);
        let body = format!(r#"{{"object":"whatsapp_business_account","entry":[{{"id":"9001","changes":{changes}}}]}}"#);
        webhook(body.as_bytes()).unwrap().items.iter().map(|item| item.told().told).collect()
    }

    #[test]
    fn what_a_person_says_is_heeded_with_its_form() {
        let told = told(
            r#""messages":[{"from":"999501234567","id":"wamid.1","timestamp":"1795500000","type":"text","text":{"body":"STOP"}},
                {"from":"999501234567","id":"wamid.2","timestamp":"1795500000","type":"image","image":{"id":"77","mime_type":"image/png","caption":"here"}}]"#,
        );
        let [Told::Said(text), Told::Said(image)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((text.form.as_str(), text.external_id.as_str(), text.opens_window), ("text", "wamid.1", true));
        assert_eq!(text.text.as_ref().map(Words::as_str), Some("STOP"));
        assert_eq!((image.form.as_str(), image.file.as_ref().and_then(|file| file.id.as_deref())), ("image", Some("77")));
    }

    #[test]
    fn a_place_is_heeded_with_its_name() {
        let place = SaidDetail::Location {
            latitude_e6: 38_897_700,
            longitude_e6: -77_036_500,
            name: words("The White House"),
            address: words("1600 Pennsylvania Avenue"),
        };
        let names = r#""name":"The White House","address":"1600 Pennsylvania Avenue""#;
        let said = [
            alice_says(&format!(r#""type":"location","location":{{"latitude":38.8977,"longitude":-77.0365,{names}}}"#)),
            said_by_evolution(&format!(r#"{{"locationMessage":{{"degreesLatitude":38.8977,"degreesLongitude":-77.0365,{names}}}}}"#)),
        ];
        for said in said {
            assert_eq!((said.form.as_str(), said.detail, said.sender_name), ("location", Some(place.clone()), words("Alice")));
        }
    }

    #[test]
    fn a_reaction_is_heeded_with_the_message_that_it_is_on() {
        let said = [
            alice_says(r#""type":"reaction","reaction":{"message_id":"wamid.0","emoji":"👍"}"#),
            said_by_evolution(r#"{"reactionMessage":{"key":{"id":"wamid.0"},"text":"👍"}}"#),
        ];
        for said in said {
            assert_eq!((said.detail, said.reply_to.as_deref()), (Some(SaidDetail::Reaction { emoji: words("👍") }), Some("wamid.0")));
        }
        let said = [
            alice_says(r#""type":"reaction","reaction":{"message_id":"wamid.0"}"#),
            said_by_evolution(r#"{"reactionMessage":{"key":{"id":"wamid.0"},"text":""}}"#),
        ];
        for said in said {
            assert_eq!((said.detail, said.reply_to.as_deref()), (Some(SaidDetail::Reaction { emoji: None }), Some("wamid.0")));
        }
    }

    #[test]
    fn what_a_reaction_quotes_comes_before_what_it_is_on() {
        let said = alice_says(r#""type":"reaction","reaction":{"message_id":"wamid.0","emoji":"👍"},"context":{"id":"wamid.9"}"#);
        assert_eq!(said.reply_to.as_deref(), Some("wamid.9"));
    }

    #[test]
    fn cards_are_heeded_with_their_numbers() {
        let expected =
            SaidDetail::Contacts(vec![SaidCard { name: words("Barbara"), phones: words("+1 202 555 0188").into_iter().collect() }]);
        let vcard = r"BEGIN:VCARD\nVERSION:3.0\nFN:Barbara\nitem1.TEL;type=CELL;waid=12025550188:+1 202 555 0188\nEND:VCARD";
        let said = [
            alice_says(r#""type":"contacts","contacts":[{"name":{"formatted_name":"Barbara"},"phones":[{"phone":"+1 202 555 0188"}]}]"#),
            said_by_evolution(&format!(r#"{{"contactMessage":{{"displayName":"Barbara","vcard":"{vcard}"}}}}"#)),
        ];
        for said in said {
            assert_eq!((said.form.as_str(), said.detail), ("contacts", Some(expected.clone())));
        }
    }

    #[test]
    fn an_order_is_heeded_with_the_number_of_its_lines() {
        let said = [
            alice_says(r#""type":"order","order":{"catalog_id":"1","product_items":[{},{},{}],"text":"soon, please"}"#),
            said_by_evolution(r#"{"orderMessage":{"orderId":"1","itemCount":3,"message":"soon, please"}}"#),
        ];
        for said in said {
            assert_eq!((said.text, said.detail), (words("soon, please"), Some(SaidDetail::Order { lines: 3 })));
        }
    }

    #[test]
    fn a_text_is_heeded_with_the_name_of_who_wrote_it() {
        let said = [alice_says(r#""type":"text","text":{"body":"hi"}"#), said_by_evolution(r#"{"conversation":"hi"}"#)];
        for said in said {
            assert_eq!((said.text, said.detail, said.sender_name), (words("hi"), None, words("Alice")));
        }
    }

    #[test]
    fn a_status_names_our_message_and_why_it_failed() {
        let ours = MessageId::from_bytes([7; 16]);
        let told = told(&format!(
            r#""statuses":[{{"id":"wamid.1","status":"failed","timestamp":"1795500000","recipient_id":"999501234567",
                "biz_opaque_callback_data":"{ours}","errors":[{{"code":131050,"title":"no"}}]}}]"#
        ));
        let report = StatusReport {
            message: Some(ours),
            external_id: "wamid.1".to_owned(),
            progress: Progress::Failed,
            error: Some(ErrorClass::OptedOut),
        };
        assert_eq!(told, [Told::Status(report)]);
    }

    #[test]
    fn what_cannot_be_read_is_put_aside() {
        let told = told(r#""messages":[{"from":"999501234567","type":"text","text":{"body":"who am I?"}}]"#);
        assert!(matches!(&told[..], [Told::Quarantined { .. }]), "{told:?}");
    }
}
