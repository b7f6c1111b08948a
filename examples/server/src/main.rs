//! The program: everything is in the library beside it.

use std::env;
use std::process::ExitCode;

/// Gives memory back and forth between threads faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gatepost_server::cli::run(env::args_os())
}
