//! Health, and the drill that asks for a look.

use serde_json::{Value, json};

use crate::server::{Reply, Server};

fn connector(id: &str, status: &str, updated_at: &str) -> Value {
    json!({"id": id, "email_address": format!("{id}@example.com"), "status": status, "updated_at": updated_at, "parked_messages": 0,
        "watch": {"status": "active", "verified_at": "t"}, "circuit": {"state": "closed"}})
}

#[test]
fn health_ends_with_1_if_something_needs_a_person_and_follows_pages() {
    let first = json!({"connectors": [connector("con_1", "active", "t")], "next_page_token": "2"});
    let second = |status| json!({"connectors": [connector("con_2", status, "t")]});
    for (status, code, told) in [("active", 0, "yes"), ("needs_reauth", 1, "con_2: the user must connect again")] {
        let server = Server::scripted([
            ("GET /api/connectors", Reply::json(first.clone())),
            ("GET /api/connectors?page_token=2", Reply::json(second(status))),
        ]);
        let ran = server.run(&["health"]).ended(code);
        assert!(ran.out.contains("con_1") && ran.out.contains(told), "{}", ran.out);
        assert_eq!(server.run(&["health", "--json"]).ended(code).json()["connectors"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn the_health_of_one_connector_is_its_own() {
    let text = connector("con_1", "needs_reauth", "t").to_string();
    let server = Server::scripted([("GET /api/connectors/con_1", Reply::new(200, text.clone()))]);
    assert_eq!(server.run(&["health", "con_1", "--json"]).ended(1).out, format!("{text}\n"));
    let ran = server.run(&["health", "con_1"]).ended(1);
    assert!(ran.out.contains("connectors connect"), "{}", ran.out);
}

#[test]
fn a_drill_waits_until_the_mailbox_was_looked_at() {
    let show = "GET /api/connectors/con_1";
    let answers = |updated: &str| (show, Reply::json(connector("con_1", "active", updated)));
    let sync = ("POST /api/connectors/con_1/sync", Reply::new(202, r#"{"status":"queued"}"#));
    let server = Server::scripted([answers("1"), answers("1"), answers("1"), answers("2"), sync.clone()]);
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
