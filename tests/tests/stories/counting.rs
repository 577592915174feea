//! What is counted for a mailbox names the mailbox's provider.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use email_connectors::domain::metric::{
    EVENTS_PUBLISHED, MESSAGES_SEEN, PROVIDER, SWEEPS_FAILED, WAKE_UPS, WATCH_LEFT,
    WATCHES_RENEWED, is_by_provider,
};
use email_connectors::domain::wake_up::{Kind, WakeUp};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::json;
use tests::stage::{DAY, MINUTE, Stage};
use tests::world::{Call, Consent, Mail, When};

/// Of each metric of this thread, the providers that it was counted for; an empty text for none.
#[derive(Default)]
struct Providers(Mutex<BTreeMap<String, BTreeSet<String>>>);

impl Providers {
    fn note(&self, key: &Key) {
        let provider = key.labels().find(|label| label.key() == PROVIDER);
        let provider = provider.map_or("", |label| label.value()).to_string();
        self.0.lock().unwrap().entry(key.name().to_string()).or_default().insert(provider);
    }

    fn of(&self, metric: &str) -> Vec<String> {
        self.0.lock().unwrap().get(metric).into_iter().flatten().cloned().collect()
    }
}

impl Recorder for Providers {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.note(key);
        Counter::noop()
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}

#[tokio::test]
async fn what_is_counted_for_a_mailbox_names_its_provider() {
    let counted = Providers::default();
    let _recording = metrics::set_default_local_recorder(&counted);
    let stage = Stage::new();
    let accounts =
        [stage.world.account("ada@example.com"), stage.world.outlook_account("ada@example.com")];
    for account in &accounts {
        let provider = account.provider();
        let request = stage.request(provider.as_str(), &account.consent(Consent::default()));
        let connecting = stage.connecting_at(provider);
        let id = connecting.run(&request, stage.world.now()).await.unwrap().connector_id;
        stage.trigger(&stage.connector(&id), json!({})).await;
        stage.work().await;
        stage.world.pass(MINUTE);
        account.deliver(Mail::new("Invoice"));
        let wake_up = WakeUp::own(Kind::Sync, account.key(), stage.world.now());
        let mut message = SqsMessage::default();
        message.body = Some(serde_json::to_string(&wake_up).unwrap());
        let mut event = SqsEvent::default();
        event.records = vec![message];
        let (process, quarantine) = (stage.processing(), stage.world.quarantine());
        history_processor::handle(&process, &quarantine, event, stage.world.now()).await;
    }
    stage.world.pass(DAY * 4);
    assert_eq!(stage.sweep().await.renewed, accounts.len());
    for metric in [WAKE_UPS, MESSAGES_SEEN, EVENTS_PUBLISHED, WATCHES_RENEWED, WATCH_LEFT] {
        assert_eq!(counted.of(metric), ["gmail", "outlook"], "{metric}");
    }
    let all = counted.0.lock().unwrap().clone();
    for (metric, providers) in all.iter().filter(|(metric, _)| is_by_provider(metric)) {
        assert!(!providers.contains(""), "{metric} was counted for nobody's provider");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_of_no_provider() {
    let counted = Providers::default();
    let _recording = metrics::set_default_local_recorder(&counted);
    let stage = Stage::new();
    let mut message = SqsMessage::default();
    message.body = Some("{}".into());
    let mut event = SqsEvent::default();
    event.records = vec![message];
    let (process, quarantine) = (stage.processing(), stage.world.quarantine());
    history_processor::handle(&process, &quarantine, event, stage.world.now()).await;
    assert_eq!(counted.of(WAKE_UPS), [""]);
    stage.world.fail(Call::Due, When::Before, 1);
    assert_eq!(stage.sweep().await.failures.len(), 1);
    assert_eq!(counted.of(SWEEPS_FAILED), [""]);
}
