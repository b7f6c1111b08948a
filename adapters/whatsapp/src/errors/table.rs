//! Table: the codes and statuses of the Cloud API, and what each means.
//!
//! Sources: Meta's page of error codes (Cloud API, text of 2026-09); its copy of 2025-11, which still had HTTP statuses, for codes that the
//! newer text leaves out; Meta's page on business-scoped user ids (2026-06-29) for 131062; Meta's page on errors of the Graph API for 4, 10,
//! 190 with its subcodes, and 200 to 299. Where a row says less than the text, it is the careful reading: what may have been sent is not
//! sent again. Statuses count only where no code can be read.

use super::Problem::{
    self, AccountConfig, AccountRestricted, Ambiguous, Hold24h, MaintenanceRetry, MediaProblem, OptedOut, PermanentRecipient, RequestBug,
    RetryBackoff, RetryOnce, RetryPair, TemplateProblem, Unknown, WindowClosed,
};
use super::Retry::{self, AfterHours, Backoff, IfUnsent, Never, Once, Pair};
use super::Scope::{self, Account, App, Message, PhoneNumber, Recipient, RecipientCountry, Service, Template, Waba};
use super::{Meaning, Scope::Pair as OfPair};

/// From this code to that one, with this subcode or any.
struct Row(i64, i64, Option<i64>, Meaning);

/// A code or a status that is not in the tables.
pub(super) const UNKNOWN: Meaning = means(Unknown, Message, Never);

const fn means(problem: Problem, scope: Scope, retry: Retry) -> Meaning {
    Meaning { problem, scope, retry }
}

const fn one(code: i64, problem: Problem, scope: Scope, retry: Retry) -> Row {
    Row(code, code, None, means(problem, scope, retry))
}

/// In ascending order.
const CODES: &[Row] = &[
    // Token, permission and the Graph API itself.
    one(0, AccountConfig, Account, Never),
    one(1, Unknown, Message, Once),
    one(2, RetryBackoff, Service, Backoff),
    // Permission, although its status is 500.
    one(3, AccountConfig, Account, Never),
    one(4, RetryBackoff, App, Backoff),
    one(10, AccountConfig, Account, Never),
    // The number was deleted.
    one(33, AccountConfig, PhoneNumber, Never),
    // 33: the id of the phone number is wrong, or not ours.
    Row(100, 100, Some(33), means(RequestBug, Message, Never)),
    one(100, RequestBug, Message, Never),
    // 463: the token expired; 467: it was withdrawn. All subcodes mean that nothing goes until there is another token.
    one(190, AccountConfig, Account, Never),
    Row(200, 299, None, means(AccountConfig, Account, Never)),
    one(368, AccountRestricted, Account, Never),
    one(80007, RetryBackoff, Waba, Backoff),
    // Integrity and throughput.
    one(130403, PermanentRecipient, Recipient, Never),
    one(130429, RetryBackoff, PhoneNumber, Backoff),
    one(130472, PermanentRecipient, Recipient, Never),
    one(130497, AccountRestricted, RecipientCountry, Never),
    // Sending. 131000 is an unknown error: it may have been sent.
    one(131000, RetryOnce, Message, IfUnsent),
    one(131005, AccountConfig, Account, Never),
    one(131008, RequestBug, Message, Never),
    // Also a reaction to something older than 30 days.
    one(131009, RequestBug, Message, Never),
    one(131016, RetryBackoff, Service, Backoff),
    one(131021, PermanentRecipient, Recipient, Never),
    // Not on WhatsApp, an old client, terms not accepted, or blocked: Meta does not say which.
    one(131026, PermanentRecipient, Recipient, Never),
    one(131030, PermanentRecipient, Recipient, Never),
    one(131031, AccountRestricted, Account, Never),
    one(131037, AccountConfig, PhoneNumber, Never),
    one(131042, AccountConfig, Account, Never),
    one(131044, AccountConfig, Account, Never),
    one(131045, AccountConfig, PhoneNumber, Never),
    one(131047, WindowClosed, Recipient, Never),
    one(131048, AccountRestricted, PhoneNumber, Never),
    one(131049, Hold24h, Recipient, AfterHours { hours: 24 }),
    one(131050, OptedOut, Recipient, Never),
    one(131051, RequestBug, Message, Never),
    one(131052, MediaProblem, Message, Never),
    one(131053, MediaProblem, Message, Never),
    one(131055, RequestBug, Message, Never),
    one(131056, RetryPair, OfPair, Pair),
    one(131057, MaintenanceRetry, Account, Backoff),
    one(131059, RequestBug, Message, Never),
    // A business-scoped user id does not do for this message: take the phone number.
    one(131062, RequestBug, Message, Never),
    one(131063, AccountConfig, Account, Never),
    one(131064, AccountRestricted, Account, Never),
    // Groups; 131208 is their limit.
    Row(131_200, 131_207, None, means(RequestBug, Message, Never)),
    one(131208, RetryBackoff, Message, Backoff),
    Row(131_209, 131_299, None, means(RequestBug, Message, Never)),
    // Templates and flows.
    one(132000, TemplateProblem, Template, Never),
    one(132001, TemplateProblem, Template, Never),
    one(132005, TemplateProblem, Template, Never),
    one(132007, TemplateProblem, Template, Never),
    one(132012, TemplateProblem, Template, Never),
    one(132015, TemplateProblem, Template, Never),
    one(132016, TemplateProblem, Template, Never),
    one(132018, TemplateProblem, Template, Never),
    one(132068, TemplateProblem, Template, Never),
    one(132069, TemplateProblem, Template, Never),
    // Registration. 133004 is a server that is away, 133016 too many registrations.
    one(133000, AccountConfig, PhoneNumber, Never),
    one(133004, AccountConfig, Service, Backoff),
    one(133005, AccountConfig, PhoneNumber, Never),
    one(133006, AccountConfig, PhoneNumber, Never),
    one(133008, AccountConfig, PhoneNumber, Never),
    one(133009, AccountConfig, PhoneNumber, Never),
    one(133010, AccountConfig, PhoneNumber, Never),
    one(133015, AccountConfig, PhoneNumber, Never),
    one(133016, AccountConfig, PhoneNumber, AfterHours { hours: 72 }),
    // Terms and the marketing API; 134101 is over in ten minutes.
    one(134011, AccountConfig, Account, Never),
    one(134100, AccountConfig, Account, Never),
    one(134101, AccountConfig, Template, Backoff),
    one(134102, AccountConfig, Account, Never),
    one(135000, RequestBug, Message, Never),
    // Calls.
    Row(138_000, 138_999, None, means(RequestBug, Message, Never)),
];

/// From this status to that one. In ascending order, without a gap from 100 to 599.
const STATUSES: &[(u16, u16, Meaning)] = &[
    // An answer without an id, or something in between that is no answer.
    (100, 299, means(Ambiguous, Message, IfUnsent)),
    // Nobody there sends messages: the base URL is wrong.
    (300, 399, means(AccountConfig, Account, Never)),
    (400, 400, means(Unknown, Message, Never)),
    (401, 401, means(AccountConfig, Account, Never)),
    (402, 402, means(Unknown, Message, Never)),
    (403, 404, means(AccountConfig, Account, Never)),
    (405, 407, means(AccountConfig, Account, Never)),
    // The request did not come in time; whether all of it came is not said.
    (408, 408, means(Ambiguous, Message, IfUnsent)),
    (409, 428, means(Unknown, Message, Never)),
    (429, 429, means(RetryBackoff, PhoneNumber, Backoff)),
    (430, 499, means(Unknown, Message, Never)),
    (500, 599, means(Ambiguous, Message, IfUnsent)),
];

/// What a code means. A row for the subcode goes before one for any.
pub(super) fn of_code(code: i64, subcode: Option<i64>) -> Option<Meaning> {
    let of_code = || CODES.iter().filter(|Row(from, to, ..)| (*from..=*to).contains(&code));
    let exact = of_code().find(|Row(_, _, wanted, _)| wanted.is_some() && *wanted == subcode);
    exact.or_else(|| of_code().find(|Row(_, _, wanted, _)| wanted.is_none())).map(|Row(.., meaning)| *meaning)
}

/// What a status means where no code can be read. One that HTTP does not know is no answer.
pub(super) fn of_status(status: u16) -> Meaning {
    let row = STATUSES.iter().find(|(from, to, _)| (*from..=*to).contains(&status));
    row.map_or(means(Ambiguous, Message, IfUnsent), |(.., meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_no_two_rows_are_about_the_same() {
        for pair in CODES.windows(2) {
            let [Row(from, to, subcode, _), Row(next, ..)] = pair else { continue };
            assert!(from <= to && (to < next || subcode.is_some()), "{from}");
        }
    }

    #[test]
    fn every_status_of_http_has_one_meaning() {
        assert_eq!((STATUSES.first().map(|row| row.0), STATUSES.last().map(|row| row.1)), (Some(100), Some(599)));
        assert!(STATUSES.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
    }

    #[test]
    fn what_may_have_been_sent_is_never_retried_by_itself() {
        for status in (100..300).chain([408]).chain(500..600).chain([0, 600, u16::MAX]) {
            assert_eq!(of_status(status).retry, IfUnsent, "{status}");
        }
    }
}
