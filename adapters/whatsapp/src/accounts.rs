//! Accounts: what each instance needs to send and to receive, and where the transports ask for it.

use async_trait::async_trait;
use gatepost::{ErrorClass, InstanceId, Outcome};

use crate::Secret;

/// Knows the settings of every instance. They are asked for at each send, so that a new token counts at once.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The settings of an instance that sends by the Cloud API.
    async fn cloud(&self, instance: InstanceId) -> Result<CloudAccount, NoAccount>;

    /// The settings of an instance that sends by Evolution API.
    async fn evolution(&self, instance: InstanceId) -> Result<EvolutionAccount, NoAccount>;
}

/// The version of the Graph API that is called where an instance names none: 25.0 lives until 2028-07-29.
pub const GRAPH_VERSION: &str = "v25.0";
/// How many messages a number may send in a second, until Meta raises it.
pub const THROUGHPUT: u32 = 80;

/// What an instance needs for the Cloud API.
#[derive(Clone, Debug)]
pub struct CloudAccount {
    /// The id of its phone number.
    pub phone_number_id: String,
    /// The WhatsApp Business Account that the number belongs to.
    pub waba_id: String,
    /// The business portfolio above that. Its limit is shared by all its numbers; without one, by those of the account.
    pub portfolio_id: Option<String>,
    /// Its access token.
    pub access_token: Secret,
    /// The secrets of the app that webhooks are signed with; two while one is rotated.
    pub app_secrets: Vec<Secret>,
    /// What Meta must know to subscribe to our webhook.
    pub verify_token: Secret,
    /// The version of the Graph API.
    pub graph_version: String,
    /// How many messages the number may send in a second: 80, 1,000 after Meta raised it, 20 beside the WhatsApp Business app.
    pub throughput: u32,
    /// How many people the portfolio may begin a conversation with in 24 hours; none where there is no limit, or it is not known.
    pub people_per_day: Option<u32>,
}

impl CloudAccount {
    /// The settings with which a new number works.
    pub fn new(phone_number_id: impl Into<String>, waba_id: impl Into<String>, access_token: impl Into<Secret>) -> Self {
        Self {
            phone_number_id: phone_number_id.into(),
            waba_id: waba_id.into(),
            portfolio_id: None,
            access_token: access_token.into(),
            app_secrets: Vec::new(),
            verify_token: Secret::from(""),
            graph_version: String::from(GRAPH_VERSION),
            throughput: THROUGHPUT,
            people_per_day: None,
        }
    }

    /// Who shares the limit of people per day.
    pub(crate) fn portfolio(&self) -> &str {
        self.portfolio_id.as_deref().unwrap_or(&self.waba_id)
    }
}

/// What an instance needs for Evolution API.
#[derive(Clone, Debug)]
pub struct EvolutionAccount {
    /// Where Evolution API is, for example `https://evolution.example`.
    pub base_url: String,
    /// The instance's token, or the global key.
    pub api_key: Secret,
    /// The name of the instance there.
    pub instance_name: String,
    /// With what its webhooks show that they are genuine.
    pub jwt_key: Secret,
}

/// The settings of an instance are not to be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoAccount {
    /// There are none.
    #[error("the instance is not set up for this provider")]
    NotSetUp,
    /// They cannot be read now.
    #[error("the settings of the instance cannot be read now")]
    Unavailable,
}

impl From<NoAccount> for Outcome {
    fn from(why: NoAccount) -> Self {
        let class = match why {
            NoAccount::NotSetUp => ErrorClass::NoTransport,
            NoAccount::Unavailable => ErrorClass::Interrupted,
        };
        Self::Failed { class, retry_after: None }
    }
}
