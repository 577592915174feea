//! Health, and the drill that asks for a look.

use serde_json::{Value, json};

use crate::server::{Reply, Server, run};

fn connector(id: &str, updated_at: &str) -> Value {
    json!({"id": id, "updated_at": updated_at})
}

fn health(id: &str, status: &str) -> Value {
    let finding = json!({"code": "needs_reauth", "severity": "down", "what": "Google refuses the grant", "remedy": "Connect again."});
    let findings = if status == "down" { vec![finding] } else { vec![] };
    json!({"id": id, "email_address": format!("{id}@example.com"), "status": status, "findings": findings})
}

#[test]
fn health_follows_pages_and_ends_with_1_if_a_connector_is_down() {
    let first = json!({"connectors": [connector("con_1", "t"), connector("con_gone", "t")], "next_page_token": "2"});
    let finding = "con_2: down needs_reauth: Google refuses the grant. Connect again.";
    for (status, code, expected) in
        [("healthy", 0, "healthy"), ("degraded", 0, "degraded"), ("down", 1, finding)]
    {
        let server = Server::scripted([
            ("GET /api/connectors", Reply::json(first.clone())),
            (
                "GET /api/connectors?page_token=2",
                Reply::json(json!({"connectors": [connector("con_2", "t")]})),
            ),
            ("GET /api/connectors/con_1/health", Reply::json(health("con_1", "healthy"))),
            ("GET /api/connectors/con_gone/health", Reply::problem(404, "not_found")),
            ("GET /api/connectors/con_2/health", Reply::json(health("con_2", status))),
        ]);
        let ran = server.run(&["health"]).ended(code);
        assert!(
            ran.out.contains("con_1")
                && ran.out.contains(expected)
                && !ran.out.contains("con_gone"),
            "{}",
            ran.out
        );
        assert_eq!(ran.err.contains("something is down"), code == 1, "{}", ran.err);
        let document = server.run(&["health", "--json"]).ended(code).json();
        assert_eq!(
            document,
            json!({"connectors": [health("con_1", "healthy"), health("con_2", status)]})
        );
    }
}

#[test]
fn the_health_of_one_connector_is_the_apis_own_document() {
    let text = health("con_1", "down").to_string();
    let server =
        Server::scripted([("GET /api/connectors/con_1/health", Reply::new(200, text.clone()))]);
    assert_eq!(server.run(&["health", "con_1", "--json"]).ended(1).out, format!("{text}\n"));
    let ran = server.run(&["health", "con_1"]).ended(1);
    assert!(ran.out.contains("Connect again."), "{}", ran.out);
    let missing =
        Server::scripted([("GET /api/connectors/con_2/health", Reply::problem(404, "not_found"))]);
    missing.run(&["health", "con_2"]).ended(3);
}

#[test]
fn the_systems_health_is_shown_also_when_it_is_down() {
    let system = |status: &str| json!({"status": status, "checks": [{"name": "table", "status": status, "detail": "d", "remedy": "Mend it."}]});
    for (answered, status, code) in [(200, "healthy", 0), (200, "degraded", 0), (503, "down", 1)] {
        let text = system(status).to_string();
        let server =
            Server::scripted([("GET /api/system/health", Reply::new(answered, text.clone()))]);
        let ran = server.run(&["health", "--system"]).ended(code);
        assert!(
            ran.out.contains(&format!("The system is {status}.\ntable: Mend it.")),
            "{}",
            ran.out
        );
        assert_eq!(
            server.run(&["health", "--system", "--json"]).ended(code).out,
            format!("{text}\n")
        );
    }
    let server = Server::scripted([(
        "GET /api/system/health",
        Reply::new(200, system("healthy").to_string()),
    )]);
    run(&[("CONNECTORS_API_URL", server.url.as_str())], &["health", "--system"], "").ended(0);
    assert_eq!(server.seen()[0].header("authorization"), "", "it needs no token");
    let server =
        Server::scripted([("GET /api/system/health", Reply::problem(503, "keys_unavailable"))]);
    let ran = server.run(&["health", "--system"]).ended(1);
    assert!(
        ran.err.contains("503 keys_unavailable"),
        "a 503 without checks is no health document: {}",
        ran.err
    );
    server.run(&["health", "con_1", "--system"]).ended(1);
}

#[test]
fn a_drill_waits_until_the_mailbox_was_looked_at() {
    let show = "GET /api/connectors/con_1";
    let answers = |updated: &str| (show, Reply::json(connector("con_1", updated)));
    let sync = ("POST /api/connectors/con_1/sync", Reply::new(202, r#"{"status":"queued"}"#));
    let server =
        Server::scripted([answers("1"), answers("1"), answers("1"), answers("2"), sync.clone()]);
    let ran = server.run(&["health", "drill", "con_1"]).ended(0);
    assert!(ran.out.starts_with("looked at after "), "{}", ran.out);
    assert_eq!(server.lines(), [show, "POST /api/connectors/con_1/sync", show, show, show]);

    let server = Server::scripted([answers("1"), sync]);
    let ran = server.run(&["health", "drill", "con_1", "--timeout", "0"]).ended(1);
    assert!(ran.err.contains("dead letters"), "{}", ran.err);

    let server = Server::scripted([answers("1")]);
    server.run(&["health", "drill", "con_1", "--dry-run"]).ended(0);
    assert_eq!(server.lines(), [show]);
}
