//! The processor: whose token a wake-up uses, what a forged history id changes, and what an
//! outdated worker can write.

use std::time::Duration;

use email_connectors::domain::mark::Mark;
use email_connectors::domain::secret::{Sealed, SealedAccessToken};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::wake_up::WakeUp;
use email_connectors::ports::{Commit, Store, StoreError};
use serde_json::{Value, json};
use tests::deployed::User;
use tests::stage::{MINUTE, Scene, subjects};
use tests::world::{Call, Consent, Mail, When};

use crate::security::case::Case;
use crate::security::forge;
use crate::security::granting::ids;
use crate::security::target::{Target, status};

#[tokio::test]
async fn case_18_another_tenants_mailbox() {
    let mut case =
        Case::new(18, "processor: another tenant's mailbox, other letter case, an unknown mailbox");
    for target in Target::all().await {
        let name = target.name;
        let (user, other) = (
            User::connected(&target.stack, "ada").await,
            User::connected(&target.stack, "bob").await,
        );
        let good = target.good_token().await;
        target.idle().await;
        let message =
            user.receive(&target.stack, json!({"subject": "invoice", "silent": true})).await;
        other.receive(&target.stack, json!({"subject": "invoice", "silent": true})).await;
        target.forget_calls().await;
        let id = json!(target.history_id(&user.email).await);
        let body = forge::push(&user.email.to_uppercase(), id);
        case.check(
            format!("{name}: a push for the mailbox in capitals"),
            202,
            status(&target.stack.push(Some(&good), body).await),
        );
        case.check(
            format!("{name}: it fires for the mailbox"),
            json!([message]),
            ids(&target.fired(&user.owner, 1).await),
        );
        let calls = target.calls().await;
        let others: Vec<&Value> =
            calls.iter().filter(|call| call["email"] == other.email).collect();
        case.check(format!("{name}: calls under the other tenant's token"), 0, others.len());
        target.forget_calls().await;
        let before = target.counted("WakeUps/unknown_mailbox").await;
        case.check(
            format!("{name}: a push for an unknown mailbox"),
            202,
            status(&target.stack.push(Some(&good), forge::nobodys_push()).await),
        );
        let counted = target.counted_to("WakeUps/unknown_mailbox", before + 1).await - before;
        case.check(format!("{name}: counted as of an unknown mailbox"), 1, counted);
        target.idle().await;
        if target.inside.is_some() {
            case.check(format!("{name}: calls to Google for it"), 0, target.calls().await.len());
        } else {
            case.check(
                format!("{name}: dead letters of it"),
                0,
                target.stack.messages_in(&target.stack.dead_letter_queue_url).await,
            );
        }
    }
}

#[tokio::test]
async fn case_19_a_forged_history_id() {
    let mut case = Case::new(19, "processor: a forged, huge historyId in a notification");
    for target in Target::all().await {
        let (name, user, good) = (
            target.name,
            User::connected(&target.stack, "cursor").await,
            target.good_token().await,
        );
        target.idle().await;
        let cursor = async || {
            user.connector(&target.stack).await["history_id"]
                .as_str()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        let before = cursor().await;
        target.forget_calls().await;
        for (what, id) in [
            ("the greatest there is", json!(u64::MAX)),
            ("as text", json!(u64::MAX.to_string())),
            ("a little ahead", json!(before + 1_000_000)),
        ] {
            case.check(
                format!("{name}: {what}"),
                202,
                status(&target.stack.push(Some(&good), forge::push(&user.email, id)).await),
            );
            target.idle().await;
        }
        let listed = target.called_for(&user.email, "history.list").await;
        case.note(format!("{name}: listings caused by them"), "at least 1", listed, listed >= 1);
        let (after, mailbox) = (cursor().await, target.history_id(&user.email).await);
        let shown = format!("{after}, and the mailbox is at {mailbox}");
        case.note(
            format!("{name}: the cursor"),
            "no further than the mailbox",
            shown,
            after >= before && after <= mailbox,
        );
        let message = user.receive(&target.stack, json!({"subject": "invoice"})).await;
        case.check(
            format!("{name}: mail after them fires"),
            json!([message]),
            ids(&target.fired(&user.owner, 1).await),
        );
    }
}

fn ended<T>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Conflict) => "refused".into(),
        Err(error) => error.to_string(),
        Ok(_) => "written".into(),
    }
}

#[tokio::test]
async fn case_39_a_worker_of_an_earlier_generation() {
    let mut case = Case::new(39, "processor: a worker with a token of an earlier generation");
    for (call, when) in [
        (Call::History, When::After),
        (Call::Messages, When::After),
        (Call::Decided, When::After),
        (Call::Commit, When::Before),
    ] {
        replaced(&mut case, call, when).await;
    }
    reconnected(&mut case).await;
    writes(&mut case).await;
}

/// The owner replaces the account while the worker waits between reading and committing.
async fn replaced(case: &mut Case, call: Call, when: When) {
    let what = format!("waiting {when:?} {call}, replaced by another account").to_lowercase();
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let bob = stage.world.account("bob@example.com");
    scene.deliver(&["For Ada alone"]);
    let gate = stage.world.hold(call, when, 1);
    let push = scene.push();
    let (worked, replaced) = tokio::join!(stage.wake(&push), async {
        let mut request = stage.request("owner", &bob.consent(Consent::default()));
        request.replace = true;
        let replaced = stage.connecting().run(&request, stage.world.now()).await;
        gate.open();
        replaced
    });
    let connected = replaced.expect("the account is replaced");
    let shown =
        worked.map(|outcomes| format!("{outcomes:?}")).unwrap_or_else(|error| error.to_string());
    let fired = subjects(&stage.fired());
    case.check(
        format!("in memory: {what}: what fired (the worker ended with {shown})"),
        0,
        fired.len(),
    );
    case.check(
        format!("in memory: {what}: rows of the old connector"),
        false,
        stage.world.store().look(&scene.id).is_some(),
    );
    let after = stage.connector(&connected.connector_id);
    case.check(
        format!("in memory: {what}: the new connector's cursor is its own mailbox's"),
        bob.history_id().to_string(),
        after.reading.position.cursor.to_string(),
    );
    case.check(
        format!("in memory: {what}: its account"),
        bob.sub.to_string(),
        after.account.to_string(),
    );
    stage.work().await;
    stage.trigger(&stage.connector(&connected.connector_id), json!({})).await;
    stage.world.pass(MINUTE);
    bob.deliver(Mail::new("For Bob"));
    stage
        .wake(&WakeUp::push(bob.address(), bob.history_id(), None, stage.world.now()))
        .await
        .expect("a wake-up");
    case.check(
        format!("in memory: {what}: what fires then"),
        "For Bob".to_string(),
        subjects(&stage.fired()).join(", "),
    );
}

/// The owner reconnects the same account: the worker's commit fails, and its retry uses the new
/// generation.
async fn reconnected(case: &mut Case) {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    scene.deliver(&["Once"]);
    let gate = stage.world.hold(Call::Commit, When::Before, 1);
    let push = scene.push();
    stage.forget_calls();
    let (worked, again) = tokio::join!(stage.wake(&push), async {
        let again = stage.connect_with("owner", &scene.ada, Consent::default()).await;
        gate.open();
        again
    });
    again.expect("a reconnect");
    case.check(
        "in memory: reconnected before its commit: the worker succeeds",
        true,
        worked.is_ok(),
    );
    let commits = stage.calls_of(&["store.commit"]).len();
    case.note("in memory: its commits", "more than 1: the first was refused", commits, commits > 1);
    stage.work().await;
    case.check("in memory: what fired", "Once".to_string(), subjects(&stage.fired()).join(", "));
}

/// Every write of a worker that read the row before the reconnect.
async fn writes(case: &mut Case) {
    let scene = Scene::new().await;
    let (stage, store) = (&scene.stage, scene.stage.world.store());
    let before = scene.connector();
    stage.world.raise_generation("owner");
    let now = stage.world.now();
    let mut after = before.clone();
    after.reading.position.cursor = Mark::new(before.reading.position.cursor.value() + 1);
    let commit =
        Commit { before: &before, after: &after.reading, events: &[], next_sweep: None, now };
    case.check(
        "in memory: an old worker's commit",
        "refused".to_string(),
        ended(store.commit(&commit).await),
    );
    let location = before.location();
    let key = Sealed(vec![1]);
    let token = SealedAccessToken { key, token: Sealed(vec![2]), expires_at: now };
    case.check(
        "in memory: its access token",
        "refused".to_string(),
        ended(store.cache_access_token(&location, before.grant.generation, &token).await),
    );
    case.check(
        "in memory: its watch",
        "refused".to_string(),
        ended(store.record_watch(&before, &before.watch).await),
    );
    case.check(
        "in memory: its next sweep",
        "refused".to_string(),
        ended(store.schedule(&location, before.version, None, None).await),
    );
    let unmoved = scene.connector().reading.position.cursor == before.reading.position.cursor;
    case.check("in memory: the cursor stands where it stood", true, unmoved);
}

#[tokio::test]
async fn case_48_a_wake_up_from_the_future() {
    let mut case =
        Case::new(48, "processor: a wake-up dated 2999 does not prove the watch for ever");
    let scene = Scene::new().await;
    let future = Timestamp::from_seconds(32_500_000_000);
    let forged =
        WakeUp::push(scene.ada.address(), scene.ada.history_id(), Some("forged".into()), future);
    case.check("the watch is proven before", false, scene.connector().is_verified());
    scene.stage.wake(&forged).await.unwrap();
    let proven = scene.connector().reading.verified_at;
    case.check(
        "it is proven afterwards, as of now",
        scene.stage.world.now().millis(),
        proven.map_or(0, |at| at.millis()),
    );
    scene.stage.world.pass(Duration::from_secs(6 * 24 * 3600));
    let renewed = scene.stage.sweep().await.renewed;
    case.check("watches that are renewed days later", 1, renewed);
    case.check(
        "the renewed watch is proven by the earlier wake-up",
        false,
        scene.connector().is_verified(),
    );
}
