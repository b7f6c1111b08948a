//! How long a decision takes: allowed, held back by a limit, and with everything against it.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot run fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gatepost::{
    Cause, ContactState, DeclaredPurpose, Fact, Facts, Plan, Policy, Purpose, RefusedPurpose, Request, Subject, Timestamp, decide,
};

const NOON: Timestamp = Timestamp::from_millis(1_795_348_800_000);

fn subject() -> Subject {
    let phone = "+999501234567".parse().expect("a number");
    Request::text("support", phone, Purpose::Support, "Your table is ready.".parse().expect("a text")).subject()
}

fn decisions(criterion: &mut Criterion) {
    let policy = Policy::default();
    let clear = Facts::clear(Plan::Starter.limits(), NOON);
    let mut spent = clear.clone();
    if let Fact::Known(usage) = &mut spent.usage {
        usage.day = spent.limits.per_day;
    }
    let mut hopeless = spent.clone();
    hopeless.contact = Fact::Known(ContactState::Suppressed { cause: Cause::Complaint, since: NOON });
    hopeless.account.paused = true;
    let marketing = Subject { purpose: DeclaredPurpose::Refused(RefusedPurpose::Marketing), ..subject() };

    let mut group = criterion.benchmark_group("decide");
    for (name, facts, subject) in [("allow", clear, subject()), ("throttle", spent, subject()), ("block", hopeless, marketing)] {
        group.bench_function(name, |bencher| bencher.iter(|| decide(&policy, black_box(&facts), black_box(&subject), NOON)));
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
