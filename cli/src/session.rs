//! One command line at work: its settings, read when they are needed, and the dry run, which sends
//! no writes.

use std::cell::OnceCell as Once;

use serde_json::json;
use tokio::sync::OnceCell;

use crate::api::{Answer, Api};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::request::Request;
use crate::settings::Settings;
use crate::show::Show;

pub struct Session {
    global: Global,
    settings: Once<Settings>,
    api: OnceCell<Api>,
    pub output: Output,
    pub dry_run: bool,
}

impl Session {
    pub fn new(global: Global, output: Output) -> Self {
        let dry_run = global.dry_run;
        Self { global, settings: Once::new(), api: OnceCell::new(), output, dry_run }
    }

    /// Read once and shared, so that the stack is described once.
    pub fn settings(&self) -> Result<&Settings, Failure> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let read = Settings::read(self.global.clone())?;
        Ok(self.settings.get_or_init(|| read))
    }

    pub async fn api(&self) -> Result<&Api, Failure> {
        let made = async || {
            let settings = self.settings()?;
            Api::new(settings.api_url().await?, settings.caller())
        };
        self.api.get_or_try_init(made).await
    }

    /// The API's answer; `None` for a write in a dry run, which is printed instead.
    pub async fn send(&self, request: &Request) -> Result<Option<Answer>, Failure> {
        if request.writes && self.dry_run {
            self.print_unsent(request)?;
            return Ok(None);
        }
        self.api().await?.send(request).await.map(Some)
    }

    /// Sends a read, also in a dry run.
    pub async fn read(&self, request: &Request) -> Result<Answer, Failure> {
        self.api().await?.send(&request.clone().that_only_reads()).await
    }

    /// Sends, and shows what came of it.
    pub async fn run(&self, request: Request, show: Show) -> Result<(), Failure> {
        match self.send(&request).await? {
            Some(answer) => self.output.answer(&answer, show),
            None => Ok(()),
        }
    }

    pub fn print_unsent(&self, request: &Request) -> Result<(), Failure> {
        let unsent = request.to_json();
        let mut text = format!("would send {} {}", request.method, request.target());
        for (name, value) in &request.headers {
            text.push_str(&format!("\n{name}: {value}"));
        }
        if let Some(body) = unsent.get("body") {
            text.push_str(&format!("\n{body:#}"));
        }
        self.output.document(&json!({"dry_run": true, "would_send": unsent}), &text)
    }
}
