//! Manage: making instances, linking numbers to them, and having them tell us.

use gatepost::{Connection, ErrorClass, HttpAnswer, HttpMethod, InstanceId, Outcome, Phone, Secret, Timestamp};
use serde_json::json;
use serde_json::value::RawValue;

use super::webhook::link_code;
use super::{Evolution, answer};
use crate::accounts::EvolutionAccount;
use crate::errors::failed;
use crate::fields::Fields;
use crate::item::LinkCode;
use crate::percent::segment;

/// What Evolution API is asked to tell us.
const EVENTS: [&str; 8] = [
    "CONNECTION_UPDATE",
    "CONTACTS_UPSERT",
    "LOGOUT_INSTANCE",
    "MESSAGES_DELETE",
    "MESSAGES_UPDATE",
    "MESSAGES_UPSERT",
    "QRCODE_UPDATED",
    "SEND_MESSAGE",
];

/// An instance that was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its own API key: the one to use from now on.
    pub token: Secret,
    /// How its link stands.
    pub connection: Connection,
}

/// What came of asking to link a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Linking {
    /// It is linked already.
    Open,
    /// It waits for a person: with a code, once there is one.
    Waits {
        /// What to scan or to type.
        code: Option<LinkCode>,
    },
}

/// Where an instance tells us what happens.
#[derive(Clone, Debug)]
pub struct WebhookSetup {
    /// The URL, with a path that nobody can guess.
    pub url: String,
    /// Whether files come along with messages.
    pub with_files: bool,
}

impl Evolution {
    /// How the link of an instance stands. Only the exact word `open` is open; an instance that is not in memory there has no word.
    pub async fn connection(&self, instance: InstanceId, deadline: Timestamp) -> Result<Connection, Outcome> {
        let connection = self.connection_of(&*self.account(instance).await?, deadline).await?;
        self.heed_connection(instance, connection);
        Ok(connection)
    }

    pub(super) async fn connection_of(&self, account: &EvolutionAccount, deadline: Timestamp) -> Result<Connection, Outcome> {
        let answer = self.call(account, call(HttpMethod::Get, "instance/connectionState", account), Vec::new(), deadline).await?;
        let body = done(&answer)?;
        Ok(connection(&body.fields("instance").unwrap_or_default()))
    }

    /// Makes the instance over there, under the name in its settings. The global key is needed for it.
    pub async fn create(&self, instance: InstanceId, deadline: Timestamp) -> Result<Created, Outcome> {
        let account = self.account(instance).await?;
        let body = json!({"instanceName": account.instance_name, "integration": "WHATSAPP-BAILEYS", "qrcode": false});
        let answer =
            self.call(&account, (HttpMethod::Post, String::from("instance/create")), body.to_string().into_bytes(), deadline).await?;
        let body = done(&answer)?;
        let token = body.text("hash").ok_or(Outcome::Unknown { class: ErrorClass::Broken })?;
        Ok(Created { token: Secret::from(token), connection: connection(&body.fields("instance").unwrap_or_default()) })
    }

    /// Asks for a link: by a QR code, or by a code to type where the phone's number is given.
    pub async fn connect(&self, instance: InstanceId, phone: Option<Phone>, deadline: Timestamp) -> Result<Linking, Outcome> {
        let account = self.account(instance).await?;
        let (method, path) = call(HttpMethod::Get, "instance/connect", &account);
        let path = phone.map_or_else(|| path.clone(), |phone| format!("{path}?number={}", phone.digits()));
        let answer = self.call(&account, (method, path), Vec::new(), deadline).await?;
        self.heed_linking(instance, linking(&done(&answer)?))
    }

    /// Closes the link and opens it again, without a new code where the phone still knows it.
    pub async fn restart(&self, instance: InstanceId, deadline: Timestamp) -> Result<Linking, Outcome> {
        let account = self.account(instance).await?;
        let answer = self.call(&account, call(HttpMethod::Post, "instance/restart", &account), Vec::from(*b"{}"), deadline).await?;
        self.heed_linking(instance, linking(&done(&answer)?))
    }

    fn heed_linking(&self, instance: InstanceId, linking: Linking) -> Result<Linking, Outcome> {
        self.heed_connection(instance, if linking == Linking::Open { Connection::Open } else { Connection::Connecting });
        Ok(linking)
    }

    /// Ends the link: the number must be linked anew after it.
    pub async fn log_out(&self, instance: InstanceId, deadline: Timestamp) -> Result<(), Outcome> {
        let account = self.account(instance).await?;
        let answer = self.call(&account, call(HttpMethod::Delete, "instance/logout", &account), Vec::new(), deadline).await?;
        done(&answer)?;
        self.heed_connection(instance, Connection::Closed);
        Ok(())
    }

    /// Has the instance post to us what happens, with a token made with its `jwt_key`.
    pub async fn set_webhook(&self, instance: InstanceId, setup: &WebhookSetup, deadline: Timestamp) -> Result<(), Outcome> {
        let account = self.account(instance).await?;
        let webhook = json!({
            "enabled": true,
            "url": setup.url,
            "headers": {"jwt_key": account.jwt_key.expose()},
            "byEvents": false,
            "base64": setup.with_files,
            "events": EVENTS,
        });
        let body = json!({"webhook": webhook}).to_string().into_bytes();
        let answer = self.call(&account, call(HttpMethod::Post, "webhook/set", &account), body, deadline).await?;
        done(&answer).map(drop)
    }
}

fn call(method: HttpMethod, what: &str, account: &EvolutionAccount) -> (HttpMethod, String) {
    (method, format!("{what}/{}", segment(&account.instance_name)))
}

/// The fields of an answer that says that it was done. A failure may have status 200 and say so in its body.
fn done(answer: &HttpAnswer) -> Result<Fields<'_>, Outcome> {
    let body = serde_json::from_slice::<&RawValue>(&answer.body).ok().and_then(Fields::read).unwrap_or_default();
    if !(200..300).contains(&answer.status) {
        return Err(answer::read(answer).outcome(answer));
    }
    if body.flag("error") == Some(true) { Err(failed(ErrorClass::Refused, None)) } else { Ok(body) }
}

fn connection(instance: &Fields<'_>) -> Connection {
    match instance.text("state").or_else(|| instance.text("status")).as_deref() {
        Some("open") => Connection::Open,
        Some("connecting") => Connection::Connecting,
        _ => Connection::Closed,
    }
}

fn linking(body: &Fields<'_>) -> Linking {
    if body.fields("instance").is_some_and(|instance| connection(&instance) == Connection::Open) {
        return Linking::Open;
    }
    Linking::Waits { code: link_code(body).or_else(|| link_code(&body.fields("qrcode")?)) }
}
