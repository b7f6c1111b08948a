//! Challenge: the proof that whoever named a URL receives there.
//!
//! It is sent right after an endpoint was made or got another URL, and when somebody asks for it. Only an operator, or a setting, may
//! leave it out.

use gatepost::{AccountEndpoints, Endpoint, EndpointError, Refusal, Verification};

use super::endpoint_shape::ChallengeShape;
use super::guard::OnAccount;
use crate::http::code::Code;
use crate::http::complaint::Complaint;
use crate::http::problem::Problem;
use crate::http::state::App;

/// What the account does with its endpoints.
pub(super) fn endpoints(app: &App, on: OnAccount) -> Result<AccountEndpoints, Problem> {
    on.gateway(app).endpoints().ok_or_else(|| Problem::of(Code::Unavailable).saying("this gateway delivers no events"))
}

/// Whether a receiver is to be challenged, where this was said about it.
pub(super) fn is_wanted(app: &App, on: OnAccount, said: Option<bool>) -> Result<bool, Problem> {
    let is_required = app.settings.verifies_endpoints;
    if said == Some(false) && is_required && !on.is_operator() {
        return Err(Problem::of(Code::InsufficientScope).saying("only an operator can leave out the challenge of an endpoint"));
    }
    Ok(said.unwrap_or(is_required))
}

/// Challenges the receiver of an endpoint: the endpoint as it is then, and what came of it.
pub(super) async fn challenge(app: &App, on: OnAccount, endpoint: Endpoint) -> Result<(Endpoint, ChallengeShape), Problem> {
    let place = app.challenges.take(on.account).ok_or(Problem::of(Code::ChallengeUnderWay))?;
    let verification = endpoints(app, on)?.verify(endpoint.id).await.map_err(problem)?;
    drop(place);
    match verification {
        Verification::Verified(endpoint) => {
            tracing::info!(account = %on.account, endpoint = %endpoint.id, by = %on.actor(), "an endpoint was verified");
            Ok((*endpoint, ChallengeShape::passed()))
        }
        Verification::NotVerified(reason) => {
            tracing::info!(account = %on.account, endpoint = %endpoint.id, by = %on.actor(), reason, "a receiver did not pass its challenge");
            Ok((endpoint, ChallengeShape::failed(reason)))
        }
    }
}

/// The same after something that was done already, and that must be answered whatever comes of the challenge.
pub(super) async fn challenge_after(app: &App, on: OnAccount, endpoint: Endpoint) -> (Endpoint, Option<ChallengeShape>) {
    match challenge(app, on, endpoint.clone()).await {
        Ok((endpoint, outcome)) => (endpoint, Some(outcome)),
        Err(problem) => (endpoint, Some(ChallengeShape::failed(problem.text()))),
    }
}

/// Why an endpoint could not be added or changed.
pub(super) fn problem(error: EndpointError) -> Problem {
    match error {
        EndpointError::Url(refusal) => refused_url("url", &refusal),
        EndpointError::Full => Problem::of(Code::EndpointLimitReached),
        EndpointError::Unknown => Problem::not_found(),
        EndpointError::Rotation(_) => Problem::of(Code::TooManySecrets),
        EndpointError::Sealed(error) => {
            tracing::error!(%error, "the secrets of an endpoint cannot be read");
            Problem::of(Code::InternalError)
        }
        EndpointError::Store(error) => error.into(),
    }
}

/// A URL that the destination policy does not allow. Its class follows from what was typed alone, so it tells nothing of the network.
pub(super) fn refused_url(field: &'static str, refusal: &Refusal) -> Problem {
    Problem::of_complaints(vec![Complaint::new(field, refusal.to_string()).because(refusal.class().as_str())])
}
