//! Events are watched as they come in: each is printed once, oldest first.

use serde_json::{Value, json};

use crate::server::{Reply, Server};

const FIRST: &str = "GET /api/triggers/trg_1/firings?page_size=50";

fn firings(ids: &[&str], next: Option<&str>) -> Reply {
    let all: Vec<Value> = ids
        .iter()
        .map(|id| json!({"event_id": id, "decided_at": "t", "detail": {"message": {"subject": format!("about {id}")}}}))
        .collect();
    let mut page = json!({ "firings": all });
    if let Some(next) = next {
        page["next_page_token"] = json!(next);
    }
    Reply::json(page)
}

fn event_ids(out: &str) -> Vec<String> {
    let event = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["event_id"].as_str().unwrap().to_string()
    };
    out.lines().map(event).collect()
}

#[test]
fn new_events_are_printed_once_oldest_first() {
    let script = [
        (FIRST, firings(&["e2", "e1"], None)),
        (FIRST, firings(&["e4", "e3", "e2", "e1"], None)),
        (FIRST, Reply::problem(503, "unavailable")),
        (FIRST, firings(&["e4", "e3", "e2", "e1"], None)),
        (FIRST, firings(&["e6", "e5", "e4", "e3"], None)),
    ];
    let server = Server::scripted(script);
    let ran = server.run(&["tail", "trg_1", "--every", "0.05", "--count", "3", "--json"]).ended(0);
    assert_eq!(event_ids(&ran.out), ["e3", "e4", "e5"]);
    assert!(ran.err.contains("looking again"), "{}", ran.err);
}

#[test]
fn a_burst_is_read_page_by_page_back_to_known_events() {
    let script = [
        (FIRST, firings(&[], None)),
        (FIRST, firings(&["e4", "e3"], Some("2"))),
        ("GET /api/triggers/trg_1/firings?page_size=50&page_token=2", firings(&["e2", "e1"], None)),
    ];
    let ran = Server::scripted(script)
        .run(&["tail", "trg_1", "--every", "0.05", "--count", "4", "--json"])
        .ended(0);
    assert_eq!(event_ids(&ran.out), ["e1", "e2", "e3", "e4"]);
}

#[test]
fn earlier_events_are_printed_if_wanted_and_those_of_all_triggers_if_none_is_named() {
    let script = [
        ("GET /api/triggers", Reply::json(json!({"triggers": [{"id": "trg_1"}, {"id": "trg_2"}]}))),
        (FIRST, firings(&["e1"], None)),
        ("GET /api/triggers/trg_2/firings?page_size=50", firings(&["e9"], None)),
    ];
    let server = Server::scripted(script);
    let ran = server.run(&["tail", "--from-start", "--for", "0"]).ended(0);
    assert!(ran.out.contains("e1  about e1") && ran.out.contains("e9"), "{}", ran.out);
    assert_eq!(server.run(&["tail", "--for", "0"]).ended(0).out, "");
}

#[test]
fn without_a_trigger_there_is_nothing_to_wait_for() {
    let none = Server::scripted([("GET /api/triggers", Reply::json(json!({"triggers": []})))]);
    assert!(none.run(&["tail"]).ended(3).err.contains("no trigger"));
    Server::scripted([(FIRST, Reply::problem(404, "not_found"))]).run(&["tail", "trg_1"]).ended(3);
    Server::scripted([(FIRST, Reply::problem(503, "unavailable"))])
        .run(&["tail", "trg_1"])
        .ended(1);
}
