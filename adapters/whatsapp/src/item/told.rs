//! Told: an item as the core heeds it.

use gatepost::{ErrorClass, NewInbound, SaidFile, StatusReport, Told};

use super::{Body, Inbound, Item, Said, StatusUpdate};

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
        file: match &inbound.said {
            Said::Media(file) => Some(SaidFile { id: file.id.clone(), mime_type: file.mime_type.clone() }),
            _ => None,
        },
        reply_to: inbound.quoted.as_ref().map(|quoted| quoted.id.clone()),
        opens_window,
        meaning: None,
    }
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
    use gatepost::{MessageId, Progress};

    use super::*;
    use crate::cloud::webhook;

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
        assert_eq!(text.text.as_ref().map(gatepost::Words::as_str), Some("STOP"));
        assert_eq!((image.form.as_str(), image.file.as_ref().and_then(|file| file.id.as_deref())), ("image", Some("77")));
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
