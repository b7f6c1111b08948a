//! Halves: an account as it is kept, what may be seen apart from what may not.
//!
//! The types are private, so that nothing else can write a secret down.

use std::borrow::Cow;

use gatepost::{AdapterSettings, Secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{CloudAccount, EvolutionAccount};

#[derive(Deserialize, Serialize)]
pub(super) struct CloudSettings {
    phone_number_id: String,
    waba_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    portfolio_id: Option<String>,
    graph_version: String,
    throughput: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    people_per_day: Option<u32>,
}

impl CloudSettings {
    pub(super) fn of(account: &CloudAccount) -> Self {
        Self {
            phone_number_id: account.phone_number_id.clone(),
            waba_id: account.waba_id.clone(),
            portfolio_id: account.portfolio_id.clone(),
            graph_version: account.graph_version.clone(),
            throughput: account.throughput,
            people_per_day: account.people_per_day,
        }
    }
}

/// Texts of JSON without escapes are borrowed, so that no copy of a secret is left behind.
#[derive(Deserialize, Serialize)]
pub(super) struct CloudCredentials<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    #[serde(borrow)]
    app_secrets: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    verify_token: Cow<'a, str>,
}

impl<'a> CloudCredentials<'a> {
    pub(super) fn of(account: &'a CloudAccount) -> Self {
        Self {
            access_token: shown(&account.access_token),
            app_secrets: account.app_secrets.iter().map(shown).collect(),
            verify_token: shown(&account.verify_token),
        }
    }
}

pub(super) fn cloud(settings: CloudSettings, credentials: CloudCredentials<'_>) -> CloudAccount {
    CloudAccount {
        phone_number_id: settings.phone_number_id,
        waba_id: settings.waba_id,
        portfolio_id: settings.portfolio_id,
        access_token: hidden(credentials.access_token),
        app_secrets: credentials.app_secrets.into_iter().map(hidden).collect(),
        verify_token: hidden(credentials.verify_token),
        graph_version: settings.graph_version,
        throughput: settings.throughput,
        people_per_day: settings.people_per_day,
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct EvolutionSettings {
    base_url: String,
    instance_name: String,
}

impl EvolutionSettings {
    pub(super) fn of(account: &EvolutionAccount) -> Self {
        Self { base_url: account.base_url.clone(), instance_name: account.instance_name.clone() }
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct EvolutionCredentials<'a> {
    #[serde(borrow)]
    api_key: Cow<'a, str>,
    #[serde(borrow)]
    jwt_key: Cow<'a, str>,
}

impl<'a> EvolutionCredentials<'a> {
    pub(super) fn of(account: &'a EvolutionAccount) -> Self {
        Self { api_key: shown(&account.api_key), jwt_key: shown(&account.jwt_key) }
    }
}

pub(super) fn evolution(settings: EvolutionSettings, credentials: EvolutionCredentials<'_>) -> EvolutionAccount {
    EvolutionAccount {
        base_url: settings.base_url,
        api_key: hidden(credentials.api_key),
        instance_name: settings.instance_name,
        jwt_key: hidden(credentials.jwt_key),
    }
}

fn shown(secret: &Secret) -> Cow<'_, str> {
    Cow::Borrowed(secret.expose())
}

fn hidden(text: Cow<'_, str>) -> Secret {
    Secret::from(text.into_owned())
}

pub(super) fn settings(half: &impl Serialize) -> AdapterSettings {
    // A struct of texts and numbers always has an object.
    AdapterSettings::of(half).unwrap_or_default()
}

pub(super) fn credentials(half: &impl Serialize) -> Zeroizing<Vec<u8>> {
    // Enough for usual secrets: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    // A struct of texts can always be written to memory.
    drop(serde_json::to_writer(&mut *bytes, half));
    bytes
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn cloud_account() -> CloudAccount {
        CloudAccount {
            portfolio_id: Some("7001".to_owned()),
            people_per_day: Some(2_000),
            app_secrets: vec![Secret::from("new\"secret"), Secret::from("old-secret")],
            verify_token: Secret::from("verify"),
            ..CloudAccount::new("8007", "9001", "EAAJ-token")
        }
    }

    #[test]
    fn an_account_comes_back_from_its_halves() {
        let account = cloud_account();
        let back = CloudAccount::from_halves(&account.settings(), &account.credentials()).expect("both halves");
        assert_eq!((back.settings(), back.credentials()), (account.settings(), account.credentials()));
        assert_eq!(back.app_secrets.iter().map(Secret::expose).collect::<Vec<_>>(), ["new\"secret", "old-secret"]);
        let evolution = EvolutionAccount {
            base_url: "https://evolution.example".to_owned(),
            api_key: Secret::from("key"),
            instance_name: "desk".to_owned(),
            jwt_key: Secret::from("jwt"),
        };
        let back = EvolutionAccount::from_halves(&evolution.settings(), &evolution.credentials()).expect("both halves");
        assert_eq!((back.settings(), back.credentials()), (evolution.settings(), evolution.credentials()));
        assert!(EvolutionAccount::from_halves(&account.settings(), &account.credentials()).is_err());
    }

    #[test]
    fn the_half_that_may_be_seen_holds_no_secret() {
        let settings = cloud_account().settings();
        let expected = r#"{"phone_number_id":"8007","waba_id":"9001","portfolio_id":"7001","graph_version":"v25.0","throughput":80,"people_per_day":2000}"#;
        assert_eq!(settings.as_json(), expected);
    }

    #[test]
    fn an_account_that_cannot_be_names_the_field() {
        type Spoil = fn(&mut CloudAccount);
        let cases: [(&str, Spoil); 9] = [
            ("phone_number_id", |account| account.phone_number_id = "../8007".to_owned()),
            ("waba_id", |account| account.waba_id = String::new()),
            ("portfolio_id", |account| account.portfolio_id = Some("7".repeat(33))),
            ("graph_version", |account| account.graph_version = "25.0".to_owned()),
            ("throughput", |account| account.throughput = 0),
            ("people_per_day", |account| account.people_per_day = Some(0)),
            ("access_token", |account| account.access_token = Secret::from("token\r\nx-other: header")),
            ("app_secret", |account| account.app_secrets.push(Secret::from(""))),
            ("verify_token", |account| account.verify_token = Secret::from("two words")),
        ];
        assert_eq!(cloud_account().check(), Ok(()));
        for (field, spoil) in cases {
            let mut account = cloud_account();
            spoil(&mut account);
            assert_eq!(account.check().map_err(|error| error.field), Err(field));
        }
    }

    #[test]
    fn two_app_secrets_live_while_one_is_rotated_away() {
        let mut account = CloudAccount::new("8007", "9001", "token");
        let secrets = |account: &CloudAccount| account.app_secrets.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>();
        for (rotated, expected) in [("a", vec!["a"]), ("b", vec!["b", "a"]), ("b", vec!["b", "a"]), ("c", vec!["c", "b"])] {
            account.rotate_app_secret(Secret::from(rotated));
            assert_eq!(secrets(&account), expected);
        }
        assert!(account.retire_app_secret());
        assert_eq!((secrets(&account), account.retire_app_secret()), (vec!["c".to_owned()], false));
    }
}
