//! Google as a stack uses it, if it does: no client id, no Gmail.

use secrecy::SecretString;

use super::{Environment, SettingError, retry_policy, wrong};
use crate::domain::claims::PushPolicy;
use crate::domain::provider::gmail::REGISTRATION;
use crate::domain::retry::RetryPolicy;

const CLIENT_ID: &str = REGISTRATION.client_setting;

/// Google as this stack uses it.
#[derive(Debug, Clone)]
pub struct GoogleSettings {
    pub client_id: String,
    pub client_secret: SecretString,
    pub token_url: String,
    pub revoke_url: String,
    pub api_base: String,
    pub batch_url: String,
    /// Where users consent; empty in a function that sends nobody there.
    pub auth_url: String,
    /// `projects/…/topics/…`; empty in a function that never watches.
    pub pubsub_topic: String,
    pub retry: RetryPolicy,
}

impl GoogleSettings {
    /// `None` if Google is not configured.
    pub fn read(env: &Environment) -> Result<Option<Self>, SettingError> {
        let Some(client_id) = env.optional(CLIENT_ID) else { return Ok(None) };
        Ok(Some(Self {
            client_id,
            client_secret: SecretString::from(env.text("GOOGLE_CLIENT_SECRET")?),
            token_url: env.url("GOOGLE_TOKEN_URL")?,
            revoke_url: env.url("GOOGLE_REVOKE_URL")?,
            api_base: env.url("GMAIL_API_BASE")?,
            batch_url: env.url("GMAIL_BATCH_URL")?,
            auth_url: String::new(),
            pubsub_topic: String::new(),
            retry: retry_policy(env)?,
        }))
    }

    /// For a function that watches mailboxes.
    pub fn watching(env: &Environment) -> Result<Option<Self>, SettingError> {
        let Some(read) = Self::read(env)? else { return Ok(None) };
        Ok(Some(Self { pubsub_topic: resource(env, "PUBSUB_TOPIC", "topics")?, ..read }))
    }

    /// For a function that sends users to Google, and watches their mailboxes.
    pub fn connecting(env: &Environment) -> Result<Option<Self>, SettingError> {
        let Some(watching) = Self::watching(env)? else { return Ok(None) };
        Ok(Some(Self { auth_url: env.url("GOOGLE_AUTH_URL")?, ..watching }))
    }
}

/// Who may push to us.
#[derive(Debug, Clone)]
pub struct PushSettings {
    pub policy: PushPolicy,
    pub subscription: String,
    pub certs_url: String,
    /// Turns the legacy route on.
    pub legacy_token: Option<SecretString>,
}

impl PushSettings {
    /// `None` if Google is not configured.
    pub fn read(env: &Environment) -> Result<Option<Self>, SettingError> {
        if env.optional(CLIENT_ID).is_none() {
            return Ok(None);
        }
        let policy = PushPolicy {
            audience: env.text("PUBSUB_AUDIENCE")?,
            service_account: env.text("PUBSUB_SERVICE_ACCOUNT")?,
        };
        Ok(Some(Self {
            policy,
            subscription: resource(env, "PUBSUB_SUBSCRIPTION", "subscriptions")?,
            certs_url: env.url("GOOGLE_CERTS_URL")?,
            legacy_token: env.optional("LEGACY_WEBHOOK_TOKEN").map(SecretString::from),
        }))
    }
}

/// A Pub/Sub resource name, `projects/<project>/<collection>/<name>`.
fn resource(
    env: &Environment,
    name: &'static str,
    collection: &str,
) -> Result<String, SettingError> {
    let text = env.text(name)?;
    match text.split('/').collect::<Vec<_>>()[..] {
        ["projects", project, kind, last]
            if kind == collection && !project.is_empty() && !last.is_empty() =>
        {
            Ok(text)
        }
        _ => Err(wrong(name, format!("must look like projects/my-project/{collection}/my-name"))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("GOOGLE_CLIENT_ID", "client"),
            ("GOOGLE_CLIENT_SECRET", "secret"),
            ("GOOGLE_AUTH_URL", "https://accounts.google.com/o/oauth2/v2/auth"),
            ("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token"),
            ("GOOGLE_REVOKE_URL", "https://oauth2.googleapis.com/revoke"),
            ("GOOGLE_CERTS_URL", "https://www.googleapis.com/oauth2/v3/certs"),
            ("GMAIL_API_BASE", "https://gmail.googleapis.com"),
            ("GMAIL_BATCH_URL", "https://gmail.googleapis.com/batch/gmail/v1"),
            ("GMAIL_RETRY_STATUS", "429,503"),
            ("RETRY_MAX_ATTEMPTS", "3"),
            ("PUBSUB_TOPIC", "projects/p/topics/t"),
            ("PUBSUB_SUBSCRIPTION", "projects/p/subscriptions/s"),
            ("PUBSUB_AUDIENCE", "audience"),
            ("PUBSUB_SERVICE_ACCOUNT", "push@p.example"),
        ])
    }

    fn env(settings: BTreeMap<&'static str, &'static str>) -> Environment {
        Environment::new(move |name| settings.get(name).map(|value| value.to_string()))
    }

    #[test]
    fn without_a_client_id_there_is_no_gmail_and_nothing_else_is_asked_for() {
        for client_id in ["", " "] {
            let none = env(BTreeMap::from([("GOOGLE_CLIENT_ID", client_id)]));
            assert!(GoogleSettings::connecting(&none).unwrap().is_none());
            assert!(PushSettings::read(&none).unwrap().is_none());
        }
        assert!(GoogleSettings::connecting(&env(settings())).unwrap().is_some());
        assert!(PushSettings::read(&env(settings())).unwrap().is_some());
    }

    /// With a client id everything else is.
    #[test]
    fn a_wrong_setting_is_refused_by_its_name() {
        let table = [
            ("GOOGLE_CLIENT_SECRET", ""),
            ("GOOGLE_AUTH_URL", "accounts"),
            ("GOOGLE_TOKEN_URL", ""),
            ("GOOGLE_REVOKE_URL", "ftp://a"),
            ("GMAIL_API_BASE", "https://a?b=c"),
            ("GMAIL_BATCH_URL", "https://a#b"),
            ("PUBSUB_TOPIC", ""),
            ("PUBSUB_TOPIC", "gmail"),
        ];
        for (name, value) in table {
            let mut wrong = settings();
            wrong.insert(name, value);
            let refused = GoogleSettings::connecting(&env(wrong)).unwrap_err();
            assert_eq!(refused.name, name, "{value}");
        }
    }

    #[test]
    fn a_wrong_setting_of_pushes_is_named() {
        let table = [
            ("PUBSUB_AUDIENCE", "", "PUBSUB_AUDIENCE is missing or empty"),
            ("PUBSUB_AUDIENCE", " ", "PUBSUB_AUDIENCE is missing or empty"),
            ("PUBSUB_SERVICE_ACCOUNT", "", "PUBSUB_SERVICE_ACCOUNT is missing or empty"),
            (
                "PUBSUB_SUBSCRIPTION",
                "gmail",
                "PUBSUB_SUBSCRIPTION must look like projects/my-project/subscriptions/my-name",
            ),
            ("GOOGLE_CERTS_URL", "ftp://a", "GOOGLE_CERTS_URL must be an http"),
            ("GOOGLE_CERTS_URL", "https://u@a", "GOOGLE_CERTS_URL must be an http"),
        ];
        for (name, value, expected) in table {
            let mut wrong = settings();
            wrong.insert(name, value);
            let refused = PushSettings::read(&env(wrong)).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
