//! Asks AWS, Google and the API, and notes what they answer.

mod aws;
mod google;
mod push;
mod web;

use std::collections::BTreeMap;

use email_connectors::adapters::aws::SdkConfig;
use email_connectors::config::{Environment, check};
use reqwest::Client;
use serde_json::Value;

use super::fact::Fact;
use super::facts::{Answer, Facts, Function, PUSH_PATH};
use crate::api::Api;
use crate::commands::all;
use crate::deployed::Deployed;
use crate::failure::Failure;
use crate::request::Request;
use crate::session::Session;
pub use google::Google;
pub use push::Trial;

/// Whom to ask, and what for.
pub struct Asking<'a> {
    pub session: &'a Session,
    pub config: SdkConfig,
    pub deployed: Deployed,
    pub http: Client,
    pub google: Google,
    /// As the caller, if there is one.
    pub api: Option<Api>,
    /// Where the API is, by which the caller reaches it.
    pub base: String,
    pub trial: Trial,
    pub only: Option<String>,
}

impl Asking<'_> {
    /// Whether anything under this name was asked for.
    fn wants(&self, group: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only.starts_with(group) || group.starts_with(only))
    }
}

pub async fn gather(asking: &Asking<'_>) -> Facts {
    let deployed = &asking.deployed;
    let (functions, google_client) = functions(asking).await;
    let parameter = |name: &str| deployed.parameters.get(name).cloned().unwrap_or_default();
    let (topic, subscription) = (parameter("PubSubTopic"), parameter("PubSubSubscription"));
    let policy = format!("{topic}:getIamPolicy");
    let aws = aws::Aws::new(&asking.config, deployed);
    let (wake_ups, sweeps, bus, key, table, queues) =
        tokio::join!(aws.wake_ups(), aws.sweeps(), aws.bus(), aws.key(), aws.table(), aws.queues());
    let google = &asking.google;
    let (topic, policy, subscription) = tokio::join!(
        google.read(&asking.http, &topic, "pubsub.topics.get"),
        google.read(&asking.http, &policy, "pubsub.topics.getIamPolicy"),
        google.read(&asking.http, &subscription, "pubsub.subscriptions.get"),
    );
    let info = format!("{}/api/system/info", asking.base);
    let webhook = format!("{}{PUSH_PATH}", asking.base);
    let (jwks, issuer, certs) = (parameter("AuthJwksUrl"), parameter("AuthIssuer"), parameter("GoogleCertsUrl"));
    let (user_keys, push_keys, api, webhook) = tokio::join!(
        web::user_keys(&asking.http, &jwks, &issuer),
        web::keys(&asking.http, &certs),
        web::ask(asking.http.get(&info)),
        web::ask(asking.http.post(&webhook).header("content-type", "application/json").body("{}")),
    );
    let client = match google_client {
        Fact::Known(form) => web::ask(form).await,
        other => other.and_then(|_| Fact::Absent),
    };
    let skews = BTreeMap::from([("api", web::skew(&api)), ("google", web::skew(&client))]);
    let connectors = connectors(asking).await;
    let mut bases: Vec<String> = deployed.outputs.get("ApiUrl").cloned().into_iter().collect();
    bases.retain(|base| *base != asking.base);
    bases.push(asking.base.clone());
    let push = push::tried(asking, &connectors).await;
    let answer = |fact: Fact<web::Heard>| fact.map(|heard| Answer { status: heard.status, body: heard.body });
    Facts {
        stack_name: deployed.stack_name.clone(),
        status: deployed.status.clone(),
        parameters: deployed.parameters.clone(),
        outputs: deployed.outputs.clone(),
        bases,
        functions,
        wake_ups,
        sweeps,
        bus,
        key,
        table,
        queues,
        client: answer(client),
        user_keys,
        push_keys,
        topic,
        policy,
        subscription,
        api: answer(api),
        webhook: answer(webhook),
        skews,
        connectors,
        push,
    }
}

type Functions = BTreeMap<&'static str, Fact<Function>>;

/// Each function as it is, and how to ask Google whether it knows the client that one of them was given.
async fn functions(asking: &Asking<'_>) -> (Functions, Fact<reqwest::RequestBuilder>) {
    let aws = aws::Aws::new(&asking.config, &asking.deployed);
    let (mut functions, mut client) = (Functions::new(), Fact::Absent);
    for (name, resource) in aws::FUNCTIONS {
        let (told, environment) = match aws.function(resource).await {
            Fact::Known((function, environment)) => (Fact::Known(function), Fact::Known(environment)),
            other => (other.clone_unknown(), other.clone_unknown()),
        };
        let told = match &environment {
            Fact::Known(environment) => told.map(|function| Function { refused: refused(name, environment), ..function }),
            _ => told,
        };
        if name == "oauth-connect" {
            client = environment.and_then(|environment| web::stranger(&asking.http, &environment));
        }
        functions.insert(name, told);
    }
    (functions, client)
}

/// What a function's `main` would say of these settings.
fn refused(function: &str, env: &Environment) -> Option<String> {
    check(function, env).err().map(|error| error.to_string())
}

async fn connectors(asking: &Asking<'_>) -> Fact<Vec<Value>> {
    let Some(api) = &asking.api else {
        return Fact::Unasked("needs a user's token: --token-command or CONNECTORS_TOKEN".into());
    };
    if !asking.wants("connectors") && !asking.wants("push") {
        return Fact::Unasked("not asked for".into());
    }
    let read = match &asking.trial.connector {
        Some(id) => async { Ok(vec![api.send(&Request::get(crate::commands::connectors::path(id))).await?.json()?]) }.await,
        None => {
            all(api, crate::commands::connectors::LIST, "connectors").await.map(|answer| crate::show::list(&answer, "connectors").to_vec())
        }
    };
    let judged = match read {
        Ok(connectors) => with_health(api, connectors).await,
        Err(failure) => Err(failure),
    };
    judged.map_or_else(|failure| Fact::Unreachable(failure.to_string()), Fact::Known)
}

/// Each connector with what the API says of its health.
async fn with_health(api: &Api, connectors: Vec<Value>) -> Result<Vec<Value>, Failure> {
    let mut judged = Vec::new();
    for mut connector in connectors {
        let id = crate::show::at(&connector, "/id");
        connector["health"] = api.send(&Request::get(format!("{}/health", crate::commands::connectors::path(&id)))).await?.json()?;
        judged.push(connector);
    }
    Ok(judged)
}
