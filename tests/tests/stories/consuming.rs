//! The sample consumer may get an event several times, and handles it once.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::SqsEvent;
use consumer::batch;
use consumer::claims::Cause;
use consumer::consume::{ComesAgain, Consumed, Consumer, Handler};
use consumer::event::Fired;
use consumer::printing::line;
use futures_util::FutureExt;
use serde_json::json;
use tests::consuming::{MemoryClaims, claims_contract};
use tests::schemas::PUBLISHED;
use tests::stage::Scene;
use tests::world::Mail;
use tokio::sync::Semaphore;

const LEASE: Duration = Duration::from_secs(60);
const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// Records which events it begins with, and ends each, well or badly, once the test lets it.
struct Noting {
    begun: Mutex<Vec<String>>,
    may_end: Semaphore,
    fails: Mutex<u32>,
}

impl Handler for Noting {
    async fn handle(&self, fired: &Fired) -> Result<(), Cause> {
        self.begun.lock().unwrap().push(fired.event_id.clone());
        self.may_end.acquire().await?.forget();
        let mut fails = self.fails.lock().unwrap();
        match fails.checked_sub(1) {
            Some(left) => {
                *fails = left;
                Err("the agent is not there".into())
            }
            None => Ok(()),
        }
    }
}

/// A consumer whose handler may end this many times.
fn consumer(may_end: usize) -> Consumer<MemoryClaims, Noting> {
    let handler =
        Noting { begun: Mutex::default(), may_end: Semaphore::new(may_end), fails: Mutex::new(0) };
    Consumer { claims: MemoryClaims::default(), handler, lease: LEASE }
}

fn begun(consumer: &Consumer<MemoryClaims, Noting>) -> Vec<String> {
    consumer.handler.begun.lock().unwrap().clone()
}

/// The events of these mails, as bodies of queue messages.
async fn bodies(subjects: &[&str]) -> Vec<String> {
    let scene = Scene::new().await;
    subjects.iter().for_each(|subject| _ = scene.ada.deliver(Mail::new(subject)));
    scene.stage.wake(&scene.push()).await.unwrap();
    let fired: Vec<String> = scene.stage.fired().into_iter().map(|event| event.detail).collect();
    assert_eq!(fired.len(), subjects.len());
    fired
}

async fn body() -> String {
    bodies(&["Invoice"]).await.remove(0)
}

#[tokio::test]
async fn what_is_delivered_twice_is_handled_once() {
    let (consumer, body) = (consumer(9), body().await);
    assert_eq!(consumer.consume(&body, NOW).await.unwrap(), Consumed::Handled);
    for later in [Duration::ZERO, LEASE, 100 * LEASE] {
        assert_eq!(consumer.consume(&body, NOW + later).await.unwrap(), Consumed::AlreadyDone);
    }
    assert_eq!(begun(&consumer).len(), 1);
}

#[tokio::test]
async fn what_a_crash_left_is_handled_after_the_lease() {
    let (consumer, body) = (consumer(0), body().await);
    assert!(
        consumer.consume(&body, NOW).now_or_never().is_none(),
        "the process ends while it handles"
    );
    let within = consumer.consume(&body, NOW + LEASE - Duration::from_secs(1)).await;
    assert!(matches!(within, Err(ComesAgain::InHand)), "{within:?}");
    consumer.handler.may_end.add_permits(1);
    assert_eq!(consumer.consume(&body, NOW + LEASE).await.unwrap(), Consumed::Handled);
    assert_eq!(begun(&consumer).len(), 2);
}

#[tokio::test]
async fn what_a_handler_failed_at_comes_again_at_once() {
    let (consumer, body) = (consumer(9), body().await);
    *consumer.handler.fails.lock().unwrap() = 1;
    let failed = consumer.consume(&body, NOW).await;
    assert!(
        matches!(&failed, Err(ComesAgain::Failed(cause)) if cause.to_string() == "the agent is not there"),
        "{failed:?}"
    );
    assert_eq!(consumer.consume(&body, NOW).await.unwrap(), Consumed::Handled);
}

#[tokio::test]
async fn a_handler_is_cut_off_before_its_lease_ends() {
    let consumer = Consumer { lease: Duration::from_millis(20), ..consumer(0) };
    let body = body().await;
    let failed = consumer.consume(&body, NOW).await;
    assert!(matches!(failed, Err(ComesAgain::TookTooLong)), "{failed:?}");
    consumer.handler.may_end.add_permits(1);
    assert_eq!(consumer.consume(&body, NOW).await.unwrap(), Consumed::Handled);
}

#[tokio::test]
async fn of_two_consumers_at_once_one_handles() {
    let (consumer, body) = (consumer(0), body().await);
    let mut first = Box::pin(consumer.consume(&body, NOW));
    assert!((&mut first).now_or_never().is_none());
    let second = consumer.consume(&body, NOW).await;
    assert!(matches!(second, Err(ComesAgain::InHand)), "{second:?}");
    consumer.handler.may_end.add_permits(1);
    assert_eq!(first.await.unwrap(), Consumed::Handled);
    assert_eq!(consumer.consume(&body, NOW).await.unwrap(), Consumed::AlreadyDone);
    assert_eq!(begun(&consumer).len(), 1);
}

#[tokio::test]
async fn who_was_overtaken_leaves_the_message_to_its_next_delivery() {
    let (consumer, body) = (consumer(0), body().await);
    let mut first = Box::pin(consumer.consume(&body, NOW));
    assert!((&mut first).now_or_never().is_none());
    let mut second = Box::pin(consumer.consume(&body, NOW + LEASE));
    assert!((&mut second).now_or_never().is_none(), "the lease has ended");
    consumer.handler.may_end.add_permits(2);
    let overtaken = first.await;
    assert!(matches!(overtaken, Err(ComesAgain::Overtaken)), "{overtaken:?}");
    assert_eq!(second.await.unwrap(), Consumed::Handled);
    assert_eq!(consumer.consume(&body, NOW + LEASE).await.unwrap(), Consumed::AlreadyDone);
}

#[tokio::test]
async fn an_unreadable_message_does_not_fail_its_batch() {
    let (consumer, mut bodies) = (consumer(9), bodies(&["One", "Two"]).await);
    let [good, other] = [bodies.remove(0), bodies.remove(0)];
    let unknown = good.replacen("\"schema_version\":1", "\"schema_version\":2", 1);
    let nameless =
        json!({"schema_version": 1, "event_id": "", "fired_at": "", "trigger": {"id": "trg_1"}})
            .to_string();
    let sent = ["{", &good, "", &unknown, &other, &nameless, &good];
    let records: Vec<_> = sent
        .iter()
        .enumerate()
        .map(|(index, body)| json!({"messageId": index.to_string(), "body": body}))
        .collect();
    let batch: SqsEvent = serde_json::from_value(json!({"Records": records})).unwrap();
    let response = batch::handle(&consumer, batch, NOW).await;
    let failed: Vec<String> =
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    assert_eq!(failed, ["0", "2", "3", "5"]);
    assert_eq!(begun(&consumer).len(), 2);
}

#[tokio::test]
async fn claims_in_memory_keep_the_contract() {
    claims_contract(&MemoryClaims::default(), NOW).await;
}

#[test]
fn an_event_is_logged_in_one_line_whatever_its_sender_wrote() {
    let read = |value: &serde_json::Value| Fired::read(&value.to_string()).unwrap();
    let examples = &PUBLISHED["TRIGGER_FIRED"]["examples"];
    assert_eq!(
        line(&read(&examples[0])),
        "2026-01-01T09:30:02.481Z trg_019b78f0c4b17d0f8a3e5d2c9b6f7a10 for \"billing-agent\": \"Your invoice\" from \"Billing\" <billing@shop.example>"
    );
    assert_eq!(
        line(&read(&examples[1])),
        "2026-01-01T10:00:00.000Z trg_019b78f7d0a17c3e9b5f4d6c8e7a1b20: \"order.paid\" \"order\" \"7\""
    );
    let mut hostile = examples[0].clone();
    hostile["message"]["subject"] = json!("a\nb\u{1b}[2J");
    hostile["message"]["from"] = json!({"address": "a\r\nb"});
    assert!(
        line(&read(&hostile)).ends_with(r#": "a\nb\u{1b}[2J" from <a\r\nb>"#),
        "{}",
        line(&read(&hostile))
    );
    hostile["message"]
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name != "subject" && name != "from");
    assert!(line(&read(&hostile)).ends_with(": no subject from nobody"));
}
