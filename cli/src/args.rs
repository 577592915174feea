//! What can be said on the command line.

pub mod compose;
pub mod connectors;
pub mod mail;
pub mod migrate;
pub mod operate;
pub mod triggers;

use std::convert::Infallible;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;

use crate::request::{Id, id};

/// Connect mailboxes, see how they are, read and send their mail, and operate what runs behind.
///
/// Exit codes: 0 ok, 1 error, 2 denied, 3 not found.
#[derive(Parser)]
#[command(name = "connectors", version)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Clone)]
#[command(next_help_heading = "Where, who and how")]
pub struct Global {
    /// The API's base URL, the stack's output ApiUrl [env: CONNECTORS_API_URL].
    #[arg(long, global = true, value_name = "URL")]
    pub api_url: Option<String>,
    /// The user's token [env: CONNECTORS_TOKEN, which other users of the machine do not see].
    #[arg(long, global = true, value_name = "TOKEN", value_parser = secret)]
    pub token: Option<SecretString>,
    /// A shell command that prints the user's token [env: CONNECTORS_TOKEN_COMMAND].
    #[arg(long, global = true, value_name = "COMMAND", conflicts_with = "token")]
    pub token_command: Option<String>,
    /// The local stack's file: fills all of these [env: CONNECTORS_STACK_JSON].
    #[arg(long, global = true, value_name = "FILE")]
    pub stack_json: Option<PathBuf>,
    /// On the local stack: the owner to be.
    #[arg(long, global = true, value_name = "NAME")]
    pub owner: Option<String>,
    /// Print the API's JSON as it came.
    #[arg(long, global = true)]
    pub json: bool,
    /// Send no write: print what would be sent. Reads are done.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// The CloudFormation stack, with AWS's own credentials: fills API, table and queues where they
    /// are not said [env: CONNECTORS_STACK_NAME].
    #[arg(long, global = true, value_name = "NAME")]
    pub stack_name: Option<String>,
    /// For `renew` and `--all-owners`: the stack's table [env: CONNECTORS_TABLE].
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub table: Option<String>,
    /// For `replay dead-letters`: the queue of wake-ups [env: CONNECTORS_NOTIFICATION_QUEUE_URL].
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub notification_queue_url: Option<String>,
    /// For `replay dead-letters`: where wake-ups lie that were given up [env:
    /// CONNECTORS_DEAD_LETTER_QUEUE_URL].
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub dead_letter_queue_url: Option<String>,
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.trim().into())
}

#[derive(Subcommand)]
pub enum Command {
    /// Your connectors, or those of all owners (operator: AWS).
    List(connectors::List),
    /// One connector.
    Show(Connector),
    /// Connect a mailbox: opens the provider's consent, and waits until the connector is there.
    #[command(visible_alias = "connect")]
    Register(connectors::Register),
    /// Let new mail fire again.
    Enable(Connector),
    /// Let new mail fire nothing from now on.
    Disable(Connector),
    /// Name a connector.
    Rename(connectors::Rename),
    /// Disconnect a mailbox, with its triggers.
    Remove(connectors::Remove),
    /// Have a mailbox looked at now.
    Sync(Connector),
    /// Have watches renewed by the next sweep, whoever owns them (operator: AWS).
    Renew(operate::Renew),
    /// Whether all is well, and what to do if it is not; exit code 1 if something is down.
    Health(connectors::Health),
    /// A connector's circuit breaker.
    Circuit(Connector),
    /// What a connector counts.
    Metrics(Connector),
    /// What fires for which agent.
    #[command(subcommand)]
    Triggers(triggers::Triggers),
    /// Short calls that show whether mail can be read and sent: status, quota units and time of
    /// each.
    #[command(subcommand)]
    Test(operate::Test),
    /// Messages of a mailbox.
    #[command(subcommand)]
    Messages(mail::Messages),
    /// Files in messages.
    #[command(subcommand)]
    Attachments(mail::Attachments),
    /// Conversations.
    #[command(subcommand)]
    Threads(mail::Threads),
    /// A mailbox's labels.
    #[command(subcommand)]
    Labels(mail::Labels),
    /// Mail that is not sent yet.
    #[command(subcommand)]
    Drafts(mail::Drafts),
    /// Try again what was set aside.
    #[command(subcommand)]
    Replay(operate::Replay),
    /// Withdraw grants at Google; their connectors wait for their users (operator: AWS).
    RevokeGrants(operate::RevokeGrants),
    /// Lay rows back that are gone, from a table restored beside the stack's (operator: AWS).
    Restore(operate::Restore),
    /// Look over what was deployed, and what it needs at Google and Microsoft: each finding with its cause, its
    /// fix and where to read on.
    Doctor(operate::Doctor),
    /// Watch events come in, until Ctrl-C.
    Tail(operate::Tail),
    /// Take over users whose mailboxes an older system connected (operator: through AWS).
    Migrate(migrate::Migrate),
}

#[derive(Args)]
pub struct Connector {
    /// The connector.
    #[arg(value_name = "ID", value_parser = id)]
    pub id: Id,
}

/// Whose mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MailProvider {
    Gmail,
    Outlook,
}

#[derive(Args)]
pub struct Page {
    /// At most so many.
    #[arg(long, value_name = "N")]
    pub page_size: Option<u32>,
    /// Where the page before ended.
    #[arg(long, value_name = "TOKEN")]
    pub page_token: Option<String>,
}

#[derive(Args)]
pub struct Yes {
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}
