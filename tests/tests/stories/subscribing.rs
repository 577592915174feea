//! A trigger is created, changed or deleted.

use std::slice::from_ref;

use axum::http::Method;
use email_connectors::domain::id::{ConnectorId, TriggerId};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::labels::MissingLabel;
use email_connectors::domain::trigger::{
    Filter, MOST_TRIGGERS, NewTrigger, Trigger, TriggerChange,
};
use email_connectors::flows::access::{Access, Refreshes};
use email_connectors::flows::subscribe::{self, SubscribeError};
use email_connectors::ports::{Store, StoreError};
use serde_json::{Value, json};
use tests::world::{Call, Failure, When, World};

use super::api::call_api;
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

/// What the API does before it makes a trigger of these filters, and before it changes one.
async fn looked_up(scene: &Scene, filters: &Value) -> [Result<Vec<String>, SubscribeError>; 2] {
    let body = json!({"type": "email", "config": {"connector_id": scene.id, "filters": filters}});
    let (new, of) = (NewTrigger::parse(body).unwrap(), owner("owner"));
    let change = json!({"config": {"filters": filters}});
    let change = TriggerChange::parse(change).unwrap();
    with_access(scene, async |access, now| {
        let made = access.with_label_ids(&of, new, now).await;
        let changed = access.change_with_label_ids(&of, &scene.trigger.id, change, now).await;
        [
            made.map(|new| new.config.filters.label_include),
            changed.map(|change| change.filters().unwrap().label_include.clone()),
        ]
    })
    .await
}

async fn with_access<T>(
    scene: &Scene,
    act: impl AsyncFnOnce(Access<'_, World>, Timestamp) -> T,
) -> T {
    let world = &scene.stage.world;
    let (store, vault, provider) = (world.store(), world.vault(), world.gmail());
    let refreshes = Refreshes::default();
    let access =
        Access { store: &store, vault: &vault, provider: &provider, refreshes: &refreshes };
    act(access, world.now()).await
}

#[tokio::test]
async fn a_label_is_looked_up_by_its_name_and_kept_by_its_id() {
    let scene = Scene::new().await;
    for (named, id) in [("Receipts", "Label_7"), ("receipts", "Label_7"), ("Label_7", "Label_7")] {
        for found in looked_up(&scene, &json!({"label_include": [named, "inbox"]})).await {
            assert_eq!(found.unwrap(), [id, "INBOX"], "{named}");
        }
    }
    scene.ada.name_label("Label_7", "Bills");
    for refused in looked_up(&scene, &json!({"label_include": ["Receipts"]})).await {
        let Err(SubscribeError::Invalid(why)) = refused else { panic!("{refused:?}") };
        assert_eq!(why.field, "config.filters.label_include[0]");
        assert!(why.problem.contains("/labels"), "{}", why.problem);
    }
}

#[tokio::test]
async fn labels_that_every_mailbox_has_are_known_without_gmail() {
    let scene = Scene::new().await;
    scene.stage.forget_calls();
    for found in looked_up(&scene, &json!({"label_include": ["unread"]})).await {
        assert_eq!(found.unwrap(), ["UNREAD"]);
    }
    assert!(scene.stage.calls_of(&["gmail.perform"]).is_empty());
}

#[tokio::test]
async fn while_the_mailbox_cannot_be_read_ids_are_taken_and_names_are_not() {
    let scene = Scene::new().await;
    for nth in 1..=4 {
        scene.stage.world.fail_with(Call::Perform, When::Before, nth, Failure::Unavailable);
    }
    for found in looked_up(&scene, &json!({"label_include": ["Label_77"]})).await {
        assert_eq!(found.unwrap(), ["Label_77"]);
    }
    for refused in looked_up(&scene, &json!({"label_include": ["Receipts"]})).await {
        assert!(matches!(refused, Err(SubscribeError::LabelsUnread(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_label_that_is_deleted_later_is_missed() {
    let scene = Scene::new().await;
    let filters = json!({"label_include": ["Label_7"], "label_exclude": ["SPAM"]});
    let trigger = scene.stage.trigger(&scene.connector(), filters).await;
    let missed = async || {
        let (connector, triggers) = (scene.connector(), scene.triggers().await);
        with_access(&scene, async |access, now| {
            access.missing_labels(&connector, &triggers, now).await
        })
        .await
    };
    scene.ada.name_label("Label_7", "Bills");
    assert_eq!(missed().await, [], "another name is no other label");
    scene.ada.delete_label("Label_7");
    let expected =
        MissingLabel { trigger: trigger.id, filter: Filter::LabelInclude, label: "Label_7".into() };
    assert_eq!(missed().await, [expected]);
    scene.stage.world.fail_with(Call::Perform, When::Before, 1, Failure::Unavailable);
    assert_eq!(missed().await, [], "nothing is said of what cannot be read");
}

#[tokio::test]
async fn the_api_stores_ids_of_labels_and_shows_those_that_are_gone() {
    let scene = Scene::new().await;
    let call =
        async |method, path: &str, body| call_api(&scene.stage, "owner", method, path, body).await;
    let body = |label: &str| {
        let filters = json!({"label_include": [label], "automatic": false});
        Some(json!({"type": "email", "config": {"connector_id": scene.id, "filters": filters}}))
    };
    let made = call(Method::POST, "/api/triggers", body("receipts")).await.expect(201);
    let stored = json!({"label_include": ["Label_7"], "automatic": false});
    assert_eq!(made["config"]["filters"], stored);
    let path = format!("/api/triggers/{}", made["id"].as_str().unwrap());

    let refused = call(Method::POST, "/api/triggers", body("Recipts")).await;
    let problem = (400, "invalid_trigger".into(), "config.filters.label_include[0]".into());
    assert_eq!(refused.problem(), problem);
    assert!(refused.body["detail"].as_str().unwrap().contains("`Receipts` (Label_7)"));
    let change = json!({"config": {"filters": {"label_include": ["Recipts"]}}});
    let refused = call(Method::PATCH, &path, Some(change)).await;
    assert_eq!(refused.problem(), problem);
    let search = json!({"config": {"filters": {"query": "from:ada"}}});
    let refused = call(Method::PATCH, &path, Some(search)).await;
    let problem = (400, "invalid_trigger".into(), "config.filters.query".into());
    assert_eq!(refused.problem(), problem);
    assert_eq!(call(Method::GET, &path, None).await.expect(200)["config"]["filters"], stored);

    let health = format!("/api/connectors/{}/health", scene.id);
    let codes = |health: Value| {
        let findings = health["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().map(|finding| finding["code"].clone()).collect::<Vec<_>>()
    };
    let before = codes(call(Method::GET, &health, None).await.expect(200));
    assert!(!before.contains(&json!("labels_missing")), "{before:?}");
    scene.ada.delete_label("Label_7");
    let after = codes(call(Method::GET, &health, None).await.expect(200));
    assert!(after.contains(&json!("labels_missing")), "{after:?}");
}
