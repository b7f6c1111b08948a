//! Discreet: what must never be said. Message text, phone numbers, keys and secrets, in whatever is printed for people or logs.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]

use core::fmt::Debug;
use core::sync::atomic::{AtomicU32, Ordering};

use gatepost::{
    AccountId, Action, Actor, Address, Addresses, ApiKey, AtOnce, Brand, Button, Cause, Claimed, Confirmation, ContactCard, ContactId,
    Content, Degrees, DeliveryId, EventRow, Fact, Findings, Finish, Host, InboundEntry, InboundId, InstanceId, KeyDigest, KeyKind,
    KeyOwner, KeyTerms, Keyring, Lease, MediaKind, Message, MessageId, MessageReceived, MessageStatus, Mode, NewInbound, NewKey,
    NewSuppression, Notification, NotificationEntry, NotificationId, OptChange, Outcome, Parcel, Permit, Phone, PresentedKey, Provider,
    Purpose, Received, Request, Said, SaidCard, SaidDetail, Scopes, StartAnswer, Started, Submission, Suppression, SuppressionFilter,
    SuppressionId, Suspicion, TemplateParameter, Text, Timestamp, Told, Words, read_reply,
};

const TEXT: &str = "Meet me at the blue door";
/// As long as a button may be.
const TITLE: &str = "Meet at a blue door";
const PHONE: &str = "+999501234567";
const ROOT: [u8; 32] = [0x5c; 32];
const DIGEST: [u8; 32] = [0xab; 32];

/// What may not be seen: parts of the above, in the forms in which a careless `Debug` shows them.
const UNSPEAKABLE: &[&str] = &["Meet", "blue", "door", "5012345", "+99950", "92, 92", "5c5c", "171, 171", "abab"];

#[track_caller]
fn check(value: &dyn Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        // A pretty list of bytes puts each on a line of its own.
        let in_one_line = shown.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        for word in UNSPEAKABLE {
            assert!(!in_one_line.contains(&word.to_lowercase()), "`{word}` is seen in {shown}");
        }
    }
}

#[test]
fn the_words_would_be_seen_if_they_were_shown() {
    assert!(UNSPEAKABLE.iter().any(|word| TEXT.contains(word)));
    assert!(UNSPEAKABLE.iter().any(|word| PHONE.contains(word)));
    assert!(UNSPEAKABLE.iter().any(|word| format!("{ROOT:?}").contains(word)));
    assert!(UNSPEAKABLE.iter().any(|word| format!("{DIGEST:?}").contains(word)));
    assert_eq!((text().as_str(), phone().e164().as_str()), (TEXT, PHONE));
}

#[test]
fn text_shows_its_length_only() {
    check(&text());
    assert_eq!(format!("{:?}", text()), "Text(24 bytes)");
}

#[test]
fn a_phone_number_shows_its_country_and_two_digits() {
    check(&phone());
    check(&Address::from(phone()));
    check(&Address::from(phone()).masked());
    assert_eq!(phone().masked(), "+999•••••••67");
    assert_eq!(Phone::from_digits(1_234_567).map(|shortest| shortest.masked()), Ok("+123••67".to_owned()));
}

#[test]
fn content_of_any_kind_shows_nothing_of_what_it_says() {
    check(&Content::Text { text: text() });
    let (header, text_1024) = (Some(part()), part::<1024>());
    check(&Content::Interactive { text: text_1024.clone(), header, footer: None, action: buttons() });
    check(&buttons());
    check(&Content::Media { kind: MediaKind::Image, source: text(), caption: Some(text_1024), file_name: Some(part()) });
    check(&Content::Reaction { to: text(), emoji: Some(text()) });
    check(&TemplateParameter::from(text()));
    check(&Content::Template {
        name: text(),
        language: text(),
        authentication: false,
        header: None,
        parameters: vec![text().into()],
        buttons: vec![],
    });
}

#[test]
fn a_message_on_its_way_shows_neither_text_nor_number() {
    check(&request());
    check(&submission());
    check(&message());
    check(&started());
    check(&StartAnswer::Started(Box::new(started())));
    check(&Finish {
        claimed: started().claimed,
        attempt: 1,
        outcome: Outcome::Sent { external_id: Some("wamid.1".to_owned()) },
        report: None,
        jitter: 0,
        now: now(),
    });
}

#[test]
fn a_suppression_shows_no_number() {
    let (id, contact, address) = (SuppressionId::from_bytes([4; 16]), ContactId::from_bytes([3; 16]), Address::from(phone()));
    let (cause, by) = (Cause::Keyword, Actor::Recipient);
    check(&NewSuppression { id, contact, address: address.clone(), cause, note: None, by, now: now() });
    check(&Suppression { id, contact, address: address.clone(), cause, note: None, since: now(), by, lifted: None });
    check(&SuppressionFilter { address: Some(address), in_force: true });
}

#[test]
fn what_comes_in_shows_neither_words_nor_number() {
    let (instance, name) = (InstanceId::from_bytes([6; 16]), "desk".parse().unwrap());
    let told = || Told::Said(said());
    let new = || NewInbound { key: PHONE.to_owned(), kind: "message.text".to_owned(), at: Some(now()), people: people(), told: told() };
    check(&new());
    let inbound = new().at(instance, InboundId::from_bytes([7; 16]), now(), &Still::default());
    check(&inbound);
    check(&Told::Identity(people()));
    let (called, phones) = (Some(Words::new(TEXT.to_owned())), vec![Words::new(PHONE.to_owned())]);
    let card = SaidCard { name: called.clone(), phones };
    check(&card);
    let details = [detail(), SaidDetail::Contacts(vec![card]), SaidDetail::Reaction { emoji: called.clone() }];
    details.iter().for_each(|detail| check(detail));
    check(&Degrees::from_millionths(5_012_345));
    check(&ContactCard { id: ContactId::from_bytes([3; 16]), name: called, addresses: people() });
    let (notification, body) = (NotificationId::from_bytes([8; 16]), TEXT.as_bytes().to_vec());
    check(&Notification { id: notification, instance, body: body.clone(), inbound: vec![inbound], now: now() });
    check(&NotificationEntry { id: notification, instance, received_at: now(), received: Received::default(), body: Some(body) });
    check(&InboundEntry {
        id: InboundId::from_bytes([7; 16]),
        notification,
        instance,
        contact: None,
        from: Some(phone().into()),
        kind: "message.text".to_owned(),
        at: None,
        received_at: now(),
        waits: true,
        told: told(),
    });
    let (id, from, said) = (InboundId::from_bytes([7; 16]), Address::from(phone()), said());
    let ours = message();
    let received = MessageReceived {
        id,
        instance: (instance, &name),
        from: Some(&from),
        said: &said,
        reply_to: Some(&ours),
        at: now(),
        received_at: now(),
    };
    check(&received);
    check(&received.event());
}

#[test]
fn an_opt_out_shows_neither_words_nor_number() {
    let (inbound, contact, address) = (InboundId::from_bytes([7; 16]), ContactId::from_bytes([3; 16]), Address::from(phone()));
    let words = Words::new(TEXT.to_owned());
    let change = OptChange { id: [4; 16], instance: None, address: &address, text: Some(&words), source: Cause::Keyword, at: now() };
    check(&change);
    check(&change.opted_out());
    check(&change.opted_in());
    let language = read_reply("stop").meaning.unwrap().language;
    check(&Confirmation { inbound, contact, address: &address, instance: InstanceId::from_bytes([6; 16]), language, said_at: now() });
    check(&Suspicion { contact, address, inbound, since: now() });
}

fn people() -> Addresses {
    ["+999501234567", "lid:98765012345432"].into_iter().flat_map(str::parse::<Address>).collect()
}

fn detail() -> SaidDetail {
    let words = || Some(Words::new(TEXT.to_owned()));
    SaidDetail::Location { latitude_e6: 5_012_345, longitude_e6: 5_012_345, name: words(), address: words() }
}

fn said() -> Said {
    Said {
        external_id: "wamid.1".to_owned(),
        form: "text".to_owned(),
        text: Some(Words::new(TEXT.to_owned())),
        detail: Some(detail()),
        sender_name: Some(Words::new(TEXT.to_owned())),
        file: None,
        reply_to: None,
        opens_window: true,
        meaning: None,
    }
}

#[test]
fn a_key_shows_its_public_part_only() {
    let key = NewKey::generate(&Brand::default(), KeyKind::Account(Mode::Live), &Still::default());
    let keyring = keyring();
    let row = row(&key, &keyring);
    let presented = PresentedKey::parse(key.reveal(), &Brand::default()).unwrap();
    let secret = &key.reveal()["wg_live_".len() + key.id.as_str().len()..];
    for shown in [format!("{key:?}"), format!("{presented:?}"), format!("{row:?}"), format!("{:?}", key.id)] {
        let leaked = (0..secret.len() - 6).map(|start| &secret[start..start + 6]).find(|part| shown.contains(part));
        assert_eq!(leaked, None, "{shown}");
        assert!(shown.contains(key.id.as_str()), "{shown}");
    }
}

#[test]
fn root_keys_peppers_and_digests_show_nothing() {
    let keyring = keyring();
    check(&keyring);
    check(&keyring.present());
    check(&KeyDigest::from_bytes(DIGEST));
    let key = NewKey::generate(&Brand::default(), KeyKind::Operator, &Still::default());
    check(&ApiKey { digest: KeyDigest::from_bytes(DIGEST), ..row(&key, &keyring) });
}

#[test]
fn an_error_does_not_repeat_what_could_not_be_read() {
    let too_long = TEXT.repeat(1_000);
    let errors = [
        format!("{PHONE}, or call {PHONE}").parse::<Phone>().unwrap_err().to_string(),
        too_long.parse::<Text>().unwrap_err().to_string(),
        serde_json::from_str::<Phone>(&format!("\"{PHONE}, please\"")).unwrap_err().to_string(),
        serde_json::from_str::<Address>(&format!("{{\"phone\":\"{PHONE}x\"}}")).unwrap_err().to_string(),
        PresentedKey::parse(TEXT, &Brand::default()).unwrap_err().to_string(),
    ];
    errors.iter().for_each(|error| check(error));
}

fn text() -> Text {
    part()
}

fn part<const MAX: usize>() -> Text<MAX> {
    TEXT.parse().unwrap()
}

fn buttons() -> Action {
    let button = Button { id: part(), title: TITLE.parse().unwrap() };
    Action::Buttons { buttons: vec![button].try_into().unwrap() }
}

fn phone() -> Phone {
    PHONE.parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn request() -> Request {
    Request::text("support", phone(), Purpose::Support, text())
}

fn submission() -> Submission {
    let request = request();
    Submission {
        message: MessageId::from_bytes([1; 16]),
        delivery: DeliveryId::from_bytes([2; 16]),
        contact: ContactId::from_bytes([3; 16]),
        fingerprint: Some(request.fingerprint()),
        text_print: gatepost::text_print(&request.content),
        findings: Fact::Known(Findings::default()),
        request,
        now: now(),
        at_once: Some(AtOnce { permit: Permit::new(drop), lease: lease() }),
    }
}

fn lease() -> Lease {
    Lease::new(now(), core::time::Duration::from_secs(15))
}

fn started() -> Started {
    let claimed = Claimed { account: AccountId::from_bytes([5; 16]), delivery: DeliveryId::from_bytes([2; 16]), fence: 1 };
    let parcel = Parcel {
        account: claimed.account,
        message: MessageId::from_bytes([1; 16]),
        instance: InstanceId::from_bytes([6; 16]),
        provider: Provider::Sandbox,
        recipient: phone().into(),
        purpose: Purpose::Support,
        content: text().into(),
    };
    Started { claimed, attempt: 1, lease: lease(), parcel }
}

fn message() -> Message {
    Message {
        id: MessageId::from_bytes([1; 16]),
        log_id: 1,
        instance: InstanceId::from_bytes([6; 16]),
        recipient: phone().into(),
        purpose: Purpose::Support,
        content: Some(text().into()),
        mode: Mode::Live,
        status: MessageStatus::Queued,
        error: None,
        external_id: None,
        created_at: now(),
        updated_at: now(),
    }
}

fn keyring() -> Keyring {
    Keyring::new([(1, ROOT.into())]).unwrap()
}

fn row(key: &NewKey, keyring: &Keyring) -> ApiKey {
    let terms = KeyTerms { name: "shop".parse().unwrap(), scopes: Scopes::all(), allowed_from: vec![], expires_at: None };
    ApiKey::new(key, KeyOwner::Account(AccountId::from_bytes([5; 16]), Mode::Live), terms, 1, keyring.present().1, now())
}

/// A host whose clock stands still, and whose bytes repeat nowhere near, so that parts of a key can be told apart.
#[derive(Default)]
struct Still(AtomicU32);

impl Host for Still {
    fn now(&self) -> Timestamp {
        now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let step = self.0.fetch_add(1, Ordering::Relaxed);
            *byte = (step.wrapping_mul(0x9e37_79b1) >> 24) as u8;
        }
    }
}

#[test]
fn a_row_of_the_log_shows_its_place_and_its_length() {
    let at = Timestamp::default();
    let columns = || DIGEST.to_vec();
    let row =
        EventRow { seq: 7, at, message: Some(columns()), instance: columns(), contact: columns(), verdict: columns(), body: columns() };
    check(&row);
    assert_eq!(format!("{row:?}"), "EventRow(7, 32 bytes)");
}
