//! The command line: arguments to requests, answers to text. All decisions are made behind the API.

pub mod api;
pub mod args;
pub mod aws;
pub mod commands;
pub mod deployed;
pub mod doctor;
pub mod failure;
pub mod fernet;
pub mod health;
pub mod migration;
pub mod output;
pub mod pace;
pub mod provider;
pub mod request;
pub mod session;
pub mod settings;
pub mod show;
pub mod stack;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::output::Output;
use crate::session::Session;

/// Runs one command line, the program's name first.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; clap would end with 2, which here means "denied".
            let code = u8::from(error.use_stderr());
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE };
        }
    };
    let output = Output::new(cli.global.json);
    let session = Session::new(cli.global, output);
    match commands::run(&session, cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => session.output.failed(&failure),
    }
}
