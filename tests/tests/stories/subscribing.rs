//! A trigger is created, changed or deleted.

use std::slice::from_ref;

use email_connectors::domain::id::{ConnectorId, TriggerId};
use email_connectors::domain::trigger::{MOST_TRIGGERS, Trigger, TriggerChange};
use email_connectors::flows::subscribe::{self, SubscribeError};
use email_connectors::ports::{Store, StoreError};
use serde_json::{Value, json};
use tests::world::{Call, Failure, When};

use tests::stage::{MINUTE, Scene, Stage, listed, owner, subjects};

async fn create(
    stage: &Stage,
    of: &str,
    connector: &ConnectorId,
) -> Result<Trigger, SubscribeError> {
    let body = json!({"type": "email", "config": {"connector_id": connector}});
    stage.subscribe(&owner(of), body).await.map(|(trigger, _)| trigger)
}

async fn change(
    stage: &Stage,
    of: &str,
    id: &TriggerId,
    body: Value,
) -> Result<Trigger, SubscribeError> {
    let change = TriggerChange::parse(body).unwrap();
    subscribe::change(&stage.world.store(), &owner(of), id, change, stage.world.now()).await
}

async fn remove(stage: &Stage, of: &str, id: &TriggerId) -> Result<(), SubscribeError> {
    subscribe::remove(&stage.world.store(), &owner(of), id).await
}

#[tokio::test]
async fn each_change_of_a_trigger_raises_its_connectors_version() {
    let scene = Scene::new().await;
    let version = || scene.connector().version;
    let first = version();
    let trigger = create(&scene.stage, "owner", &scene.id).await.unwrap();
    assert_eq!(version(), first + 1, "created");
    scene.stage.world.pass(MINUTE);
    let changed = change(
        &scene.stage,
        "owner",
        &trigger.id,
        json!({"config": {"filters": {"query": "invoice"}}}),
    )
    .await
    .unwrap();
    assert_eq!(version(), first + 2, "changed");
    assert_eq!(
        (changed.created_at, changed.updated_at),
        (trigger.created_at, scene.stage.world.now())
    );
    assert_eq!(
        scene.stage.world.store().trigger(&owner("owner"), &trigger.id).await.unwrap(),
        Some(changed)
    );
    remove(&scene.stage, "owner", &trigger.id).await.unwrap();
    assert_eq!(version(), first + 3, "taken away");
    assert_eq!(scene.triggers().await, from_ref(&scene.trigger));
}

#[tokio::test]
async fn a_changed_filter_applies_from_the_next_wake_up_on() {
    let scene = Scene::new().await;
    change(
        &scene.stage,
        "owner",
        &scene.trigger.id,
        json!({"config": {"filters": {"subject_contains": ["invoice"]}}}),
    )
    .await
    .unwrap();
    scene.deliver(&["Lunch?", "Invoice"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(2, 1)]);
    assert_eq!(subjects(&scene.stage.fired()), ["Invoice"]);
}

#[tokio::test]
async fn a_trigger_taken_away_before_the_decision_owes_nothing() {
    let scene = Scene::new().await;
    scene.deliver(&["In flight"]);
    let (push, gate) = (scene.push(), scene.stage.world.hold(Call::Commit, When::Before, 1));
    let (outcomes, _) = tokio::join!(scene.stage.wake(&push), async {
        remove(&scene.stage, "owner", &scene.trigger.id).await.unwrap();
        gate.open();
    });
    assert_eq!(outcomes.unwrap(), [listed(0, 0)]);
    assert!(scene.stage.fired().is_empty());
}

#[tokio::test]
async fn nobody_touches_another_owners_connectors_and_triggers() {
    let scene = Scene::new().await;
    let before = (scene.connector(), scene.triggers().await);
    let (stage, id) = (&scene.stage, &scene.trigger.id);
    assert!(matches!(
        create(stage, "thief", &scene.id).await,
        Err(SubscribeError::NoSuchConnector)
    ));
    assert!(matches!(
        change(stage, "thief", id, json!({"agent_id": "mine"})).await,
        Err(SubscribeError::NoSuchTrigger)
    ));
    assert!(matches!(remove(stage, "thief", id).await, Err(SubscribeError::NoSuchTrigger)));
    assert_eq!((scene.connector(), scene.triggers().await), before);
}

#[tokio::test]
async fn an_unknown_id_is_not_found() {
    let scene = Scene::new().await;
    let (stage, unknown) = (&scene.stage, TriggerId::new("trg_unknown"));
    assert!(matches!(
        create(stage, "owner", &ConnectorId::new("con_unknown")).await,
        Err(SubscribeError::NoSuchConnector)
    ));
    assert!(matches!(
        change(stage, "owner", &unknown, json!({})).await,
        Err(SubscribeError::NoSuchTrigger)
    ));
    assert!(matches!(remove(stage, "owner", &unknown).await, Err(SubscribeError::NoSuchTrigger)));
}

#[tokio::test]
async fn a_connector_has_a_limit_of_triggers() {
    let scene = Scene::new().await;
    for _ in 2..=MOST_TRIGGERS {
        create(&scene.stage, "owner", &scene.id).await.unwrap();
    }
    assert!(matches!(create(&scene.stage, "owner", &scene.id).await, Err(SubscribeError::TooMany)));
    assert_eq!(scene.triggers().await.len(), MOST_TRIGGERS);
    remove(&scene.stage, "owner", &scene.trigger.id).await.unwrap();
    create(&scene.stage, "owner", &scene.id).await.expect("there is room again");
}

/// Another change is stored while the first one waits at the gate.
#[tokio::test]
async fn of_two_changes_at_once_neither_undoes_the_other() {
    // Before its write, and between its reads of the trigger and of the version.
    for (call, when) in [(Call::PutTrigger, When::Before), (Call::Trigger, When::After)] {
        let scene = Scene::new().await;
        let gate = scene.stage.world.hold(call, when, 1);
        let (first, second) = tokio::join!(
            change(&scene.stage, "owner", &scene.trigger.id, json!({"agent_id": null})),
            async {
                let changed = change(
                    &scene.stage,
                    "owner",
                    &scene.trigger.id,
                    json!({"config": {"filters": {"query": "invoice"}}}),
                )
                .await;
                gate.open();
                changed
            }
        );
        second.unwrap();
        let trigger = first.unwrap();
        assert_eq!(
            (trigger.agent_id, trigger.config.filters.query.as_deref()),
            (None, Some("invoice")),
            "gate at {call} {when:?}"
        );
    }
}

#[tokio::test]
async fn a_trigger_that_was_taken_away_is_not_brought_back_by_a_change() {
    let scene = Scene::new().await;
    let gate = scene.stage.world.hold(Call::PutTrigger, When::Before, 1);
    let (changed, _) = tokio::join!(
        change(&scene.stage, "owner", &scene.trigger.id, json!({"agent_id": null})),
        async {
            remove(&scene.stage, "owner", &scene.trigger.id).await.unwrap();
            gate.open();
        }
    );
    assert!(matches!(changed, Err(SubscribeError::NoSuchTrigger)), "{changed:?}");
    assert_eq!(scene.triggers().await, []);
}

#[tokio::test]
async fn a_change_that_never_comes_first_gives_up() {
    let scene = Scene::new().await;
    for nth in 1..=5 {
        scene.stage.world.fail_with(Call::RemoveTrigger, When::Before, nth, Failure::Conflict);
    }
    let refused = remove(&scene.stage, "owner", &scene.trigger.id).await;
    assert!(matches!(refused, Err(SubscribeError::Store(StoreError::Conflict))), "{refused:?}");
    assert_eq!(scene.triggers().await, from_ref(&scene.trigger));
}

#[tokio::test]
async fn two_triggers_made_at_once_do_not_pass_the_bound_together() {
    let scene = Scene::new().await;
    for _ in 2..MOST_TRIGGERS {
        create(&scene.stage, "owner", &scene.id).await.unwrap();
    }
    let gate = scene.stage.world.hold(Call::Connector, When::Before, 1);
    let (delayed, other) = tokio::join!(create(&scene.stage, "owner", &scene.id), async {
        let made = create(&scene.stage, "owner", &scene.id).await;
        gate.open();
        made
    });
    assert!(other.is_ok());
    assert!(matches!(delayed, Err(SubscribeError::TooMany)), "{delayed:?}");
    assert_eq!(scene.triggers().await.len(), MOST_TRIGGERS);
}

#[tokio::test]
async fn a_webhook_trigger_is_changed_but_never_filters_mail() {
    let scene = Scene::new().await;
    let body = json!({"type": "webhook", "config": {"connector_id": scene.id}});
    let (trigger, _) = scene.stage.subscribe(&owner("owner"), body).await.unwrap();
    let refused = change(
        &scene.stage,
        "owner",
        &trigger.id,
        json!({"config": {"filters": {"query": "invoice"}}}),
    )
    .await;
    assert!(
        matches!(&refused, Err(SubscribeError::Invalid(why)) if why.field == "config.filters"),
        "{refused:?}"
    );
    assert_eq!(
        scene.stage.world.store().trigger(&owner("owner"), &trigger.id).await.unwrap().as_ref(),
        Some(&trigger),
        "it is as it was"
    );
    let body = json!({"agent_id": "other", "config": {"filters": {}}});
    let changed = change(&scene.stage, "owner", &trigger.id, body).await.unwrap();
    assert_eq!(changed.agent_id.as_deref(), Some("other"));
}
