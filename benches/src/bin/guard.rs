//! How long single calls take of what a message's content goes through before it is stored: `examine` and `decide`. Criterion tells
//! means; the promise is one about the slowest in a hundred, and about the slowest text.
//!
//! A neighbour on the machine takes the processor away for milliseconds, which is in every hundredth call of a busy day. So each text is
//! judged several times in a row, and beside the times of all calls stand those of the quickest call of each text.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use gatepost::{
    Content, Decision, Fact, Facts, Plan, Policy, Purpose, Request, Sender, Subject, TemplateParameter, Text, Timestamp, decide, examine,
};
use gatepost_benches::{Failure, texts};
use hdrhistogram::Histogram;
use mimalloc::MiMalloc;

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const NOON: Timestamp = Timestamp::from_millis(1_795_348_800_000);
/// How often in a row a text is judged.
const CALLS: usize = 5;
/// A call that takes longer counts as one of a second.
const NANOSECONDS_MAX: u64 = 1_000_000_000;

#[derive(Debug, Parser)]
#[command(name = "guard", about = "Times single calls of examine and decide")]
struct Options {
    /// How many times all the texts of a line are judged, each five times in a row.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Only the lines whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
    /// Print what is found in each line of this file instead, to compare with what another build finds.
    #[arg(long)]
    findings: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guard: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let guard = Guard::new()?;
    if let Some(path) = &options.findings {
        return guard.print_findings(path);
    }
    println!("{:<24} {:>9} {:>9} {:>9}   {:>9} {:>9} {:>9}", "microseconds", "p50", "p99", "most", "quickest", "p99", "most");
    let rows = [("rows of 160", texts::of_rows(160)?), ("rows of 1,600", texts::of_rows(1_600)?)];
    let hostile = texts::hostile().into_iter().map(|(name, text)| (name, vec![text; 200]));
    for (name, texts) in rows.into_iter().chain(hostile).filter(|(name, _)| name.contains(&options.only)) {
        let contents = texts.iter().map(|text| content(text)).collect::<Result<Vec<_>, _>>()?;
        guard.report(name, &contents, options.rounds)?;
    }
    let name = "spelled_parameters";
    if name.contains(&options.only) { guard.report(name, &vec![spelled_parameters()?; 200], options.rounds) } else { Ok(()) }
}

/// A template of as many parts as a content can have, which together are as long as the longest text, each spelled letter by letter.
fn spelled_parameters() -> Result<Content, Failure> {
    let parameter = TemplateParameter::from("f r e e".parse::<Text>()?);
    Ok(Content::Template {
        name: "offer".parse()?,
        language: "en".parse()?,
        authentication: false,
        header: None,
        parameters: vec![parameter; texts::LONGEST / 8],
        buttons: Vec::new(),
    })
}

/// What decides, with nothing but the content against a message.
struct Guard {
    policy: Policy,
    facts: Facts,
    sender: Sender,
    subject: Subject,
}

impl Guard {
    fn new() -> Result<Self, Failure> {
        let request = Request::text("support", "+999501234567".parse()?, Purpose::Support, "Your table is ready.".parse()?);
        let sender = Sender { domains: vec!["kestrelbank.example".parse()?, "fernhill.example".parse()?] };
        Ok(Self { policy: Policy::default(), facts: Facts::clear(Plan::Starter.limits(), NOON), sender, subject: request.subject() })
    }

    fn judge(&self, content: &Content) -> Decision {
        let findings = Fact::Known(examine(content, &self.sender));
        decide(&self.policy, &Facts { content: findings, ..self.facts.clone() }, &self.subject, NOON)
    }

    fn report(&self, name: &str, contents: &[Content], rounds: usize) -> Result<(), Failure> {
        contents.iter().take(100).for_each(|content| _ = black_box(self.judge(content)));
        let (mut all, mut quickest) = (Times::new()?, Times::new()?);
        for content in contents.iter().cycle().take(contents.len() * rounds) {
            let times: [u64; CALLS] = std::array::from_fn(|_| self.time(content));
            times.iter().for_each(|time| all.0.saturating_record(*time));
            quickest.0.saturating_record(times.into_iter().min().unwrap_or_default());
        }
        println!("{name:<24} {}   {}", all.shown(), quickest.shown());
        Ok(())
    }

    /// In nanoseconds.
    fn time(&self, content: &Content) -> u64 {
        let start = Instant::now();
        black_box(self.judge(black_box(content)));
        u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn print_findings(&self, path: &Path) -> Result<(), Failure> {
        for line in fs::read_to_string(path)?.lines() {
            let findings = content(line).map(|content| examine(&content, &self.sender));
            println!("{}", serde_json::to_string(&findings.ok())?);
        }
        Ok(())
    }
}

fn content(text: &str) -> Result<Content, Failure> {
    Ok(text.parse::<Text>()?.into())
}

/// How long calls took.
struct Times(Histogram<u64>);

impl Times {
    fn new() -> Result<Self, Failure> {
        Ok(Self(Histogram::new_with_bounds(1, NANOSECONDS_MAX, 3)?))
    }

    /// Half, 99 of a hundred and all took no longer.
    fn shown(&self) -> String {
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|quantile| self.0.value_at_quantile(quantile) as f64 / 1000.0);
        format!("{p50:>9.1} {p99:>9.1} {most:>9.1}")
    }
}
