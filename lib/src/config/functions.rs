//! All settings that each function reads at its start, in one struct: its `main` uses it, and the
//! doctor checks a deployed function with it.

use std::time::Duration;

use super::{
    AppSettings, ConnectSettings, DryRun, Environment, GoogleSettings, PushSettings, SettingError,
    UserSettings, limits, retention, span, sweep_times, thresholds,
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
    pub user: UserSettings,
    pub app: AppSettings,
    pub connect: ConnectSettings,
    pub google: GoogleSettings,
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
            user: UserSettings::read(env)?,
            app: AppSettings::read(env)?,
            connect: ConnectSettings::read(env)?,
            google: GoogleSettings::read(env)?.with_consent(env)?.with_topic(env)?,
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
    pub user: UserSettings,
    pub app: AppSettings,
    pub google: GoogleSettings,
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
            user: UserSettings::read(env)?,
            app: AppSettings::read(env)?,
            google: GoogleSettings::read(env)?,
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
    pub push: PushSettings,
    pub wake_ups: String,
    pub quarantine: String,
}

impl PubsubWebhookSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            namespace: env.text(NAMESPACE)?,
            push: PushSettings::read(env)?,
            wake_ups: env.text(WAKE_UPS)?,
            quarantine: env.text(QUARANTINE)?,
        })
    }
}

#[derive(Debug)]
pub struct HistoryProcessorSettings {
    pub namespace: String,
    pub google: GoogleSettings,
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
            google: GoogleSettings::read(env)?,
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
    pub google: GoogleSettings,
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
            google: GoogleSettings::read(env)?.with_topic(env)?,
            dry_run: DryRun::read(env)?,
            sweep_times: sweep_times(env)?,
            budget: span(env, "SWEEP_BUDGET_SECONDS", Duration::from_secs(1))?,
            table: env.text(TABLE)?,
            key: env.text(KEY)?,
            wake_ups: env.text(WAKE_UPS)?,
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
        // The audit keeper reads none.
        _ => Ok(()),
    }
}
