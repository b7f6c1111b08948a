//! What each verb does to rows, for every store that keeps its rows in this process while a verb runs.
//!
//! The players: [`world`] (the rows), [`accept`] and [`deliver`] (a message's way), [`events`], [`take`] and [`notices`] (an event's way),
//! and a file for each other subject.

pub mod accept;
pub mod accounts;
pub mod apart;
pub mod cells;
pub mod contacts;
pub mod copying;
pub mod deliver;
pub mod endpoints;
pub mod events;
pub mod inbox;
pub mod integrations;
pub mod keys;
pub mod messages;
pub mod notices;
pub mod replays;
pub mod retention;
pub mod reviews;
pub mod seals;
pub mod suppressions;
pub mod tables;
pub mod take;
pub mod traffic;
pub mod world;
