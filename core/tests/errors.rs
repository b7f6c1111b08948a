//! Errors: what a person reads when something could not be. A changed sentence is a change that somebody should see.

use gatepost::{
    AccountId, Actor, Brand, Cause, Connection, DeclaredPurpose, IdempotencyKey, KeyId, KeyRefusal, Keyring, MessageId, MessageStatus,
    Name, Phone, PresentedKey, Provider, Scope, Stale, StoreError, Text, Timestamp, Zone,
};

#[test]
fn a_text_that_cannot_be_read_says_what_was_expected() {
    let errors = [
        said("account id", "acc_1".parse::<AccountId>()),
        said("actor", "somebody".parse::<Actor>()),
        said("brand", "WG".parse::<Brand>()),
        said("cause", "boredom".parse::<Cause>()),
        said("connection", "ajar".parse::<Connection>()),
        said("idempotency key", "".parse::<IdempotencyKey>()),
        said("key", PresentedKey::parse("wg_live_1", &Brand::default())),
        said("key id", "short".parse::<KeyId>()),
        said("keyring", Keyring::new([])),
        said("message id", "acc_00000000000000000000000000".parse::<MessageId>()),
        said("message status", "lost".parse::<MessageStatus>()),
        said("name", "\n".parse::<Name>()),
        said("phone", "call me".parse::<Phone>()),
        said("phone", "0501234567".parse::<Phone>()),
        said("phone", "+999".parse::<Phone>()),
        said("provider", "pigeon".parse::<Provider>()),
        said("purpose", "newsletter".parse::<DeclaredPurpose>()),
        said("scope", "everything".parse::<Scope>()),
        said("text", " ".parse::<Text>()),
        said("text", "a\0b".parse::<Text>()),
        said("text", "a".repeat(4097).parse::<Text>()),
        said("time", "noon".parse::<Timestamp>()),
        said("zone", "Mars/Olympus".parse::<Zone>()),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r"
    account id: expected an id that starts with `acc_`
    actor: expected `app`, `gateway`, `recipient` or `key:` and a key id
    brand: expected 2 to 12 lower-case letters or digits
    cause: expected a cause: `manual`, `complaint`, `legal`, `keyword`, `natural_language`, `user_preference` or `number_reassigned`
    connection: expected one of `open`, `connecting`, `closed`
    idempotency key: expected 1 to 255 visible ASCII characters
    key: expected an API key
    key id: expected the 12 letters and digits of a key id
    keyring: expected at least one root key
    message id: expected an id that starts with `msg_`
    message status: expected a message status, for example `sent`
    name: expected 1 to 100 characters without control characters
    phone: expected digits, spaces and punctuation only
    phone: expected the country code first, without a leading zero
    phone: expected 7 to 15 digits with the country code, for example `+999501234567`
    provider: expected one of `sandbox`, `cloud_api`, `evolution`
    purpose: expected one of `transactional`, `operational`, `support`, `internal_team`, `authentication`
    scope: expected a scope, for example `messages:send`
    text: expected at least one character that is not white space
    text: expected no NUL character
    text: expected at most 4096 characters
    time: expected a time as in RFC 3339, for example `2026-11-22T12:00:00Z`
    zone: expected a time zone of the IANA database, for example `Asia/Riyadh`
    ");
}

#[test]
fn a_refusal_says_why() {
    let errors = [
        KeyRefusal::Address.to_string(),
        KeyRefusal::Expired.to_string(),
        KeyRefusal::Revoked.to_string(),
        KeyRefusal::Unknown.to_string(),
        Stale.to_string(),
        StoreError::Conflict.to_string(),
        StoreError::Unavailable("the disk is full".to_owned()).to_string(),
        StoreError::OutcomeUnknown("the disk did not answer".to_owned()).to_string(),
        StoreError::Corrupt("a row without an account".to_owned()).to_string(),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r"
    the key may not be used from this address
    the key has expired
    the key was revoked
    there is no such key
    the delivery has moved on
    the store's rows changed meanwhile
    the store is not available: the disk is full
    the store may or may not have written: the disk did not answer
    the store holds what it cannot: a row without an account
    ");
}

fn said<T, E: core::fmt::Display>(what: &str, result: Result<T, E>) -> String {
    match result {
        Ok(_) => format!("{what}: read"),
        Err(error) => format!("{what}: {error}"),
    }
}
