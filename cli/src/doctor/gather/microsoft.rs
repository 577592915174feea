//! What Microsoft knows of the stack: its client, its app registration with the operator's own token,
//! and whether its notification URL answers as Graph wants it.

use email_connectors::adapters::https;
use email_connectors::adapters::system::System;
use email_connectors::config::{Environment, MicrosoftSettings};
use email_connectors::ports::Clock;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::web::{Heard, NO_TOKEN, describe, fetch};
use super::{Probe, answer, answered, probed};
use crate::doctor::fact::Fact;
use crate::doctor::facts::{Handshake, Microsoft};
use crate::settings::carries_secrets;

/// Of the form of those that Graph sends.
const VALIDATION: &str = "Validation: connectors doctor looks whether this URL answers";
const LONGEST_ECHO: usize = 4096;
const HOW: &str = "needs a Graph token: --microsoft-token-command 'az account get-access-token \
                   --resource-type ms-graph --query accessToken --output tsv'";

/// The operator's own token for Graph, and whether its mailbox may be tried on.
pub struct Graph {
    pub token: Option<SecretString>,
    pub tries: bool,
}

/// `None` if the stack connects no Outlook.
pub async fn gathered(probe: &Probe<'_>, client: Fact<RequestBuilder>) -> Option<Microsoft> {
    let parameter = |name: &str| probe.deployed.parameters.get(name).cloned().unwrap_or_default();
    let client_id = Some(parameter("MicrosoftClientId")).filter(|id| !id.is_empty())?;
    let base = parameter("GraphApiBase");
    let (url, application) =
        (parameter("GraphNotificationUrl"), format!("applications(appId='{client_id}')"));
    let (client, handshake, application, policy) = tokio::join!(
        answered(client),
        handshake(&probe.http, &url),
        probe.graph.read(&probe.http, &base, &application, "Application.Read.All"),
        probe.graph.read(
            &probe.http,
            &base,
            "policies/authorizationPolicy",
            "Policy.Read.All or Policy.Read.Authorization",
        ),
    );
    let tried = match probe.graph.tries {
        true => Some(tried(probe, &base).await),
        false => None,
    };
    let now = System.now();
    Some(Microsoft { client: answer(client), handshake, application, policy, now, tried })
}

async fn tried(probe: &Probe<'_>, base: &str) -> Fact<Vec<crate::doctor::facts::Tried>> {
    if probe.session.dry_run {
        return Fact::Skipped(
            "dry run: would make a draft, move and mark it, and delete it".into(),
        );
    }
    let Some(token) = &probe.graph.token else {
        let how =
            "needs a Graph token of a mailbox with Mail.ReadWrite: CONNECTORS_MICROSOFT_TOKEN";
        return Fact::Skipped(how.into());
    };
    if let Err(failure) = carries_secrets(base) {
        return Fact::Unreachable(format!("GraphApiBase: {failure}"));
    }
    let mailbox = probed::Mailbox { http: &probe.http, base, token };
    mailbox.tried(probe.trial.patience).await
}

impl Graph {
    async fn read(&self, http: &Client, base: &str, path: &str, right: &str) -> Fact<Value> {
        let Some(token) = &self.token else { return Fact::Skipped(HOW.into()) };
        if let Err(failure) = carries_secrets(base) {
            return Fact::Unreachable(format!("GraphApiBase: {failure}"));
        }
        let request = http.get(format!("{base}/{path}")).bearer_auth(token.expose_secret());
        fetch(request).await.and_then(|heard| understood(heard, right))
    }
}

fn understood(heard: Heard, right: &str) -> Fact<Value> {
    let message = heard.body["error"]["message"].as_str().unwrap_or_default();
    match heard.status {
        200 => Fact::Known(heard.body),
        404 => Fact::Absent,
        401 => Fact::Unreachable(format!(
            "Microsoft refuses the token (401): it has run out, or is none; {HOW}"
        )),
        403 => Fact::Denied(right.into()),
        status => Fact::Unreachable(format!("Graph answers {status} {message}")),
    }
}

/// A request to the token endpoint as the client of these settings, with a refresh token that does
/// not exist.
pub fn stranger(http: &Client, environment: &Environment) -> Fact<RequestBuilder> {
    let settings = match MicrosoftSettings::read(environment) {
        Ok(Some(settings)) => settings,
        Ok(None) => return Fact::Absent,
        Err(error) => return Fact::Unreachable(error.to_string()),
    };
    if let Err(failure) = carries_secrets(&settings.login_base) {
        return Fact::Unreachable(format!("MicrosoftLoginBase: {failure}"));
    }
    let form = [
        ("client_id", settings.client_id.as_str()),
        ("client_secret", settings.client_secret.expose_secret()),
        ("grant_type", "refresh_token"),
        ("refresh_token", NO_TOKEN),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", settings.login_base, settings.tenant);
    Fact::Known(http.post(url).form(&form))
}

/// As Graph does before it makes a subscription
/// (<https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks#notificationurl-validation>).
async fn handshake(http: &Client, url: &str) -> Fact<Handshake> {
    if url.is_empty() {
        return Fact::Absent;
    }
    let Ok(mut url) = Url::parse(url) else {
        return Fact::Unreachable(format!("`{url}` is no URL"));
    };
    url.query_pairs_mut().append_pair("validationToken", VALIDATION);
    let request = http.post(url).header(CONTENT_TYPE, "text/plain; charset=utf-8").body("");
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Fact::Unreachable(describe(&error.without_url())),
    };
    let status = response.status().as_u16();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_string();
    let body = https::body(response, LONGEST_ECHO).await.unwrap_or_default();
    Fact::Known(Handshake { status, content_type, is_same: body == VALIDATION.as_bytes() })
}
