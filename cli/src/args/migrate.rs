//! Arguments for taking over from an older system.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::MailProvider;

#[derive(Args)]
pub struct Migrate {
    /// The users, one in each row: JSON lines or CSV with a header.
    #[arg(value_name = "EXPORT")]
    pub export: PathBuf,
    /// Follows from the file's ending if absent.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Do it. Without this everything is checked that can be checked here, nobody is asked, and
    /// nothing changes.
    #[arg(long)]
    pub apply: bool,
    /// A shell command that prints the Fernet key, or several [env: CONNECTORS_FERNET_KEY holds the
    /// key itself].
    #[arg(long, value_name = "COMMAND", conflicts_with = "key_file")]
    pub key_command: Option<String>,
    /// A file that holds the Fernet key, or several.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// What is done is kept here, so that the next run goes on; EXPORT.journal if absent.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// The rows that need a person, as JSON lines; they are printed if absent.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// So many mailboxes at once.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub at_once: u16,
    #[command(flatten)]
    pub fields: Fields,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Jsonl,
    Csv,
}

/// Whose grants these are, and what the columns are called. The ids are their own: the global options
/// have a token and an owner as well.
#[derive(Args, Clone, Debug)]
pub struct Fields {
    /// Who gave the refresh tokens; an export is of one provider.
    #[arg(
        id = "migrated_provider",
        long = "provider",
        value_enum,
        value_name = "PROVIDER",
        default_value = "gmail"
    )]
    pub provider: MailProvider,
    /// The column of the owner to be.
    #[arg(
        id = "owner_field",
        long = "owner-field",
        value_name = "NAME",
        default_value = "user_id"
    )]
    pub owner: String,
    /// The column of the Fernet token.
    #[arg(
        id = "token_field",
        long = "token-field",
        value_name = "NAME",
        default_value_if("migrated_provider", "outlook", "outlook_refresh_token"),
        default_value = "gmail_refresh_token"
    )]
    pub token: String,
    /// The column of the address that the mailbox must have; rows may lack it.
    #[arg(id = "email_field", long = "email-field", value_name = "NAME", default_value = "email")]
    pub email: String,
    /// The column of the triggers, a JSON array; rows may lack it.
    #[arg(
        id = "triggers_field",
        long = "triggers-field",
        value_name = "NAME",
        default_value = "triggers"
    )]
    pub triggers: String,
}
