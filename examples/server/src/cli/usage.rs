//! Usage: what was sent of what may be sent.

use clap::Args;

use super::client::Client;
use super::question::{OnAccount, Question};
use crate::Failure;

#[derive(Args, Debug)]
pub(super) struct Show {
    #[command(flatten)]
    on: OnAccount,
}

impl Show {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        Ok(Question::get(self.on.path(client, "usage")?))
    }
}
