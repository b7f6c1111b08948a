//! A judgment that outlives its attempt.

fn main() {
    let policy = gatepost::DestinationPolicy::production();
    let destination = policy.parse("https://example.com/").unwrap();
    let target = policy.judge(&destination, &[]).unwrap();
    let attempt: fn(gatepost::CheckedTarget) = drop;
    attempt(target);
    attempt(target);
}
