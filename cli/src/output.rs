//! What is printed: answers on standard output, everything else on standard error.

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use crate::api::Answer;
use crate::failure::Failure;
use crate::show::clean;

pub struct Output {
    pub json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// The API's answer: as it came with `--json`, else as `show` renders it.
    pub fn answer(&self, answer: &Answer, show: fn(&Value) -> String) -> Result<(), Failure> {
        if self.json {
            return if answer.text.is_empty() { Ok(()) } else { self.line(&answer.text) };
        }
        let value = answer.json()?;
        self.line(&show(&value))?;
        if let Some(token) = value.get("next_page_token").and_then(Value::as_str) {
            self.note(&format!("there are more: --page-token {token}"));
        }
        Ok(())
    }

    /// A document of our own with `--json`, else the text for people.
    pub fn document(&self, document: &Value, text: &str) -> Result<(), Failure> {
        if self.json { self.line(&document.to_string()) } else { self.line(text) }
    }

    /// Lines of standard output, without what could steer a terminal.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        let text = if self.json { text.trim_end().to_string() } else { clean(text.trim_end()) };
        if text.is_empty() { Ok(()) } else { self.bytes(format!("{text}\n").as_bytes()) }
    }

    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::here(format!("cannot write to standard output: {error}")),
        })
    }

    /// A remark on standard error; it is dropped if that is closed.
    pub fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{}", clean(text));
    }

    pub fn failed(&self, failure: &Failure) -> ExitCode {
        match failure {
            Failure::ReaderGone => {}
            Failure::Refused(refusal) => {
                self.note(&format!("connectors: {failure}"));
                // A script gets the API's document in any case.
                if self.json && !refusal.text.trim().is_empty() {
                    let _ = self.line(&refusal.text);
                }
            }
            failure => self.note(&format!("connectors: {failure}")),
        }
        ExitCode::from(failure.exit_code())
    }

    /// Asks a person, who must say yes.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        let mut stderr = std::io::stderr();
        let prompted = write!(stderr, "{} [y/N] ", clean(question)).and_then(|()| stderr.flush());
        prompted.map_err(|error| Failure::here(format!("cannot ask: {error}")))?;
        let mut said = String::new();
        std::io::stdin()
            .read_line(&mut said)
            .map_err(|error| Failure::here(format!("cannot read an answer: {error}")))?;
        match matches!(said.trim(), "y" | "Y" | "yes") {
            true => Ok(()),
            false => Err(Failure::here("nothing was done; say y, or --yes")),
        }
    }

    /// For work whose end is not known.
    pub fn spinner(&self, text: &str) -> ProgressBar {
        let spinner = self.bar(None).with_message(clean(text));
        spinner.set_style(style("{spinner} {msg} {elapsed}"));
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }

    pub fn progress(&self, length: u64, text: &str) -> ProgressBar {
        let bar = self.bar(Some(length)).with_message(clean(text));
        bar.set_style(style("{msg} {bar:30} {pos}/{len} {elapsed}"));
        bar
    }

    pub fn download(&self, length: u64, text: &str) -> ProgressBar {
        let bar = self.bar(Some(length)).with_message(clean(text));
        bar.set_style(style("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}"));
        bar
    }

    /// Seen by a person only.
    fn bar(&self, length: Option<u64>) -> ProgressBar {
        let hidden = self.json || !std::io::stderr().is_terminal();
        let target =
            if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        ProgressBar::with_draw_target(length, target)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
