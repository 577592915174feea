//! A mailbox is connected from the command line.

use serde_json::{Value, json};

use crate::server::{Reply, Seen, Server};

const START: &str = "GET /api/auth/google/gmail/start";
const LIST: &str = "GET /api/connectors";

fn connectors(all: Value) -> (&'static str, Reply) {
    (LIST, Reply::json(json!({ "connectors": all })))
}

fn started() -> (&'static str, Reply) {
    (
        START,
        Reply::json(
            json!({"authorization_url": "https://google.example/consent?state=s", "state": "s"}),
        ),
    )
}

#[test]
fn waits_until_a_connector_is_there_that_was_not() {
    let old = json!({"id": "con_1", "status": "active", "watch": {"renewed_at": "1"}});
    let new = json!({"id": "con_2", "status": "active", "email_address": "ada@example.com", "watch": {"status": "active"}});
    let script = [
        started(),
        connectors(json!([old])),
        connectors(json!([old])),
        (LIST, Reply::problem(503, "unavailable")),
        connectors(json!([old, new])),
        ("GET /api/connectors/con_2", Reply::json(new.clone())),
    ];
    let server = Server::scripted(script.clone());
    let ran = server.run(&["register"]).ended(0);
    assert!(ran.err.contains("https://google.example/consent?state=s"), "{}", ran.err);
    assert!(ran.out.contains("con_2") && ran.out.contains("ada@example.com"), "{}", ran.out);
    assert_eq!(server.lines(), [LIST, START, LIST, LIST, LIST, "GET /api/connectors/con_2"]);
    assert_eq!(Server::scripted(script).run(&["connect", "--json"]).ended(0).json(), new);
}

#[test]
fn a_connector_that_waited_for_its_user_counts_once_it_is_active() {
    let with =
        |status: &str| json!([{"id": "con_1", "status": status, "watch": {"renewed_at": "1"}}]);
    let there = ("GET /api/connectors/con_1", Reply::json(json!({"id": "con_1"})));
    let server = Server::scripted([
        started(),
        connectors(with("needs_reauth")),
        connectors(with("needs_reauth")),
        connectors(with("active")),
        there,
    ]);
    server.run(&["connect"]).ended(0);
}

#[test]
fn a_connector_that_loses_its_grant_meanwhile_is_not_the_one_that_was_waited_for() {
    let with = |status: &str, renewed_at: &str| json!([{"id": "con_1", "status": status, "watch": {"renewed_at": renewed_at}}]);
    let there = ("GET /api/connectors/con_1", Reply::json(json!({"id": "con_1"})));
    let (before, lost, again) =
        (with("active", "1"), with("needs_reauth", "1"), with("active", "2"));
    let server = Server::scripted([
        started(),
        connectors(before),
        connectors(lost),
        connectors(again),
        there,
    ]);
    server.run(&["connect"]).ended(0);
    assert_eq!(server.lines().iter().filter(|line| *line == LIST).count(), 3);
}

#[test]
fn gives_up_in_the_end_and_does_not_wait_if_so_requested() {
    let server = Server::scripted([started(), connectors(json!([]))]);
    let ran = server.run(&["connect", "--timeout", "0"]).ended(1);
    assert!(ran.err.contains("nobody consented"), "{}", ran.err);

    let ran = server.run(&["connect", "--no-wait"]).ended(0);
    assert!(ran.out.contains("https://google.example/consent?state=s"), "{}", ran.out);
    assert_eq!(server.run(&["connect", "--no-wait", "--json"]).ended(0).json()["state"], "s");

    let before = server.seen().len();
    let ran = server.run(&["connect", "--dry-run", "--login-hint", "a@b.example"]).ended(0);
    assert!(
        ran.out.contains("would send GET /api/auth/google/gmail/start?login_hint=a%40b.example"),
        "{}",
        ran.out
    );
    assert_eq!(server.seen().len(), before, "a consent that is begun is remembered");
}

#[test]
fn another_provider_has_its_own_route_and_an_administrators_page() {
    let route = "GET /api/auth/microsoft/outlook/start";
    let started = json!({"authorization_url": "https://microsoft.example/a", "state": "s"});
    let admin = json!({"admin_consent_url": "https://microsoft.example/adminconsent"});
    let server = Server::scripted([
        (route, Reply::json(started)),
        ("GET /api/auth/microsoft/outlook/admin-consent", Reply::json(admin)),
    ]);
    let outlook = ["connect", "--provider", "outlook"];
    let ran = server.run(&[&outlook[..], &["--no-wait"]].concat()).ended(0);
    assert!(ran.out.contains("https://microsoft.example/a"), "{}", ran.out);
    let ran = server.run(&[&outlook[..], &["--admin-consent"]].concat()).ended(0);
    assert!(ran.out.ends_with("\nhttps://microsoft.example/adminconsent\n"), "{}", ran.out);
}

/// An API and Google's consent page in one, which leads back with this query.
fn with_consent(leads: Option<&'static str>) -> Server {
    let page = move |seen: &Seen| match (seen.line.split('?').next().unwrap(), leads) {
        ("GET /consent", Some(query)) => Reply::new(302, "")
            .header("location", format!("https://app.example.com/auth/google/callback?{query}")),
        ("GET /consent", None) => Reply::new(200, "<html>Who are you?"),
        (START, _) => {
            let host = seen.header("host");
            Reply::json(
                json!({"authorization_url": format!("http://{host}/consent?state=s"), "state": "s"}),
            )
        }
        ("POST /api/auth/google/gmail", _) => Reply::json(
            json!({"status": "connected", "connector_id": "con_9", "email_address": "ada@example.com"}),
        ),
        _ => Reply::problem(418, "not_scripted"),
    };
    Server::answering(page)
}

#[test]
fn follows_the_consent_and_posts_what_came_back_as_the_page_would() {
    let server = with_consent(Some("code=4%2Fc&state=s&iss=i"));
    let ran = server
        .run(&["connect", "--follow", "--replace", "--login-hint", "ada@example.com"])
        .ended(0);
    assert!(ran.out.contains("con_9"), "{}", ran.out);
    let seen = server.seen();
    assert_eq!(seen[1].header("authorization"), "", "Google is shown no token of ours");
    let body = json!({"auth_code": "4/c", "state": "s", "callback_url": "https://app.example.com/auth/google/callback", "replace": true});
    assert_eq!(seen[2].json(), body);
    assert_eq!(
        (seen[2].header("origin"), seen[2].header("x-requested-with")),
        ("https://app.example.com", "XMLHttpRequest")
    );
}

#[test]
fn a_consent_that_leads_nowhere_is_an_error() {
    let ran =
        with_consent(Some("error=access_denied&state=s")).run(&["connect", "--follow"]).ended(1);
    assert!(ran.err.contains("access_denied"), "{}", ran.err);
    let ran = with_consent(None).run(&["connect", "--follow"]).ended(1);
    assert!(ran.err.contains("asks for a person"), "{}", ran.err);
}
