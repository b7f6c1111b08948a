//! The HTTP side from outside: the whole router over the reference store and the sandbox provider.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod broken;
mod deliveries;
mod document;
mod endpoints;
mod health;
mod hearing;
mod integrations;
mod keys;
mod operator;
mod providers;
mod receiver;
mod reviews;
mod routes;
mod scene;
mod send;
mod threecx;
mod traffic;
mod v1;
mod world;
