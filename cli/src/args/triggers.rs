//! Arguments about triggers.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::{Page, Yes};
use crate::request::{Id, id};

#[derive(Subcommand)]
pub enum Triggers {
    /// Your triggers.
    List(Page),
    /// Make a trigger.
    Create(Create),
    /// One trigger.
    Show(Trigger),
    /// Change a trigger's agent, or replace its filters.
    Change(Change),
    /// Delete a trigger.
    Delete(Delete),
    /// Which of the last days' mails would fire, and why the others would not.
    Test(Test),
    /// What fired, newest first.
    Firings(Firings),
    /// Give a trigger of type webhook another secret, shown this once; the one before counts for a
    /// day beside it.
    RotateSecret(Trigger),
    /// Fire a trigger of type webhook.
    Fire(Fire),
}

#[derive(Args)]
pub struct Trigger {
    /// The trigger.
    #[arg(value_name = "TRIGGER", value_parser = id)]
    pub trigger: Id,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    Email,
    Webhook,
}

/// All that are given must hold. Text is compared as people see it, in any letter case.
#[derive(Args)]
pub struct Filters {
    /// Each word in From or Subject.
    #[arg(long, value_name = "WORDS")]
    pub query: Option<String>,
    /// Any of these in From's address (repeat for several).
    #[arg(long, value_name = "TEXT")]
    pub from: Vec<String>,
    /// From's address is of one of these domains.
    #[arg(long, value_name = "DOMAIN")]
    pub from_domain: Vec<String>,
    /// Any of these in an address of To.
    #[arg(long, value_name = "TEXT")]
    pub to: Vec<String>,
    /// Any of these in Subject.
    #[arg(long, value_name = "TEXT")]
    pub subject: Vec<String>,
    /// All of these labels, by id or name.
    #[arg(long, value_name = "LABEL")]
    pub with_label: Vec<String>,
    /// None of these labels, by id or name.
    #[arg(long, value_name = "LABEL")]
    pub without_label: Vec<String>,
    /// With an attachment, or with `false` without one.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub has_attachment: Option<bool>,
    /// From's domain stands behind the mail (DMARC), or with `false` does not.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub authenticated: Option<bool>,
    /// No person wrote it, or with `false` one did: what an agent that answers mail needs.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub automatic: Option<bool>,
}

#[derive(Args)]
pub struct Create {
    /// The connector whose mail fires.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub connector: Id,
    #[arg(long = "type", value_enum, default_value_t = Kind::Email)]
    pub kind: Kind,
    /// The agent that is to run.
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    #[command(flatten)]
    pub filters: Filters,
}

#[derive(Args)]
pub struct Change {
    #[command(flatten)]
    pub trigger: Trigger,
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Take the agent away.
    #[arg(long, conflicts_with = "agent")]
    pub no_agent: bool,
    #[command(flatten)]
    pub filters: Filters,
    /// Take all filters away.
    #[arg(long)]
    pub no_filters: bool,
}

#[derive(Args)]
pub struct Delete {
    #[command(flatten)]
    pub trigger: Trigger,
    #[command(flatten)]
    pub yes: Yes,
}

#[derive(Args)]
pub struct Test {
    #[command(flatten)]
    pub trigger: Trigger,
    /// So many days back (1 to 30).
    #[arg(long, value_name = "N")]
    pub days: Option<u32>,
    /// Look at so many messages at most.
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
}

#[derive(Args)]
pub struct Firings {
    #[command(flatten)]
    pub trigger: Trigger,
    #[command(flatten)]
    pub page: Page,
}

#[derive(Args)]
pub struct Fire {
    #[command(flatten)]
    pub trigger: Trigger,
    /// The event, a JSON object.
    #[arg(long, value_name = "JSON", required_unless_present = "file", conflicts_with = "file")]
    pub data: Option<String>,
    /// A file that holds it; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Makes repeating the same event safe; made up if absent.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

impl Filters {
    /// As the API takes them; nothing if none was given.
    pub fn json(&self) -> Option<Value> {
        let mut filters = Map::new();
        if let Some(query) = &self.query {
            filters.insert("query".into(), json!(query));
        }
        let lists = [
            ("from_contains", &self.from),
            ("from_domain", &self.from_domain),
            ("to_contains", &self.to),
            ("subject_contains", &self.subject),
            ("label_include", &self.with_label),
            ("label_exclude", &self.without_label),
        ];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            filters.insert(name.into(), json!(list));
        }
        for (name, wanted) in [
            ("has_attachment", self.has_attachment),
            ("authenticated", self.authenticated),
            ("automatic", self.automatic),
        ] {
            filters.extend(wanted.map(|wanted| (name.to_string(), json!(wanted))));
        }
        (!filters.is_empty()).then_some(Value::Object(filters))
    }
}
