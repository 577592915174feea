//! Every request to Google is counted: its method, its outcome, how long it took and what it cost.

use reqwest::{Method, Url};

use super::errors::Failure;
use crate::adapters::system::System;
use crate::domain::metric::{GMAIL_CALLS, GMAIL_LATENCY, GMAIL_UNITS};
use crate::domain::provider::gmail::METHODS;
use crate::domain::provider::gmail::price;
use crate::domain::timestamp::Timestamp;
use crate::ports::Clock;

pub const MESSAGES_GET: &str = "messages.get";
const BATCH: &str = "batch";
/// A part of a mail, into an upload that was begun by a method and counted as that.
const UPLOAD: &str = "upload";

/// Gmail's methods by the path below the user
/// (<https://developers.google.com/workspace/gmail/api/reference/rest>).
const PATHS: [(&str, &str, &str); 32] = [
    ("GET", "profile", "getProfile"),
    ("GET", "settings/sendAs", "settings.sendAs.list"),
    ("POST", "watch", "watch"),
    ("POST", "stop", "stop"),
    ("GET", "history", "history.list"),
    ("GET", "messages", "messages.list"),
    ("POST", "messages/send", "messages.send"),
    ("POST", "messages/batchModify", "messages.batchModify"),
    ("POST", "messages/batchDelete", "messages.batchDelete"),
    ("GET", "messages/*", MESSAGES_GET),
    ("DELETE", "messages/*", "messages.delete"),
    ("POST", "messages/*/modify", "messages.modify"),
    ("POST", "messages/*/trash", "messages.trash"),
    ("POST", "messages/*/untrash", "messages.untrash"),
    ("GET", "messages/*/attachments/*", "messages.attachments.get"),
    ("GET", "threads", "threads.list"),
    ("GET", "threads/*", "threads.get"),
    ("DELETE", "threads/*", "threads.delete"),
    ("POST", "threads/*/modify", "threads.modify"),
    ("POST", "threads/*/trash", "threads.trash"),
    ("POST", "threads/*/untrash", "threads.untrash"),
    ("GET", "labels", "labels.list"),
    ("POST", "labels", "labels.create"),
    ("GET", "labels/*", "labels.get"),
    ("PATCH", "labels/*", "labels.patch"),
    ("DELETE", "labels/*", "labels.delete"),
    ("GET", "drafts", "drafts.list"),
    ("POST", "drafts", "drafts.create"),
    ("POST", "drafts/send", "drafts.send"),
    ("GET", "drafts/*", "drafts.get"),
    ("PUT", "drafts/*", "drafts.update"),
    ("DELETE", "drafts/*", "drafts.delete"),
];

/// A request that is on its way.
pub struct Measured {
    method: &'static str,
    began: Timestamp,
}

impl Measured {
    pub fn begin(method: &Method, url: &Url) -> Self {
        Self { method: name(method.as_str(), url.path()), began: System.now() }
    }

    pub fn of_chunk() -> Self {
        Self { method: UPLOAD, began: System.now() }
    }

    pub fn end(self, failure: Option<&Failure>) {
        let took = System.now().millis().saturating_sub(self.began.millis()).max(0);
        #[expect(
            clippy::cast_precision_loss,
            reason = "no request lasts for so many milliseconds"
        )]
        metrics::histogram!(GMAIL_LATENCY, "Method" => self.method).record(took as f64);
        // The parts of a batch are counted instead, each by itself.
        if self.method != BATCH {
            count(self.method, failure, 1);
        }
    }
}

/// Counts calls of one method that ended alike.
pub fn count(method: &'static str, failure: Option<&Failure>, calls: usize) {
    let calls = u64::try_from(calls).unwrap_or(u64::MAX);
    metrics::counter!(GMAIL_CALLS, "Method" => method, "Outcome" => outcome(failure))
        .increment(calls);
    metrics::counter!(GMAIL_UNITS, "Method" => method)
        .increment(calls.saturating_mul(units(method)));
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

fn name(method: &str, path: &str) -> &'static str {
    let Some((_, below)) = path.split_once("/gmail/v1/users/me/") else {
        return match path.rsplit('/').next() {
            Some("token") => "oauth.token",
            Some("revoke") => "oauth.revoke",
            _ => BATCH,
        };
    };
    let fits = |template: &str| {
        let (wanted, given) = (template.split('/'), below.split('/'));
        wanted.clone().count() == given.clone().count()
            && wanted.zip(given).all(|(wanted, given)| wanted == "*" || wanted == given)
    };
    PATHS
        .iter()
        .find(|(verb, template, _)| *verb == method && fits(template))
        .map_or("other", |(_, _, name)| name)
}

fn units(method: &str) -> u64 {
    let own = match method {
        "getProfile" => price::PROFILE,
        "history.list" => price::HISTORY,
        "watch" => price::WATCH,
        "stop" => price::STOP,
        _ => METHODS.iter().find(|known| known.name == method).map_or(0, |known| known.units),
    };
    own.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_an_operation_has_a_path_and_a_price() {
        for method in METHODS {
            assert!(PATHS.iter().any(|(_, _, name)| *name == method.name), "{}", method.name);
        }
        for (_, path, name) in PATHS {
            assert!(units(name) > 0, "{path}");
        }
    }

    #[test]
    fn a_request_is_known_by_verb_and_path() {
        let table = [
            ("GET", "/gmail/v1/users/me/messages/send", MESSAGES_GET),
            ("POST", "/gmail/v1/users/me/messages/send", "messages.send"),
            ("GET", "/gmail/v1/users/me/messages/1/attachments/2", "messages.attachments.get"),
            ("PUT", "/gmail/v1/users/me/drafts/1", "drafts.update"),
            ("GET", "/base/gmail/v1/users/me/profile", "getProfile"),
            ("POST", "/upload/gmail/v1/users/me/messages/send", "messages.send"),
            ("PUT", "/upload/gmail/v1/users/me/drafts/1", "drafts.update"),
            ("POST", "/batch/gmail/v1", BATCH),
            ("POST", "/token", "oauth.token"),
            ("POST", "/revoke", "oauth.revoke"),
            ("PUT", "/gmail/v1/users/me/watch", "other"),
        ];
        for (method, path, expected) in table {
            assert_eq!(name(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn the_outcome_of_a_call_is_named_by_what_to_do_about_it() {
        let failed = |status, reason: &str| Failure { status, ..Failure::no_answer(reason) };
        let table = [
            (None, "ok"),
            (Some(failed(None, "timeout")), "no_answer"),
            (Some(failed(Some(401), "authError")), "unauthorized"),
            (Some(failed(Some(403), "userRateLimitExceeded")), "rate_limited"),
            (Some(failed(Some(429), "")), "rate_limited"),
            (Some(failed(Some(503), "")), "unavailable"),
            (Some(failed(Some(404), "notFound")), "refused"),
        ];
        for (failure, expected) in table {
            assert_eq!(outcome(failure.as_ref()), expected, "{failure:?}");
        }
    }
}
