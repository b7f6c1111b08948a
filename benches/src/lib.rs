//! What the load program and the baseline are made of.
//!
//! | module | holds |
//! | --- | --- |
//! | [`client`] | [`Connection`](client::Connection): HTTP/1.1 over one kept TCP connection, as cheap as it gets |
//! | [`request`] | [`SendRequest`](request::SendRequest): a request written once, in which only digits change |
//! | [`sender`] | [`Sender`](sender::Sender): who sends, with which key; its own account where an operator key is known |
//! | [`pace`] | [`Pace`](pace::Pace): when the next request is due, in a closed or an open loop |
//! | [`tally`] | [`Tally`](tally::Tally): what was answered, and how late |
//! | [`process`] | [`Watch`](process::Watch): CPU seconds and resident memory of a process, from `/proc` |
//! | [`receiver`] | [`Receiver`](receiver::Receiver): takes the events of a load, and counts |
//! | [`ledger`] | [`Ledger`](ledger::Ledger): a line for each acknowledged message, for crash tests |
//! | [`report`] | [`Report`](report::Report): the figures, for people and for machines |
//! | [`phone_system`] | [`PhoneSystem`](phone_system::PhoneSystem): is posted what customers write, and keeps the times |
//! | [`texts`] | [`of_rows`](texts::of_rows), [`hostile`](texts::hostile): what the content guard is timed on |
//! | [`v1`] | [`V1`](v1::V1): what is made before a load, with an operator key |
//! | [`writer`] | [`Writer`](writer::Writer): the baseline's SQLite writer thread with group commit |

pub mod client;
pub mod ledger;
pub mod pace;
pub mod phone_system;
pub mod process;
pub mod receiver;
pub mod report;
pub mod request;
pub mod sender;
pub mod tally;
pub mod texts;
pub mod v1;
pub mod writer;

/// Any error of these programs: they print it and end.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
