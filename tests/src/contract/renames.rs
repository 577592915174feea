//! Cases of a mailbox that gets another address: its connectors and their triggers move whole, or not at all.

use std::slice::from_ref;

use email_connectors::domain::connector::{Connector, Location};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::secret::Sealed;
use email_connectors::domain::trigger::{MOST_TRIGGERS, MOST_WEBHOOKS};
use email_connectors::ports::{Due, Store};

use super::cast::{Cast, commit, decide, due, membership, minutes, now, remove, rename};
use super::conflicts;

pub async fn a_renamed_mailbox_is_found_from_every_side(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.full_connector(1)).await;
    let neighbour = cast.stored(store, cast.of_other_owner(2)).await;
    let (here, triggers) =
        (stored.location(), [cast.trigger(&stored, 1), cast.trigger(&stored, 2)]);
    let kept = cast.trigger(&neighbour, 3);
    for (version, trigger) in [1, 2].into_iter().zip(&triggers) {
        store.put_trigger(trigger, None, &here, version).await.unwrap();
    }
    store.put_trigger(&kept, None, &neighbour.location(), 1).await.unwrap();
    store.schedule(&here, 3, None, None).await.unwrap();
    let read = now(store, &here).await;
    rename(store, &read, &triggers, &cast.other_mailbox()).await.unwrap();

    let moved = Connector {
        email_address: cast.other_mailbox(),
        version: 4,
        updated_at: minutes(5),
        ..read
    };
    let (there, found) = (moved.location(), Some(moved.clone()));
    assert_eq!(
        store.connector_at(&there).await.unwrap(),
        found,
        "by its new location, with all that it had"
    );
    assert_eq!(store.connector(&stored.owner_id, &stored.id).await.unwrap(), found, "by its id");
    assert_eq!(
        store.connectors(&stored.owner_id).await.unwrap(),
        from_ref(&moved),
        "in its owner's list, once"
    );
    assert_eq!(store.in_slot(&stored.owner_id, &stored.slot).await.unwrap(), found, "by its slot");
    let mut members = store.mailbox(&there.mailbox).await.unwrap();
    members
        .iter_mut()
        .for_each(|(_, triggers)| triggers.sort_by(|one, other| one.id.cmp(&other.id)));
    assert_eq!(
        members,
        [(moved.clone(), triggers.to_vec())],
        "in its new mailbox, with its triggers"
    );
    assert_eq!(
        store.trigger(&stored.owner_id, &triggers[0].id).await.unwrap().as_ref(),
        Some(&triggers[0]),
        "its trigger, by its id"
    );
    assert_eq!(
        store.triggers(&stored.owner_id).await.unwrap().len(),
        2,
        "its triggers, in its owner's list"
    );
    let exchanged =
        store.exchanged(&stored.owner_id, &cast.exchange(stored.id.as_str())).await.unwrap();
    assert_eq!(exchanged, Some(stored.id.clone()), "by an exchange from before");
    assert_eq!(
        membership(store, &moved).await.members,
        [neighbour.location(), there.clone()],
        "among the members of its account"
    );
    assert_eq!(
        due(store, &there, minutes(5)).await,
        [Due::Connector(there.clone())],
        "it is due at once"
    );

    assert_eq!(store.connector_at(&here).await.unwrap(), None, "nobody is where it was");
    assert_eq!(due(store, &here, minutes(100_000)).await, [], "and nothing is due there");
    let left = Connector { version: 2, ..neighbour };
    assert_eq!(
        store.mailbox(&here.mailbox).await.unwrap(),
        [(left, vec![kept])],
        "its neighbour of the old address stays alone"
    );
    // Writes of a worker that read before the change are refused and recreate no row.
    conflicts(store.record_watch(&stored, &stored.watch).await, "a watch of the old address");
    conflicts(
        store.commit(&commit(&stored, &stored, &cast.events(1..2))).await,
        "a commit of the old address",
    );
    assert_eq!(
        store.mailbox(&here.mailbox).await.unwrap().len(),
        1,
        "late writes leave no fragment in the old mailbox"
    );

    let decided = decide(store, &moved, &cast.events(1..3)).await;
    assert_eq!(
        (decided.version, decided.outbox.unpublished.len()),
        (5, 2),
        "it goes on at its new address"
    );
    store.mark_published(&there, &cast.events(1..3), minutes(6)).await.unwrap();
    remove(store, &now(store, &there).await, &triggers).await.unwrap();
    assert_eq!(
        store.mailbox(&there.mailbox).await.unwrap(),
        [],
        "and it can be removed there whole"
    );
    assert_eq!(store.in_slot(&stored.owner_id, &stored.slot).await.unwrap(), None, "with its slot");
}

/// The rename is a Conflict and changes nothing.
async fn moves_nowhere(store: &impl Store, connector: &Connector, to: &EmailAddress, case: &str) {
    let here = connector.location();
    let (before, sweeps) =
        (store.connector_at(&here).await.unwrap(), due(store, &here, minutes(100_000)).await);
    let members = membership(store, connector).await;
    conflicts(rename(store, connector, &[], to).await, case);
    assert_eq!(
        store.connector_at(&here).await.unwrap(),
        before,
        "{case}: the connector is as it was"
    );
    assert_eq!(
        store.connector(&connector.owner_id, &connector.id).await.unwrap(),
        before,
        "{case}: its owner finds it where it was"
    );
    assert_eq!(due(store, &here, minutes(100_000)).await, sweeps, "{case}: its next sweep stands");
    assert_eq!(membership(store, connector).await, members, "{case}: its account says so still");
    assert_eq!(
        store.mailbox(&to.into()).await.unwrap(),
        [],
        "{case}: nobody is at the new address"
    );
}

pub async fn what_waits_or_has_moved_keeps_its_address(store: &impl Store, cast: &Cast) {
    let (stored, to) = (cast.stored(store, cast.connector(1)).await, cast.other_mailbox());
    let location = stored.location();
    for version in [0, 2] {
        moves_nowhere(
            store,
            &Connector { version, ..stored.clone() },
            &to,
            "a new address at another version",
        )
        .await;
    }
    moves_nowhere(store, &cast.connector(9), &to, "a new address of a connector that is not there")
        .await;
    let waiting = decide(store, &stored, &cast.notices(&stored)).await;
    moves_nowhere(store, &waiting, &to, "a new address while events wait for publication").await;
    store.mark_published(&location, &cast.notices(&stored)[1..], minutes(2)).await.unwrap();
    moves_nowhere(store, &now(store, &location).await, &to, "a new address while one event waits")
        .await;
    store.mark_published(&location, &cast.notices(&stored), minutes(2)).await.unwrap();
    // What is written without raising the version is not lost with the row that was read.
    let read = now(store, &location).await;
    let rotated = Sealed(vec![7; 300]);
    let was = &read.grant.refresh_token;
    store.rotate_refresh_token(&location, read.grant.generation, was, &rotated).await.unwrap();
    moves_nowhere(store, &read, &to, "a new address with a token that was replaced").await;
    let read = now(store, &location).await;
    let watch = read.watch.renewed(minutes(100), minutes(2));
    store.record_watch(&read, &watch).await.unwrap();
    moves_nowhere(store, &read, &to, "a new address with a watch that was replaced").await;
    // Marking events as published raises no version.
    rename(store, &now(store, &location).await, &[], &to)
        .await
        .expect("a new address when nothing waits any more");
    let there = Location { mailbox: to.into(), ..location };
    assert_eq!(now(store, &there).await.version, 3, "one move, one version");
}

/// As many rows as a connector may have, moved at once and removed at once.
pub async fn a_connector_with_forty_triggers_moves_and_goes_whole(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let mut triggers = Vec::new();
    for number in 1..=MOST_TRIGGERS as u32 {
        let (webhook, hook) = cast.webhook(&stored, number);
        let (trigger, hook) = if number <= MOST_WEBHOOKS as u32 {
            (webhook, Some(hook))
        } else {
            (cast.trigger(&stored, number), None)
        };
        store
            .put_trigger(&trigger, hook.as_ref(), &stored.location(), u64::from(number))
            .await
            .unwrap();
        triggers.push(trigger);
    }
    rename(store, &now(store, &stored.location()).await, &triggers, &cast.other_mailbox())
        .await
        .unwrap();
    let [(moved, found)] =
        store.mailbox(&cast.other_mailbox().into()).await.unwrap().try_into().expect("one member");
    assert_eq!((moved.version, found.len()), (42, 40), "as many triggers as a connector may have");
    assert_eq!(store.mailbox(&cast.mailbox().into()).await.unwrap(), [], "and none stays behind");
    assert!(
        store.hook(&triggers[0].id).await.unwrap().is_some(),
        "what fires them from outside is where it was"
    );

    remove(store, &moved, &triggers).await.unwrap();
    assert_eq!(
        store.mailbox(&cast.other_mailbox().into()).await.unwrap(),
        [],
        "it goes with all of them"
    );
    assert_eq!(store.triggers(&stored.owner_id).await.unwrap(), [], "from its owner's list too");
    for trigger in &triggers[..MOST_WEBHOOKS] {
        assert_eq!(
            store.hook(&trigger.id).await.unwrap(),
            None,
            "and nobody outside fires {}",
            trigger.id
        );
    }
}
