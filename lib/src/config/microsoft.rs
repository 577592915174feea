//! Microsoft as a stack uses it, if it does: no client id, no Outlook.

use secrecy::SecretString;

use super::{Environment, SettingError, comma, retry_policy, wrong};
use crate::domain::provider::outlook::methods::REGISTRATION;
use crate::domain::retry::RetryPolicy;

const CLIENT_ID: &str = REGISTRATION.client_setting;
const TENANT: &str = "MICROSOFT_TENANT";
const SCOPES: &str = "MICROSOFT_SCOPES";
const URL: &str = "GRAPH_NOTIFICATION_URL";
const KEY: &str = "MICROSOFT_NOTIFICATION_KEY";
/// In characters; a MAC's key should hold as much as the MAC.
const SHORTEST_KEY: usize = 32;

/// Microsoft as this stack uses it.
#[derive(Debug, Clone)]
pub struct MicrosoftSettings {
    pub client_id: String,
    pub client_secret: SecretString,
    /// `common`, `organizations`, `consumers`, or one tenant's id or domain.
    pub tenant: String,
    pub scopes: Vec<String>,
    /// Without a trailing slash, as the next one.
    pub login_base: String,
    /// With the version of the API.
    pub graph_base: String,
    /// Where Graph sends notifications; empty in a function that never watches, and in a stack that
    /// was not told yet: its first deployment learns its own address.
    pub notification_url: String,
    /// The first signs, all verify; none where the URL is empty.
    pub notification_keys: Vec<SecretString>,
    pub retry: RetryPolicy,
}

impl MicrosoftSettings {
    /// `None` if Microsoft is not configured.
    pub fn read(env: &Environment) -> Result<Option<Self>, SettingError> {
        let Some(client_id) = env.optional(CLIENT_ID) else { return Ok(None) };
        let base = |name| env.url(name).map(|url| url.trim_end_matches('/').to_string());
        Ok(Some(Self {
            client_id,
            client_secret: SecretString::from(env.text("MICROSOFT_CLIENT_SECRET")?),
            tenant: tenant(env)?,
            scopes: scopes(env)?,
            login_base: base("MICROSOFT_LOGIN_BASE")?,
            graph_base: base("GRAPH_API_BASE")?,
            notification_url: String::new(),
            notification_keys: Vec::new(),
            retry: retry_policy(env)?,
        }))
    }

    /// For a function that watches mailboxes.
    pub fn watching(env: &Environment) -> Result<Option<Self>, SettingError> {
        let Some(read) = Self::read(env)? else { return Ok(None) };
        let notification_url = env.optional(URL).map(|_| env.url(URL)).transpose()?;
        let notification_url = notification_url.unwrap_or_default();
        Ok(Some(Self { notification_url, notification_keys: notification_keys(env)?, ..read }))
    }
}

/// The keys of `clientState`; none if Microsoft is not configured, or has no notifications yet.
pub fn notification_keys(env: &Environment) -> Result<Vec<SecretString>, SettingError> {
    if env.optional(CLIENT_ID).is_none() || env.optional(KEY).is_none() {
        return Ok(Vec::new());
    }
    let keys = env.list(KEY, comma)?;
    match keys.iter().all(|key| key.len() >= SHORTEST_KEY) {
        true => Ok(keys.into_iter().map(SecretString::from).collect()),
        false => Err(wrong(KEY, format!("must hold keys of {SHORTEST_KEY} characters or more"))),
    }
}

fn tenant(env: &Environment) -> Result<String, SettingError> {
    let tenant = env.text(TENANT)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    match tenant.bytes().all(plain) {
        true => Ok(tenant),
        false => Err(wrong(TENANT, "must be common, organizations, consumers, or a tenant")),
    }
}

/// A refresh token comes for `offline_access` alone, and who consented for `openid`.
fn scopes(env: &Environment) -> Result<Vec<String>, SettingError> {
    let scopes = env.list(SCOPES, char::is_whitespace)?;
    match ["openid", "offline_access"].iter().all(|needed| scopes.iter().any(|one| one == needed)) {
        true => Ok(scopes),
        false => Err(wrong(SCOPES, "must have openid and offline_access among them")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("MICROSOFT_CLIENT_ID", "client"),
            ("MICROSOFT_CLIENT_SECRET", "secret"),
            ("MICROSOFT_TENANT", "common"),
            ("MICROSOFT_SCOPES", "openid offline_access Mail.Read"),
            ("MICROSOFT_LOGIN_BASE", "https://login.microsoftonline.com/"),
            ("GRAPH_API_BASE", "https://graph.microsoft.com/v1.0"),
            ("GRAPH_NOTIFICATION_URL", "https://api.example.com/api/email/webhook/microsoft/graph"),
            ("MICROSOFT_NOTIFICATION_KEY", "0123456789abcdef0123456789abcdef"),
            ("GMAIL_RETRY_STATUS", "429,503"),
            ("RETRY_MAX_ATTEMPTS", "3"),
        ])
    }

    fn read(
        settings: BTreeMap<&'static str, &'static str>,
    ) -> Result<Option<MicrosoftSettings>, SettingError> {
        let env = Environment::new(move |name| settings.get(name).map(|value| value.to_string()));
        MicrosoftSettings::watching(&env)
    }

    #[test]
    fn without_a_client_id_there_is_no_outlook() {
        let mut none = settings();
        none.insert("MICROSOFT_CLIENT_ID", " ");
        none.remove("MICROSOFT_CLIENT_SECRET");
        assert!(read(none).unwrap().is_none());
        let mut dry = settings();
        dry.insert("DRY_RUN", "true");
        assert!(read(dry).unwrap().is_some(), "a dry run has the providers of its stack");
        let read = read(settings()).unwrap().unwrap();
        assert_eq!(read.login_base, "https://login.microsoftonline.com");
        assert_eq!(read.notification_keys.len(), 1);
    }

    #[test]
    fn a_wrong_setting_is_refused_by_its_name() {
        let table = [
            ("MICROSOFT_CLIENT_SECRET", ""),
            ("MICROSOFT_TENANT", "a/b"),
            ("MICROSOFT_SCOPES", "openid Mail.Read"),
            ("MICROSOFT_LOGIN_BASE", "login"),
            ("GRAPH_API_BASE", ""),
            ("GRAPH_NOTIFICATION_URL", "https://api.example.com/?a=b"),
            ("MICROSOFT_NOTIFICATION_KEY", "short"),
            ("MICROSOFT_NOTIFICATION_KEY", "0123456789abcdef0123456789abcdef,short"),
        ];
        for (name, value) in table {
            let mut wrong = settings();
            wrong.insert(name, value);
            assert_eq!(read(wrong).unwrap_err().name, name, "{value}");
        }
    }
}
