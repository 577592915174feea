//! `/api/connectors/{connector_id}/messages`, `/threads`, `/labels`, `/drafts`: each row of the
//! operations' table a route.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use email_connectors::domain::id::{ConnectorId, OwnerId, fingerprint};
use email_connectors::domain::metric::MAIL_OPERATIONS;
use email_connectors::domain::operation::request::{MailRequest, NoRequest};
use email_connectors::domain::operation::{BodyShape, Entry, OPERATIONS, Operation, Verb};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::access::AccessError;
use email_connectors::flows::idempotency::{self, Known};
use email_connectors::flows::mail_operations::{Bucket, OperateError};
use email_connectors::flows::preconditions::Unusable;
use email_connectors::ports::{Entropy, Ports, ProviderError, RequestKey, Store};
use email_connectors::web::{Body, Problem, idempotency_key, json_body, taking};

use crate::mail_answer::{self, MailResponse};
use crate::{Api, Shared, mail_problem, store_problem};

/// A mail with its attachments, in base64: Lambda takes 6 MB, with all that API Gateway adds.
pub const LONGEST_MAIL: usize = 5_500_000;

pub fn routes<P: Ports>() -> Router<Arc<Api<P>>> {
    OPERATIONS
        .iter()
        .fold(Router::new(), |router, entry| router.route(&path(entry), route::<P>(entry)))
}

/// The whole path of an operation.
pub fn path(entry: &Entry) -> String {
    format!("/api/connectors/{{connector_id}}{}", entry.path)
}

fn route<P: Ports>(entry: &Entry) -> MethodRouter<Arc<Api<P>>> {
    let operation = entry.operation;
    let handler = move |State(api): Shared<P>,
                        Path(path): Path<BTreeMap<String, String>>,
                        RawQuery(query): RawQuery,
                        headers: HeaderMap,
                        Body(body): Body| async move {
        operate(&api, operation, path, query, headers, body).await
    };
    let on = match entry.verb {
        Verb::Get => get,
        Verb::Post => post,
        Verb::Put => put,
        Verb::Patch => patch,
        Verb::Delete => delete,
    };
    let route = on(handler);
    let takes_mail = matches!(entry.body, BodyShape::Outgoing | BodyShape::DraftChange);
    if takes_mail { taking(route, LONGEST_MAIL) } else { route }
}

async fn operate<P: Ports>(
    api: &Api<P>,
    operation: Operation,
    path: BTreeMap<String, String>,
    query: Option<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let entry = operation.entry();
    let (owner, now) = api.admit(&headers, entry.action).await?;
    let named = path.get("connector_id").and_then(|id| ConnectorId::parse(id));
    let id = named.ok_or_else(|| Problem::not_found("connector"))?;
    let query: Vec<(String, String)> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let value =
        if entry.body == BodyShape::None { serde_json::Value::Null } else { json_body(&body)? };
    let range = headers.get("range").and_then(|range| range.to_str().ok());
    let request = MailRequest::read(operation, &path, &query, || Ok(value))
        .map_err(no_request)?
        .in_range(range);
    let doing = Doing { api, owner: &owner, id: &id, operation, now };
    match request_key(operation, &id, &path, &headers, &body, now)? {
        Some(key) => doing.once(request, &key).await,
        None => doing.run(request).await.map(IntoResponse::into_response),
    }
}

struct Doing<'a, P: Ports> {
    api: &'a Api<P>,
    owner: &'a OwnerId,
    id: &'a ConnectorId,
    operation: Operation,
    now: Timestamp,
}

impl<P: Ports> Doing<'_, P> {
    async fn run(&self, request: MailRequest) -> Result<MailResponse, Problem> {
        let performed = self
            .perform(request.clone())
            .await
            .map_err(|error| mail_problem::problem(error, self.now))?;
        mail_answer::response(self.operation, &request, performed)
    }

    async fn perform(
        &self,
        request: MailRequest,
    ) -> Result<email_connectors::ports::Performed, OperateError> {
        let bucket = Bucket { objects: &self.api.objects, fresh: self.api.machine.uuid(self.now) };
        let performed =
            self.api.access().perform(self.owner, self.id, request, bucket, self.now).await;
        let (outcome, units) = match &performed {
            Ok(performed) => ("done", performed.units),
            Err(_) => ("failed", 0),
        };
        let name = self.operation.entry().name;
        metrics::counter!(MAIL_OPERATIONS, "Operation" => name, "Outcome" => outcome).increment(1);
        tracing::info!(operation = name, outcome, units, owner = %self.owner, connector = %self.id, "mail operation");
        performed
    }

    /// A repeated key gets the stored answer. A request that was refused, so that nothing was done,
    /// releases its key; one whose outcome is unknown keeps it.
    async fn once(&self, request: MailRequest, key: &RequestKey) -> Result<Response, Problem> {
        let store = &self.api.store;
        match idempotency::claim(store, self.owner, key).await.map_err(store_problem)? {
            Known::Nothing => {}
            Known::Answered(answer) => return mail_answer::again(self.operation, answer),
            Known::Other => {
                let detail = "this key was sent with another request; make a new key for each";
                return Err(Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "idempotency_key_reused",
                    detail,
                )
                .at("idempotency-key"));
            }
            Known::Running => {
                let detail = "the first request under this key is being done; ask again shortly";
                let busy = Problem::new(StatusCode::CONFLICT, "idempotency_in_progress", detail)
                    .at("idempotency-key");
                return Err(busy.again_in(std::time::Duration::from_secs(5)));
            }
            Known::Unknown => {
                let detail = "the request under this key may have been done, or not. Look before you send it again under a new key";
                return Err(Problem::new(StatusCode::CONFLICT, "outcome_unknown", detail)
                    .at("idempotency-key"));
            }
        }
        let performed = match self.perform(request.clone()).await {
            Ok(performed) => performed,
            Err(error) => {
                if !may_be_done(&error) {
                    store.release_key(self.owner, key).await.map_err(store_problem)?;
                }
                return Err(mail_problem::problem(error, self.now));
            }
        };
        let response = mail_answer::response(self.operation, &request, performed)?;
        if let Err(error) = store.keep_answer(self.owner, key, &response.text()).await {
            // The request is done all the same; a repetition under its key is answered with
            // `outcome_unknown`.
            tracing::error!(%error, "the answer is not kept under its key");
        }
        Ok(response.into_response())
    }
}

fn may_be_done(error: &OperateError) -> bool {
    matches!(
        error,
        OperateError::Unusable(Unusable::Access(AccessError::Provider(
            ProviderError::OutcomeUnknown(_)
        )))
    )
}

/// Identifies the request: route, the sender's key and the body.
fn request_key(
    operation: Operation,
    connector: &ConnectorId,
    path: &BTreeMap<String, String>,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Option<RequestKey>, Problem> {
    if !operation.makes_something() {
        return Ok(None);
    }
    let Some(key) = idempotency_key(headers)? else { return Ok(None) };
    let draft = path.get("draft_id").map(String::as_str).unwrap_or_default();
    let name = fingerprint(&["request", operation.entry().name, connector.as_str(), draft, key]);
    Ok(Some(RequestKey {
        name,
        body: fingerprint(&["body", &String::from_utf8_lossy(body)]),
        at: now,
    }))
}

fn no_request(error: NoRequest) -> Problem {
    match error {
        NoRequest::NothingNamed(what) => Problem::not_found(what),
        NoRequest::Invalid(refused) => {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_request", refused.problem)
                .at(refused.field)
        }
    }
}
