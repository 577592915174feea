//! The fake as a process: prints `{"url":…}` once it serves, and ends on SIGTERM or SIGINT.

use std::process::ExitCode;

use fake_google::{Config, FakeGoogle};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "fake-google [--port N] [--push-endpoint URL] [--push-audience AUDIENCE] \
[--push-subscription NAME] [--push-service-account EMAIL] [--client-id ID] [--client-secret SECRET] \
[--user-issuer ISSUER] [--user-audience AUDIENCE] [--user-client-id ID] [--user-redirect URL]... \
[--history-start ID] [--lenient]";

#[tokio::main]
async fn main() -> ExitCode {
    let served = match configured(std::env::args().skip(1)) {
        Ok(config) => serve(config).await.map_err(|error| error.to_string()),
        Err(problem) => Err(format!("{problem}\nusage: {USAGE}")),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("fake-google: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> std::io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let google = FakeGoogle::start(config).await?;
    println!(r#"{{"url":"{}"}}"#, google.url);
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    google.stop().await;
    Ok(())
}

fn configured(mut arguments: impl Iterator<Item = String>) -> Result<Config, String> {
    let mut config = Config::default();
    while let Some(name) = arguments.next() {
        if name == "--lenient" {
            config.strict = false;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => config.port = value.parse().map_err(|_| format!("{value} is no port"))?,
            "--push-endpoint" => config.push.endpoint = Some(value),
            "--push-audience" => config.push.audience = value,
            "--push-subscription" => config.push.subscription = value,
            "--push-service-account" => config.push.service_account = value,
            "--client-id" => config.client_id = value,
            "--client-secret" => config.client_secret = value,
            "--user-issuer" => config.user_issuer = value,
            "--user-audience" => config.user_audience = value,
            "--user-client-id" => config.user_client_id = value,
            "--user-redirect" => config.user_redirects.push(value),
            "--history-start" => {
                config.history_start =
                    value.parse().map_err(|_| format!("{value} is no history id"))?
            }
            _ => return Err(format!("{name} is unknown")),
        }
    }
    Ok(config)
}
