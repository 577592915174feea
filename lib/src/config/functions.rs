//! All settings that each function reads at its start, in one struct: its `main` uses it, and the
//! doctor checks a deployed function with it.

use std::time::Duration;

use secrecy::SecretString;

use super::{
    AppSettings, ConnectSettings, DryRun, Environment, GoogleSettings, MicrosoftSettings,
    PushSettings, SettingError, UserSettings, comma, limits, notification_keys, origin, retention,
    several_providers, span, sweep_times, thresholds,
};
use crate::domain::health::Thresholds;
use crate::domain::retention::Retention;
use crate::domain::sweep::{ProcessorLimits, SweepTimes};

const NAMESPACE: &str = "METRICS_NAMESPACE";
const TABLE: &str = "TABLE_NAME";
const KEY: &str = "KMS_KEY_ID";
const BUS: &str = "EVENT_BUS_NAME";
const WAKE_UPS: &str = "NOTIFICATION_QUEUE_URL";
const DEAD_LETTERS: &str = "DEAD_LETTER_QUEUE_URL";
const QUARANTINE: &str = "QUARANTINE_QUEUE_URL";
const MAIL_BUCKET: &str = "MAIL_BUCKET";

#[derive(Debug)]
pub struct OauthConnectSettings {
    pub namespace: String,
    /// Whether the stack connects more than one.
    pub several_providers: bool,
    pub user: UserSettings,
    pub app: AppSettings,
    pub connect: ConnectSettings,
    /// Absent where the stack connects no Gmail.
    pub google: Option<GoogleSettings>,
    /// Absent where the stack connects no Outlook.
    pub microsoft: Option<MicrosoftSettings>,
    pub dry_run: Option<DryRun>,
    /// Of Google's keys, for security events and identities.
    pub certs_url: String,
    pub table: String,
    pub key: String,
    pub wake_ups: String,
    pub bus: String,
}

impl OauthConnectSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            namespace: env.text(NAMESPACE)?,
            several_providers: several_providers(env)?,
            user: UserSettings::read(env)?,
            app: AppSettings::read(env)?,
            connect: ConnectSettings::read(env)?,
            google: GoogleSettings::connecting(env)?,
            microsoft: MicrosoftSettings::watching(env)?,
            dry_run: DryRun::read(env)?,
            certs_url: env.url("GOOGLE_CERTS_URL")?,
            table: env.text(TABLE)?,
            key: env.text(KEY)?,
            wake_ups: env.text(WAKE_UPS)?,
            bus: env.text(BUS)?,
        })
    }
}

#[derive(Debug)]
pub struct ConnectorsApiSettings {
    pub namespace: String,
    /// Whether the stack connects more than one.
    pub several_providers: bool,
    pub user: UserSettings,
    pub app: AppSettings,
    /// Absent where the stack connects no Gmail.
    pub google: Option<GoogleSettings>,
    /// Absent where the stack connects no Outlook.
    pub microsoft: Option<MicrosoftSettings>,
    pub dry_run: Option<DryRun>,
    pub thresholds: Thresholds,
    pub retention: Retention,
    pub table: String,
    pub key: String,
    pub bus: String,
    pub wake_ups: String,
    pub dead_letters: String,
    pub quarantine: String,
    /// Of files that are too large for a request or an answer.
    pub mail_bucket: String,
}

impl ConnectorsApiSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            namespace: env.text(NAMESPACE)?,
            several_providers: several_providers(env)?,
            user: UserSettings::read(env)?,
            app: AppSettings::read(env)?,
            google: GoogleSettings::read(env)?,
            microsoft: MicrosoftSettings::read(env)?,
            dry_run: DryRun::read(env)?,
            thresholds: thresholds(env)?,
            retention: retention(env)?,
            table: env.text(TABLE)?,
            key: env.text(KEY)?,
            bus: env.text(BUS)?,
            wake_ups: env.text(WAKE_UPS)?,
            dead_letters: env.text(DEAD_LETTERS)?,
            quarantine: env.text(QUARANTINE)?,
            mail_bucket: env.text(MAIL_BUCKET)?,
        })
    }
}

#[derive(Debug)]
pub struct PubsubWebhookSettings {
    pub namespace: String,
    /// Absent where the stack connects no Gmail.
    pub push: Option<PushSettings>,
    /// Of Graph's notifications; none where the stack connects no Outlook.
    pub notification_keys: Vec<SecretString>,
    pub wake_ups: String,
    pub quarantine: String,
}

impl PubsubWebhookSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        several_providers(env)?;
        Ok(Self {
            namespace: env.text(NAMESPACE)?,
            push: PushSettings::read(env)?,
            notification_keys: notification_keys(env)?,
            wake_ups: env.text(WAKE_UPS)?,
            quarantine: env.text(QUARANTINE)?,
        })
    }
}

#[derive(Debug)]
pub struct HistoryProcessorSettings {
    pub namespace: String,
    /// Whether the stack connects more than one.
    pub several_providers: bool,
    /// Absent where the stack connects no Gmail.
    pub google: Option<GoogleSettings>,
    /// Absent where the stack connects no Outlook.
    pub microsoft: Option<MicrosoftSettings>,
    pub dry_run: Option<DryRun>,
    pub limits: ProcessorLimits,
    pub table: String,
    pub key: String,
    pub bus: String,
    pub wake_ups: String,
    pub quarantine: String,
}

impl HistoryProcessorSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            namespace: env.text(NAMESPACE)?,
            several_providers: several_providers(env)?,
            google: GoogleSettings::read(env)?,
            microsoft: MicrosoftSettings::read(env)?,
            dry_run: DryRun::read(env)?,
            limits: limits(env)?,
            table: env.text(TABLE)?,
            key: env.text(KEY)?,
            bus: env.text(BUS)?,
            wake_ups: env.text(WAKE_UPS)?,
            quarantine: env.text(QUARANTINE)?,
        })
    }
}

#[derive(Debug)]
pub struct WatchRenewerSettings {
    pub namespace: String,
    /// Whether the stack connects more than one.
    pub several_providers: bool,
    /// Absent where the stack connects no Gmail.
    pub google: Option<GoogleSettings>,
    /// Absent where the stack connects no Outlook.
    pub microsoft: Option<MicrosoftSettings>,
    pub dry_run: Option<DryRun>,
    pub sweep_times: SweepTimes,
    /// How long a sweep may begin new work.
    pub budget: Duration,
    pub table: String,
    pub key: String,
    pub wake_ups: String,
}

impl WatchRenewerSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            namespace: env.text(NAMESPACE)?,
            several_providers: several_providers(env)?,
            google: GoogleSettings::watching(env)?,
            microsoft: MicrosoftSettings::watching(env)?,
            dry_run: DryRun::read(env)?,
            sweep_times: sweep_times(env)?,
            budget: span(env, "SWEEP_BUDGET_SECONDS", Duration::from_secs(1))?,
            table: env.text(TABLE)?,
            key: env.text(KEY)?,
            wake_ups: env.text(WAKE_UPS)?,
        })
    }
}

/// What the console's page is told, and whom it may call.
#[derive(Debug)]
pub struct ConsoleSettings {
    pub namespace: String,
    pub issuer: String,
    pub issuer_origin: String,
    pub audience: String,
    pub client_id: String,
    pub scopes: Vec<String>,
    /// What the token is asked for, at an issuer that wants to be told.
    pub resource: Option<String>,
    /// Of the issuer's endpoints that are not at its own origin.
    pub connect_origins: Vec<String>,
    /// Of the signed URLs of large files.
    pub files_origin: String,
}

impl ConsoleSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        const ISSUER: &str = "AUTH_ISSUER";
        const OTHERS: &str = "CONSOLE_CONNECT_ORIGINS";
        const FILES: &str = "CONSOLE_FILES_ORIGIN";
        let issuer = env.url(ISSUER)?;
        let others = env.optional(OTHERS).map(|_| env.list(OTHERS, comma)).transpose()?;
        Ok(Self {
            namespace: env.text(NAMESPACE)?,
            issuer_origin: origin(ISSUER, &issuer)?,
            issuer,
            audience: env.text("AUTH_AUDIENCE")?,
            client_id: env.text("CONSOLE_CLIENT_ID")?,
            scopes: env.list("CONSOLE_SCOPES", char::is_whitespace)?,
            resource: env.optional("CONSOLE_RESOURCE"),
            connect_origins: others
                .unwrap_or_default()
                .iter()
                .map(|other| origin(OTHERS, other))
                .collect::<Result<_, _>>()?,
            files_origin: origin(FILES, &env.text(FILES)?)?,
        })
    }
}

/// Checks the settings of a function as its start would.
pub fn check(function: &str, env: &Environment) -> Result<(), SettingError> {
    match function {
        "oauth-connect" => OauthConnectSettings::read(env).map(drop),
        "connectors-api" => ConnectorsApiSettings::read(env).map(drop),
        "pubsub-webhook" => PubsubWebhookSettings::read(env).map(drop),
        "history-processor" => HistoryProcessorSettings::read(env).map(drop),
        "watch-renewer" => WatchRenewerSettings::read(env).map(drop),
        "console" => ConsoleSettings::read(env).map(drop),
        // The audit keeper reads none.
        _ => Ok(()),
    }
}
