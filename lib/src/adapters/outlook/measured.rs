//! Every request to Graph is counted: its method, its outcome, and how long it took.

use reqwest::{Method, Url};

use super::errors::Failure;
use crate::adapters::system::System;
use crate::domain::metric::{GRAPH_CALLS, GRAPH_LATENCY};
use crate::domain::timestamp::Timestamp;
use crate::ports::Clock;

const BATCH: &str = "batch";

/// A request that is on its way.
pub struct Measured {
    method: &'static str,
    began: Timestamp,
}

impl Measured {
    pub fn begin(method: &Method, url: &Url) -> Self {
        Self { method: name(method, url.path()), began: System.now() }
    }

    pub fn end(self, failure: Option<&Failure>) {
        let took = System.now().millis().saturating_sub(self.began.millis()).max(0);
        #[expect(
            clippy::cast_precision_loss,
            reason = "no request lasts for so many milliseconds"
        )]
        metrics::histogram!(GRAPH_LATENCY, "Method" => self.method).record(took as f64);
        // The parts of a batch that was answered are counted instead, each by itself.
        if self.method != BATCH || failure.is_some() {
            count(self.method, failure);
        }
    }
}

/// Counts a part of a batch; its URL is below the base, with its query.
pub fn count_part(method: &Method, url: &str, failure: Option<&Failure>) {
    count(name(method, url.split('?').next().unwrap_or_default()), failure);
}

fn count(method: &'static str, failure: Option<&Failure>) {
    metrics::counter!(GRAPH_CALLS, "Method" => method, "Outcome" => outcome(failure)).increment(1);
}

fn outcome(failure: Option<&Failure>) -> &'static str {
    let Some(failure) = failure else { return "ok" };
    match failure.effective_status() {
        None => "no_answer",
        Some(401) => "unauthorized",
        Some(429) => "rate_limited",
        Some(408 | 500..) => "unavailable",
        Some(_) => "refused",
    }
}

/// By the names of `domain/provider/outlook/methods.rs`.
fn name(method: &Method, path: &str) -> &'static str {
    let all: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // Below the base, whose last part is the version.
    let begins = all.iter().position(|part| ["me", "subscriptions", "$batch"].contains(part));
    let below = begins.map_or(&[][..], |begins| &all[begins..]);
    match (method.as_str(), below) {
        ("POST", ["$batch"]) => BATCH,
        ("GET", ["me"]) => "me.get",
        ("POST", ["me", "sendMail"]) => "sendMail",
        ("GET", ["me", "messages"] | ["me", "mailFolders", _, "messages"]) => "messages.list",
        ("POST", ["me", "messages"]) => "messages.create",
        ("GET", ["me", "messages", _]) => "messages.get",
        ("PATCH", ["me", "messages", _]) => "messages.update",
        ("DELETE", ["me", "messages", _]) => "messages.delete",
        ("GET", ["me", "messages", _, "$value"]) => "messages.content",
        ("POST", ["me", "messages", _, "move"]) => "messages.move",
        ("POST", ["me", "messages", _, "send"]) => "messages.send",
        ("POST", ["me", "messages", _, "permanentDelete"]) => "messages.permanentDelete",
        ("POST", ["me", "messages", _, "attachments"]) => "attachments.create",
        ("POST", ["me", "messages", _, "attachments", "createUploadSession"]) => {
            "attachments.createUploadSession"
        }
        ("GET", ["me", "mailFolders"] | ["me", "mailFolders", _, "childFolders"]) => {
            "mailFolders.list"
        }
        ("POST", ["me", "mailFolders"] | ["me", "mailFolders", _, "childFolders"]) => {
            "mailFolders.create"
        }
        ("GET", ["me", "mailFolders", _]) => "mailFolders.get",
        ("PATCH", ["me", "mailFolders", _]) => "mailFolders.update",
        ("DELETE", ["me", "mailFolders", _]) => "mailFolders.delete",
        ("GET", ["me", "outlook", "masterCategories"]) => "masterCategories.list",
        ("GET", ["subscriptions"]) => "subscriptions.list",
        ("POST", ["subscriptions"]) => "subscriptions.create",
        ("PATCH", ["subscriptions", _]) => "subscriptions.update",
        ("DELETE", ["subscriptions", _]) => "subscriptions.delete",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::provider::outlook::methods::METHODS;

    #[test]
    fn a_request_is_known_by_verb_and_path() {
        let table = [
            (Method::GET, "/v1.0/me", "me.get"),
            (Method::GET, "/v1.0/me/messages/me", "messages.get"),
            (Method::GET, "/me/messages/AA=/$value", "messages.content"),
            (Method::GET, "/v1.0/me/mailFolders/inbox/messages", "messages.list"),
            (Method::POST, "/v1.0/$batch", BATCH),
            (Method::POST, "/v1.0/subscriptions", "subscriptions.create"),
            (Method::PUT, "/v1.0/me", "other"),
            (Method::GET, "/else", "other"),
        ];
        for (method, path, expected) in table {
            assert_eq!(name(&method, path), expected, "{method} {path}");
        }
        let names = METHODS.map(|method| method.name);
        for named in ["messages.permanentDelete", "attachments.createUploadSession", "sendMail"] {
            assert!(names.contains(&named), "{named}");
        }
    }
}
