//! `/api/triggers`: made, read, changed and taken away by their owner, fired from outside, and what
//! they fired.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use email_connectors::audit;
use email_connectors::domain::claims::Caller;
use email_connectors::domain::event::how_many_fit;
use email_connectors::domain::id::TriggerId;
use email_connectors::domain::invalid::Invalid;
use email_connectors::domain::metric::SIGNATURES_REFUSED;
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::{
    MOST_TRIGGERS, MOST_WEBHOOKS, NewTrigger, Trigger, TriggerChange,
};
use email_connectors::flows::inbound_webhook::{Fire, FireError, Fired};
use email_connectors::flows::subscribe::{self, SubscribeError};
use email_connectors::ports::{Clock, Delivery, Entropy, Ports, Store, StoreError};
use email_connectors::web::{Body, Problem, idempotency_key, json_body, too_many};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::owner_data::detail;
use crate::paging::{Page, cursor, paged, read_cursor};
use crate::{Shared, mail_problem, store_problem};

pub async fn list<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let (owner, _) = api.admit(&headers, Action::See).await?;
    let page = Page::of_query(query.as_deref())?;
    let triggers = api.store.triggers(&owner).await.map_err(store_problem)?;
    page.cut(
        "triggers",
        "trg_",
        triggers,
        |trigger| trigger.id.to_string(),
        |trigger| json!(trigger),
    )
}

pub async fn create<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (owner, now) = api.admit(&headers, Action::Operate).await?;
    let new = NewTrigger::parse(json_body(&body)?).map_err(invalid)?;
    let new =
        api.access().with_label_ids(&owner, new, now).await.map_err(|error| problem(error, now))?;
    let (trigger, secret) =
        subscribe::create(&api.store, &api.vault, &api.machine, &owner, new, now)
            .await
            .map_err(|error| problem(error, now))?;
    audit::target(&trigger.id);
    let mut answer = json!(trigger);
    if let Some(secret) = secret {
        // Only this answer ever contains the secret.
        answer["secret"] = json!(secret.expose_secret());
    }
    Ok((StatusCode::CREATED, Json(answer)))
}

pub async fn read<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Trigger>, Problem> {
    let (owner, _) = api.admit(&headers, Action::See).await?;
    let trigger = api.store.trigger(&owner, &named(&id)?).await.map_err(store_problem)?;
    trigger.map(Json).ok_or_else(|| Problem::not_found("trigger"))
}

pub async fn change<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<Trigger>, Problem> {
    let (owner, now) = api.admit(&headers, Action::Operate).await?;
    let change = TriggerChange::parse(json_body(&body)?).map_err(invalid)?;
    let id = named(&id)?;
    let change = api.access().change_with_label_ids(&owner, &id, change, now).await;
    let change = change.map_err(|error| problem(error, now))?;
    subscribe::change(&api.store, &owner, &id, change, now)
        .await
        .map(Json)
        .map_err(|error| problem(error, now))
}

pub async fn remove<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (owner, now) = api.admit(&headers, Action::Delete).await?;
    let removed = subscribe::remove(&api.store, &owner, &named(&id)?).await;
    removed.map_err(|error| problem(error, now))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Another secret for a `webhook` trigger, returned once; the previous one stays valid for a day.
pub async fn rotate_secret<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.admit(&headers, Action::Operate).await?;
    let rotated =
        subscribe::rotate_secret(&api.store, &api.vault, &api.machine, &owner, &named(&id)?, now)
            .await;
    let (secret, until) = rotated.map_err(|error| problem(error, now))?;
    Ok(Json(json!({"secret": secret.expose_secret(), "previous_valid_until": until})))
}

/// What the trigger fired in the last thirty days, newest first.
pub async fn firings<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let Caller { owner, role, .. } =
        api.gate.admit(&headers, Action::See, api.machine.now()).await?;
    let page = Page::of_query(query.as_deref())?;
    let after = page.after(read_cursor)?;
    // Another owner's trigger is answered as not found.
    let trigger = api.store.trigger(&owner, &named(&id)?).await.map_err(store_problem)?;
    let trigger = trigger.ok_or_else(|| Problem::not_found("trigger"))?;
    // One more than the page shows whether there is a next page.
    let mut fired =
        api.store.firings(&trigger.id, after, page.size + 1).await.map_err(store_problem)?;
    let shown = usize::try_from(page.size).unwrap_or(usize::MAX);
    let fitting = how_many_fit(fired.iter().map(|delivery| delivery.event.detail.len())).min(shown);
    let more = fired.len() > fitting;
    fired.truncate(fitting);
    let next = fired
        .last()
        .filter(|_| more)
        .map(|last| cursor(last.event.decided_at, &last.event.event_id));
    let as_json = |Delivery { event, published_at }: &Delivery| {
        let mut firing = json!({
            "event_id": event.event_id,
            "connector_id": trigger.config.connector_id,
            "decided_at": event.decided_at,
            "detail_type": event.detail_type,
            "published": published_at.is_some(),
        });
        // The detail names sender and subject.
        if role.may(Action::ReadMail) {
            firing["detail"] = detail(event);
        }
        if let Some(message) = &event.message_id {
            firing["message_id"] = json!(message);
        }
        firing
    };
    Ok(paged("firings", fired.iter().map(as_json).collect(), next))
}

/// Fires a `webhook` trigger: for its owner by token, for others by signature.
pub async fn fire<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (opened, limits) = (&api.opened, &api.gate.limits);
    let fire = Fire::<P> {
        store: &api.store,
        vault: &api.vault,
        bus: &api.bus,
        signatures: &api.signatures,
        opened,
        limits,
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let fired = if headers.contains_key(AUTHORIZATION) {
        let (owner, now) = api.admit(&headers, Action::Fire).await?;
        let delivery = idempotency_key(&headers)?
            .map_or_else(|| api.machine.uuid(now).to_string(), String::from);
        fire.as_owner(&owner, &named(&id)?, &delivery, &body, now).await
    } else {
        let id = TriggerId::parse(&id).ok_or_else(Problem::unauthorized)?;
        fire.signed(&id, header("x-signature"), &body, api.machine.now()).await
    };
    match fired {
        Ok(Fired { event_id, owner }) => {
            // A signed request has no user: the audit line names the trigger's owner.
            audit::of(&owner);
            Ok((StatusCode::ACCEPTED, Json(json!({ "event_id": event_id }))))
        }
        Err(FireError::NotFound) => Err(Problem::not_found("trigger")),
        Err(FireError::Unauthorized(why)) => {
            metrics::counter!(SIGNATURES_REFUSED).increment(1);
            tracing::info!(why, "signature refused");
            let detail = "send a fresh `X-Signature: t=<seconds>,v1=<HMAC-SHA256 of \"<seconds>.<body>\">`, or your token";
            Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).at("x-signature"))
        }
        Err(FireError::TooMany(wait)) => Err(too_many(wait)),
        Err(FireError::Unusable(unusable)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            format!("the body {unusable}"),
        )
        .at("body")),
        Err(FireError::Vault(error)) => Err(Problem::unavailable("unavailable", &error)),
        Err(FireError::Store(error)) => Err(store_problem(error)),
    }
}

pub(crate) fn invalid(refusal: Invalid) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_trigger", refusal.problem).at(refusal.field)
}

pub(crate) fn problem(error: SubscribeError, now: Timestamp) -> Problem {
    match error {
        SubscribeError::NoSuchTrigger => Problem::not_found("trigger"),
        SubscribeError::NoSuchConnector => {
            Problem::not_found("connector").at("config.connector_id")
        }
        SubscribeError::TooMany => Problem::new(
            StatusCode::CONFLICT,
            "too_many_triggers",
            format!("a connector holds at most {MOST_TRIGGERS} triggers; delete one first"),
        ),
        SubscribeError::TooManyWebhooks => Problem::new(
            StatusCode::CONFLICT,
            "too_many_triggers",
            format!(
                "a connector holds at most {MOST_WEBHOOKS} triggers of type `webhook`; delete one first"
            ),
        ),
        SubscribeError::Invalid(refusal) => invalid(refusal),
        SubscribeError::LabelsUnread(unusable) => mail_problem::unusable(unusable, now),
        SubscribeError::NoSecret => {
            let detail = "only a trigger of type `webhook` has a secret; mail fires this one";
            Problem::new(StatusCode::CONFLICT, "no_secret", detail).at("type")
        }
        SubscribeError::Vault(error) => Problem::unavailable("unavailable", &error),
        SubscribeError::Store(StoreError::Conflict) => Problem::new(
            StatusCode::CONFLICT,
            "conflict",
            "others changed this connector at the same moment; try again",
        ),
        SubscribeError::Store(error) => store_problem(error),
    }
}

/// A malformed id is answered like an unknown one.
pub(crate) fn named(id: &str) -> Result<TriggerId, Problem> {
    TriggerId::parse(id).ok_or_else(|| Problem::not_found("trigger"))
}
