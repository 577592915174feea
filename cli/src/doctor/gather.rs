//! Queries AWS, Google, Microsoft and the API, and collects their answers as facts.

mod aws;
mod google;
mod microsoft;
pub mod probed;
mod push;
mod web;

use std::collections::BTreeMap;

use email_connectors::adapters::aws::SdkConfig;
use email_connectors::config::{Environment, check};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use super::fact::Fact;
use super::facts::{Answer, Facts, Function, PUSH_PATH};
use crate::api::Api;
use crate::deployed::Deployed;
use crate::failure::Failure;
use crate::request::{CONNECTORS, Request, connector_path};
use crate::session::Session;
pub use google::Google;
pub use microsoft::Graph;
pub use push::Trial;

/// What the doctor queries, as whom, and for which checks.
pub struct Probe<'a> {
    pub session: &'a Session,
    pub config: SdkConfig,
    pub deployed: Deployed,
    pub http: Client,
    pub google: Google,
    pub graph: Graph,
    /// As the caller, if there is one.
    pub api: Option<Api>,
    /// The base URL by which the caller reaches the API.
    pub base: String,
    pub trial: Trial,
    pub only: Option<String>,
}

impl Probe<'_> {
    /// Whether a check under this name is wanted.
    fn wants(&self, group: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only.starts_with(group) || group.starts_with(only))
    }
}

pub async fn gather(probe: &Probe<'_>) -> Facts {
    let deployed = &probe.deployed;
    let (functions, clients) = functions(probe).await;
    let parameter = |name: &str| deployed.parameters.get(name).cloned().unwrap_or_default();
    let (topic, subscription) = (parameter("PubSubTopic"), parameter("PubSubSubscription"));
    let policy = format!("{topic}:getIamPolicy");
    let aws = aws::Aws::new(&probe.config, deployed);
    let (wake_ups, sweeps, bus, key, table, queues) =
        tokio::join!(aws.wake_ups(), aws.sweeps(), aws.bus(), aws.key(), aws.table(), aws.queues());
    let google = &probe.google;
    let (topic, policy, subscription) = tokio::join!(
        google.read(&probe.http, &topic, "pubsub.topics.get"),
        google.read(&probe.http, &policy, "pubsub.topics.getIamPolicy"),
        google.read(&probe.http, &subscription, "pubsub.subscriptions.get"),
    );
    let info = format!("{}/api/system/info", probe.base);
    let webhook = format!("{}{PUSH_PATH}", probe.base);
    let (jwks, issuer, certs) =
        (parameter("AuthJwksUrl"), parameter("AuthIssuer"), parameter("GoogleCertsUrl"));
    let connects_gmail = !parameter("GoogleClientId").is_empty();
    let push_keys =
        async { if connects_gmail { web::keys(&probe.http, &certs).await } else { Fact::Absent } };
    let (user_keys, push_keys, api, webhook) = tokio::join!(
        web::user_keys(&probe.http, &jwks, &issuer),
        push_keys,
        web::fetch(probe.http.get(&info)),
        web::fetch(probe.http.post(&webhook).header("content-type", "application/json").body("{}")),
    );
    let client = answered(clients.google).await;
    let microsoft = microsoft::gathered(probe, clients.microsoft).await;
    let mut skews = BTreeMap::from([("api", web::skew(&api))]);
    if connects_gmail {
        skews.insert("google", web::skew(&client));
    }
    let connectors = connectors(probe).await;
    let mut bases: Vec<String> = deployed.outputs.get("ApiUrl").cloned().into_iter().collect();
    bases.retain(|base| *base != probe.base);
    bases.push(probe.base.clone());
    let push = push::tried(probe, &connectors).await;
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
        microsoft,
    }
}

fn answer(fact: Fact<web::Heard>) -> Fact<Answer> {
    fact.map(|heard| Answer { status: heard.status, body: heard.body })
}

async fn answered(request: Fact<RequestBuilder>) -> Fact<web::Heard> {
    match request {
        Fact::Known(request) => web::fetch(request).await,
        other => other.and_then(|_| Fact::Absent),
    }
}

type Functions = BTreeMap<&'static str, Fact<Function>>;

/// The requests by which Google and Microsoft show whether they know the client of `oauth-connect`.
struct Clients {
    google: Fact<RequestBuilder>,
    microsoft: Fact<RequestBuilder>,
}

/// Each function's facts, and the clients'.
async fn functions(probe: &Probe<'_>) -> (Functions, Clients) {
    let aws = aws::Aws::new(&probe.config, &probe.deployed);
    let mut functions = Functions::new();
    let mut clients = Clients { google: Fact::Absent, microsoft: Fact::Absent };
    let has_console =
        probe.deployed.parameters.get("ConsoleClientId").is_some_and(|id| !id.is_empty());
    let there = |name: &str| name != aws::CONSOLE || has_console;
    for (name, resource) in aws::FUNCTIONS.into_iter().filter(|(name, _)| there(name)) {
        let (fact, environment) = match aws.function(resource).await {
            Fact::Known((function, environment)) => {
                (Fact::Known(function), Fact::Known(environment))
            }
            other => (other.clone_unknown(), other.clone_unknown()),
        };
        let fact = match &environment {
            Fact::Known(environment) => {
                fact.map(|function| Function { refused: refused(name, environment), ..function })
            }
            _ => fact,
        };
        if name == "oauth-connect" {
            clients = match environment {
                Fact::Known(environment) => Clients {
                    google: web::stranger(&probe.http, &environment),
                    microsoft: microsoft::stranger(&probe.http, &environment),
                },
                other => {
                    Clients { google: other.clone_unknown(), microsoft: other.clone_unknown() }
                }
            };
        }
        functions.insert(name, fact);
    }
    (functions, clients)
}

/// What a function's `main` would say of these settings.
fn refused(function: &str, env: &Environment) -> Option<String> {
    check(function, env).err().map(|error| error.to_string())
}

async fn connectors(probe: &Probe<'_>) -> Fact<Vec<Value>> {
    let Some(api) = &probe.api else {
        return Fact::Skipped("needs a user's token: --token-command or CONNECTORS_TOKEN".into());
    };
    if !probe.wants("connectors") && !probe.wants("push") {
        return Fact::Skipped("not asked for".into());
    }
    let read = match &probe.trial.connector {
        Some(id) => {
            async { Ok(vec![api.send(&Request::get(connector_path(id))).await?.json()?]) }.await
        }
        None => api
            .all(CONNECTORS, "connectors")
            .await
            .map(|answer| crate::show::list(&answer, "connectors").to_vec()),
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
        connector["health"] =
            api.send(&Request::get(format!("{}/health", connector_path(&id)))).await?.json()?;
        judged.push(connector);
    }
    Ok(judged)
}
