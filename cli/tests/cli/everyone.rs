//! An operator without a user's token: all owners' connectors are listed, judged and renewed, and
//! no secret is shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::server::{Ran, Reply, Seen, Server, run};
use crate::stacks::{operator, stack, xml};

const SECRET: &str = "c2VhbGVkLWNhbmFyeQ==";
const PAST: &str = "2020-01-01T00:00:00.000Z";
const FUTURE: &str = "2990-01-01T00:00:00.000Z";

/// A table of one mailbox for each connector, and what was written to it.
#[derive(Clone, Default)]
struct Table {
    rows: Vec<Value>,
    /// Connectors that have an event, and the mailbox that it names.
    events: BTreeMap<&'static str, &'static str>,
    /// Whether writes lose against another writer's.
    moved: bool,
    operations: Vec<String>,
    written: Vec<Value>,
}

fn text(text: &str) -> Value {
    json!({ "S": text })
}

fn row(id: &str, status: &str, watch_ends: &str) -> Value {
    let number = json!({"N": "1"});
    let (renewed, listed) = (
        text(PAST),
        json!({"cursor": text("7"), "settled": text("7"), "listed_at": text(FUTURE), "changed_at": text(FUTURE)}),
    );
    json!({
        "pk": text(&format!("MAILBOX#{id}@example.com")), "sk": text(&format!("CONNECTOR#{id}")),
        "schema_version": number, "id": text(id), "owner_id": text(&format!("owner-of-{id}")), "provider": text("gmail"), "slot": text("email#gmail"),
        "email_address": text(&format!("{id}@example.com")), "google_sub": text("sub"), "status": text(status),
        "granted_scopes": {"L": [text("https://www.googleapis.com/auth/gmail.modify")]}, "version": number, "generation": number,
        "position": {"M": listed}, "watch": {"M": {"expiration": text(watch_ends), "renewed_at": renewed}}, "verified_at": text(PAST),
        "refresh_token": {"B": SECRET}, "access_token": {"M": {"key": {"B": SECRET}, "token": {"B": SECRET}, "expires_at": text(FUTURE)}},
        "connected_at": text(PAST), "granted_at": text(PAST), "created_at": text(PAST), "updated_at": text(PAST),
    })
}

fn trigger(of: &str) -> Value {
    json!({"pk": text(&format!("MAILBOX#{of}@example.com")), "sk": text(&format!("CONNECTOR#{of}#TRIGGER#trg_1"))})
}

impl Table {
    fn of(rows: impl IntoIterator<Item = Value>) -> Self {
        Self { rows: rows.into_iter().collect(), ..Self::default() }
    }

    /// One is well, one waits for its user, of two the watch has ended.
    fn usual() -> Self {
        let rows = [
            row("con_1", "active", FUTURE),
            trigger("con_1"),
            row("con_2", "needs_reauth", PAST),
            row("con_3", "active", PAST),
            trigger("con_3"),
            row("con_4", "active", PAST),
        ];
        Self::of(rows)
    }

    fn answer(&mut self, operation: &str, body: &Value) -> Reply {
        self.operations.push(operation.into());
        let at = |key: &Value| {
            self.rows.iter().position(|row| row["pk"] == key["pk"] && row["sk"] == key["sk"])
        };
        let reply = match operation {
            // Two rows a page, whatever they are.
            "Scan" => {
                let from = body.get("ExclusiveStartKey").and_then(at).map_or(0, |index| index + 1);
                let page: Vec<&Value> = self.rows.iter().skip(from).take(2).collect();
                let last = page
                    .last()
                    .filter(|_| from + 2 < self.rows.len())
                    .map(|row| json!({"pk": row["pk"], "sk": row["sk"]}));
                let mut answer = json!({ "Items": page });
                last.into_iter().for_each(|last| answer["LastEvaluatedKey"] = last);
                answer
            }
            "Query" => {
                let of = body["ExpressionAttributeValues"][":of"]["S"].as_str().unwrap();
                let key = |id: &str| json!({"pk": text(&format!("EVENT#{id}")), "sk": text("EVENT"), "told_of": text(id), "decided_at": text(PAST)});
                json!({"Items": self.events.get(of).map(|_| key(of)).into_iter().collect::<Vec<_>>()})
            }
            "BatchGetItem" => {
                let (_, request) = body["RequestItems"].as_object().unwrap().iter().next().unwrap();
                let id = request["Keys"][0]["pk"]["S"]
                    .as_str()
                    .unwrap()
                    .trim_start_matches("EVENT#")
                    .to_string();
                let mailbox = text(self.events[id.as_str()]);
                let event = json!({"pk": text(&format!("EVENT#{id}")), "sk": text("EVENT"), "schema_version": {"N": "1"}, "event_id": text(&id),
                    "detail_type": text("WATCH_LAPSED"), "connector_id": text(&id), "mailbox": mailbox, "decided_at": text(PAST),
                    "detail": text("{}"), "expires_at": {"N": "1"}});
                json!({"Responses": {"t": [event]}, "UnprocessedKeys": {}})
            }
            "GetItem" => {
                at(&body["Key"]).map_or(json!({}), |index| json!({"Item": self.rows[index]}))
            }
            "UpdateItem" if self.moved => {
                return Reply::new(400, json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}).to_string());
            }
            "UpdateItem" => {
                self.written.push(body.clone());
                json!({})
            }
            other => panic!("{other} was not expected"),
        };
        Reply::json(reply).header("content-type", "application/x-amz-json-1.0")
    }
}

fn answer(table: &Mutex<Table>, seen: &Seen) -> Reply {
    let body = String::from_utf8_lossy(&seen.body);
    let settings = json!({"GOOGLE_SCOPES": "https://www.googleapis.com/auth/gmail.modify", "GMAIL_USER_UNITS_PER_MINUTE": "6000",
        "SETTLE_SECONDS": "600", "QUIET_AFTER_MINUTES": "10", "SWEEP_EVERY_MINUTES": "1"});
    match seen.header("x-amz-target").split_once('.') {
        Some((_, operation)) => table.lock().unwrap().answer(operation, &seen.json()),
        None if body.starts_with("Action=DescribeStacks&") => {
            stack(&[], &[("TableName", "t".into())])
        }
        None if body.starts_with("Action=DescribeStackResources&") => {
            let ids = "<LogicalResourceId>ConnectorsApiFunction</LogicalResourceId><PhysicalResourceId>api</PhysicalResourceId>";
            let rest = "<ResourceType>x</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp>";
            xml(
                "DescribeStackResources",
                &format!("<StackResources><member>{ids}{rest}</member></StackResources>"),
            )
        }
        None if seen.line.ends_with("/functions/api/configuration") => {
            Reply::json(json!({"Environment": {"Variables": settings}}))
        }
        None => panic!("{} was not expected", seen.line),
    }
}

/// Without any token of a user's, by the stack's name alone.
fn ran(table: Table, arguments: &[&str]) -> (Ran, Table) {
    let shared = Arc::new(Mutex::new(table));
    let served = shared.clone();
    let server = Server::answering(move |seen| answer(&served, seen));
    let ran =
        run(&[&operator(&server)[..], &[("CONNECTORS_STACK_NAME", "s")]].concat(), arguments, "");
    assert!(
        !ran.out.contains(SECRET) && !ran.err.contains(SECRET) && !ran.out.contains("_token"),
        "{}",
        ran.out
    );
    drop(server);
    let table = shared.lock().unwrap().clone();
    (ran, table)
}

fn ids(document: &Value) -> Vec<&str> {
    document["connectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|connector| connector["id"].as_str().unwrap())
        .collect()
}

#[test]
fn all_owners_connectors_are_listed_and_filtered() {
    for (arguments, expected) in [
        (&[][..], &["con_1", "con_2", "con_3", "con_4"][..]),
        (&["--status", "needs_reauth"], &["con_2"]),
        (&["--status", "error"], &[]),
        (&["--lapsed"], &["con_3", "con_4"]),
        (&["--lapsed", "--status", "needs_reauth"], &[]),
    ] {
        let (ran, table) =
            ran(Table::usual(), &[&["list", "--all-owners", "--json"], arguments].concat());
        assert_eq!(ids(&ran.ended(0).json()), expected, "{arguments:?}");
        assert_eq!(table.operations, ["Scan"; 3], "page after page, and nothing else");
    }
    let shown = ran(Table::usual(), &["list", "--all-owners", "--lapsed"]).0.ended(0).out;
    let first = shown.lines().nth(1).unwrap();
    assert_eq!(
        first,
        format!("con_3  owner-of-con_3  con_3@example.com  active  failed  {PAST}  closed")
    );
    let document = ran(Table::usual(), &["list", "--all-owners", "--json"]).0.json();
    let keys: Vec<&String> = document["connectors"][0].as_object().unwrap().keys().collect();
    let all = "circuit closing created_at email_address id label last_error last_event_at owner_id parked_messages paused status updated_at watch";
    assert_eq!(keys, all.split(' ').collect::<Vec<_>>(), "and nothing of the grant");
}

#[test]
fn all_owners_connectors_are_judged_and_the_unhealthy_shown() {
    let (judged, _) = ran(Table::usual(), &["health", "--all-owners", "--json"]);
    let document = judged.ended(1).json();
    assert_eq!(
        (&document["healthy"], &document["degraded"], &document["down"]),
        (&json!(1), &json!(2), &json!(1))
    );
    assert_eq!(ids(&document), ["con_2", "con_3", "con_4"]);
    assert_eq!(document["connectors"][1]["findings"][0]["code"], "watch_lapsed");
    let shown = ran(Table::usual(), &["health", "--all-owners"]).0.ended(1).out;
    assert!(
        shown.contains("owner-of-con_2") && shown.contains("con_2: down needs_reauth: "),
        "{shown}"
    );
    assert!(shown.ends_with("1 down, 2 degraded, 1 healthy\n"), "{shown}");
    let well = ran(Table::of([row("con_1", "active", FUTURE)]), &["health", "--all-owners"])
        .0
        .ended(0)
        .out;
    assert_eq!(well, "0 down, 0 degraded, 1 healthy\n");
}

#[test]
fn one_row_that_cannot_be_read_hides_no_other() {
    let broken = json!({"pk": text("MAILBOX#x@example.com"), "sk": text("CONNECTOR#con_0"), "id": text("con_0")});
    let (ran, _) =
        ran(Table::of([broken, row("con_3", "active", PAST)]), &["list", "--all-owners", "--json"]);
    assert_eq!(ids(&ran.json()), ["con_3"]);
    assert!(ran.err.contains("CONNECTOR#con_0"), "{}", ran.err);
    ran.ended(1);
}

/// Whose rows were made due, by their sort keys.
fn made_due(table: &Table) -> Vec<&str> {
    let scheduled = table.written.iter().filter(|write| write.to_string().contains("due_at"));
    scheduled.map(|write| write["Key"]["sk"]["S"].as_str().unwrap()).collect()
}

/// Four days go by between the first refusal and the end: this is when the alarm rings.
#[test]
fn a_watch_that_gmail_refused_last_counts_as_lapsed_while_the_old_one_runs() {
    let mut refused = row("con_5", "active", FUTURE);
    refused["watch"]["M"]["failure"] = json!({"M": {"at": text(PAST), "reason": text("403")}});
    let table = || Table::of([row("con_1", "active", FUTURE), refused.clone()]);
    let (listed, _) = ran(table(), &["list", "--all-owners", "--lapsed", "--json"]);
    assert_eq!(ids(&listed.ended(0).json()), ["con_5"]);
    let (renewed, after) = ran(table(), &["renew", "--lapsed"]);
    assert!(renewed.ended(0).out.starts_with("due: 1,"));
    assert_eq!(made_due(&after), ["CONNECTOR#con_5"]);
}

#[test]
fn all_that_lapsed_are_renewed() {
    let (renewed, table) = ran(Table::usual(), &["renew", "--lapsed"]);
    assert_eq!(renewed.ended(0).out, "due: 2, renewed by the next sweep, within about a minute\n");
    assert_eq!(made_due(&table), ["CONNECTOR#con_3", "CONNECTOR#con_4"]);
    assert!(
        table.written.iter().all(|write| write["ConditionExpression"].is_string()),
        "each write has its condition"
    );

    let (rehearsed, table) = ran(Table::usual(), &["renew", "--lapsed", "--dry-run"]);
    assert_eq!(rehearsed.ended(0).out, "would make 2 watches due, in the table t\n");
    assert!(table.written.is_empty());
    assert_eq!(ran(Table::default(), &["renew", "--lapsed"]).0.ended(0).out, "due: none\n");
}

#[test]
fn a_connector_is_found_by_its_newest_event_and_else_by_a_scan() {
    let with_events = |events: &[(&'static str, &'static str)]| Table {
        events: events.iter().copied().collect(),
        ..Table::usual()
    };
    let (renewed, table) =
        ran(with_events(&[("con_3", "con_3@example.com")]), &["renew", "con_3", "con_3", "--json"]);
    assert_eq!(renewed.ended(0).json(), json!({"due": ["con_3"], "failed": []}));
    assert_eq!(made_due(&table), ["CONNECTOR#con_3"]);
    assert!(!table.operations.contains(&"Scan".into()), "{:?}", table.operations);
    for elsewhere in [&[][..], &[("con_3", "as-it-was@example.com")]] {
        let (renewed, table) = ran(with_events(elsewhere), &["renew", "con_3"]);
        renewed.ended(0);
        assert_eq!(made_due(&table), ["CONNECTOR#con_3"], "{elsewhere:?}");
    }
    let (unknown, table) = ran(Table::usual(), &["renew", "con_3", "con_9"]);
    assert!(unknown.ended(3).err.contains("there is no connector con_9; nothing was done"));
    assert!(table.written.is_empty());
}

#[test]
fn what_was_not_made_due_is_reported() {
    let (waiting, table) = ran(Table::usual(), &["renew", "con_2", "con_3"]);
    let waiting = waiting.ended(1);
    assert!(
        waiting.out.starts_with("due: 1,")
            && waiting.err.contains("con_2: its user must connect again"),
        "{}",
        waiting.err
    );
    assert_eq!(made_due(&table), ["CONNECTOR#con_3"]);
    let (busy, _) = ran(Table { moved: true, ..Table::usual() }, &["renew", "con_3"]);
    assert!(busy.ended(1).err.contains("con_3: others change it all the time"));
}

#[test]
fn the_table_must_be_known_and_options_that_exclude_each_other_are_refused() {
    assert!(run(&[], &["renew", "con_1"], "").ended(1).err.contains("CONNECTORS_TABLE"));
    for wrong in [
        &["renew"][..],
        &["renew", "con_1", "--lapsed"],
        &["list", "--lapsed"],
        &["list", "--status", "active"],
        &["list", "--all-owners", "--page-size", "5"],
        &["health", "con_1", "--all-owners"],
        &["health", "--system", "--all-owners"],
    ] {
        let (refused, table) = ran(Table::usual(), wrong);
        refused.ended(1);
        assert!(table.operations.is_empty(), "{wrong:?}");
    }
}
