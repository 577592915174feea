//! The request that each command sends to the API, and that its dry run does not if it writes.

use serde_json::{Value, json};

use crate::server::{Folder, Reply, Server};

const C: &str = "/api/connectors/con_1";

/// A command line, its request, the request's body, and a part of what is printed.
type Row = (&'static str, &'static str, Value, &'static str);

/// The one answer that all get: each command finds its own in it.
fn answer() -> Value {
    json!({
        "id": "x1", "event_id": "evt_1", "status": "queued", "thread_id": "t1", "label_ids": ["INBOX"], "deleted": "trash", "modified": 2,
        "connectors": [{"id": "con_1", "email_address": "ada@example.com"}], "triggers": [{"id": "trg_1", "config": {"filters": {"query": "a"}}}],
        "messages": [{"id": "m1", "timestamp": "2026-01-01T00:00:00.000Z", "subject": "Hello \u{1b}[31m"}], "threads": [{"id": "t1"}],
        "labels": [{"id": "Label_1", "name": "Bills"}], "drafts": [{"id": "r1"}], "attachments": [{"part_id": "0.1", "filename": "a.pdf"}],
        "firings": [{"event_id": "evt_1"}], "would_fire": [], "would_not": [{"message_id": "m1", "reasons": [{"reason": "filter", "detail": "no"}]}],
        "looked_at": 1, "days": 7, "data_purged": true, "circuit": {"state": "open"}, "parked_messages": 3, "next_page_token": "next"
    })
}

fn check(rows: Vec<Row>) {
    let server = Server::answering(|_| Reply::json(answer()));
    for (line, expected, body, printed) in rows {
        let arguments: Vec<&str> = line.split(' ').collect();
        let ran = server.run(&arguments).ended(0);
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.line.as_str(), seen.json()), (expected, body), "{line}");
        assert_eq!(
            seen.header("authorization"),
            format!("Bearer {}", crate::server::TOKEN),
            "{line}"
        );
        assert!(ran.out.contains(printed), "{line} printed: {}", ran.out);
        assert!(!ran.out.contains('\u{1b}'), "{line}");

        let as_json = server.run(&[&["--json"], &arguments[..]].concat()).ended(0);
        assert_eq!(as_json.out, format!("{}\n", answer()), "{line}: the API's JSON, unchanged");

        let before = server.seen().len();
        let dry = server.run(&[&arguments[..], &["--dry-run"]].concat()).ended(0);
        let reads = expected.starts_with("GET") || expected.ends_with("/test");
        assert_eq!(
            server.seen().len() - before,
            usize::from(reads),
            "{line}: reads are done, writes are not"
        );
        assert_eq!(dry.out.contains("would send"), !reads, "{line}: {}", dry.out);
    }
}

#[test]
fn connectors_are_seen_and_changed() {
    check(vec![
        ("list", "GET /api/connectors", Value::Null, "ada@example.com"),
        (
            "list --page-size 5 --page-token a+b",
            "GET /api/connectors?page_size=5&page_token=a%2Bb",
            Value::Null,
            "con_1",
        ),
        ("show con_1", "GET /api/connectors/con_1", Value::Null, "x1"),
        ("enable con_1", "PATCH /api/connectors/con_1", json!({"paused": false}), "x1"),
        ("disable con_1", "PATCH /api/connectors/con_1", json!({"paused": true}), "x1"),
        ("rename con_1 Work", "PATCH /api/connectors/con_1", json!({"label": "Work"}), "x1"),
        ("remove con_1 --yes", "DELETE /api/connectors/con_1", Value::Null, "data purged"),
        ("sync con_1", "POST /api/connectors/con_1/sync", Value::Null, "queued"),
        ("replay parked con_1", "POST /api/connectors/con_1/sync", Value::Null, "queued"),
        ("circuit con_1", "GET /api/connectors/con_1", Value::Null, "open"),
        ("metrics con_1", "GET /api/connectors/con_1", Value::Null, "CloudWatch"),
    ]);
}

#[test]
fn triggers_are_made_changed_and_tried() {
    check(vec![
        ("triggers list", "GET /api/triggers", Value::Null, "trg_1"),
        (
            "triggers create --connector con_1 --agent billing --query invoice --from shop --from store --from-domain a.example --with-label INBOX --without-label SPAM --has-attachment --authenticated --automatic=false",
            "POST /api/triggers",
            json!({"type": "email", "agent_id": "billing", "config": {"connector_id": "con_1", "filters": {
                "query": "invoice", "from_contains": ["shop", "store"], "from_domain": ["a.example"], "label_include": ["INBOX"], "label_exclude": ["SPAM"],
                "has_attachment": true, "authenticated": true, "automatic": false}}}),
            "x1",
        ),
        (
            "triggers create --connector con_1 --type webhook",
            "POST /api/triggers",
            json!({"type": "webhook", "config": {"connector_id": "con_1"}}),
            "x1",
        ),
        ("triggers show trg_1", "GET /api/triggers/trg_1", Value::Null, "x1"),
        (
            "triggers change trg_1 --no-agent",
            "PATCH /api/triggers/trg_1",
            json!({"agent_id": null}),
            "x1",
        ),
        (
            "triggers change trg_1 --agent a --subject b --to c --has-attachment=false",
            "PATCH /api/triggers/trg_1",
            json!({"agent_id": "a", "config": {"filters": {"subject_contains": ["b"], "to_contains": ["c"], "has_attachment": false}}}),
            "x1",
        ),
        (
            "triggers change trg_1 --no-filters",
            "PATCH /api/triggers/trg_1",
            json!({"config": {"filters": {}}}),
            "x1",
        ),
        ("triggers delete trg_1 --yes", "DELETE /api/triggers/trg_1", Value::Null, "done"),
        (
            "triggers test trg_1 --days 3 --limit 9",
            "POST /api/triggers/trg_1/test",
            json!({"days": 3, "limit": 9}),
            "filter: no",
        ),
        (
            "triggers firings trg_1 --page-size 3",
            "GET /api/triggers/trg_1/firings?page_size=3",
            Value::Null,
            "evt_1",
        ),
        (
            "triggers fire trg_1 --data {\"a\":1} --idempotency-key k",
            "POST /api/triggers/trg_1/events",
            json!({"a": 1}),
            "evt_1",
        ),
    ]);
}

#[test]
fn messages_are_read_sent_labelled_and_deleted() {
    let list = "GET /api/connectors/con_1/messages?query=is%3Aunread&label_ids=INBOX%2CLabel_7&include_spam_trash=true&page_size=2&page_token=p&format=ids";
    check(vec![
        (
            "messages list con_1",
            "GET /api/connectors/con_1/messages",
            Value::Null,
            "Hello \u{fffd}[31m",
        ),
        (
            "messages list con_1 -q is:unread --label INBOX --label Label_7 --include-spam-trash --page-size 2 --page-token p --format ids",
            list,
            Value::Null,
            "m1",
        ),
        (
            "messages get con_1 m1 --format raw",
            "GET /api/connectors/con_1/messages/m1?format=raw",
            Value::Null,
            "x1",
        ),
        (
            "messages send con_1 --to a@b.example --cc c@d.example --bcc e@f.example --reply-to g@h.example --subject s --text t --idempotency-key k",
            "POST /api/connectors/con_1/messages",
            json!({"to": ["a@b.example"], "cc": ["c@d.example"], "bcc": ["e@f.example"], "reply_to": ["g@h.example"], "subject": "s", "text": "t"}),
            "t1",
        ),
        (
            "messages send con_1 --reply-to-message m1 --text t --thread t9 --idempotency-key k",
            "POST /api/connectors/con_1/messages",
            json!({"reply_to_message_id": "m1", "text": "t", "thread_id": "t9"}),
            "x1",
        ),
        (
            "messages send con_1 --thread t9 --reply-all --from Help<h@b.example> --idempotency-key k",
            "POST /api/connectors/con_1/messages",
            json!({"thread_id": "t9", "reply_all": true, "from": {"name": "Help", "address": "h@b.example"}}),
            "x1",
        ),
        (
            "messages send con_1 --forward-message m1 --forward-as attachment --to a@b.example --idempotency-key k",
            "POST /api/connectors/con_1/messages",
            json!({"forward_message_id": "m1", "forward_as": "attachment", "to": ["a@b.example"]}),
            "x1",
        ),
        (
            "messages modify con_1 m1 --add-label STARRED,Label_1 --remove-label UNREAD",
            "POST /api/connectors/con_1/messages/m1/modify",
            json!({"add_label_ids": ["STARRED", "Label_1"], "remove_label_ids": ["UNREAD"]}),
            "INBOX",
        ),
        (
            "messages trash con_1 m1",
            "POST /api/connectors/con_1/messages/m1/trash",
            Value::Null,
            "x1",
        ),
        (
            "messages untrash con_1 m1",
            "POST /api/connectors/con_1/messages/m1/untrash",
            Value::Null,
            "x1",
        ),
        (
            "messages delete con_1 m1",
            "DELETE /api/connectors/con_1/messages/m1",
            Value::Null,
            "trash",
        ),
        (
            "messages delete con_1 m1 --permanent --yes",
            "DELETE /api/connectors/con_1/messages/m1?permanent=true",
            Value::Null,
            "trash",
        ),
        (
            "messages batch-modify con_1 m1 m2 --add-label A",
            "POST /api/connectors/con_1/messages/batch-modify",
            json!({"ids": ["m1", "m2"], "add_label_ids": ["A"], "remove_label_ids": []}),
            "2",
        ),
        (
            "messages batch-delete con_1 m1 m2",
            "POST /api/connectors/con_1/messages/batch-delete",
            json!({"ids": ["m1", "m2"], "permanent": false}),
            "trash",
        ),
        (
            "attachments list con_1 m1",
            "GET /api/connectors/con_1/messages/m1/attachments",
            Value::Null,
            "a.pdf",
        ),
    ]);
}

#[test]
fn threads_labels_and_drafts_likewise() {
    check(vec![
        ("threads list con_1 -q a", "GET /api/connectors/con_1/threads?query=a", Value::Null, "t1"),
        (
            "threads get con_1 t1 --format metadata",
            "GET /api/connectors/con_1/threads/t1?format=metadata",
            Value::Null,
            "m1",
        ),
        (
            "threads modify con_1 t1 --remove-label INBOX",
            "POST /api/connectors/con_1/threads/t1/modify",
            json!({"add_label_ids": [], "remove_label_ids": ["INBOX"]}),
            "x1",
        ),
        (
            "threads trash con_1 t1",
            "POST /api/connectors/con_1/threads/t1/trash",
            Value::Null,
            "x1",
        ),
        (
            "threads untrash con_1 t1",
            "POST /api/connectors/con_1/threads/t1/untrash",
            Value::Null,
            "x1",
        ),
        (
            "threads delete con_1 t1 --permanent -y",
            "DELETE /api/connectors/con_1/threads/t1?permanent=true",
            Value::Null,
            "trash",
        ),
        ("labels list con_1", "GET /api/connectors/con_1/labels", Value::Null, "Bills"),
        ("labels get con_1 Label_1", "GET /api/connectors/con_1/labels/Label_1", Value::Null, "x1"),
        (
            "labels create con_1 Bills --label-list-visibility labelShowIfUnread --message-list-visibility hide --text-color #000000 --background-color #ffffff",
            "POST /api/connectors/con_1/labels",
            json!({"name": "Bills", "label_list_visibility": "labelShowIfUnread", "message_list_visibility": "hide",
                "color": {"text_color": "#000000", "background_color": "#ffffff"}}),
            "x1",
        ),
        (
            "labels update con_1 Label_1 --name Paid",
            "PATCH /api/connectors/con_1/labels/Label_1",
            json!({"name": "Paid"}),
            "x1",
        ),
        (
            "labels delete con_1 Label_1 --yes",
            "DELETE /api/connectors/con_1/labels/Label_1",
            Value::Null,
            "done",
        ),
        (
            "drafts list con_1 --page-size 4",
            "GET /api/connectors/con_1/drafts?page_size=4",
            Value::Null,
            "r1",
        ),
        (
            "drafts get con_1 r1 --format full",
            "GET /api/connectors/con_1/drafts/r1?format=full",
            Value::Null,
            "draft x1",
        ),
        (
            "drafts create con_1 --to a@b.example",
            "POST /api/connectors/con_1/drafts",
            json!({"to": ["a@b.example"]}),
            "x1",
        ),
        (
            "drafts update con_1 r1 --subject s",
            "PUT /api/connectors/con_1/drafts/r1",
            json!({"subject": "s"}),
            "x1",
        ),
        (
            "drafts patch con_1 r1 --subject s",
            "PATCH /api/connectors/con_1/drafts/r1",
            json!({"subject": "s"}),
            "x1",
        ),
        (
            "drafts send con_1 r1 --idempotency-key k",
            "POST /api/connectors/con_1/drafts/r1/send",
            Value::Null,
            "x1",
        ),
        (
            "drafts delete con_1 r1 --yes",
            "DELETE /api/connectors/con_1/drafts/r1",
            Value::Null,
            "done",
        ),
    ]);
}

#[test]
fn an_idempotency_key_is_sent_or_made_up_and_printed() {
    let server = Server::answering(|_| Reply::json(answer()));
    for line in [
        &["messages", "send", "con_1", "--to", "a@b.example"][..],
        &["drafts", "send", "con_1", "r1"],
        &["triggers", "fire", "trg_1", "--data", "{}"],
    ] {
        server.run(&[line, &["--idempotency-key", "mine"]].concat()).ended(0);
        assert_eq!(server.seen().pop().unwrap().header("idempotency-key"), "mine");
        let note = server.run(line).ended(0).err;
        let made_up = server.seen().pop().unwrap().header("idempotency-key").to_string();
        assert!(made_up.len() == 36 && note.contains(&made_up), "{note}");
    }
}

#[test]
fn files_are_attached_and_texts_read_from_files() {
    let (server, folder) = (Server::answering(|_| Reply::json(answer())), Folder::new());
    let (text, html, pdf) = (
        folder.file("text", "Hä\n"),
        folder.file("html", "<p>"),
        folder.file("bill.pdf", b"%PDF\xff"),
    );
    let line = [
        "messages",
        "send",
        "con_1",
        "--to",
        "Ada L <a@b.example>",
        "--text-file",
        &text,
        "--html-file",
        &html,
        "--attach",
        &pdf,
    ];
    server.run(&line).ended(0);
    let expected = json!({"to": [{"name": "Ada L", "address": "a@b.example"}], "text": "Hä\n", "html": "<p>",
        "attachments": [{"filename": "bill.pdf", "mime_type": "application/pdf", "content": "JVBERv8="}]});
    assert_eq!(server.seen().pop().unwrap().json(), expected);

    let dry = server.run(&[&line[..], &["--dry-run", "--json"]].concat()).ended(0).json();
    assert_eq!(dry["would_send"]["body"]["attachments"][0]["content"], "(8 characters of base64)");
    assert_eq!(dry["would_send"]["path"], format!("{C}/messages"));
    assert_eq!(server.seen().len(), 1);

    let missing =
        server.run(&["messages", "send", "con_1", "--attach", "/nowhere/at.all"]).ended(1);
    assert!(missing.err.contains("/nowhere/at.all"), "{}", missing.err);
}

#[test]
fn many_ids_come_from_standard_input() {
    let server = Server::answering(|_| Reply::json(answer()));
    let line = ["messages", "batch-modify", "con_1", "-", "--add-label", "A"];
    server.run_saying(&line, "m1\nm2\n\n").ended(0);
    assert_eq!(server.seen()[0].json()["ids"], json!(["m1", "m2"]));
    for (input, expected) in
        [("", "no message"), ("m1\n../x", "is no id"), (&*"m\n".repeat(1001), "more than 1000")]
    {
        let refused = server.run_saying(&line, input).ended(1);
        assert!(refused.err.contains(expected), "{}", refused.err);
    }
    let line = ["messages", "batch-delete", "con_1", "-", "--permanent"];
    assert!(server.run_saying(&line, "m1").ended(1).err.contains("--yes"));
    assert_eq!(server.seen().len(), 1, "nothing else was sent");
}
