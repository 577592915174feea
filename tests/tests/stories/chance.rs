//! Whatever happens in whatever order: nothing lost, nothing doubled, and the cursor is the listings' alone.

mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use email_connectors::domain::connector::Status;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::{EventId, MessageId};
use email_connectors::domain::trigger::Trigger;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::ports::WakeUps;
use proptest::prelude::*;
use serde_json::json;
use tests::world::{Account, Call, Consent, Mail, When};

use self::steps::{PushedId, Step, Trouble, step};
use super::stage::{MINUTE, PROCESSOR_TIMEOUT, QUIET_AFTER, Scene, Stage};

/// A mailbox of two owners, with small pages, and what must come of its mail.
struct Run {
    scene: Scene,
    triggers: Vec<Trigger>,
    /// Shared with the steps in which mail comes while something else is under way.
    received: Arc<Mutex<Vec<MessageId>>>,
    cursors: BTreeMap<String, HistoryId>,
    pushes: u32,
}

impl Run {
    async fn new() -> Self {
        let scene = Scene::new().await;
        scene.ada.page_size(3);
        let second = scene.stage.connect("second-owner", &scene.ada).await;
        let more = [scene.stage.trigger(&second, json!({})).await, scene.stage.trigger(&second, json!({"query": "mail"})).await];
        let triggers = [scene.trigger.clone()].into_iter().chain(more).collect();
        scene.stage.world.pass(MINUTE);
        Self { scene, triggers, received: Arc::default(), cursors: BTreeMap::new(), pushes: 0 }
    }

    fn stage(&self) -> &Stage {
        &self.scene.stage
    }

    fn ada(&self) -> &Account {
        &self.scene.ada
    }

    async fn take(&mut self, step: Step) {
        let world = self.stage().world.clone();
        match step {
            Step::Deliver { mails, received } => self.deliver(mails, received),
            Step::DeliverDuring(call, when, nth) => {
                let (ada, received) = (self.ada().clone(), self.received.clone());
                let deliver = move || received.lock().expect("no step panics").push(ada.deliver(Mail::new("Some mail")).message);
                world.meanwhile(call, when, nth, move |_| deliver());
                // The next step finds it.
                return;
            }
            Step::Push { history_id, copies } => self.push(history_id, copies).await,
            Step::Work(trouble) => {
                script(self.stage(), trouble);
                self.work_once().await;
            }
            Step::Race(call, when) => self.race(call, when).await,
            Step::BusTakes(entries) => world.bus().take_only(entries.into()),
            Step::Renew(trouble) => {
                script(self.stage(), trouble);
                world.until_crash(self.stage().sweep()).await;
            }
            Step::Reconnect(trouble) => {
                script(self.stage(), trouble);
                world.until_crash(self.stage().connect_with("owner", self.ada(), Consent::default())).await;
            }
            Step::RevokeGrant => self.ada().revoke_grant(),
            Step::ForgetAccessTokens => self.ada().forget_access_tokens(),
            Step::Pass { minutes } => world.pass(MINUTE * minutes.into()),
        }
        world.forget_scripts();
        self.check_cursors();
    }

    fn deliver(&mut self, mails: u8, received: bool) {
        for _ in 0..mails {
            let mail = Mail::new("Some mail");
            let mail = if received { mail } else { mail.labelled(&["SPAM"]) };
            let delivered = self.ada().deliver(mail);
            if received {
                self.received.lock().expect("no step panics").push(delivered.message);
            }
        }
    }

    async fn push(&mut self, history_id: PushedId, copies: u8) {
        let truth = self.ada().history_id();
        let history_id = match history_id {
            PushedId::True => truth,
            PushedId::Off(by) => HistoryId::new(truth.value().saturating_add_signed(by.into())),
            PushedId::Any(value) => HistoryId::new(value),
        };
        for _ in 0..copies {
            self.pushes += 1;
            let push = WakeUp::push(self.ada().address(), history_id, Some(self.pushes.to_string()), self.stage().world.now());
            self.stage().world.wake_ups().send(&push, None).await.expect("the queue takes it");
        }
    }

    /// A wake-up that did not go well is received again.
    async fn work_once(&self) {
        let (stage, queue) = (self.stage(), self.stage().world.wake_ups());
        let Some(received) = queue.receive() else { return };
        match stage.world.until_crash(stage.wake(&received.wake_up)).await {
            Some(Ok(_)) => queue.delete(&received),
            Some(Err(_)) | None => queue.give_back(&received),
        }
    }

    async fn race(&self, call: Call, when: When) {
        let (first, second) = (self.scene.own(Kind::Sync), self.scene.push());
        let gate = self.stage().world.hold(call, when, 1);
        // Whichever of them reaches the gate, the other one opens it.
        let open_after = async |wake_up: &WakeUp| {
            let ended = self.stage().wake(wake_up).await;
            gate.open();
            ended
        };
        let _ = tokio::join!(open_after(&first), open_after(&second));
    }

    fn check_cursors(&mut self) {
        for trigger in &self.triggers {
            let connector = self.stage().connector(&trigger.config.connector_id);
            let stood = self.cursors.insert(connector.id.to_string(), connector.history_id).unwrap_or(connector.history_id);
            assert!(connector.history_id >= stood, "the cursor fell from {stood} to {}", connector.history_id);
            assert!(
                connector.history_id <= self.ada().told(),
                "the cursor is at {}, and no listing told more than {}",
                connector.history_id,
                self.ada().told()
            );
        }
    }

    /// The troubles end: the system catches up by itself, with users who connect again when they are asked to.
    async fn catch_up(&mut self) {
        self.stage().world.forget_scripts();
        self.stage().world.bus().take_only(usize::MAX);
        for _ in 0..2 {
            self.answer_calls_for_reauth().await;
            self.stage().world.pass(PROCESSOR_TIMEOUT + QUIET_AFTER);
            for _ in 0..3 {
                self.stage().world.pass(MINUTE);
                let swept = self.stage().sweep().await;
                assert!(swept.failures.is_empty(), "{swept:?}");
                self.stage().work().await;
            }
        }
        self.check_cursors();
    }

    async fn answer_calls_for_reauth(&self) {
        for trigger in &self.triggers {
            let connector = self.stage().connector(&trigger.config.connector_id);
            if connector.status == Status::NeedsReauth {
                let again = self.stage().connect_with(connector.owner_id.as_str(), self.ada(), Consent::default()).await;
                again.expect("the user connects again");
            }
        }
    }

    fn check_firings(&self) {
        let of = |message| self.triggers.iter().map(move |trigger| EventId::derive(&self.ada().sub, message, &trigger.id));
        let expected: BTreeSet<EventId> = self.received.lock().expect("no step panics").iter().flat_map(of).collect();
        let mut published: BTreeMap<EventId, String> = BTreeMap::new();
        for firing in self.stage().published() {
            let first = published.entry(firing.event_id.clone()).or_insert_with(|| firing.detail.clone());
            assert_eq!(*first, firing.detail, "a repeat carries the same bytes");
        }
        assert_eq!(published.keys().cloned().collect::<BTreeSet<_>>(), expected, "published is what was received");
        let decided: BTreeMap<EventId, String> =
            self.stage().world.store().ledger().into_iter().map(|firing| (firing.event_id, firing.detail)).collect();
        assert_eq!(decided, published, "and what was decided");
        for trigger in &self.triggers {
            assert!(self.stage().connector(&trigger.config.connector_id).unpublished.is_empty(), "nothing waits");
        }
    }
}

fn script(stage: &Stage, trouble: Option<Trouble>) {
    match trouble {
        Some(Trouble { call, when, nth, crash: true }) => stage.world.crash(call, when, nth),
        Some(Trouble { call, when, nth, crash: false }) => stage.world.fail(call, when, nth),
        None => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_received_mail_fires_once_and_the_cursor_never_falls_or_runs_ahead(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut run = Run::new().await;
            for step in steps {
                run.take(step).await;
            }
            run.catch_up().await;
            run.check_firings();
        });
    }
}
