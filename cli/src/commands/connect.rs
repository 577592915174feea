//! A mailbox is connected: away to the provider's consent page, then waiting until the connector is
//! there.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use email_connectors::domain::provider::Registration;
use reqwest::Url;
use reqwest::header::LOCATION;
use serde_json::{Value, json};

use crate::api::client;
use crate::args::connectors::Register;
use crate::failure::Failure;
use crate::pace::{Since, pause};
use crate::provider::registration;
use crate::request::{CONNECTORS, Request};
use crate::session::Session;
use crate::show::{at, connector as shown};

const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub async fn run(session: &Session, register: Register) -> Result<(), Failure> {
    let provider = registration(register.provider);
    if register.admin_consent {
        let request = Request::get(format!("{}/admin-consent", provider.connect));
        return session.run(request, shown::admin_consent_page).await;
    }
    let mut start = Request::get(format!("{}/start", provider.connect))
        .with("login_hint", register.login_hint.as_ref());
    // A GET that stores a state for ten minutes, so a dry run does not send it.
    start.writes = true;
    let before = if register.follow || register.no_wait || session.dry_run {
        BTreeMap::new()
    } else {
        grants(session).await?
    };
    let Some(answer) = session.send(&start).await? else { return Ok(()) };
    if register.no_wait {
        return session.output.answer(&answer, shown::consent_page);
    }
    let authorization = answer.json()?;
    let page = at(&authorization, "/authorization_url");
    if register.follow {
        return follow(session, provider, &page, register.replace).await;
    }
    // Standard output is for the connector, once it is there.
    session.output.note(&shown::consent_page(&authorization));
    if register.open {
        open(&page)?;
    }
    wait(session, &before, Duration::from_secs(register.timeout)).await
}

/// What a connect changes of each connector.
async fn grants(session: &Session) -> Result<BTreeMap<String, (String, String)>, Failure> {
    let connectors = session.api().await?.all(CONNECTORS, "connectors").await?;
    let grant = |connector: &Value| {
        (at(connector, "/id"), (at(connector, "/status"), at(connector, "/watch/renewed_at")))
    };
    Ok(shown::each(&connectors).iter().map(grant).collect())
}

/// Until there is a connector that was not there, or one that was connected again.
async fn wait(
    session: &Session,
    before: &BTreeMap<String, (String, String)>,
    timeout: Duration,
) -> Result<(), Failure> {
    let (since, spinner) = (Since::now(), session.output.spinner("waiting for the consent"));
    loop {
        match grants(session).await {
            Ok(now) => {
                let changed = now
                    .iter()
                    .find(|(id, grant)| grant.0 == "active" && before.get(*id) != Some(*grant));
                if let Some((id, _)) = changed {
                    spinner.finish_and_clear();
                    return session
                        .run(Request::get(format!("{CONNECTORS}/{id}")), shown::one)
                        .await;
                }
            }
            Err(failure) if failure.is_passing() => {
                spinner.set_message(format!("waiting ({failure})"))
            }
            Err(failure) => return Err(failure),
        }
        if since.elapsed() > timeout {
            return Err(Failure::here(format!(
                "nobody consented within {} s; begin again",
                timeout.as_secs()
            )));
        }
        pause(LOOK_AGAIN.min(timeout)).await;
    }
}

/// Does what a browser and the frontend's page do: goes where the consent leads, and posts what
/// came back.
async fn follow(
    session: &Session,
    provider: &Registration,
    page: &str,
    replace: bool,
) -> Result<(), Failure> {
    let failed = |error: reqwest::Error| {
        Failure::Unreachable(format!("cannot reach the consent page: {}", error.without_url()))
    };
    let answer = client()?.get(page).send().await.map_err(failed)?;
    let led = answer
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| Url::parse(value).ok());
    let status = answer.status();
    let Some(callback) = led.filter(|_| status.is_redirection()) else {
        return Err(Failure::here(format!(
            "the consent page ({status}) asks for a person: open it, without --follow"
        )));
    };
    let parameter = |name: &str| {
        callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let Some(code) = parameter("code") else {
        return Err(Failure::here(format!(
            "{} gave no code: {}",
            provider.vendor,
            parameter("error").unwrap_or_else(|| "and no reason".into())
        )));
    };
    let mut target = callback.clone();
    target.set_query(None);
    let mut body =
        json!({"auth_code": code, "state": parameter("state"), "callback_url": target.as_str()});
    if replace {
        body["replace"] = json!(true);
    }
    let request = Request::post(provider.connect, body)
        .header("origin", callback.origin().ascii_serialization());
    session.run(request.header("x-requested-with", "XMLHttpRequest"), shown::connected).await
}

/// Without a shell: the page's address is an argument and nothing else.
fn open(page: &str) -> Result<(), Failure> {
    if !page.starts_with("https://") && !page.starts_with("http://") {
        return Err(Failure::here("the consent page's address is none for a browser"));
    }
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = Command::new(opener)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    opened.map(drop).map_err(|error| {
        Failure::here(format!(
            "{opener} opens no browser ({error}); open the page yourself, without --open"
        ))
    })
}
