//! CLI: what can be asked of the gateway at a prompt.
//!
//! The players: `Cli` (the whole command line), `Noun` (a noun of `/v1`; a file for each, whose verbs are `Question`s), `Client` (answers
//! questions, from the data folder or from a running server), `print` (shows the answers, to people or to machines).

mod account;
mod audit;
mod client;
mod deliveries;
mod endpoint;
mod inbound;
mod instance;
mod integration;
mod key;
mod lines;
mod message;
mod policy;
mod policy_event;
mod print;
mod question;
mod recovery;
mod remote;
mod review;
mod settings;
mod store;
mod suppress;
mod suspicion;
mod usage;

use std::env;
use std::ffi::OsString;
use std::io::{stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gatepost::Host;
use gatepost_system::System;

use crate::config::{Effective, Layers, Secret, Settings};
use crate::data_folder::DataFolder;
use crate::database::Database;
use crate::inspect::WebhookProvider;
use crate::serve::Extras;
use crate::{Failure, backup, console, http, inspect, serve};

pub(crate) use client::{Absent, Client, ask};
use print::Form;
pub(crate) use question::Question;

/// Runs the command line, and answers with its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Where the terminal is gone, nobody is there to be told.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console::tell(&failure);
            failure.exit_code()
        }
    }
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused by the gateway
  2  the command or the configuration cannot be right
  3  the gateway cannot be reached, or is not available";

/// The gateway, and what can be asked of it.
///
/// Commands open the database, also beside running servers, and act as its operator; with `--url` they ask a running server, with
/// the rights of the key. Without a command the server starts.
#[derive(Debug, Parser)]
#[command(name = "gatepost-server", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args, Debug)]
struct Options {
    /// The file of settings [default: gatepost.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder [default: data]
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<String>,
    /// The Postgres that several hosts share, instead of the file in the data folder; others on this machine can see a password in it here, so
    /// rather set GATEPOST_DATABASE_URL_FILE or GATEPOST_DATABASE_URL
    #[arg(long, global = true, value_name = "URL")]
    database: Option<Secret>,
    /// A running server to ask instead of the database
    #[arg(long, global = true, conflicts_with_all = ["data", "database"], value_name = "URL")]
    url: Option<String>,
    /// The key to show to that server; others on this machine can see it here, so rather set GATEPOST_KEY_FILE or GATEPOST_KEY
    #[arg(long, global = true, value_name = "KEY")]
    key: Option<Secret>,
    /// Print answers as JSON, as the gateway gives them
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(Serve),
    #[command(flatten)]
    Noun(Noun),
    /// The guard, dry-run
    #[command(subcommand)]
    Inspect(Inspect),
    /// The settings
    #[command(subcommand)]
    Config(settings::Verb),
    /// The root keys
    #[command(subcommand)]
    Keyring(Keyring),
    /// Copy the SQLite database into a new file, also while the server runs; the keyring is left out
    Backup {
        /// The new file
        to: PathBuf,
    },
    /// A database as a whole
    #[command(subcommand)]
    Store(store::Verb),
    /// Print the OpenAPI document
    Openapi,
}

/// A noun of `/v1`.
#[derive(Debug, Subcommand)]
enum Noun {
    /// Customers of the gateway
    #[command(subcommand)]
    Account(account::Verb),
    /// Connected WhatsApp numbers
    #[command(subcommand)]
    Instance(instance::Verb),
    /// 3CX phone systems
    #[command(subcommand)]
    Integration(integration::Verb),
    /// API keys, and operator keys with `--operator`
    #[command(subcommand)]
    Key(key::Verb),
    /// The recipients an account must not write to
    #[command(subcommand)]
    Suppress(suppress::Verb),
    /// Contacts who may have opted out, which a person must say
    #[command(subcommand)]
    Suspicion(suspicion::Verb),
    /// What providers told, and what they posted
    #[command(subcommand)]
    Inbound(inbound::Verb),
    /// What was accepted or held, and what became of it
    #[command(subcommand)]
    Message(message::Verb),
    /// Held messages, which wait for a person
    #[command(subcommand)]
    Review(review::Verb),
    /// What the rules are set to, and what other settings would change
    #[command(subcommand)]
    Policy(policy::Verb),
    /// What was decided, and why
    #[command(subcommand)]
    PolicyEvent(policy_event::Verb),
    /// Whether what was decided is still what was written down
    #[command(subcommand)]
    Audit(audit::Verb),
    /// How much was sent of how much
    Usage(usage::Show),
    /// URLs of an account that receive events
    #[command(subcommand)]
    Endpoint(endpoint::Verb),
    /// Events on their way to endpoints, and what became of them
    #[command(subcommand, alias = "delivery")]
    Deliveries(deliveries::Verb),
    /// Jobs that deliver again what an endpoint did not take
    #[command(subcommand)]
    Recovery(recovery::Verb),
}

#[derive(Args, Debug, Default)]
struct Serve {
    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Write keys for scripts to this file, and revoke those written to it before (development only)
    #[arg(long, value_name = "FILE")]
    bootstrap: Option<PathBuf>,
    /// Start stand-ins of Meta and of Evolution API on this machine, and give the demo account an instance of each (development only)
    #[arg(long)]
    demo: bool,
    /// How long the sandbox provider takes to answer
    #[arg(long, value_name = "MILLISECONDS")]
    sandbox_latency_ms: Option<String>,
    /// What goes wrong with the sandbox provider: refuse, timeout, die or flaky:PERCENT
    #[arg(long, value_name = "MISHAP")]
    sandbox_fail: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Inspect {
    /// Judge messages: one JSON object (`{"purpose","text"}`) or bare text a line on standard input, one verdict a line
    ///
    /// A message is judged by the policy alone, as the first one of a new account. Where no purpose is given it is `transactional`.
    /// The category of a refused purpose is what the sender called it; `unknown` calls it nothing, so its category is `ok`.
    Message,
    /// Read replies: one JSON object (`{"text"}`) or bare text a line on standard input, what each asks for a line
    ///
    /// `intent` is what is acted upon: opt_out, opt_in, help or none. Where the tier is `unsure` nothing is, and `suspected` tells what a
    /// person should look at.
    Reply,
    /// Judge URLs: one JSON object (`{"url"}`) or bare text a line on standard input, one verdict a line
    ///
    /// A URL is judged by the destination policy of production, whatever the settings are, and by its text alone: what its name
    /// resolves to is judged at each attempt. The reason is the class of the refusal.
    Url,
    /// Read webhooks: the body of one a line on standard input, its items a line
    ///
    /// What cannot be read is told under `quarantined`. Nobody's signature is checked.
    Webhook {
        /// Whose webhooks they are
        #[arg(long, value_enum)]
        provider: WhoseWebhook,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhoseWebhook {
    /// Evolution API
    Evolution,
    /// 3CX: its flows' and its agents'
    Threecx,
    /// Meta's Cloud API
    Whatsapp,
}

impl WhoseWebhook {
    const fn provider(self) -> WebhookProvider {
        match self {
            Self::Evolution => WebhookProvider::Evolution,
            Self::Threecx => WebhookProvider::Threecx,
            Self::Whatsapp => WebhookProvider::Whatsapp,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Keyring {
    /// Add a root key, which reads, and makes nothing until it is used
    Add,
    /// Have a root key make all that is new; every host must know it before
    Use {
        /// Its number, as `keyring add` said
        number: u32,
    },
}

impl Cli {
    fn run(self) -> Result<(), Failure> {
        let Self { options, command } = self;
        let command = command.unwrap_or(Command::Serve(Serve::default()));
        let effective = options.effective(command.serve())?;
        let settings = &effective.settings;
        match command {
            Command::Serve(serve) => serve::run(settings, &serve.extras()),
            Command::Noun(noun) => noun.ask(&options, settings),
            Command::Inspect(Inspect::Message) => {
                print::written(inspect::messages(stdin().lock(), stdout().lock(), &settings.policy.live()?, System.now()))
            }
            Command::Inspect(Inspect::Reply) => print::written(inspect::replies(stdin().lock(), stdout().lock())),
            Command::Inspect(Inspect::Webhook { provider }) => {
                print::written(inspect::webhooks(provider.provider(), stdin().lock(), stdout().lock()))
            }
            Command::Inspect(Inspect::Url) => print::written(inspect::urls(stdin().lock(), stdout().lock())),
            Command::Config(verb) => print::written(verb.run(&effective, options.form())),
            Command::Keyring(verb) => options.refuse_url("keyring", settings).and_then(|()| verb.run(settings)),
            Command::Backup { to } => back_up(&options, settings, &to),
            Command::Store(verb) => options.refuse_url("store", settings).and_then(|()| verb.run(settings, options.form())),
            Command::Openapi => print::written(print::document(&http::openapi())),
        }
    }
}

impl Serve {
    fn extras(&self) -> Extras<'_> {
        Extras { bootstrap: self.bootstrap.as_deref(), demo: self.demo }
    }
}

impl Command {
    fn serve(&self) -> Option<&Serve> {
        match self {
            Self::Serve(serve) => Some(serve),
            _ => None,
        }
    }
}

impl Options {
    fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::Text }
    }

    fn effective(&self, serve: Option<&Serve>) -> Result<Effective, Failure> {
        let flag = |key, flag, text: &Option<String>| text.clone().map(|text| (key, flag, text));
        let secret = |key, flag, text: &Option<Secret>| text.as_ref().map(|text| (key, flag, text.reveal().to_owned()));
        let database = secret("database.url", "database", &self.database);
        let mut flags = vec![flag("data", "data", &self.data), flag("url", "url", &self.url), database, secret("key", "key", &self.key)];
        if let Some(serve) = serve {
            flags.push(flag("listen", "listen", &serve.listen));
            flags.push(flag("sandbox.latency_ms", "sandbox-latency-ms", &serve.sandbox_latency_ms));
            flags.push(flag("sandbox.fail", "sandbox-fail", &serve.sandbox_fail));
        }
        Ok(Layers::read(self.config.as_deref(), env::vars_os(), flags.into_iter().flatten())?)
    }

    /// Refuses to ask a running server what is done on this machine.
    fn refuse_url(&self, command: &str, settings: &Settings) -> Result<(), Failure> {
        if self.asks_server(settings) {
            let problem = format!("`{command}` works in a data folder on this machine: give `--data`, not `--url`");
            return Err(Failure::Usage(problem));
        }
        Ok(())
    }

    /// Whether a running server is to be asked: the flags `--data` and `--database` stand against a URL from a weaker source.
    fn asks_server(&self, settings: &Settings) -> bool {
        self.data.is_none() && self.database.is_none() && settings.url.is_some()
    }
}

impl Noun {
    fn ask(self, options: &Options, settings: &Settings) -> Result<(), Failure> {
        if let Self::Policy(verb) = &self
            && let Some(done) = verb.run_alone()
        {
            return done;
        }
        let client = match &settings.url {
            Some(url) if options.asks_server(settings) => Client::remote(url.clone(), settings.key.clone())?,
            _ => Client::local(settings, if self.may_come_first() { Absent::Make } else { Absent::Refuse })?,
        };
        match self {
            Self::Audit(verb) => verb.run(&client, options.form()),
            Self::Policy(verb) => verb.run(&client, options.form()),
            Self::Integration(integration::Verb::Template(write)) => write.run(&client),
            Self::Suppress(suppress::Verb::Export(export)) => export.run(&client),
            Self::Suppress(suppress::Verb::Import(import)) => import.run(&client, options.form()),
            noun => question::ask_all(&client, noun.questions(&client)?, options.form()),
        }
    }

    fn questions(self, client: &Client) -> Result<Vec<Question>, Failure> {
        match self {
            Self::Account(verb) => Ok(vec![verb.question()]),
            // They answer in their own way: see `run` of each.
            Self::Audit(_) | Self::Policy(_) => Ok(Vec::new()),
            Self::Instance(verb) => Ok(vec![verb.question(client)?]),
            Self::Integration(verb) => Ok(vec![verb.question(client)?]),
            Self::Key(verb) => Ok(vec![verb.question(client)?]),
            Self::Suppress(verb) => verb.questions(client),
            Self::Suspicion(verb) => Ok(vec![verb.question(client)?]),
            Self::Inbound(verb) => Ok(vec![verb.question(client)?]),
            Self::Message(verb) => Ok(vec![verb.question(client)?]),
            Self::Review(verb) => Ok(vec![verb.question(client)?]),
            Self::PolicyEvent(verb) => Ok(vec![verb.question(client)?]),
            Self::Usage(show) => Ok(vec![show.question(client)?]),
            Self::Endpoint(verb) => verb.questions(client),
            Self::Deliveries(verb) => Ok(vec![verb.question(client)?]),
            Self::Recovery(verb) => Ok(vec![verb.question(client)?]),
        }
    }

    /// Whether it may come before the first start of the server.
    fn may_come_first(&self) -> bool {
        matches!(self, Self::Account(account::Verb::Create { .. })) || matches!(self, Self::Key(verb) if verb.makes_operator_key())
    }
}

const PG_DUMP: &str = "`backup` copies the SQLite file of a data folder; a Postgres is backed up by its own means, for example `pg_dump`; \
                       the keyring is left out there, too: keep a copy of it in another place";

fn back_up(options: &Options, settings: &Settings, to: &Path) -> Result<(), Failure> {
    options.refuse_url("backup", settings)?;
    let folder = DataFolder::of(settings);
    client::runtime()?.block_on(async {
        match folder.open().await?.database {
            Database::Sqlite(store) => backup::run(&store, to).await,
            Database::Postgres(_) => Err(Failure::Usage(PG_DUMP.to_owned())),
        }
    })?;
    console::say(format_args!("the database was copied to {}", to.display()));
    let keys = folder.keys().path().display();
    console::say(format_args!("the keyring was left out: keep a copy of {keys} in another place; neither is of use without the other"));
    Ok(())
}

impl Keyring {
    fn run(&self, settings: &Settings) -> Result<(), Failure> {
        let folder = DataFolder::of(settings);
        let (keys, path) = (folder.keys(), folder.keys().path().display());
        match self {
            Self::Add => {
                let root = keys.add(&System)?;
                console::say(format_args!(
                    "root {root} was added, and is not used yet: copy {path} to every host and restart the servers, then `keyring use {root}`"
                ));
            }
            Self::Use { number } => {
                keys.use_root(*number)?;
                console::say(format_args!(
                    "root {number} is used from the next start on: copy {path} to every host and restart the servers"
                ));
            }
        }
        Ok(())
    }
}
