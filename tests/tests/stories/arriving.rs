//! A message arrives, and fires or does not.

use email_connectors::domain::id::{EventId, MessageId, MessageIdentity};
use email_connectors::domain::mark::Mark;
use email_connectors::domain::trigger::Trigger;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::flows::process::Outcome;
use email_connectors::flows::subscribe;
use email_connectors::ports::Store;
use serde_json::json;
use tests::world::{Account, Call, Mail, When};

use tests::stage::{MINUTE, Scene, Stage, detail, listed, owner, subjects};

#[tokio::test]
async fn a_message_arrives() {
    let scene = Scene::new().await;
    let delivered = scene.ada.deliver(Mail::new("Your invoice").from("Shop <pay@shop.example>"));
    scene.stage.world.pass(MINUTE);
    let outcomes = scene.stage.wake(&scene.push()).await.unwrap();

    assert_eq!(outcomes, [listed(1, 1)]);
    // The connect cached the access token: no call to Google's token endpoint or to the key
    // service.
    let calls = [
        "store.mailbox ada@example.com",
        "vault.open_access_token con",
        "gmail.history after 1000",
        "gmail.messages m1",
        "store.decided 1",
        "store.commit 1 events, cursor 1007",
        "bus.publish 1",
        "store.mark_published 1",
    ];
    assert_eq!(scene.stage.calls(), calls);
    let connector = scene.connector();
    assert_eq!(connector.reading.position.cursor, delivered.history_id);
    assert_eq!(connector.reading.position.listed_at, Some(scene.stage.world.now()));
    assert!(connector.outbox.unpublished.is_empty());

    let [firing] = scene.stage.fired().try_into().expect("one event");
    assert_eq!(
        firing.event_id,
        EventId::derive(
            &scene.ada.sub,
            &MessageIdentity::of(&delivered.message),
            &scene.trigger.id
        )
    );
    let expected = json!({
        "schema_version": 1,
        "event_id": firing.event_id,
        "fired_at": "2030-01-01T00:02:00.000Z",
        "owner_id": "owner",
        "trigger": {"id": scene.trigger.id, "type": "email", "agent_id": "agent-7"},
        "connector": {"id": scene.id, "provider": "gmail", "email_address": "ada@example.com"},
        "message": {
            "id": "m1",
            "thread_id": "t1",
            "subject": "Your invoice",
            "from": {"name": "Shop", "address": "pay@shop.example"},
            "to": [{"address": "ada@example.com"}],
            "cc": [],
            "reply_to": [],
            "timestamp": "2030-01-01T00:01:00.000Z",
            "snippet": "Your invoice, in short",
            "label_ids": ["INBOX", "UNREAD"],
            "has_attachments": false,
            "headers": {"message_id": "<1@shop.example>"},
            "metadata": {"history_id": "1007", "size_estimate": 2048},
        },
        "correlation": {"pubsub_message_id": "pubsub-1", "history_id": "1007"},
    });
    assert_eq!(detail(&firing), expected);
}

#[tokio::test]
async fn a_push_that_is_not_newer_costs_one_read() {
    let scene = Scene::new().await;
    // The first push proves the watch; that is stored once.
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.forget_calls();
    let before = scene.connector();
    for history_id in [0, 1, 999, 1000] {
        let outcomes = scene.stage.wake(&scene.push_of(Mark::new(history_id))).await.unwrap();
        assert_eq!(outcomes, [Outcome::Stale]);
        assert_eq!(scene.stage.calls(), ["store.mailbox ada@example.com"]);
    }
    assert_eq!(scene.connector(), before);
}

#[tokio::test]
async fn a_push_says_look_and_never_where_to() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.stage.wake(&scene.push_of(Mark::new(u64::MAX))).await.unwrap();
    assert_eq!(
        scene.cursor(),
        scene.ada.history_id(),
        "the cursor is the listing's, not the push's"
    );
    scene.deliver(&["Two"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["One", "Two"]);
}

#[tokio::test]
async fn a_wake_up_of_our_own_is_never_stale() {
    for kind in [Kind::Kick, Kind::Due, Kind::Sync] {
        let scene = Scene::new().await;
        scene.deliver(&["Never pushed"]);
        assert_eq!(scene.stage.wake(&scene.own(kind)).await.unwrap(), [listed(1, 1)], "{kind:?}");
        let [firing] = scene.stage.fired().try_into().expect("one event");
        assert_eq!(
            detail(&firing)["correlation"],
            json!({}),
            "{kind:?} knows neither push nor history id"
        );
    }
}

#[tokio::test]
async fn a_push_for_a_mailbox_that_nobody_connected_costs_one_read() {
    let scene = Scene::new().await;
    let stranger = scene.stage.world.account("eve@example.com");
    let push = WakeUp { mailbox: stranger.address().into(), ..scene.push() };
    assert_eq!(scene.stage.wake(&push).await.unwrap(), []);
    assert_eq!(scene.stage.calls(), ["store.mailbox eve@example.com"]);
}

#[tokio::test]
async fn a_mailbox_without_triggers_moves_its_cursor_without_fetching() {
    let scene = Scene::new().await;
    subscribe::remove(&scene.stage.world.store(), &owner("owner"), &scene.trigger.id)
        .await
        .unwrap();
    scene.deliver(&["One", "Two"]);
    scene.stage.forget_calls();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(0, 0)]);
    let calls = [
        "store.mailbox ada@example.com",
        "vault.open_access_token con",
        "gmail.history after 1000",
        "store.commit 0 events, cursor 1014",
    ];
    assert_eq!(scene.stage.calls(), calls);
}

#[tokio::test]
async fn each_trigger_fires_for_what_its_filters_accept() {
    let scene = Scene::new().await;
    let connector = scene.connector();
    let invoices = scene.stage.trigger(&connector, json!({"subject_contains": ["invoice"]})).await;
    let bobs = scene.stage.trigger(&connector, json!({"from_contains": ["bob@"]})).await;
    scene.ada.deliver(Mail::new("Your invoice"));
    scene.ada.deliver(Mail::new("Lunch?").from("Bob <bob@example.com>"));
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(2, 4)]);
    let mut fired: Vec<_> = scene
        .stage
        .fired()
        .into_iter()
        .map(|firing| (firing.message_id, firing.trigger_id))
        .collect();
    let all = &scene.trigger.id;
    let mut expected = [("m1", all), ("m1", &invoices.id), ("m2", all), ("m2", &bobs.id)]
        .map(|(message, trigger)| (Some(MessageId::new(message)), Some(trigger.clone())));
    fired.sort();
    expected.sort();
    assert_eq!(fired, expected);
}

#[tokio::test]
async fn what_was_not_received_does_not_fire_and_is_not_even_fetched() {
    let scene = Scene::new().await;
    for labels in [&["DRAFT"][..], &["SPAM"], &["TRASH"], &["CHAT"], &["SENT"], &["SCHEDULED"]] {
        scene.ada.deliver(Mail::new("No news").labelled(labels));
    }
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(0, 0)]);
    assert_eq!(scene.stage.calls_of(&["gmail"]), ["gmail.history after 1000"]);
    assert_eq!(scene.cursor(), scene.ada.history_id());

    scene.ada.deliver(Mail::new("To myself").labelled(&["SENT", "INBOX"]));
    scene.ada.deliver(Mail::new("Archived at once").labelled(&[]));
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["To myself", "Archived at once"]);
}

#[tokio::test]
async fn the_fetched_message_decides_not_the_record() {
    let scene = Scene::new().await;
    let ham = scene.ada.deliver(Mail::new("Filed under spam since"));
    scene.ada.relabel(&ham.message, &["SPAM"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 0)]);
    assert!(scene.stage.fired().is_empty());
}

#[tokio::test]
async fn mail_older_than_its_trigger_does_not_fire() {
    let scene = Scene::new().await;
    let now = scene.stage.world.now();
    scene.ada.deliver(Mail::new("Imported").received_at(scene.trigger.created_at.before(MINUTE)));
    scene.ada.deliver(Mail::new("Of the very second").received_at(scene.trigger.created_at));
    scene.ada.deliver(Mail::new("New").received_at(now));
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(3, 2)]);
    assert_eq!(subjects(&scene.stage.fired()), ["Of the very second", "New"]);
}

#[tokio::test]
async fn mail_older_than_the_connect_does_not_fire() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    stage.world.pass(MINUTE);
    let connector = stage.connect("owner", &ada).await;
    // A trigger older than its connector: only a row written by hand can be.
    let trigger = stage.trigger(&connector, json!({})).await;
    let early = Trigger { created_at: connector.connected_at.before(30 * MINUTE), ..trigger };
    let version = stage.connector(&connector.id).version;
    stage.world.store().put_trigger(&early, None, &connector.location(), version).await.unwrap();
    ada.deliver(Mail::new("From before").received_at(connector.connected_at.before(MINUTE)));
    ada.deliver(Mail::new("Since").received_at(connector.connected_at));
    let push = WakeUp::push(ada.address(), ada.history_id(), None, stage.world.now());
    assert_eq!(stage.wake(&push).await.unwrap(), [listed(2, 1)]);
    assert_eq!(subjects(&stage.fired()), ["Since"]);
}

#[tokio::test]
async fn a_message_that_is_deleted_by_now_delays_no_other() {
    let scene = Scene::new().await;
    let gone = scene.ada.deliver(Mail::new("Deleted at once"));
    scene.deliver(&["Still here"]);
    scene.ada.delete(&gone.message);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    assert_eq!(subjects(&scene.stage.fired()), ["Still here"]);
    assert_eq!(scene.cursor(), scene.ada.history_id());
}

#[tokio::test]
async fn two_owners_of_one_mailbox_both_hear_of_it() {
    let scene = Scene::new().await;
    let second = scene.stage.connect("second-owner", &scene.ada).await;
    scene.stage.trigger(&second, json!({})).await;
    scene.deliver(&["For both"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1), listed(1, 1)]);
    let mut owners: Vec<_> =
        scene.stage.fired().iter().map(|firing| detail(firing)["owner_id"].clone()).collect();
    owners.sort_by_key(|owner| owner.to_string());
    assert_eq!(owners, ["owner", "second-owner"]);
}

#[tokio::test]
async fn one_owners_trouble_is_not_the_others() {
    let scene = Scene::new().await;
    let second = scene.stage.connect("second-owner", &scene.ada).await;
    scene.stage.trigger(&second, json!({})).await;
    scene.deliver(&["For both"]);
    scene.stage.world.fail(Call::History, When::Before, 1);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff, listed(1, 1)]);
    assert_eq!(scene.stage.fired().len(), 1);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1), Outcome::Stale]);
    assert_eq!(scene.stage.fired().len(), 2);
}

#[tokio::test]
async fn mailboxes_do_not_share_events() {
    let scene = Scene::new().await;
    let bob = scene.stage.world.account("bob@example.com");
    let connector = scene.stage.connect("bobs-owner", &bob).await;
    scene.stage.trigger(&connector, json!({})).await;
    scene.deliver(&["For Ada"]);
    bob.deliver(Mail::new("For Bob"));
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.wake(&WakeUp { mailbox: bob.address().into(), ..scene.push() }).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["For Ada", "For Bob"]);
    let of = |account: &Account| {
        EventId::derive(&account.sub, &MessageIdentity::new("m1"), &scene.trigger.id)
    };
    assert_ne!(of(&scene.ada), of(&bob), "not even if Gmail gave two messages the same id");
}

#[tokio::test]
async fn a_trigger_made_between_a_workers_read_and_its_commit_fires_too() {
    let scene = Scene::new().await;
    scene.deliver(&["In flight"]);
    let (push, connector) = (scene.push(), scene.connector());
    let gate = scene.stage.world.hold(Call::Commit, When::Before, 1);
    let (outcomes, second) = tokio::join!(scene.stage.wake(&push), async {
        let second = scene.stage.trigger(&connector, json!({})).await;
        gate.open();
        second
    });
    assert_eq!(
        outcomes.unwrap(),
        [listed(1, 2)],
        "the first commit is refused, the second decides for both"
    );
    let fired: Vec<_> =
        scene.stage.fired().into_iter().filter_map(|firing| firing.trigger_id).collect();
    assert!(
        fired.len() == 2 && fired.contains(&second.id) && fired.contains(&scene.trigger.id),
        "{fired:?}"
    );
}
