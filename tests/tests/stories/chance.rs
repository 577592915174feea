//! Whatever happens in whatever order: nothing lost, nothing doubled, and the cursor is the listings' alone.

use std::collections::{BTreeMap, BTreeSet};

use email_connectors::domain::connector::Status;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::{EventId, MessageId};
use email_connectors::domain::trigger::Trigger;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::ports::WakeUps;
use proptest::prelude::*;
use serde_json::json;
use tests::world::{Account, Call, Consent, Mail, When};

use super::stage::{MINUTE, PROCESSOR_TIMEOUT, QUIET_AFTER, Scene, Stage};

/// Where things may go wrong.
const CALLS: [Call; 26] = [
    Call::Mailbox,
    Call::OpenAccessToken,
    Call::OpenRefreshToken,
    Call::Refresh,
    Call::CacheAccessToken,
    Call::History,
    Call::Messages,
    Call::Decided,
    Call::Commit,
    Call::Publish,
    Call::MarkPublished,
    Call::Unpublished,
    Call::SetStatus,
    Call::Due,
    Call::ConnectorAt,
    Call::Watch,
    Call::RecordWatch,
    Call::Schedule,
    Call::Send,
    Call::Exchange,
    Call::InSlot,
    Call::Profile,
    Call::SealRefreshToken,
    Call::Reconnect,
    Call::DataKey,
    Call::SealAccessToken,
];

#[derive(Debug, Clone)]
enum Step {
    /// Mail comes: so many, received or not.
    Deliver {
        mails: u8,
        received: bool,
    },
    /// A push with whatever history id; Pub/Sub may deliver it more than once, and in any order.
    Push {
        history_id: PushedId,
        copies: u8,
    },
    /// A worker takes the next wake-up.
    Work(Option<Trouble>),
    /// Two workers at once, of which the first is overtaken there.
    Race(Call, When),
    /// The bus takes only some of the next entries.
    BusTakes(u8),
    Renew(Option<Trouble>),
    Reconnect(Option<Trouble>),
    RevokeGrant,
    ForgetAccessTokens,
    Pass {
        minutes: u16,
    },
}

#[derive(Debug, Clone)]
enum PushedId {
    True,
    /// Behind or ahead of the mailbox by so much.
    Off(i16),
    Any(u64),
}

/// A call that fails or crashes there.
#[derive(Debug, Clone)]
struct Trouble {
    call: Call,
    when: When,
    nth: u32,
    crash: bool,
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![Just(When::Before), Just(When::After)]
}

fn trouble() -> impl Strategy<Value = Option<Trouble>> {
    let some = (prop::sample::select(&CALLS[..]), when(), 1..3_u32, any::<bool>());
    prop::option::of(some.prop_map(|(call, when, nth, crash)| Trouble { call, when, nth, crash }))
}

fn step() -> impl Strategy<Value = Step> {
    let pushed = prop_oneof![
        4 => Just(PushedId::True),
        2 => (-40..40_i16).prop_map(PushedId::Off),
        1 => any::<u64>().prop_map(PushedId::Any),
    ];
    let raced = prop::sample::select(vec![Call::Mailbox, Call::History, Call::Messages, Call::Decided, Call::Commit, Call::Publish]);
    prop_oneof![
        6 => (1..4_u8, prop::bool::weighted(0.8)).prop_map(|(mails, received)| Step::Deliver { mails, received }),
        5 => (pushed, 1..3_u8).prop_map(|(history_id, copies)| Step::Push { history_id, copies }),
        8 => trouble().prop_map(Step::Work),
        2 => (raced, when()).prop_map(|(call, when)| Step::Race(call, when)),
        1 => (0..2_u8).prop_map(Step::BusTakes),
        2 => trouble().prop_map(Step::Renew),
        1 => trouble().prop_map(Step::Reconnect),
        1 => Just(Step::RevokeGrant),
        1 => Just(Step::ForgetAccessTokens),
        3 => (0..2000_u16).prop_map(|minutes| Step::Pass { minutes }),
    ]
}

/// A mailbox of two owners, with small pages, and what must come of its mail.
struct Run {
    scene: Scene,
    triggers: Vec<Trigger>,
    received: Vec<MessageId>,
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
        Self { scene, triggers, received: Vec::new(), cursors: BTreeMap::new(), pushes: 0 }
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
                self.received.push(delivered.message);
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
        let expected: BTreeSet<EventId> = self.received.iter().flat_map(of).collect();
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
