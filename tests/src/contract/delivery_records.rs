//! Cases of delivery records: events by connector and by trigger, newest first, page by page, until
//! they are forgotten.

use std::collections::BTreeSet;

use email_connectors::domain::event::Event;
use email_connectors::domain::id::{ConnectorId, EventId, TriggerId};
use email_connectors::ports::{Delivery, Store};

use super::cast::{Cast, decide, ids, minutes, now, owing};

async fn records(
    store: &impl Store,
    connector: &ConnectorId,
    after: Option<&Event>,
    most: u32,
) -> Vec<Event> {
    let after = after.map(|event| (event.decided_at, event.event_id.clone()));
    store.delivery_records(connector, after, most).await.expect("the store answers")
}

/// All pages, each of at most `most` events.
async fn pages(store: &impl Store, connector: &ConnectorId, most: u32) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    loop {
        let page = records(store, connector, all.last(), most).await;
        assert!(page.len() <= most as usize, "a page of {most} holds {}", page.len());
        match page.is_empty() {
            true => return all,
            false => all.extend(page),
        }
        assert_eq!(
            ids(&all).iter().collect::<BTreeSet<_>>().len(),
            all.len(),
            "pages of {most} repeat an event"
        );
    }
}

/// The events, decided one minute apart.
fn at_their_minutes(events: Vec<Event>) -> Vec<Event> {
    (1..)
        .zip(events)
        .map(|(minute, event)| Event { decided_at: minutes(minute), ..event })
        .collect()
}

pub async fn a_connectors_events_come_newest_first_in_pages(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let neighbour = cast.stored(store, cast.of_other_owner(2)).await;
    assert_eq!(records(store, &stored.id, None, 9).await, [], "a new connector has no records");
    let events = at_their_minutes([cast.events(1..5), cast.notices(&stored)].concat());
    decide(store, &neighbour, &cast.events(5..6)).await;
    let first = decide(store, &stored, &events[..3]).await;
    decide(store, &first, &events[3..8]).await;
    store.announce(&stored.location(), &events[8..]).await.unwrap();
    store.mark_published(&stored.location(), &events[2..5], minutes(30)).await.unwrap();

    let newest_first: Vec<Event> = events.iter().rev().cloned().collect();
    assert_eq!(
        records(store, &stored.id, None, 100).await,
        newest_first,
        "whoever wrote it, published or not, and of no other connector"
    );
    for most in [1, 2, 4, 11] {
        assert_eq!(
            pages(store, &stored.id, most).await,
            newest_first,
            "in pages of {most}, each once"
        );
    }
    assert_eq!(
        records(store, &stored.id, Some(&newest_first[3]), 2).await,
        newest_first[4..6],
        "from after one of them on"
    );
    assert_eq!(
        records(store, &stored.id, newest_first.last(), 2).await,
        [],
        "after the oldest there is none"
    );
    assert_eq!(records(store, &stored.id, None, 0).await, [], "no room, no events");
    assert_eq!(
        records(store, &cast.connector(9).id, None, 9).await,
        [],
        "an unknown connector has no records"
    );
}

pub async fn what_a_trigger_fired_comes_newest_first_in_pages(store: &impl Store, cast: &Cast) {
    let (one, other) = (
        TriggerId::new(format!("{}-one", cast.owner())),
        TriggerId::new(format!("{}-other", cast.owner())),
    );
    let stored = cast.stored(store, cast.connector(1)).await;
    let by = |trigger: &TriggerId, number: u32| {
        let event = cast.event(number);
        Event {
            trigger_id: Some(trigger.clone()),
            decided_at: minutes(u64::from(number / 2)),
            ..event
        }
    };
    let (of_one, of_other): (Vec<Event>, Vec<Event>) =
        ((0..9).map(|number| by(&one, number)).collect(), vec![by(&other, 9)]);
    let read =
        decide(store, &stored, &[&of_one[..], &of_other[..], &cast.notices(&stored)[..]].concat())
            .await;
    store.mark_published(&stored.location(), &of_one[3..5], minutes(30)).await.unwrap();
    let published = ids(&of_one[3..5]);

    for most in [1, 2, 4, 10] {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = store.firings(&one, after, most).await.unwrap();
            assert!(page.len() <= most as usize, "a page of {most} holds {}", page.len());
            after = page.last().map(|last| (last.event.decided_at, last.event.event_id.clone()));
            if after.is_none() {
                break;
            }
            all.extend(page);
        }
        let fired: Vec<Event> = all.iter().map(|delivery| delivery.event.clone()).collect();
        assert_eq!(
            ids(&fired),
            ids(&of_one),
            "in pages of {most}, what it fired, each once, and nothing else"
        );
        assert!(
            fired.is_sorted_by(|newer, older| newer.decided_at >= older.decided_at),
            "in pages of {most}, newest first"
        );
        for Delivery { event, published_at } in &all {
            let expected = published.contains(&event.event_id).then(|| minutes(30));
            assert_eq!(*published_at, expected, "whether it is published");
            assert!(of_one.contains(event), "and it is as it was decided");
        }
    }
    assert_eq!(
        store.firings(&other, None, 9).await.unwrap().len(),
        1,
        "another trigger has a record of its own"
    );
    assert_eq!(
        store.firings(&TriggerId::new("trg_nobody"), None, 9).await.unwrap(),
        [],
        "of a trigger that is not there is none"
    );
    store.forget(&ids(&of_one[..8])).await.unwrap();
    let left = store.firings(&one, None, 9).await.unwrap();
    assert_eq!(
        left.into_iter().map(|delivery| delivery.event).collect::<Vec<_>>(),
        of_one[8..],
        "what is forgotten is gone from it"
    );
    assert_eq!(read.outbox.unpublished.len(), 17, "all of them wait for publication");
}

pub async fn events_of_one_moment_come_once_each(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let all = cast.events(0..150);
    let half = decide(store, &stored, &all[..98]).await;
    decide(store, &half, &all[98..]).await;
    for most in [40, 149, 150, 1000] {
        let records = pages(store, &stored.id, most).await;
        assert_eq!(records.len(), all.len(), "in pages of {most}, each once");
        assert_eq!(ids(&records), ids(&all), "in pages of {most}, all of them");
    }
}

pub async fn what_is_forgotten_was_never_decided(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    let all = cast.events(0..90);
    let read = decide(store, &stored, &all).await;
    store.mark_published(&location, &all, minutes(2)).await.unwrap();
    let before = now(store, &location).await;
    let (gone, kept): (Vec<EventId>, Vec<EventId>) = (ids(&all[..60]), ids(&all[60..]));
    store.forget(&[]).await.expect("to forget nothing is nothing");
    store.forget(&gone).await.unwrap();
    assert_eq!(
        store.decided(&ids(&all)).await.unwrap().len(),
        kept.len(),
        "what is forgotten is not decided"
    );
    assert_eq!(store.unpublished(&gone).await.unwrap(), [], "nor unpublished");
    assert_eq!(ids(&pages(store, &stored.id, 25).await), kept, "nor listed");
    assert_eq!(now(store, &location).await, before, "and its connector is as it was");
    store.forget(&gone).await.expect("what is forgotten may be forgotten again");
    decide(store, &owing(read, &[]), &all[..1]).await;
    assert_eq!(
        records(store, &stored.id, None, 1000).await.len(),
        kept.len() + 1,
        "and decided anew"
    );
}
