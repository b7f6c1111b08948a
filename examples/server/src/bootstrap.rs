//! Bootstrap: what makes a first start usable, and a start by a script.
//!
//! In development an empty gateway gets the demo account, and keys that are shown this one time. With `--bootstrap FILE` the server leaves
//! keys for scripts in a file; each start makes new ones and revokes those that an earlier one left in the same file, which are known by their name. In
//! production nothing is made: who runs the gateway is told how to make the first operator key.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{self, Path};

use axum::Router;
use axum::http::Method;
use gatepost::Scope;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::cli::ask;
use crate::config::{Mode, Settings};
use crate::{Failure, demo, private_file};

/// The name of the demo account.
const ACCOUNT: &str = "Demo";
/// The name of its instance.
const INSTANCE: &str = "demo";

/// Prepares a gateway that is about to serve at `address`; what is to be shown, once.
pub async fn prepare(router: &Router, settings: &Settings, address: SocketAddr, file: Option<&Path>) -> Result<Option<Notice>, Failure> {
    let operator = Operator { router };
    let notice = match settings.mode {
        // A first start that was cut off before its keys were shown is begun again.
        _ if operator.has_account().await? && operator.has_key().await? => None,
        Mode::Development => Some(operator.first_start(address).await?),
        Mode::Production if operator.has_key().await? => None,
        Mode::Production => Some(Notice::of_first_key(settings)),
    };
    if let Some(file) = file {
        operator.leave_keys(file).await?;
    }
    Ok(notice)
}

/// Has the demo account send to the stand-ins of a demo. Without them its instances there are closed: their messages must not leave.
pub async fn heed_demo(router: &Router, demo: Option<&demo::Demo>) -> Result<[Option<String>; 2], Failure> {
    let operator = Operator { router };
    match demo {
        Some(demo) => operator.open_demo(demo).await,
        None => operator.close_demo().await.map(|()| [None, None]),
    }
}

/// What is shown once, to whoever started the gateway. It may hold keys, so its `Debug` is silent.
pub struct Notice(Zeroizing<String>);

impl Notice {
    /// The text to show.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// How the first operator key is made.
    fn of_first_key(settings: &Settings) -> Self {
        let data = settings.data.display();
        // The URL may hold a password, which is not shown.
        let (variable, database) = match settings.database.url {
            Some(_) => {
                ("GATEPOST_DATABASE_URL_FILE=FILE ", "\nwhere FILE holds the URL of the database, and all other settings are the same.\n")
            }
            None => ("", ""),
        };
        Self(Zeroizing::new(format!(
            "\
There is no account and no operator key yet. Make the first one on this host:

  {variable}gatepost-server key create --operator --name first --data '{data}'
{database}"
        )))
    }

    /// The keys of the demo account, and a command that sends a first message with them.
    fn of_first_start(keys: &Bootstrap, address: SocketAddr) -> Self {
        let Bootstrap { api_key, operator_key, .. } = keys;
        Self(Zeroizing::new(format!(
            "\
The account `{ACCOUNT}` was made, with the instance `{INSTANCE}`. Its provider is the sandbox: it writes to nobody.
These keys are shown this one time:

  API key       {api_key}
  operator key  {operator_key}

Send a message:

  curl -X POST http://{address}/api/send-message \\
    -H 'Authorization: Bearer {api_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{\"instance_id\":\"{INSTANCE}\",\"phone\":\"+999501234567\",\"message\":\"Your table is ready.\",\"message_purpose\":\"transactional\"}}'
"
        )))
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notice(***)")
    }
}

/// What a bootstrap file holds.
#[derive(Serialize)]
struct Bootstrap {
    api_key: String,
    operator_key: String,
    account_id: String,
    instance_id: String,
}

/// The operator, who asks the routes before anybody else can.
struct Operator<'a> {
    router: &'a Router,
}

impl Operator<'_> {
    /// Makes the demo account and its keys.
    async fn first_start(&self, address: SocketAddr) -> Result<Notice, Failure> {
        let demo = self.demo().await?;
        let keys = self.new_keys(&demo, "first start").await?;
        Ok(Notice::of_first_start(&keys, address))
    }

    /// Writes new keys to the file, then revokes those of the start before.
    async fn leave_keys(&self, file: &Path) -> Result<(), Failure> {
        let unwritable = |error| Failure::Unavailable(format!("{}: {error}", file.display()));
        let name = name_of_keys(file).map_err(unwritable)?;
        let demo = self.demo().await?;
        let former = self.former_keys(&demo, &name).await?;
        let keys = self.new_keys(&demo, &name).await?;
        let text = serde_json::to_string(&keys).map_err(|error| Failure::Unavailable(error.to_string()))?;
        private_file::write(file, &format!("{text}\n")).map_err(unwritable)?;
        for key in former {
            self.ask(&Method::DELETE, &key, None).await?;
        }
        Ok(())
    }

    async fn has_account(&self) -> Result<bool, Failure> {
        Ok(has_items(&self.get("/v1/accounts?limit=1").await?))
    }

    async fn has_key(&self) -> Result<bool, Failure> {
        Ok(has_items(&self.get(OPERATOR_KEYS).await?))
    }

    /// The demo account and its instance: those that are there, or new ones.
    async fn demo(&self) -> Result<Demo, Failure> {
        let account = match self.find_account().await? {
            Some(account) => account,
            None => self.make("/v1/accounts", json!({"name": ACCOUNT, "plan": "starter", "threecx_enabled": true})).await?,
        };
        let account_id = text(&account, "id");
        let instances = format!("/v1/accounts/{account_id}/instances");
        let instance = match named(&self.get(&instances).await?, INSTANCE).next() {
            Some(instance) => instance.clone(),
            None => self.make(&instances, json!({"name": INSTANCE, "provider": "sandbox"})).await?,
        };
        Ok(Demo { account_id, instance_id: text(&instance, "id") })
    }

    /// Gives the demo account an instance at each stand-in, which is at another port each time.
    async fn open_demo(&self, demo: &demo::Demo) -> Result<[Option<String>; 2], Failure> {
        let instances = format!("/v1/accounts/{}/instances", self.demo().await?.account_id);
        let present = self.get(&instances).await?;
        let mut ids = [None, None];
        for (instance, id) in demo::INSTANCES.iter().zip(&mut ids) {
            let mut body = json!({"connection": "open"});
            body[instance.part] = demo.gift(instance);
            match named(&present, instance.name).next() {
                Some(found) if instance.is(found) => {
                    self.ask(&Method::PATCH, &format!("{instances}/{}", text(found, "id")), Some(&body)).await?;
                    *id = Some(text(found, "id"));
                }
                // Somebody's own, with the same name.
                Some(_) => continue,
                None => {
                    (body["name"], body["provider"]) = (instance.name.into(), instance.provider.into());
                    *id = Some(text(&self.make(&instances, body).await?, "id"));
                }
            }
            tracing::info!(instance = instance.name, "messages of this instance go to a stand-in on this machine");
        }
        Ok(ids)
    }

    async fn close_demo(&self) -> Result<(), Failure> {
        let Some(account) = self.find_account().await? else { return Ok(()) };
        let instances = format!("/v1/accounts/{}/instances", text(&account, "id"));
        let present = self.get(&instances).await?;
        for found in demo::INSTANCES.iter().flat_map(|instance| named(&present, instance.name).filter(|found| instance.is(found))) {
            if found["connection"] != "closed" {
                let path = format!("{instances}/{}", text(found, "id"));
                self.ask(&Method::PATCH, &path, Some(&json!({"connection": "closed"}))).await?;
            }
        }
        Ok(())
    }

    /// The oldest account that is called like the demo account.
    async fn find_account(&self) -> Result<Option<Value>, Failure> {
        let mut found = None;
        let mut path = "/v1/accounts?limit=200".to_owned();
        loop {
            let page = self.get(&path).await?;
            found = named(&page, ACCOUNT).last().cloned().or(found);
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/v1/accounts?limit=200&cursor={cursor}"),
                None => return Ok(found),
            }
        }
    }

    /// The paths of the keys that an earlier start left in a file, and that are still in force.
    async fn former_keys(&self, demo: &Demo, name: &str) -> Result<Vec<String>, Failure> {
        let mut paths = Vec::new();
        for list in [demo.keys_path(), OPERATOR_KEYS.to_owned()] {
            let keys = self.get(&list).await?;
            let in_force = named(&keys, name).filter(|key| key["state"] == "active");
            paths.extend(in_force.map(|key| format!("{list}/{}", text(key, "id"))));
        }
        Ok(paths)
    }

    async fn new_keys(&self, demo: &Demo, name: &str) -> Result<Bootstrap, Failure> {
        let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let api_key = self.make(&demo.keys_path(), json!({"name": name, "scopes": scopes})).await?;
        let operator_key = self.make(OPERATOR_KEYS, json!({"name": name})).await?;
        Ok(Bootstrap {
            api_key: text(&api_key, "api_key"),
            operator_key: text(&operator_key, "api_key"),
            account_id: demo.account_id.clone(),
            instance_id: demo.instance_id.clone(),
        })
    }

    async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(&Method::GET, path, None).await
    }

    async fn make(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.ask(&Method::POST, path, Some(&body)).await
    }

    async fn ask(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        ask(self.router, method, path, body).await
    }
}

/// The name of the keys in a bootstrap file: another one for each file, as the servers of one database may have a file each. A path may be
/// longer than a name.
fn name_of_keys(file: &Path) -> io::Result<String> {
    let path = path::absolute(file)?;
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    Ok(digest.iter().take(8).fold("bootstrap ".to_owned(), |name, byte| name + &format!("{byte:02x}")))
}

const OPERATOR_KEYS: &str = "/v1/operator-keys";

struct Demo {
    account_id: String,
    instance_id: String,
}

impl Demo {
    fn keys_path(&self) -> String {
        format!("/v1/accounts/{}/api-keys", self.account_id)
    }
}

fn has_items(list: &Value) -> bool {
    list["items"].as_array().is_some_and(|items| !items.is_empty())
}

/// The items of a list that have this name.
fn named<'a>(list: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    list["items"].as_array().into_iter().flatten().filter(move |item| item["name"] == name)
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
