//! Settings: environment variables, read once at start into typed values. A wrong one stops the
//! function with its name.

mod functions;
mod google;
mod microsoft;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::domain::claims::UserPolicy;
use crate::domain::connector::Uniqueness;
use crate::domain::health::Thresholds;
use crate::domain::provider::{Provider, REGISTERED, Registration, registered};
use crate::domain::retention::Retention;
use crate::domain::retry::RetryPolicy;
use crate::domain::sweep::{ProcessorLimits, SweepTimes};

pub use self::functions::{
    ConnectorsApiSettings, ConsoleSettings, HistoryProcessorSettings, OauthConnectSettings,
    PubsubWebhookSettings, WatchRenewerSettings, check,
};
pub use self::google::{GoogleSettings, PushSettings};
pub use self::microsoft::{MicrosoftSettings, notification_keys};

/// Where an issuer publishes its keys.
#[derive(Debug, Clone)]
pub enum KeySource {
    Url(String),
    /// The issuer's URL; its discovery document names the keys' URL.
    Discovery(String),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} {problem}")]
pub struct SettingError {
    pub name: &'static str,
    pub problem: String,
}

/// A source of settings: the process's environment, or a table in a test.
pub struct Environment(Box<dyn Fn(&'static str) -> Option<String>>);

#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub fn environment() -> Environment {
    Environment::new(|name| std::env::var(name).ok())
}

impl Environment {
    pub fn new(lookup: impl Fn(&'static str) -> Option<String> + 'static) -> Self {
        Self(Box::new(lookup))
    }

    /// An empty variable is an absent one: a template cannot leave one out.
    pub fn optional(&self, name: &'static str) -> Option<String> {
        self.0(name).map(|value| value.trim().to_string()).filter(|value| !value.is_empty())
    }

    pub fn text(&self, name: &'static str) -> Result<String, SettingError> {
        self.optional(name).ok_or_else(|| wrong(name, "is missing or empty"))
    }

    pub fn list(
        &self,
        name: &'static str,
        separator: fn(char) -> bool,
    ) -> Result<Vec<String>, SettingError> {
        let parts: Vec<String> = self
            .text(name)?
            .split(separator)
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(String::from)
            .collect();
        if parts.is_empty() { Err(wrong(name, "names nothing")) } else { Ok(parts) }
    }

    /// An absolute http or https URL, without user, query or fragment.
    pub fn url(&self, name: &'static str) -> Result<String, SettingError> {
        let text = self.text(name)?;
        let url = reqwest::Url::parse(&text).map_err(|_| wrong(name, "is not an absolute URL"))?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && url.query().is_none();
        match plain && matches!(url.scheme(), "http" | "https") && url.has_host() {
            true => Ok(text),
            false => {
                Err(wrong(name, "must be an http or https URL without user, query or fragment"))
            }
        }
    }

    pub fn number<T: FromStr>(&self, name: &'static str) -> Result<T, SettingError> {
        self.text(name)?.parse().map_err(|_| wrong(name, "is not a number in range"))
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn wrong(name: &'static str, problem: impl Into<String>) -> SettingError {
    SettingError { name, problem: problem.into() }
}

fn comma(character: char) -> bool {
    character == ','
}

/// The origin of a URL, in the form in which a Content-Security-Policy names it: it has no sign that
/// could end a directive.
fn origin(name: &'static str, url: &str) -> Result<String, SettingError> {
    let origin = reqwest::Url::parse(url).map(|url| url.origin());
    match origin {
        Ok(origin) if origin.is_tuple() => Ok(origin.ascii_serialization()),
        _ => Err(wrong(name, "must name http or https origins")),
    }
}

/// The providers whose client this stack has.
fn set_up(env: &Environment) -> impl Iterator<Item = &'static Registration> {
    REGISTERED.into_iter().filter(|one| env.optional(one.client_setting).is_some())
}

/// Whether the stack connects more than one. Each may be absent, and not all of them.
fn several_providers(env: &Environment) -> Result<bool, SettingError> {
    let [first, second] = REGISTERED.map(|one| one.client_setting);
    match set_up(env).count() {
        0 => Err(wrong(
            first,
            format!(
                "is missing or empty, and so is {second}: give the stack GoogleClientId (Gmail), \
                 MicrosoftClientId (Outlook), or both"
            ),
        )),
        count => Ok(count > 1),
    }
}

/// A recorded mailbox stands in for each provider, and nothing is sent.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// What each consent to Google grants; empty in a function in which nobody consents.
    pub scopes: Vec<String>,
}

impl DryRun {
    /// Only `true` is a dry run: a missing variable must not replace a provider.
    pub fn read(env: &Environment) -> Result<Option<Self>, SettingError> {
        const DRY_RUN: &str = "DRY_RUN";
        match env.optional(DRY_RUN).as_deref() {
            None | Some("false") => Ok(None),
            Some("true") => {
                let scopes = env.optional("GOOGLE_SCOPES").unwrap_or_default();
                Ok(Some(Self { scopes: scopes.split_whitespace().map(String::from).collect() }))
            }
            Some(_) => Err(wrong(DRY_RUN, "must be true or false")),
        }
    }
}

fn retry_policy(env: &Environment) -> Result<RetryPolicy, SettingError> {
    const STATUS: &str = "GMAIL_RETRY_STATUS";
    let statuses = env.list(STATUS, comma)?;
    let status = |text: &String| text.parse().ok().filter(|status| (400..600).contains(status));
    let statuses = statuses
        .iter()
        .map(status)
        .collect::<Option<Vec<u16>>>()
        .ok_or_else(|| wrong(STATUS, "must list HTTP statuses from 400 to 599"))?;
    let max_attempts = env.number("RETRY_MAX_ATTEMPTS")?;
    match (1..=10).contains(&max_attempts) {
        true => Ok(RetryPolicy { max_attempts, statuses }),
        false => Err(wrong("RETRY_MAX_ATTEMPTS", "must be from 1 to 10")),
    }
}

/// Who may call as a user.
#[derive(Debug, Clone)]
pub struct UserSettings {
    pub policy: UserPolicy,
    /// `None`: by discovery from the issuer.
    pub jwks_url: Option<String>,
    /// How often an owner may do each kind of costly action.
    pub requests_per_minute: Option<u32>,
}

impl UserSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        let policy = UserPolicy {
            issuer: env.url("AUTH_ISSUER")?,
            audience: env.text("AUTH_AUDIENCE")?,
            owner_claim: env.text("AUTH_OWNER_CLAIM")?,
            role_claim: env.optional("AUTH_ROLE_CLAIM"),
            longest_life: Some(env.number("AUTH_TOKEN_MINUTES")?)
                .filter(|minutes| *minutes > 0)
                .map(|minutes: u32| MINUTE * minutes),
        };
        let jwks_url =
            env.optional("AUTH_JWKS_URL").map(|_| env.url("AUTH_JWKS_URL")).transpose()?;
        let requests_per_minute =
            Some(env.number("OWNER_REQUESTS_PER_MINUTE")?).filter(|most| *most > 0);
        Ok(Self { policy, jwks_url, requests_per_minute })
    }

    pub fn key_source(&self) -> KeySource {
        match &self.jwks_url {
            Some(url) => KeySource::Url(url.clone()),
            None => KeySource::Discovery(self.policy.issuer.clone()),
        }
    }
}

/// The frontend that users come from.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// An origin, without a trailing slash.
    pub public_url: String,
}

impl AppSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        let public_url = env.url("APP_PUBLIC_URL")?.trim_end_matches('/').to_string();
        Ok(Self { public_url })
    }

    /// The page of the frontend to which a provider's vendor returns the browser in the redirect
    /// flow.
    pub fn callback_url(&self, provider: Provider) -> String {
        format!("{}{}", self.public_url, registered(provider).callback)
    }
}

/// What a connect requests.
#[derive(Debug, Clone)]
pub struct ConnectSettings {
    pub scopes: Vec<String>,
    pub uniqueness: Uniqueness,
    /// The pages that may start a connect.
    pub allowed_origins: Vec<String>,
    /// The redirect_uri of a code from Google's popup: `postmessage`, or an origin.
    pub popup_redirect: String,
}

impl ConnectSettings {
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
        const UNIQUENESS: &str = "CONNECTOR_UNIQUENESS";
        let uniqueness = env.text(UNIQUENESS)?;
        let named: StrDeserializer<'_, ValueError> = uniqueness.as_str().into_deserializer();
        let uniqueness = Uniqueness::deserialize(named)
            .map_err(|_| wrong(UNIQUENESS, "must be per-provider or per-mailbox"))?;
        Ok(Self {
            scopes: env.list("GOOGLE_SCOPES", char::is_whitespace)?,
            uniqueness,
            allowed_origins: env.list("ALLOWED_ORIGINS", comma)?,
            popup_redirect: env.text("GOOGLE_POPUP_REDIRECT")?,
        })
    }
}

/// For how long the stack keeps what its functions do not delete.
pub fn retention(env: &Environment) -> Result<Retention, SettingError> {
    Ok(Retention {
        event_archive_days: env.number("EVENT_ARCHIVE_DAYS")?,
        log_days: env.number("LOG_RETENTION_DAYS")?,
        audit_days: env.number("AUDIT_RETENTION_DAYS")?,
    })
}

/// The times by which a connector's next sweep is computed.
pub fn sweep_times(env: &Environment) -> Result<SweepTimes, SettingError> {
    Ok(SweepTimes {
        settle: span(env, "SETTLE_SECONDS", Duration::from_secs(1))?,
        quiet_after: span(env, "QUIET_AFTER_MINUTES", Duration::from_secs(60))?,
    })
}

/// What connectors are measured by.
pub fn thresholds(env: &Environment) -> Result<Thresholds, SettingError> {
    let mut required_scopes = BTreeMap::new();
    for one in set_up(env) {
        let scopes = env.list(one.scopes_setting, char::is_whitespace)?;
        required_scopes.insert(one.provider, scopes);
    }
    Ok(Thresholds {
        sweep_times: sweep_times(env)?,
        sweep_every: span(env, "SWEEP_EVERY_MINUTES", Duration::from_secs(60))?,
        units_per_minute: units_per_minute(env)?,
        required_scopes,
    })
}

fn units_per_minute(env: &Environment) -> Result<u32, SettingError> {
    const UNITS: &str = "GMAIL_USER_UNITS_PER_MINUTE";
    let units = env.number(UNITS)?;
    match units < LEAST_UNITS {
        true => Err(wrong(
            UNITS,
            format!("must be at least {LEAST_UNITS}: one page of a replay costs nearly as much"),
        )),
        false => Ok(units),
    }
}

/// How long the processor may take, and how much it may spend.
pub fn limits(env: &Environment) -> Result<ProcessorLimits, SettingError> {
    Ok(ProcessorLimits {
        processor_timeout: span(env, "PROCESSOR_TIMEOUT_SECONDS", Duration::from_secs(1))?,
        sweep_times: sweep_times(env)?,
        cooldown: span(env, "CIRCUIT_COOLDOWN_SECONDS", Duration::from_secs(1))?,
        units_per_minute: units_per_minute(env)?,
        history_page: HISTORY_PAGE,
    })
}

/// Gmail's own bound for a page of history.
pub const HISTORY_PAGE: usize = 500;

/// A hundred messages, and the lists that lead to them.
const LEAST_UNITS: u32 = 2500;

/// A span given in whole seconds or minutes.
pub fn span(
    env: &Environment,
    name: &'static str,
    unit: Duration,
) -> Result<Duration, SettingError> {
    let count: u32 = env.number(name)?;
    if count == 0 { Err(wrong(name, "must be at least 1")) } else { Ok(unit * count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> Environment {
        Environment::new(move |name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn a_stack_connects_one_provider_or_both_and_not_none() {
        let (google, microsoft) = (("GOOGLE_CLIENT_ID", "a"), ("MICROSOFT_CLIENT_ID", "b"));
        let scopes = [("GOOGLE_SCOPES", "openid"), ("MICROSOFT_SCOPES", "openid")];
        let table = [
            (vec![google], vec![Provider::Gmail]),
            (vec![microsoft], vec![Provider::Outlook]),
            (vec![google, microsoft], vec![Provider::Gmail, Provider::Outlook]),
            (vec![("GOOGLE_CLIENT_ID", " "), microsoft], vec![Provider::Outlook]),
        ];
        for (clients, expected) in table {
            let clients = BTreeMap::from_iter(clients.into_iter().chain(scopes).chain(TIMES));
            let env = Environment::new(move |name| clients.get(name).map(|one| one.to_string()));
            assert_eq!(several_providers(&env).unwrap(), expected.len() > 1);
            let required: Vec<Provider> =
                thresholds(&env).unwrap().required_scopes.into_keys().collect();
            assert_eq!(required, expected);
        }
        let none =
            several_providers(&env(&[("MICROSOFT_CLIENT_ID", " ")])).unwrap_err().to_string();
        for named in
            ["GOOGLE_CLIENT_ID", "MICROSOFT_CLIENT_ID", "GoogleClientId", "MicrosoftClientId"]
        {
            assert!(none.contains(named), "{none}");
        }
    }

    const TIMES: [(&str, &str); 4] = [
        ("SETTLE_SECONDS", "600"),
        ("QUIET_AFTER_MINUTES", "10"),
        ("SWEEP_EVERY_MINUTES", "1"),
        ("GMAIL_USER_UNITS_PER_MINUTE", "6000"),
    ];

    #[test]
    fn a_dry_run_needs_the_exact_word() {
        let read = |pairs| DryRun::read(&env(pairs));
        assert!(read(&[]).unwrap().is_none());
        assert!(
            read(&[("DRY_RUN", "false"), ("GOOGLE_SCOPES", "openid email")]).unwrap().is_none()
        );
        assert_eq!(
            read(&[("DRY_RUN", "true"), ("GOOGLE_SCOPES", "openid email")])
                .unwrap()
                .unwrap()
                .scopes,
            ["openid", "email"]
        );
        for pairs in [&[("DRY_RUN", "1")], &[("DRY_RUN", "True")], &[("DRY_RUN", "yes")]] {
            assert_eq!(
                read(pairs).unwrap_err().to_string(),
                "the environment variable DRY_RUN must be true or false"
            );
        }
    }

    #[test]
    fn numbers_and_lists_are_checked() {
        let policy = |statuses, attempts| {
            retry_policy(&Environment::new(move |name| match name {
                "GMAIL_RETRY_STATUS" => Some(String::from(statuses)),
                _ => Some(String::from(attempts)),
            }))
        };
        assert_eq!(
            policy("429, 503", "3").unwrap(),
            RetryPolicy { max_attempts: 3, statuses: vec![429, 503] }
        );
        for (statuses, attempts, name) in [
            ("200", "3", "GMAIL_RETRY_STATUS"),
            ("x", "3", "GMAIL_RETRY_STATUS"),
            ("429", "0", "RETRY_MAX_ATTEMPTS"),
            ("429", "-1", "RETRY_MAX_ATTEMPTS"),
        ] {
            assert_eq!(policy(statuses, attempts).unwrap_err().name, name);
        }
    }
}
