//! Real processes: three servers on one Postgres, killed, paused and restarted in turn while callers send and suppress.
//!
//! The players: [`world`] (the processes, and what happens to them), [`driver`] (the callers, and what they know), [`audit`] (what the
//! database, Meta's stand-in and the receivers hold against that). A call without an answer is made again under its key until it is
//! answered; at the end promises 1 to 8 are questions of counts and sets. `GATEPOST_ROUNDS` says how many rounds the long run has:
//!
//! ```sh
//! GATEPOST_ROUNDS=30 cargo test -p gatepost-server --test processes -- --ignored --nocapture
//! ```

#![allow(clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the receiver is for other tests, too")]

mod audit;
mod driver;
#[path = "../receiving/mod.rs"]
mod receiving;
mod world;

use std::time::Duration;

use world::{Fault, Target, World};

/// What happens in turn: each process is killed, paused and restarted.
const FAULTS: [(Fault, Target); 12] = [
    (Fault::Kill, Target::Host(0)),
    (Fault::Pause, Target::Host(1)),
    (Fault::Kill, Target::Postgres),
    (Fault::Restart, Target::Host(2)),
    (Fault::Pause, Target::Postgres),
    (Fault::Kill, Target::Host(1)),
    (Fault::Pause, Target::Host(2)),
    (Fault::Restart, Target::Postgres),
    (Fault::Kill, Target::Host(2)),
    (Fault::Stall, Target::Host(0)),
    (Fault::Restart, Target::Host(0)),
    (Fault::Restart, Target::Host(1)),
];

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn three_servers_keep_their_promises_through_a_few_faults() {
    run(3);
}

#[test]
#[ignore = "takes minutes: the long run"]
fn three_servers_keep_their_promises_through_thirty_rounds() {
    run(std::env::var("GATEPOST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(30));
}

fn run(rounds: usize) {
    let Some(mut world) = World::start(rounds) else { return };
    let callers = driver::Callers::start(&world.ledger);
    for (round, (fault, target)) in FAULTS.iter().cycle().take(rounds).enumerate() {
        world.ledger.await_answers(60);
        world.strike(*fault, *target);
        world.refuse_some();
        (0..driver::QUOTA_ACCOUNT).for_each(|account| world.ledger.write_and_suppress(account, round));
        world.ledger.await_answers(30);
    }
    callers.stop();
    world.ledger.settle();
    world.ledger.fill_quota();
    world.ledger.ask_again();
    world.await_the_end();
    let counts = audit::audit(&world);
    println!("{rounds} rounds: {counts}");
}
