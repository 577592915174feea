//! The fake as a process: prints `{"url":…}` once it serves, and ends on SIGTERM or SIGINT.

use std::process::ExitCode;

use fake_microsoft::{Config, FakeMicrosoft};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "fake-microsoft [--port N] [--client-id ID] [--client-secret SECRET] \
[--redirect-uri URI]... [--issuer-base URL] [--requests FILE]";

#[tokio::main]
async fn main() -> ExitCode {
    let served = match configured(std::env::args().skip(1)) {
        Ok(config) => serve(config).await.map_err(|error| error.to_string()),
        Err(problem) => Err(format!("{problem}\nusage: {USAGE}")),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("fake-microsoft: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> std::io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let microsoft = FakeMicrosoft::start(config).await?;
    println!(r#"{{"url":"{}"}}"#, microsoft.url);
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    microsoft.stop().await;
    Ok(())
}

fn configured(mut arguments: impl Iterator<Item = String>) -> Result<Config, String> {
    let mut config = Config::default();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => config.port = value.parse().map_err(|_| format!("{value} is no port"))?,
            "--client-id" => config.client_id = value,
            "--client-secret" => config.client_secret = value,
            "--redirect-uri" => config.redirect_uris.push(value),
            "--issuer-base" => config.issuer_base = Some(value),
            "--requests" => config.requests = Some(value.into()),
            _ => return Err(format!("{name} is unknown")),
        }
    }
    Ok(config)
}
