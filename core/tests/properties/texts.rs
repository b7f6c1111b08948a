//! Texts: what is printed reads back as the same, and what was changed on the way is told from it.

use gatepost::{
    AccountId, Actor, ApiKey, Brand, Cause, ContactId, Content, DeclaredPurpose, DeliveryId, IdempotencyKey, InstanceId, KeyKind, KeyOwner,
    KeyRefusal, KeyTerms, Keyring, MessageId, MessageStatus, Mode, NewKey, Phone, PresentedKey, Purpose, RefusedPurpose, Request, Scope,
    Scopes, SuppressionId, Text, Timestamp,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{NOON, Seeded};

proptest! {
    #[test]
    fn a_phone_number_reads_back(digits in 1_000_000..1_000_000_000_000_000u64) {
        let phone = Phone::from_digits(digits).unwrap();
        prop_assert_eq!(phone.e164().parse(), Ok(phone));
        prop_assert_eq!(digits.to_string().parse(), Ok(phone));
        prop_assert_eq!(serde_json::from_str::<Phone>(&serde_json::to_string(&phone).unwrap()).ok(), Some(phone));
    }

    #[test]
    fn whatever_is_read_as_a_phone_number_prints_as_one(text in "[+0-9٠-٩۰-۹ ().\u{202a}\u{2011}-]{0,24}") {
        if let Ok(phone) = text.parse::<Phone>() {
            prop_assert_eq!(phone.e164().parse(), Ok(phone));
            prop_assert_eq!(phone.e164().len(), text.chars().filter(|character| character.is_numeric()).count() + 1);
        }
    }

    #[test]
    fn no_text_at_all_upsets_the_parsers(text in any::<String>()) {
        let brand = Brand::default();
        prop_assert!(PresentedKey::parse(&text, &brand).is_err());
        if let Ok(phone) = text.parse::<Phone>() {
            prop_assert_eq!(phone.e164().parse(), Ok(phone));
        }
        if let Ok(key) = text.parse::<IdempotencyKey>() {
            prop_assert_eq!(key.as_str().len(), key.as_str().chars().count());
        }
    }

    #[test]
    fn a_time_reads_back(millis in -62_135_596_800_000..253_402_207_200_000i64) {
        let at = Timestamp::from_millis(millis);
        prop_assert_eq!(at.to_string().parse(), Ok(at));
    }

    #[test]
    fn an_id_reads_back_and_its_text_keeps_the_order(one in any::<[u8; 16]>(), other in any::<[u8; 16]>()) {
        let (one, other) = (MessageId::from_bytes(one), MessageId::from_bytes(other));
        prop_assert_eq!(one.to_string().parse(), Ok(one));
        prop_assert_eq!(MessageId::from_bytes(one.to_bytes()), one);
        prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        prop_assert_eq!(one.cmp(&other), one.to_bytes().cmp(&other.to_bytes()));
    }

    #[test]
    fn an_id_has_one_text(text in "msg_[0-9a-zA-Z]{26}") {
        if let Ok(id) = text.parse::<MessageId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn no_id_is_taken_for_one_of_another_kind(bytes in any::<[u8; 16]>()) {
        let texts = [
            AccountId::from_bytes(bytes).to_string(),
            ContactId::from_bytes(bytes).to_string(),
            DeliveryId::from_bytes(bytes).to_string(),
            InstanceId::from_bytes(bytes).to_string(),
            SuppressionId::from_bytes(bytes).to_string(),
        ];
        for text in texts {
            prop_assert!(text.parse::<MessageId>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_of_a_later_millisecond_sort_behind(seed in any::<u64>(), millis in 0..281_474_976_710_655i64) {
        let host = Seeded::new(seed);
        let [earlier, later] = [millis, millis + 1].map(|millis| MessageId::new(Timestamp::from_millis(millis), &host));
        prop_assert!(earlier < later);
        prop_assert_eq!(later.to_bytes()[6] >> 4, 7);
        prop_assert_eq!(later.to_bytes()[8] >> 6, 2);
    }

    #[test]
    fn a_key_is_accepted_as_shown(seed in any::<u64>(), kind in kind()) {
        let shown = Shown::new(seed, kind);
        let presented = PresentedKey::parse(shown.key.reveal(), &Brand::default()).unwrap();
        prop_assert_eq!((presented.id, presented.kind), (shown.key.id, kind));
        prop_assert_eq!(shown.check(shown.key.reveal()), Ok(()));
    }

    #[test]
    fn a_key_with_one_character_changed_is_refused_before_any_lookup(seed in any::<u64>(), kind in kind(), place in 0..100usize, to in "[ -~]") {
        let shown = Shown::new(seed, kind);
        let text = shown.key.reveal();
        let place = place % text.len();
        let changed = format!("{}{to}{}", &text[..place], &text[place + 1..]);
        prop_assume!(changed != text);
        prop_assert!(PresentedKey::parse(&changed, &Brand::default()).is_err());
    }

    #[test]
    fn a_key_with_two_characters_swapped_is_refused(seed in any::<u64>(), kind in kind(), place in 0..100usize) {
        let shown = Shown::new(seed, kind);
        let mut letters: Vec<char> = shown.key.reveal().chars().collect();
        let place = place % (letters.len() - 1);
        letters.swap(place, place + 1);
        let swapped: String = letters.into_iter().collect();
        prop_assume!(swapped != shown.key.reveal());
        prop_assert!(PresentedKey::parse(&swapped, &Brand::default()).is_err());
    }

    #[test]
    fn a_well_formed_key_that_nobody_made_is_unknown(seed in any::<u64>(), other in any::<u64>(), kind in kind()) {
        prop_assume!(seed != other);
        let (shown, forged) = (Shown::new(seed, kind), Shown::new(other, kind));
        prop_assert_eq!(shown.check(forged.key.reveal()), Err(KeyRefusal::Unknown));
    }

    #[test]
    fn an_idempotency_key_is_the_same_bare_and_quoted(key in "[!#-~]{1,253}") {
        prop_assert_eq!(format!("\"{key}\"").parse::<IdempotencyKey>(), key.parse());
        prop_assert_eq!(key.parse::<IdempotencyKey>().map(|read| read.as_str().to_owned()), Ok(key));
    }

    #[test]
    fn requests_that_differ_have_different_fingerprints(one in request(), other in request()) {
        prop_assert_eq!(one.fingerprint() == other.fingerprint(), one == other);
        prop_assert_eq!(one.clone().with_idempotency_key("again".parse().unwrap()).fingerprint(), one.fingerprint());
    }

    #[test]
    fn scopes_read_back(scopes in proptest::collection::vec(select(Scope::ALL), 0..6)) {
        let scopes: Scopes = scopes.into_iter().collect();
        let stored = serde_json::to_string(&scopes).unwrap();
        prop_assert_eq!(serde_json::from_str::<Scopes>(&stored).ok(), Some(scopes));
    }
}

/// Few of each, so that two of them are often the same in all but one.
fn request() -> impl Strategy<Value = Request> {
    let purpose = select(vec![Purpose::Support, Purpose::Operational]).prop_map(DeclaredPurpose::Allowed);
    let instance = select(vec!["support", "sales"]);
    let phone = select(vec!["+999501234567", "+999501234568"]);
    let (text, other) = ("Your table is ready.".parse::<Text>().unwrap(), "Your taxi is ready.".parse::<Text>().unwrap());
    let reaction = Content::Reaction { to: text.clone(), emoji: Some(other.clone()) };
    let content = select(vec![Content::from(text), Content::from(other), reaction]);
    (instance, phone, purpose, content).prop_map(|(instance, phone, purpose, content)| Request {
        content,
        ..Request::text(instance, phone.parse().unwrap(), purpose, "any".parse().unwrap())
    })
}

fn kind() -> impl Strategy<Value = KeyKind> {
    select(vec![KeyKind::Account(Mode::Live), KeyKind::Account(Mode::Test), KeyKind::Operator])
}

/// A key that was just shown, and the row that is kept of it.
struct Shown {
    key: NewKey,
    row: ApiKey,
    keyring: Keyring,
}

impl Shown {
    fn new(seed: u64, kind: KeyKind) -> Self {
        let keyring = Keyring::new([(1, [7; 32].into())]).unwrap();
        let key = NewKey::generate(&Brand::default(), kind, &Seeded::new(seed));
        let owner = match kind {
            KeyKind::Account(mode) => KeyOwner::Account(AccountId::from_bytes([1; 16]), mode),
            KeyKind::Operator => KeyOwner::Operator,
        };
        let terms = KeyTerms { name: "shop".parse().unwrap(), scopes: Scopes::all(), allowed_from: vec![], expires_at: None };
        let row = ApiKey::new(&key, owner, terms, 1, keyring.present().1, Timestamp::from_millis(NOON));
        Self { key, row, keyring }
    }

    fn check(&self, text: &str) -> Result<(), KeyRefusal> {
        let presented = PresentedKey::parse(text, &Brand::default()).map_err(|_| KeyRefusal::Unknown)?;
        self.row.check(&presented, self.keyring.present().1, None, Timestamp::from_millis(NOON))
    }
}

#[test]
fn every_word_reads_back() {
    assert!(Cause::ALL.iter().all(|cause| cause.as_str().parse() == Ok(*cause)));
    assert!(MessageStatus::ALL.iter().all(|status| status.as_str().parse() == Ok(*status)));
    assert!(Scope::ALL.iter().all(|scope| scope.as_str().parse() == Ok(*scope)));
    assert!(Purpose::ALL.iter().all(|purpose| purpose.as_str().parse() == Ok(DeclaredPurpose::Allowed(*purpose))));
    assert!(RefusedPurpose::ALL.iter().all(|purpose| purpose.as_str().parse() == Ok(DeclaredPurpose::Refused(*purpose))));
}

#[test]
fn every_actor_reads_back() {
    let key = "0aZ3kQ9fLm2X".parse().unwrap();
    for actor in [Actor::App, Actor::Gateway, Actor::Key(key), Actor::Recipient] {
        assert_eq!(actor.to_string().parse(), Ok(actor));
    }
}
