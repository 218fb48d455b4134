//! The program `grantor`.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use grantor_server::cli::Cli;
use grantor_server::commands;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(commands::run(cli)).map_err(|error| error.to_string()));
    ended.unwrap_or_else(|message| {
        let _ = writeln!(std::io::stderr(), "grantor: {message}");
        ExitCode::FAILURE
    })
}
