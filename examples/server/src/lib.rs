//! Gatepost as a service: the public contract, `/v1`, the CLI and the worker over SQLite or Postgres.

pub mod backup;
pub mod bootstrap;
pub mod cli;
pub mod config;
pub mod console;
pub mod data_folder;
pub mod database;
pub mod demo;
pub mod failure;
pub mod http;
pub mod inspect;
pub mod keys_file;
pub mod logging;
pub mod phone_systems;
pub mod policy_text;
pub mod private_file;
pub mod providers;
pub mod serve;
pub mod store_copy;
mod suppression_table;
pub mod webhooks;

pub use failure::Failure;
