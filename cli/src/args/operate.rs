//! Arguments for those who look after it: smoke tests, replays, and events as they come in.

use clap::{Args, Subcommand};

use super::Connector;
use crate::request::{Id, id};

#[derive(Subcommand)]
pub enum Test {
    /// List messages.
    List(Connector),
    /// Get the newest message, or the one that is named.
    Get(TestGet),
    /// Send a short message, to the mailbox itself if nobody is named.
    Send(TestSend),
    /// List labels; make one, read it and delete it.
    Labels(Connector),
    /// List drafts; make one, read it and delete it.
    Drafts(Connector),
    /// List threads and get the newest.
    Threads(Connector),
    /// All that only read.
    Reads(Connector),
}

#[derive(Args)]
pub struct TestGet {
    #[command(flatten)]
    pub connector: Connector,
    #[arg(value_name = "MESSAGE", value_parser = id)]
    pub message: Option<Id>,
}

#[derive(Args)]
pub struct TestSend {
    #[command(flatten)]
    pub connector: Connector,
    #[arg(long, value_name = "ADDRESS")]
    pub to: Option<String>,
}

#[derive(Subcommand)]
pub enum Replay {
    /// Try a connector's parked messages at once: the same as `sync`.
    Parked(Connector),
    /// Put wake-ups that were given up back into their queue (operator: SQS).
    DeadLetters(DeadLetters),
}

#[derive(Args)]
pub struct DeadLetters {
    /// At most so many.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

#[derive(Args)]
pub struct Renew {
    /// The connectors.
    #[arg(value_name = "ID", value_parser = id, required_unless_present = "lapsed")]
    pub ids: Vec<Id>,
    /// All whose watch has ended or was refused, as `list --all-owners --lapsed` shows them.
    #[arg(long, conflicts_with = "ids")]
    pub lapsed: bool,
}

#[derive(Args)]
pub struct RevokeGrants {
    /// Only of these; may be said more than once.
    #[arg(long = "connector", value_name = "ID", value_parser = id)]
    pub connectors: Vec<Id>,
    /// Of all users, who must all connect again.
    #[arg(long, conflicts_with = "connectors")]
    pub all: bool,
    /// Do it. Without this they are counted.
    #[arg(long)]
    pub apply: bool,
}

#[derive(Args)]
pub struct Restore {
    /// The table that was restored beside the stack's.
    #[arg(long, value_name = "TABLE")]
    pub from: String,
    /// Only these connectors; may be said more than once.
    #[arg(long = "connector", value_name = "ID", value_parser = id)]
    pub connectors: Vec<Id>,
    /// Only connectors of these owners; may be said more than once.
    #[arg(long = "owner", id = "owner", value_name = "OWNER")]
    pub owners: Vec<String>,
    /// All connectors, also those that owners changed since.
    #[arg(long, conflicts_with_all = ["connectors", "owner"])]
    pub all: bool,
    /// Lay them back. Without this they are counted.
    #[arg(long)]
    pub apply: bool,
}

#[derive(Args)]
pub struct Tail {
    /// The triggers; all of yours if absent.
    #[arg(value_name = "TRIGGER", value_parser = id)]
    pub triggers: Vec<Id>,
    /// End after so many events.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// End after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// Look again after so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = interval)]
    pub every: f64,
    /// Begin with what fired before.
    #[arg(long)]
    pub from_start: bool,
}

#[derive(Args)]
pub struct Doctor {
    /// Only checks whose name begins so: `subscription`, `queues.dead`.
    #[arg(long, value_name = "PREFIX")]
    pub only: Option<String>,
    /// The connector whose mailbox the test push is for; else one of the caller's that a push has
    /// proven.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub connector: Option<Id>,
    /// A shell command that prints your Google token: `gcloud auth print-access-token` [env:
    /// CONNECTORS_GOOGLE_TOKEN, the token itself].
    #[arg(long, value_name = "COMMAND")]
    pub google_token_command: Option<String>,
    /// Where Pub/Sub is [env: CONNECTORS_PUBSUB_API].
    #[arg(long, value_name = "URL")]
    pub pubsub_api: Option<String>,
    /// A shell command that prints your Microsoft Graph token: `az account get-access-token
    /// --resource-type ms-graph --query accessToken --output tsv` [env:
    /// CONNECTORS_MICROSOFT_TOKEN, the token itself].
    #[arg(long, value_name = "COMMAND")]
    pub microsoft_token_command: Option<String>,
    /// Try on the mailbox of your Microsoft Graph token what Outlook's connectors build on: makes a
    /// draft, moves and marks it, and deletes it for good.
    #[arg(long)]
    pub probe: bool,
    /// How long to wait for the test push, and for a change to be listed.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub timeout: u64,
}

fn interval(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "is no number".to_string())?;
    if (0.05..=3600.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("must be from 0.05 to 3600".into())
    }
}
