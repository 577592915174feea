//! `/subscriptions`: made after both URLs have answered, renewed, authorized again, ended.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::routes::Need;
use super::{Call, Caller};
use crate::app::App;
use crate::mailbox::User;
use crate::subscriptions::{Scope, Subscription, scope};
use crate::values::{random_uuid, seconds};

/// Under seven days, and no less than three quarters of an hour:
/// <https://learn.microsoft.com/graph/change-notifications-overview#subscription-lifetime>.
const LONGEST_MINUTES: i64 = 10_080;
const SHORTEST_MINUTES: i64 = 45;
const LONGEST_CLIENT_STATE: usize = 128;
const MOST_OF_A_MAILBOX: usize = 1000;
const CHANGES: [&str; 3] = ["created", "updated", "deleted"];
/// A reauthorization and a renewal do not belong into the same ten minutes.
const APART_SECONDS: i64 = 600;

pub(super) async fn respond(
    app: &Arc<App>,
    call: &Call,
    name: &str,
    ids: &[String],
    caller: &Caller,
) -> Outcome {
    match name {
        "subscriptions.list" => Ok(list(app, caller)),
        "subscriptions.create" => create(app, call, caller).await,
        "subscriptions.get" => {
            let subscription = own(app, &ids[0], caller)?;
            Ok(entity(app, 200, &subscription))
        }
        "subscriptions.update" => update(app, call, &ids[0], caller).await,
        "subscriptions.delete" => {
            let subscription = own(app, &ids[0], caller)?;
            app.state().subscriptions.retain(|other| other.id != subscription.id);
            Ok(Answer::empty(204))
        }
        _ => reauthorize(app, &ids[0], caller),
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "InvalidRequest", message)
}

fn own(app: &App, id: &str, caller: &Caller) -> Result<Subscription, Refusal> {
    let state = app.state();
    let now = state.server_now(app).unix_timestamp();
    let found = state
        .subscriptions
        .iter()
        .find(|one| one.id == id && one.key == caller.key && now < one.expires);
    found.cloned().ok_or_else(|| Refusal::new(404, "ResourceNotFound", "The object was not found."))
}

fn entity(app: &App, status: u16, subscription: &Subscription) -> Answer {
    let mut body = subscription.rendered();
    body["@odata.context"] = format!("{}/v1.0/$metadata#subscriptions/$entity", app.url).into();
    Answer::json(status, body)
}

fn list(app: &App, caller: &Caller) -> Answer {
    let state = app.state();
    let now = state.server_now(app).unix_timestamp();
    let own = state.subscriptions.iter().filter(|one| one.key == caller.key && now < one.expires);
    Answer::json(
        200,
        json!({
            "@odata.context": format!("{}/v1.0/$metadata#subscriptions", app.url),
            "value": own.map(Subscription::rendered).collect::<Vec<_>>(),
        }),
    )
}

async fn create(app: &Arc<App>, call: &Call, caller: &Caller) -> Outcome {
    let wanted = wanted(app, call, caller)?;
    validated(app, &wanted.notification_url).await?;
    if let Some(url) = &wanted.lifecycle_url {
        validated(app, url).await?;
    }
    app.state().subscriptions.push(wanted.clone());
    Ok(entity(app, 201, &wanted))
}

/// A subscription out of a request.
fn wanted(app: &App, call: &Call, caller: &Caller) -> Result<Subscription, Refusal> {
    let body = call.json()?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let needed = |name: &str| {
        text(name).ok_or_else(|| invalid(&format!("The request is invalid: {name} is missing.")))
    };
    let change_type = needed("changeType")?;
    if !change_type.split(',').all(|one| CHANGES.contains(&one.trim())) {
        return Err(invalid(&format!("The change type '{change_type}' is not supported.")));
    }
    let client_state = text("clientState");
    if client_state.as_ref().is_some_and(|state| state.len() > LONGEST_CLIENT_STATE) {
        return Err(invalid("The clientState is longer than 128 characters."));
    }
    let resource = needed("resource")?;
    let expires = lifetime(app, &needed("expirationDateTime")?)?;
    let (user, scope) = subscriber(app, caller, &resource, &change_type)?;
    Ok(Subscription {
        id: random_uuid(),
        key: caller.key.clone(),
        user,
        application: app.config.client_id.clone(),
        change_type,
        resource,
        scope,
        notification_url: reachable(&needed("notificationUrl")?)?,
        lifecycle_url: text("lifecycleNotificationUrl").map(|url| reachable(&url)).transpose()?,
        client_state,
        expires,
        immutable_ids: call.prefer.wishes.immutable,
        waits_for_authorization: false,
        authorized: None,
    })
}

/// Who subscribes to what, if the mailbox may have one more.
fn subscriber(
    app: &App,
    caller: &Caller,
    resource: &str,
    change_type: &str,
) -> Result<(User, Scope), Refusal> {
    let refused = |status: u16, said: &str| Refusal::new(status, "ExtensionError", said);
    if !Need::Read.is_met_by(&caller.scopes) {
        return Err(refused(403, "Operation: Create; Exception: [Status Code: Forbidden]"));
    }
    let state = app.state();
    let mailbox = state.mailboxes.get(&caller.key);
    let mailbox = mailbox.ok_or_else(|| invalid("There is no mailbox."))?;
    let scope = scope(resource, mailbox)
        .ok_or_else(|| invalid(&format!("Resource '{resource}' is not supported.")))?;
    let own = || state.subscriptions.iter().filter(|one| one.key == caller.key);
    if own().count() >= MOST_OF_A_MAILBOX {
        return Err(refused(403, "The mailbox has too many subscriptions."));
    }
    let same = own().any(|one| one.scope == scope && one.change_type == change_type);
    if same && state.shapes.same_subscription_conflicts {
        return Err(refused(409, "Subscription already exists for the requested combination."));
    }
    Ok((mailbox.user.clone(), scope))
}

/// When a subscription ends that asks for this moment.
fn lifetime(app: &App, wish: &str) -> Result<i64, Refusal> {
    let now = app.state().server_now(app).unix_timestamp();
    let wish = seconds(wish).ok_or_else(|| invalid("The expirationDateTime is no moment."))?;
    if wish <= now {
        return Err(invalid("Subscription expiration must be in the future."));
    }
    if wish > now + LONGEST_MINUTES * 60 {
        return Err(invalid(&format!(
            "Subscription expiration can only be {LONGEST_MINUTES} minutes in the future."
        )));
    }
    Ok(wish.max(now + SHORTEST_MINUTES * 60))
}

/// HTTPS, or HTTP of this machine for local runs.
fn reachable(url: &str) -> Result<String, Refusal> {
    let parsed =
        reqwest::Url::parse(url).map_err(|_| invalid("The notification URL is no URL."))?;
    let local = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost"));
    if parsed.scheme() == "https" || (parsed.scheme() == "http" && local) {
        Ok(url.into())
    } else {
        Err(invalid("The notification URL must begin with https."))
    }
}

/// The handshake: the URL answers the token that it was sent, as plain text, in time.
/// <https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation>
async fn validated(app: &App, url: &str) -> Result<(), Refusal> {
    let refused = |message: &str| Refusal::new(400, "ValidationError", message);
    let token = format!(
        "Validation: Testing client application reachability for subscription Request-Id: {}",
        random_uuid()
    );
    let mut asked =
        reqwest::Url::parse(url).map_err(|_| refused("The notification URL is no URL."))?;
    asked.query_pairs_mut().append_pair("validationToken", &token);
    let deadline = app.state().notifications.mode.validation_deadline_ms;
    let sent = app
        .http
        .post(asked)
        .timeout(Duration::from_millis(deadline))
        .header(CONTENT_TYPE, "text/plain; charset=utf-8")
        .body("")
        .send()
        .await
        .map_err(|_| refused("Subscription validation request timed out."))?;
    let status = sent.status().as_u16();
    let kind =
        sent.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let plain = kind.to_ascii_lowercase().starts_with("text/plain");
    let said =
        sent.text().await.map_err(|_| refused("Subscription validation request timed out."))?;
    if status != 200 {
        return Err(refused(
            "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.",
        ));
    }
    if !plain || said != token {
        return Err(refused(
            "Subscription validation request failed. Must respond with 200 OK to this request.",
        ));
    }
    Ok(())
}

async fn update(app: &Arc<App>, call: &Call, id: &str, caller: &Caller) -> Outcome {
    let before = own(app, id, caller)?;
    let body = call.json()?;
    let url = body["notificationUrl"].as_str().map(reachable).transpose()?;
    let renews = body["expirationDateTime"].as_str().map(|wish| lifetime(app, wish)).transpose()?;
    let again = app.state().shapes.renewal_validates;
    if url.is_some() || again {
        validated(app, url.as_deref().unwrap_or(&before.notification_url)).await?;
    }
    if body["lifecycleNotificationUrl"] != Value::Null {
        return Err(invalid("lifecycleNotificationUrl cannot be changed."));
    }
    changed(
        app,
        id,
        |subscription| {
            subscription.notification_url = url.unwrap_or(before.notification_url);
            subscription.expires = renews.unwrap_or(before.expires);
        },
        true,
    )
    .map(|subscription| entity(app, 200, &subscription))
}

fn reauthorize(app: &App, id: &str, caller: &Caller) -> Outcome {
    own(app, id, caller)?;
    changed(app, id, |_| {}, false).map(|_| Answer::empty(204))
}

fn changed(
    app: &App,
    id: &str,
    change: impl FnOnce(&mut Subscription),
    by_patch: bool,
) -> Result<Subscription, Refusal> {
    let mut guard = app.state();
    let state = &mut *guard;
    let now = state.server_now(app).unix_timestamp();
    let found = state.subscriptions.iter_mut().find(|one| one.id == id);
    let subscription =
        found.ok_or_else(|| Refusal::new(404, "ResourceNotFound", "The object was not found."))?;
    let too_soon = |(at, patched): (i64, bool)| patched != by_patch && now - at < APART_SECONDS;
    if subscription.authorized.is_some_and(too_soon) {
        state.violations.push(format!("{id}: renewed and reauthorized within ten minutes"));
    }
    change(subscription);
    subscription.waits_for_authorization = false;
    subscription.authorized = Some((now, by_patch));
    Ok(subscription.clone())
}
