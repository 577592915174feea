//! The binary `connectors`.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    connectors_cli::run(std::env::args_os()).await
}
