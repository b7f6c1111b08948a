//! Phone systems: what it takes to post to 3CX, put together as it is set.
//!
//! The players: [`ThreecxWords`] (an event in the words of 3CX, with links to the files that came along), [`of`] (all of it, as it is set).

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use gatepost::{AccountId, DestinationPolicy, Event, EventName, FileLink, Host, Keyring, Phone, PhoneSystems, PhoneWords, Timestamp};
use gatepost_http::Http;
use gatepost_threecx::trunk::{NotPosted, post_body};

use crate::Failure;
use crate::config::Settings;
use crate::http::file_path;

/// How long a file may be fetched after it was posted: a phone system does so at once.
const LINK_TIME: Duration = Duration::from_secs(3_600);

/// Posts to phone systems as it is set, at URLs that `keyring` opens. No thread is started before the first post.
pub fn of(settings: &Settings, public_url: Option<String>, keyring: Keyring, host: Arc<dyn Host>) -> Result<PhoneSystems, Failure> {
    let policy = policy(settings)?;
    let threads = settings.delivering().events_in_flight_max;
    let mut http = Http::builder(policy.clone(), host).threads(threads).kept_connections(threads, threads);
    if let Some(path) = &settings.threecx.root_certificates {
        let pem = fs::read(path).map_err(|error| Failure::Usage(format!("`threecx.root_certificates`: {}: {error}", path.display())))?;
        http = http.root_certificates(pem);
    }
    let http = http.build().map_err(|error| Failure::Usage(error.to_string().replace("`root_", "`threecx.root_")))?;
    let words = ThreecxWords { keyring: keyring.clone(), public_url };
    Ok(PhoneSystems::new(Arc::new(http), policy, keyring, Arc::new(words)))
}

/// Where phone systems may be, as it is set.
pub fn policy(settings: &Settings) -> Result<DestinationPolicy, Failure> {
    settings.threecx_policy().map_err(|error| Failure::Usage(format!("`threecx`: {error}")))
}

/// Events in the words of 3CX.
#[derive(Debug)]
pub struct ThreecxWords {
    /// What links are signed with.
    pub keyring: Keyring,
    /// Where this gateway is reached from outside; without it, files stay here.
    pub public_url: Option<String>,
}

impl ThreecxWords {
    /// Where a file may be fetched for a while.
    fn file_url(&self, account: AccountId, inbound: &str, now: Timestamp) -> Option<String> {
        let link = FileLink { account, inbound: inbound.parse().ok()?, expires_at: now.plus(LINK_TIME) };
        Some(self.public_url.as_ref()?.clone() + &file_path(&self.keyring.link(&link)))
    }
}

impl PhoneWords for ThreecxWords {
    fn body(&self, account: AccountId, event: &Event, as_name: EventName, number: Phone, now: Timestamp) -> Result<Vec<u8>, &'static str> {
        let file_url = |inbound: &str| self.file_url(account, inbound, now);
        let body = post_body(as_name.as_str(), &event.id.to_string(), event.occurred_at, &event.fields, number, &file_url);
        body.map_err(|not_posted| match not_posted {
            NotPosted::NoPhone => "whom it is about has no phone number",
            NotPosted::OtherEvent => "3CX has no words for such an event",
            NotPosted::Missing(_) | NotPosted::Unreadable => "the event cannot be read",
        })
    }
}
