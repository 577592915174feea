//! Cases of triggers: each change raises their connector's version.

use std::slice::from_ref;

use email_connectors::domain::connector::Connector;
use email_connectors::domain::mail_domain::MailDomain;
use email_connectors::domain::trigger::{Filters, Trigger, TriggerConfig};
use email_connectors::ports::{Hook, Store};

use super::cast::{Cast, minutes, now};
use super::conflicts;

fn full_filters() -> Filters {
    let list = |text: &str| vec![text.to_string(), "zweite „Zeile“".to_string()];
    Filters {
        query: Some("invoice 2030".into()),
        from_contains: list("from"),
        from_domain: ["shop.example", "bücher.example"]
            .map(|domain| MailDomain::parse(domain).unwrap())
            .into(),
        to_contains: list("to"),
        subject_contains: list("subject"),
        label_include: list("INBOX"),
        label_exclude: list("Label_7"),
        has_attachment: Some(false),
        authenticated: Some(true),
        automatic: Some(false),
    }
}

pub async fn a_trigger_is_put_changed_and_removed(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.full_connector(1)).await;
    let (owner, location) = (&stored.owner_id, stored.location());
    let bare = cast.trigger(&stored, 1);
    let config = TriggerConfig { filters: full_filters(), ..bare.config.clone() };
    let full = Trigger {
        agent_id: Some("agent-7".into()),
        config,
        updated_at: minutes(1),
        ..bare.clone()
    };
    for (version, trigger, case) in [
        (1, &bare, "a new trigger"),
        (2, &full, "a changed trigger"),
        (3, &bare, "a trigger changed back"),
    ] {
        store.put_trigger(trigger, None, &location, version).await.unwrap();
        assert_eq!(
            store.trigger(owner, &trigger.id).await.unwrap(),
            Some(trigger.clone()),
            "{case}, by its id"
        );
        assert_eq!(
            store.triggers(owner).await.unwrap(),
            from_ref(trigger),
            "{case}, in its owner's list"
        );
        let [(connector, triggers)] =
            store.mailbox(&stored.mailbox()).await.unwrap().try_into().expect("one member");
        assert_eq!(triggers, from_ref(trigger), "{case}, in its mailbox");
        assert_eq!(connector.version, version + 1, "{case} raises the version by one");
        let unmoved =
            Connector { version: stored.version, updated_at: stored.updated_at, ..connector };
        assert_eq!(unmoved, stored, "{case} leaves the rest of its connector alone");
    }
    store.remove_trigger(&bare, &location, 4).await.unwrap();
    assert_eq!(
        store.trigger(owner, &bare.id).await.unwrap(),
        None,
        "a removed trigger is not found by its id"
    );
    assert_eq!(
        store.triggers(owner).await.unwrap(),
        [],
        "a removed trigger is not in its owner's list"
    );
    let [(connector, triggers)] =
        store.mailbox(&stored.mailbox()).await.unwrap().try_into().expect("one member");
    assert_eq!(
        (connector.version, triggers),
        (5, vec![]),
        "a removal raises the version, and the mailbox has the trigger no more"
    );
}

pub async fn a_hook_lives_and_ends_with_its_trigger(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let (location, (trigger, hook), (other, of_other)) =
        (stored.location(), cast.webhook(&stored, 1), cast.webhook(&stored, 2));
    assert_eq!(
        store.hook(&trigger.id).await.unwrap(),
        None,
        "nobody fires a trigger that is not there"
    );
    conflicts(
        store.put_trigger(&trigger, Some(&hook), &location, 2).await,
        "a trigger at another version",
    );
    assert_eq!(store.hook(&trigger.id).await.unwrap(), None, "nor one that was refused");

    store.put_trigger(&trigger, Some(&hook), &location, 1).await.unwrap();
    store.put_trigger(&other, Some(&of_other), &location, 2).await.unwrap();
    assert_eq!(
        store.trigger(&stored.owner_id, &trigger.id).await.unwrap().as_ref(),
        Some(&trigger),
        "the trigger is there"
    );
    assert_eq!(
        store.hook(&trigger.id).await.unwrap().as_ref(),
        Some(&hook),
        "with its own hook, byte by byte"
    );
    store
        .put_trigger(&Trigger { updated_at: minutes(1), ..trigger.clone() }, None, &location, 3)
        .await
        .unwrap();
    assert_eq!(
        store.hook(&trigger.id).await.unwrap().as_ref(),
        Some(&hook),
        "a change without a hook leaves it alone"
    );
    store.put_trigger(&trigger, Some(&of_other), &location, 4).await.unwrap();
    assert_eq!(
        store.hook(&trigger.id).await.unwrap().as_ref(),
        Some(&of_other),
        "one with a hook overwrites it"
    );
    let rotated = Hook { previous: Some((of_other.secret.clone(), minutes(1))), ..hook.clone() };
    store.put_trigger(&trigger, Some(&rotated), &location, 5).await.unwrap();
    assert_eq!(
        store.hook(&trigger.id).await.unwrap().as_ref(),
        Some(&rotated),
        "with the secret before and its end"
    );

    conflicts(store.remove_trigger(&trigger, &location, 5).await, "a removal at another version");
    assert_eq!(
        store.hook(&trigger.id).await.unwrap().as_ref(),
        Some(&rotated),
        "a refused removal leaves it"
    );
    store.remove_trigger(&trigger, &location, 6).await.unwrap();
    assert_eq!(store.hook(&trigger.id).await.unwrap(), None, "it ends with its trigger");
    assert_eq!(store.hook(&other.id).await.unwrap(), Some(of_other), "and no other one with it");
}

pub async fn a_stale_version_changes_no_trigger(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let (owner, location, trigger) =
        (&stored.owner_id, stored.location(), cast.trigger(&stored, 1));
    store.put_trigger(&trigger, None, &location, 1).await.unwrap();
    let changed = Trigger { agent_id: Some("agent-7".into()), ..trigger.clone() };
    for version in [0, 1, 3] {
        conflicts(
            store.put_trigger(&changed, None, &location, version).await,
            "a change at another version",
        );
        conflicts(
            store.put_trigger(&cast.trigger(&stored, 2), None, &location, version).await,
            "a new trigger at another version",
        );
        conflicts(
            store.remove_trigger(&trigger, &location, version).await,
            "a removal at another version",
        );
    }
    assert_eq!(
        store.triggers(owner).await.unwrap(),
        from_ref(&trigger),
        "refused changes leave the owner's list alone"
    );
    assert_eq!(now(store, &location).await.version, 2, "refused changes raise no version");
    let nobody = cast.connector(9);
    conflicts(
        store.put_trigger(&cast.trigger(&nobody, 3), None, &nobody.location(), 1).await,
        "a trigger of a connector that is not there",
    );
    assert_eq!(
        store.mailbox(&stored.mailbox()).await.unwrap().len(),
        1,
        "and no connector comes of it"
    );
}

pub async fn connectors_of_one_mailbox_keep_their_own_triggers(store: &impl Store, cast: &Cast) {
    // One id begins with the other.
    let (one, twelve) = (
        cast.stored(store, cast.connector(1)).await,
        cast.stored(store, cast.of_other_owner(12)).await,
    );
    let (of_one, of_twelve) =
        (cast.trigger(&one, 1), [cast.trigger(&twelve, 2), cast.trigger(&twelve, 3)]);
    store.put_trigger(&of_one, None, &one.location(), 1).await.unwrap();
    for (version, trigger) in [1, 2].into_iter().zip(&of_twelve) {
        store.put_trigger(trigger, None, &twelve.location(), version).await.unwrap();
    }
    let mut members = store.mailbox(&cast.mailbox().into()).await.unwrap();
    members.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    members
        .iter_mut()
        .for_each(|(_, triggers)| triggers.sort_by(|one, other| one.id.cmp(&other.id)));
    let expected = [
        (Connector { version: 2, ..one.clone() }, vec![of_one.clone()]),
        (Connector { version: 3, ..twelve }, of_twelve.to_vec()),
    ];
    assert_eq!(members, expected, "each member of the mailbox comes with its own triggers");
    assert_eq!(
        store.triggers(&one.owner_id).await.unwrap(),
        [of_one],
        "an owner's list holds their own triggers only"
    );
}
