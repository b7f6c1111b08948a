//! Words: answers as short texts, so that a case reads as what is said.

use gatepost::{
    Answer, Attempt, Decision, ErrorClass, EventDelivery, Message, Outcome, RecoveryProgress, ReplayAnswer, ReviewAnswer, StartAnswer,
    Verdict,
};

/// For example `queued`, `repeated, sent` or `blocked by recipient_suppressed`.
pub(crate) fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Accepted(accepted) => accepted.status.to_string(),
        Answer::Repeated { status, .. } => format!("repeated, {status}"),
        Answer::KeyReused => "key reused".to_string(),
        Answer::Refused { decision: refusal, .. } => decision(refusal),
        Answer::UnknownInstance => "unknown instance".to_string(),
        Answer::Undecided => "undecided".to_string(),
    }
}

/// For example `blocked by recipient_suppressed`.
pub(crate) fn decision(decision: &Decision) -> String {
    let rule = decision.deciding().map_or("nothing", |reason| reason.rule.as_str());
    match decision.verdict {
        Verdict::Allow => "allowed".to_string(),
        Verdict::Hold => format!("held by {rule}"),
        Verdict::Throttle { retry_at } => format!("throttled by {rule} until {retry_at}"),
        Verdict::Block => format!("blocked by {rule}"),
    }
}

/// For example `sent` or `failed: refused`.
pub(crate) fn status(message: &Message) -> String {
    message.error.map_or(message.status.to_string(), |class| format!("{}: {}", message.status, class.as_str()))
}

/// For example `1 failed: unreachable, 2 open`.
pub(crate) fn attempts(attempts: &[Attempt]) -> String {
    let words =
        attempts.iter().map(|attempt| format!("{} {}", attempt.number, attempt.outcome.as_ref().map_or("open".to_string(), outcome)));
    words.collect::<Vec<_>>().join(", ")
}

fn outcome(outcome: &Outcome) -> String {
    outcome.class().map_or(outcome.as_str().to_string(), |class| format!("{}: {}", outcome.as_str(), class.as_str()))
}

/// For example `started` or `ended: canceled`.
pub(crate) fn start(answer: &StartAnswer) -> String {
    match answer {
        StartAnswer::Started(_) => "started".to_string(),
        StartAnswer::Waits => "waits".to_string(),
        StartAnswer::Ended(settled) => format!("ended: {}", settled.status),
        StartAnswer::Stale => "stale".to_string(),
    }
}

/// For example `done: queued` or `closed: refused`.
pub(crate) fn review(answer: &ReviewAnswer) -> String {
    match answer {
        ReviewAnswer::NotFound => "not found".to_string(),
        ReviewAnswer::Closed(review) => format!("closed: {}", review.closed.as_ref().map_or("open", |closing| closing.verdict.as_str())),
        ReviewAnswer::AwaitsSecond => "awaits a second".to_string(),
        ReviewAnswer::SecondNeeded => "a second is needed".to_string(),
        ReviewAnswer::Done(status) => format!("done: {status}"),
        ReviewAnswer::Forbidden(why) => format!("forbidden: {}", decision(why)),
    }
}

/// For example `sent`, `failed: gone` or `skipped: endpoint_disabled`.
pub(crate) fn delivery(delivery: &EventDelivery) -> String {
    let why = delivery.error.map(ErrorClass::as_str).or(delivery.skip.map(gatepost::Skip::as_str));
    why.map_or(delivery.status.to_string(), |why| format!("{}: {why}", delivery.status))
}

/// For example `queued` or `url changed`.
pub(crate) fn replay(answer: &ReplayAnswer) -> String {
    match answer {
        ReplayAnswer::Queued(delivery) => delivery.status.to_string(),
        ReplayAnswer::Unknown => "unknown".to_string(),
        ReplayAnswer::Pending => "pending".to_string(),
        ReplayAnswer::EndpointRemoved => "endpoint removed".to_string(),
        ReplayAnswer::EndpointDisabled => "endpoint disabled".to_string(),
        ReplayAnswer::UrlChanged => "url changed".to_string(),
        ReplayAnswer::BodyForgotten => "body forgotten".to_string(),
    }
}

/// For example `2 queued, 1 left, done`.
pub(crate) fn progress(progress: &RecoveryProgress) -> String {
    let RecoveryProgress { queued, left, done_at, canceled_at, .. } = progress;
    let end = match (done_at, canceled_at) {
        (None, None) => "",
        (Some(_), None) => ", done",
        (None, Some(_)) => ", canceled",
        (Some(_), Some(_)) => ", done and canceled",
    };
    format!("{queued} queued, {left} left{end}")
}

/// An outcome: the provider took it, and calls it by this id.
pub(crate) fn sent(external_id: &str) -> Outcome {
    Outcome::Sent { external_id: Some(external_id.to_string()) }
}

/// An outcome: the receiver took it.
pub(crate) const TAKEN: Outcome = Outcome::Sent { external_id: None };

/// An outcome: it was not sent.
pub(crate) const fn failed(class: ErrorClass) -> Outcome {
    Outcome::Failed { class, retry_after: None }
}

/// An outcome: it may have been sent.
pub(crate) const UNKNOWN: Outcome = Outcome::Unknown { class: ErrorClass::Timeout };
