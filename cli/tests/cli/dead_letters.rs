//! Dead letters go back into their queue, and none is lost on the way.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::server::{Folder, Ran, Reply, Seen, Server, run};

/// A fake SQS: two queues, and the operations that were called on them, in order.
#[derive(Default)]
struct Queues {
    dead: Vec<Value>,
    received: usize,
    queued: Vec<Value>,
    operations: Vec<String>,
    /// The send that fails, counted from 1, and the delete.
    failing_send: usize,
    failing_delete: usize,
}

impl Queues {
    fn holding(count: usize) -> Self {
        let letter = |at: usize| {
            json!({"MessageId": format!("id-{at}"), "ReceiptHandle": format!("receipt-{at}"), "Body": format!("wake-up {at}"),
                "Attributes": {"MessageGroupId": format!("group-{}", at % 2)}})
        };
        Self { dead: (1..=count).map(letter).collect(), ..Self::default() }
    }

    fn answer(&mut self, seen: &Seen) -> Reply {
        let (operation, body) =
            (seen.header("x-amz-target").rsplit('.').next().unwrap().to_string(), seen.json());
        self.operations.push(operation.clone());
        let count =
            |operation: &str| self.operations.iter().filter(|called| *called == operation).count();
        let broken = || {
            Reply::new(
                400,
                json!({"__type": "com.amazonaws.sqs#OverLimit", "message": "no"}).to_string(),
            )
        };
        let reply = match operation.as_str() {
            "GetQueueAttributes" => {
                let (left, hidden) = (self.dead.len() - self.received, self.received);
                json!({"Attributes": {"ApproximateNumberOfMessages": left.to_string(), "ApproximateNumberOfMessagesNotVisible": hidden.to_string()}})
            }
            "ReceiveMessage" => {
                assert!(body["QueueUrl"].as_str().unwrap().ends_with("/dead.fifo"));
                let most = usize::try_from(body["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
                let taken: Vec<Value> =
                    self.dead[self.received..].iter().take(most).cloned().collect();
                self.received += taken.len();
                json!({ "Messages": taken })
            }
            "SendMessage" if count("SendMessage") == self.failing_send => return broken(),
            "SendMessage" => {
                self.queued.push(body);
                json!({"MessageId": "new"})
            }
            "DeleteMessage" if count("DeleteMessage") == self.failing_delete => return broken(),
            "DeleteMessage" => {
                self.dead.retain(|letter| letter["ReceiptHandle"] != body["ReceiptHandle"]);
                self.received -= 1;
                json!({})
            }
            other => panic!("{other} was not expected"),
        };
        Reply::json(reply).header("content-type", "application/x-amz-json-1.0")
    }
}

fn replay(queues: Queues, arguments: &[&str]) -> (Ran, Queues) {
    let (shared, folder) = (Arc::new(Mutex::new(queues)), Folder::new());
    let served = shared.clone();
    let server = Server::answering(move |seen| served.lock().unwrap().answer(seen));
    let url = |name: &str| format!("{}/000000000000/{name}.fifo", server.url);
    let stack = json!({"aws_endpoint": server.url, "region": "us-east-1", "notification_queue_url": url("queue"), "dead_letter_queue_url": url("dead")});
    let file = folder.file("stack.json", stack.to_string());
    let ran =
        run(&[], &[&["replay", "dead-letters", "--stack-json", &file], arguments].concat(), "");
    drop(server);
    let queues = std::mem::take(&mut *shared.lock().unwrap());
    (ran, queues)
}

#[test]
fn all_go_back_in_their_order_and_group() {
    let (ran, queues) = replay(Queues::holding(23), &[]);
    assert_eq!(ran.ended(0).out, "23 wake-ups put back, 0 left\n");
    assert!(queues.dead.is_empty());
    let bodies: Vec<&str> =
        queues.queued.iter().map(|sent| sent["MessageBody"].as_str().unwrap()).collect();
    assert_eq!(bodies, (1..=23).map(|at| format!("wake-up {at}")).collect::<Vec<_>>());
    let first = &queues.queued[0];
    assert!(first["QueueUrl"].as_str().unwrap().ends_with("/queue.fifo"));
    assert_eq!(
        (&first["MessageGroupId"], &first["MessageDeduplicationId"]),
        (&json!("group-1"), &json!("replay-id-1"))
    );
}

#[test]
fn one_is_deleted_only_after_it_was_sent() {
    let (ran, queues) = replay(Queues::holding(3), &["--json"]);
    assert_eq!(ran.ended(0).json(), json!({"moved": 3, "left": 0}));
    let moves: Vec<&str> = queues
        .operations
        .iter()
        .map(String::as_str)
        .filter(|called| called.starts_with("Send") || called.starts_with("Delete"))
        .collect();
    assert_eq!(moves, ["SendMessage", "DeleteMessage"].repeat(3));
}

#[test]
fn what_cannot_be_sent_stays_and_is_reported() {
    let (ran, queues) = replay(Queues { failing_send: 3, ..Queues::holding(5) }, &[]);
    let ran = ran.ended(1);
    assert!(
        ran.out.contains("2 wake-ups put back, 3 left") && ran.err.contains("stays where it was"),
        "{} {}",
        ran.out,
        ran.err
    );
    assert_eq!((queues.dead.len(), queues.queued.len()), (3, 2));
}

#[test]
fn what_cannot_be_deleted_is_there_twice_under_one_deduplication_id() {
    let (ran, queues) = replay(Queues { failing_delete: 1, ..Queues::holding(2) }, &[]);
    assert!(ran.ended(1).err.contains("there twice"));
    assert_eq!((queues.dead.len(), queues.queued.len()), (2, 1));
    assert_eq!(queues.queued[0]["MessageDeduplicationId"], "replay-id-1");
}

#[test]
fn a_limit_is_kept_and_a_dry_run_only_counts() {
    let (ran, queues) = replay(Queues::holding(15), &["--limit", "12"]);
    assert_eq!(ran.ended(0).out, "12 wake-ups put back, 3 left\n");
    assert_eq!(queues.queued.len(), 12);

    let (ran, queues) = replay(Queues::holding(4), &["--dry-run"]);
    assert_eq!(ran.ended(0).out, "would put back about 4 wake-ups\n");
    assert_eq!(
        (queues.operations.as_slice(), queues.dead.len()),
        (&["GetQueueAttributes".to_string()][..], 4)
    );
}

#[test]
fn the_queues_must_be_known() {
    assert!(
        run(&[], &["replay", "dead-letters"], "")
            .ended(1)
            .err
            .contains("CONNECTORS_NOTIFICATION_QUEUE_URL")
    );
}
