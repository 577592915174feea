//! Arguments about connectors.

use clap::{Args, Subcommand, ValueEnum};

use super::{Connector, MailProvider, Page, Yes};
use crate::request::{Id, id};

#[derive(Args)]
pub struct List {
    #[command(flatten)]
    pub page: Page,
    /// Of all owners, out of the table (operator: AWS).
    #[arg(long, conflicts_with_all = ["page_size", "page_token"])]
    pub all_owners: bool,
    #[command(flatten)]
    pub only: Only,
}

/// Which of all owners' connectors are listed.
#[derive(Args)]
pub struct Only {
    /// With --all-owners: only those of this status.
    #[arg(long, value_enum, requires = "all_owners")]
    pub status: Option<Status>,
    /// With --all-owners: only those whose watch has ended or was refused, though they are active.
    #[arg(long, requires = "all_owners")]
    pub lapsed: bool,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Status {
    Active,
    NeedsReauth,
    Error,
}

#[derive(Args)]
pub struct Register {
    /// Whose mailbox it is.
    #[arg(long, value_enum, value_name = "PROVIDER", default_value = "gmail")]
    pub provider: MailProvider,
    /// The address that the user is to choose.
    #[arg(long, value_name = "ADDRESS")]
    pub login_hint: Option<String>,
    /// Open the consent page in a browser.
    #[arg(long)]
    pub open: bool,
    /// Consent by following the page's redirect, as the local stack's fakes allow; posts the code
    /// itself.
    #[arg(long, conflicts_with_all = ["open", "no_wait"])]
    pub follow: bool,
    /// With --follow: disconnect what another account has connected.
    #[arg(long, requires = "follow")]
    pub replace: bool,
    /// Print the page's address, and end.
    #[arg(long)]
    pub no_wait: bool,
    /// Print the page where an administrator of an organization consents for all its users
    /// (Outlook), and end.
    #[arg(long, conflicts_with_all = ["open", "follow", "no_wait", "login_hint"])]
    pub admin_consent: bool,
    /// Wait so many seconds at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub timeout: u64,
}

#[derive(Args)]
pub struct Rename {
    #[command(flatten)]
    pub connector: Connector,
    /// Its name; empty takes it away.
    pub label: String,
}

#[derive(Args)]
pub struct Remove {
    #[command(flatten)]
    pub connector: Connector,
    #[command(flatten)]
    pub yes: Yes,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Health {
    /// The connector; all if absent.
    #[arg(value_name = "ID", value_parser = id)]
    pub id: Option<Id>,
    /// How the system is, in place of the connectors.
    #[arg(long, conflicts_with = "id")]
    pub system: bool,
    /// What is not well of all owners' connectors, out of the table (operator: AWS).
    #[arg(long, conflicts_with_all = ["id", "system"])]
    pub all_owners: bool,
    #[command(subcommand)]
    pub drill: Option<HealthCommand>,
}

#[derive(Subcommand)]
pub enum HealthCommand {
    /// Ask for a look, and tell how long it takes until it is done.
    Drill(Drill),
}

#[derive(Args)]
pub struct Drill {
    #[command(flatten)]
    pub connector: Connector,
    /// Wait so many seconds at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
}
