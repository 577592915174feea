//! Smoke tests: their calls, what they cost, and a dry run that writes nothing.

use serde_json::{Value, json};

use crate::server::{Reply, Seen, Server};

/// A mailbox in which everything is there once.
fn mailbox(seen: &Seen) -> Reply {
    let one = [json!({"id": "x1"})];
    let body = json!({"id": "x1", "email_address": "ada@example.com", "messages": one, "threads": one, "labels": one, "drafts": one});
    let method = seen.line.split(' ').next().unwrap();
    match method {
        "DELETE" => Reply::new(204, ""),
        _ => Reply::json(body).header("x-quota-units", 5),
    }
}

fn steps(server: &Server, line: &[&str]) -> Vec<Value> {
    server.run(&[line, &["--json"]].concat()).ended(0).json()["steps"].as_array().unwrap().clone()
}

#[test]
fn each_test_makes_its_calls() {
    let table = [
        (&["test", "list", "con_1"][..], vec!["GET /messages?page_size=5"]),
        (
            &["test", "get", "con_1"],
            vec!["GET /messages?page_size=5", "GET /messages/x1", "GET /messages/x1/attachments"],
        ),
        (&["test", "get", "con_1", "m7"], vec!["GET /messages/m7", "GET /messages/m7/attachments"]),
        (&["test", "send", "con_1"], vec!["GET ", "POST /messages"]),
        (&["test", "send", "con_1", "--to", "bob@example.com"], vec!["POST /messages"]),
        (
            &["test", "labels", "con_1"],
            vec!["GET /labels", "POST /labels", "GET /labels/x1", "DELETE /labels/x1"],
        ),
        (
            &["test", "drafts", "con_1"],
            vec!["GET /drafts?page_size=5", "POST /drafts", "GET /drafts/x1", "DELETE /drafts/x1"],
        ),
        (&["test", "threads", "con_1"], vec!["GET /threads?page_size=5", "GET /threads/x1"]),
    ];
    for (line, expected) in table {
        let server = Server::answering(mailbox);
        let steps = steps(&server, line);
        let lines: Vec<String> =
            server.lines().iter().map(|line| line.replace("/api/connectors/con_1", "")).collect();
        assert_eq!(lines, expected, "{line:?}");
        assert_eq!(steps.len(), expected.len());
        assert!(
            steps.iter().all(|step| step["milliseconds"].is_u64()
                && (step["quota_units"] == 5 || step["status"] == 204)),
            "{steps:?}"
        );

        let dry = Server::answering(mailbox);
        dry.run(&[line, &["--dry-run"]].concat()).ended(0);
        assert!(
            dry.lines().iter().all(|line| line.starts_with("GET ")),
            "{line:?}: {:?}",
            dry.lines()
        );
        assert!(
            dry.lines().len() < expected.len()
                || expected.iter().all(|line| line.starts_with("GET ")),
            "{line:?}"
        );
    }
}

#[test]
fn a_sent_test_goes_to_the_mailbox_itself() {
    let server = Server::answering(mailbox);
    server.run(&["test", "send", "con_1"]).ended(0);
    let sent = server.seen().pop().unwrap();
    assert_eq!(sent.json()["to"], json!(["ada@example.com"]));
    assert_eq!(sent.header("idempotency-key").len(), 32);
}

#[test]
fn all_reads_are_one_test_and_its_table_shows_status_units_and_time() {
    let server = Server::answering(mailbox);
    let ran = server.run(&["test", "reads", "con_1"]).ended(0);
    assert_eq!(server.seen().len(), 7);
    assert!(ran.out.starts_with("METHOD  PATH") && ran.out.contains("200     5"), "{}", ran.out);
}

#[test]
fn a_failed_step_is_shown_and_what_was_made_is_deleted() {
    let server = Server::answering(|seen| match seen.line.as_str() {
        "GET /api/connectors/con_1/labels/x1" => Reply::problem(403, "insufficient_scope"),
        _ => mailbox(seen),
    });
    let ran = server.run(&["test", "labels", "con_1"]).ended(2);
    assert!(ran.out.contains("403"), "{}", ran.out);
    assert_eq!(server.lines().last().unwrap(), "DELETE /api/connectors/con_1/labels/x1");

    let empty = Server::answering(|_| Reply::json(json!({"messages": []})));
    empty.run(&["test", "get", "con_1"]).ended(3);
}
