//! Cases of an account that several connectors share: who joins, who leaves, and that only one of
//! two who race may.

use email_connectors::domain::connector::{Closing, Connector};
use email_connectors::domain::event::Event;
use email_connectors::domain::id::{AccountId, ConnectorId};
use email_connectors::domain::membership::Membership;
use email_connectors::domain::watch::Watch;
use email_connectors::ports::{Due, Store, StoreError};

use super::cast::{Cast, commit, due, ids, membership, minutes, now, owing};
use super::conflicts;

/// A closing that began at that minute.
fn closing(minute: u64, last: bool) -> Closing {
    Closing { since: minutes(minute), last, watch_stopped: None, grant_revoked: None }
}

pub async fn a_membership_is_written_one_version_on(store: &impl Store, cast: &Cast) {
    let (account, neighbour) =
        (cast.account(), AccountId::new(format!("{}-neighbour", cast.account())));
    assert_eq!(
        store.membership(&account).await.unwrap(),
        Membership::default(),
        "an account that was never written has nobody"
    );
    let (one, other) = (cast.connector(1), cast.of_other_owner(2));
    let first = Membership::default().joined(one.location());
    let full = Membership {
        closing: Some(one.id.clone()),
        revoked_at: Some(minutes(7)),
        ..first.joined(other.location())
    };
    let empty = full.left_by(&other.id).emptied_by(&one.id, minutes(8));
    let empty = Membership { version: 3, ..empty };
    let again = empty.joined(other.location());
    let mut current = Membership::default();
    for (next, case) in [
        (first, "the first member"),
        (full, "all that there may be"),
        (empty, "nobody"),
        (again, "somebody again"),
    ] {
        for version in [0, current.version, current.version + 2, u64::MAX] {
            let refused = Membership { version, ..next.clone() };
            conflicts(
                store.put_membership(&account, &refused).await,
                "a membership that is not the next one",
            );
        }
        assert_eq!(
            store.membership(&account).await.unwrap(),
            current,
            "what is refused changes nothing, before {case}"
        );
        store.put_membership(&account, &next).await.unwrap();
        assert_eq!(store.membership(&account).await.unwrap(), next, "{case} comes back whole");
        current = next;
    }
    assert_eq!(
        store.membership(&neighbour).await.unwrap(),
        Membership::default(),
        "another account is not concerned"
    );
}

pub async fn of_two_memberships_at_once_one_is_written(store: &impl Store, cast: &Cast) {
    let account = cast.account();
    for before in 0..2 {
        let current = store.membership(&account).await.unwrap();
        assert_eq!(current.version, before);
        let (one, other) = (
            current.joined(cast.connector(1).location()),
            current.joined(cast.of_other_owner(2).location()),
        );
        let written = match tokio::join!(
            store.put_membership(&account, &one),
            store.put_membership(&account, &other)
        ) {
            (Ok(()), Err(StoreError::Conflict)) => one,
            (Err(StoreError::Conflict), Ok(())) => other,
            neither => panic!(
                "of two memberships at once one must be written and one must be a Conflict: {neither:?}"
            ),
        };
        assert_eq!(
            store.membership(&account).await.unwrap(),
            written,
            "the one that was not refused"
        );
    }
}

/// A write whose membership is not the account's next version changes nothing.
pub async fn a_stale_membership_changes_nothing(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let (location, joining, notices) =
        (stored.location(), cast.of_other_owner(2), cast.notices(&stored));
    let (members, before, to) =
        (membership(store, &stored).await, now(store, &location).await, cast.other_mailbox());
    for version in [0, 1, 3] {
        let stale = |next: Membership| Membership { version, ..next };
        let exchange = cast.exchange("joining");
        let joined = stale(members.joined(joining.location()));
        conflicts(
            store.create_connector(&joining, &[], &joined, &exchange, &notices).await,
            "a connect at another version of its account",
        );
        assert_eq!(
            store.connector(&joining.owner_id, &joining.id).await.unwrap(),
            None,
            "nobody has joined"
        );
        assert_eq!(
            store.exchanged(&joining.owner_id, &exchange).await.unwrap(),
            None,
            "nor is the exchange remembered"
        );
        conflicts(
            store
                .rename(&stored, &[], &stale(members.joined(location.clone())), &to, minutes(5))
                .await,
            "a move of that kind",
        );
        assert_eq!(store.mailbox(&(&to).into()).await.unwrap(), [], "nobody has moved");
        let closed = stale(members.closed_by(&stored.id));
        conflicts(
            store.begin_closing(&stored, &closing(5, true), &closed, &notices).await,
            "an end of that kind",
        );
        conflicts(
            store.remove_connector(&stored, &[], &stale(members.left_by(&stored.id))).await,
            "a removal of that kind",
        );
        assert_eq!(now(store, &location).await, before, "the connector is as it was");
        assert_eq!(membership(store, &stored).await, members, "and so is its account");
        assert_eq!(store.decided(&ids(&notices)).await.unwrap(), [], "nothing was decided");
    }
}

pub async fn of_a_connect_and_a_last_disconnect_one_comes_first(store: &impl Store, cast: &Cast) {
    for number in 1..=3 {
        let account = AccountId::new(format!("{}-{number}", cast.account()));
        let of_account = |connector: Connector| Connector {
            account: account.clone(),
            slot: cast.own_slot(number),
            ..connector
        };
        let (stored, joining) =
            (of_account(cast.connector(number)), of_account(cast.of_other_owner(10 + number)));
        let stored = cast.stored(store, stored).await;
        let (members, exchange) =
            (membership(store, &stored).await, cast.exchange(joining.id.as_str()));
        let (joined, closed) = (members.joined(joining.location()), members.closed_by(&stored.id));
        let ending = closing(5, true);
        let raced = tokio::join!(
            store.create_connector(&joining, &[], &joined, &exchange, &[]),
            store.begin_closing(&stored, &ending, &closed, &[])
        );
        let (expected, ends) = match raced {
            (Ok(()), Err(StoreError::Conflict)) => (joined, false),
            (Err(StoreError::Conflict), Ok(())) => (closed, true),
            neither => panic!("one must come first, and the other must be a Conflict: {neither:?}"),
        };
        assert_eq!(membership(store, &stored).await, expected, "the account is what came first");
        assert_eq!(
            now(store, &stored.location()).await.closing.is_some(),
            ends,
            "the end was begun, or it was not"
        );
        assert_eq!(
            store.connector_at(&joining.location()).await.unwrap().is_some(),
            !ends,
            "and somebody joined, or did not"
        );
    }
}

pub async fn an_end_is_begun_at_its_version_and_recorded_without_one(
    store: &impl Store,
    cast: &Cast,
) {
    let bare = Connector { closing: None, ..cast.full_connector(1) };
    let stored = cast.stored(store, bare).await;
    let (location, notices) = (stored.location(), cast.notices(&stored));
    let members = membership(store, &stored).await;
    conflicts(
        store.record_closing(&location, &closing(5, true)).await,
        "a step of an end that was not begun",
    );
    let (begun, closed) = (closing(5, true), members.closed_by(&stored.id));
    for version in [0, 2] {
        let moved = Connector { version, ..stored.clone() };
        conflicts(
            store.begin_closing(&moved, &begun, &closed, &notices).await,
            "an end at another version",
        );
    }
    let nobody = Connector {
        account: AccountId::new(format!("{}-nobody", cast.account())),
        ..cast.connector(9)
    };
    let without = Membership::default().closed_by(&nobody.id);
    conflicts(
        store.begin_closing(&nobody, &begun, &without, &notices).await,
        "an end of a connector that is not there",
    );
    conflicts(
        store.record_closing(&nobody.location(), &begun).await,
        "a step of the end of a connector that is not there",
    );
    assert_eq!(
        store.connector_at(&nobody.location()).await.unwrap(),
        None,
        "and no connector comes of it"
    );
    assert_eq!(membership(store, &nobody).await, Membership::default(), "nor an account");
    assert_eq!(now(store, &location).await, stored, "what is refused changes nothing");
    assert_eq!(membership(store, &stored).await, members, "not of its account either");
    assert_eq!(store.decided(&ids(&notices)).await.unwrap(), [], "and decides nothing");
    store.schedule(&location, 1, None, None).await.unwrap();

    store.begin_closing(&stored, &begun, &closed, &notices).await.unwrap();
    let expected = Connector {
        closing: Some(begun.clone()),
        version: 2,
        updated_at: minutes(5),
        ..owing(stored.clone(), &notices)
    };
    assert_eq!(
        now(store, &location).await,
        expected,
        "its end is begun, and nothing else is changed"
    );
    assert_eq!(membership(store, &stored).await, closed, "its account closes with it");
    assert_eq!(
        store.unpublished(&ids(&notices)).await.unwrap().len(),
        notices.len(),
        "its events wait for publication"
    );
    conflicts(
        store.record_watch(&stored, &Watch::default().renewed(minutes(100), minutes(5))).await,
        "a watch that nobody would end",
    );
    let due = async |minute| {
        due(store, &location, minutes(minute)).await.contains(&Due::Connector(location.clone()))
    };
    assert!(!due(5).await && due(6).await, "it is due a minute later");
    conflicts(
        store.begin_closing(&stored, &begun, &closed.left_by(&stored.id), &[]).await,
        "the same beginning again",
    );

    let steps = [
        ((Some(true), None), (Some(true), None)),
        ((Some(true), Some(false)), (Some(true), Some(false))),
        ((Some(false), Some(true)), (Some(false), Some(true))),
        // Two workers at once: neither undoes what the other has done.
        ((Some(true), None), (Some(true), Some(true))),
        ((None, Some(false)), (Some(true), Some(false))),
    ];
    for (step, recorded) in steps {
        let closing = |(watch_stopped, grant_revoked)| Closing {
            watch_stopped,
            grant_revoked,
            ..begun.clone()
        };
        store.record_closing(&location, &closing(step)).await.unwrap();
        let expected = Connector { closing: Some(closing(recorded)), ..expected.clone() };
        assert_eq!(
            now(store, &location).await,
            expected,
            "a step is recorded, and raises no version"
        );
        assert!(!due(5).await && due(6).await, "nor moves what is due");
    }
    let read = now(store, &location).await;
    let mut committed = read.clone();
    committed.reading.last_error = Some("other".into());
    store.commit(&commit(&read, &committed, &[])).await.unwrap();
    assert_eq!(now(store, &location).await.closing, read.closing, "no commit takes an end back");
}

pub async fn an_account_that_was_left_may_be_joined_again(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let closed = membership(store, &stored).await.closed_by(&stored.id);
    store.begin_closing(&stored, &closing(5, true), &closed, &[]).await.unwrap();
    let emptied = closed.emptied_by(&stored.id, minutes(6));
    store.remove_connector(&now(store, &stored.location()).await, &[], &emptied).await.unwrap();
    let left = membership(store, &stored).await;
    assert_eq!(
        (&left.members, &left.closing, left.revoked_at),
        (&vec![], &None::<ConnectorId>, Some(minutes(6))),
        "nobody is left"
    );
    assert_eq!(left, emptied, "which is remembered, with its version");
    let again = cast.stored(store, cast.connector(2)).await;
    assert_eq!(
        membership(store, &stored).await,
        left.joined(again.location()),
        "and the next one joins after it"
    );
}

pub async fn what_is_announced_changes_nothing_about_its_connector(
    store: &impl Store,
    cast: &Cast,
) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let (location, events) = (stored.location(), cast.events(1..4));
    store.announce(&location, &events[..2]).await.unwrap();
    let expected = |waiting: &[Event]| owing(stored.clone(), waiting);
    assert_eq!(
        now(store, &location).await,
        expected(&events[..2]),
        "its events wait, and it is as it was, with its version"
    );
    for (again, case) in [
        (&events[..1], "an event that was announced before"),
        (&events[1..], "one of two that was"),
    ] {
        conflicts(store.announce(&location, again).await, case);
    }
    assert_eq!(
        store.decided(&ids(&events)).await.unwrap().len(),
        2,
        "if one of two events is refused, neither is decided"
    );
    // An announcement raises no version, so the commit at the earlier version succeeds.
    store.commit(&commit(&stored, &stored, &events[2..])).await.unwrap();
    conflicts(
        store.announce(&location, &events[2..]).await,
        "an event that was decided by a commit",
    );
    store.mark_published(&location, &events, minutes(2)).await.unwrap();
    let published = now(store, &location).await;
    assert_eq!(
        published.outbox.unpublished,
        Default::default(),
        "what was announced is marked as all else"
    );
    conflicts(store.announce(&location, &events[..1]).await, "an event that was published before");

    let (late, nobody) = (cast.events(5..6), cast.connector(9).location());
    conflicts(store.announce(&nobody, &late).await, "an event of a connector that is not there");
    assert_eq!(store.connector_at(&nobody).await.unwrap(), None, "and no connector comes of it");
    let closed = membership(store, &stored).await.closed_by(&stored.id);
    store.begin_closing(&published, &closing(5, true), &closed, &[]).await.unwrap();
    conflicts(store.announce(&location, &late).await, "an event of a connector that is closing");
    assert_eq!(store.decided(&ids(&late)).await.unwrap(), [], "and nothing was decided");
    assert_eq!(now(store, &location).await.outbox.unpublished, Default::default(), "nor waits");
}
