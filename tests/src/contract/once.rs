//! Cases of what works once: a pending consent is taken once, and an id is noted as seen once.

use std::time::Duration;

use email_connectors::domain::id::{OwnerId, fingerprint};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{CONSENT_LIFE, PendingConsent, Store, StoreError};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::cast::{Cast, START, minutes};
use super::conflicts;

fn consent(state: Uuid, code_verifier: &str) -> PendingConsent {
    PendingConsent {
        state,
        code_verifier: code_verifier.into(),
        asked_at: START.after(Duration::from_millis(123)),
    }
}

async fn take(
    store: &impl Store,
    owner: &OwnerId,
    state: Uuid,
    now: Timestamp,
) -> Option<(Uuid, String, Timestamp)> {
    let taken = store.take_consent(owner, state, now).await.expect("the store answers");
    taken.map(|consent| {
        (consent.state, consent.code_verifier.expose_secret().to_string(), consent.asked_at)
    })
}

pub async fn a_consent_is_its_owners_and_taken_once(store: &impl Store, cast: &Cast) {
    let (owner, stranger) = (cast.owner(), cast.other_owner());
    let [one, other, never] =
        ["one", "other", "never"].map(|state| fingerprint(&[owner.as_str(), state]));
    store.keep_consent(&owner, &consent(one, "verifier-one")).await.unwrap();
    store.keep_consent(&owner, &consent(other, "verifier-other")).await.unwrap();
    assert_eq!(
        take(store, &owner, never, minutes(1)).await,
        None,
        "a consent that was never stored"
    );
    assert_eq!(
        take(store, &stranger, one, minutes(1)).await,
        None,
        "another owner's consent is not there"
    );
    let asked_at = START.after(Duration::from_millis(123));
    assert_eq!(
        take(store, &owner, one, minutes(1)).await,
        Some((one, "verifier-one".into(), asked_at)),
        "which does not take it away"
    );
    assert_eq!(take(store, &owner, one, minutes(1)).await, None, "it is taken once");
    assert_eq!(
        take(store, &owner, other, minutes(1)).await,
        Some((other, "verifier-other".into(), asked_at)),
        "and no other one with it"
    );
}

pub async fn a_consent_ends_after_ten_minutes(store: &impl Store, cast: &Cast) {
    let asked_at = START.after(Duration::from_millis(123));
    let last = asked_at.after(CONSENT_LIFE).before(Duration::from_millis(1));
    for (number, (now, good)) in [
        (asked_at, true),
        (last, true),
        (asked_at.after(CONSENT_LIFE), false),
        (minutes(60), false),
    ]
    .iter()
    .enumerate()
    {
        let state = fingerprint(&[cast.owner().as_str(), &number.to_string()]);
        store.keep_consent(&cast.owner(), &consent(state, "verifier")).await.unwrap();
        assert_eq!(take(store, &cast.owner(), state, *now).await.is_some(), *good, "at {now}");
        assert_eq!(
            take(store, &cast.owner(), state, asked_at).await,
            None,
            "an expired consent is removed by the attempt"
        );
    }
}

pub async fn of_two_that_take_a_consent_one_gets_it(store: &impl Store, cast: &Cast) {
    for number in 0..5 {
        let (owner, state) =
            (cast.owner(), fingerprint(&[cast.owner().as_str(), &number.to_string()]));
        store.keep_consent(&owner, &consent(state, "verifier")).await.unwrap();
        let (one, other) = tokio::join!(
            take(store, &owner, state, minutes(1)),
            take(store, &owner, state, minutes(1))
        );
        assert!(one.is_some() != other.is_some(), "one gets it: {one:?}, {other:?}");
    }
}

pub async fn what_was_seen_is_seen_once(store: &impl Store, cast: &Cast) {
    let what = |number: u32| format!("{}#jti-{number}", cast.owner());
    store.note_seen(&what(1), minutes(100_000)).await.unwrap();
    conflicts(store.note_seen(&what(1), minutes(100_000)).await, "what was seen before");
    conflicts(
        store.note_seen(&what(1), minutes(200_000)).await,
        "what was seen before, to be known for longer",
    );
    store.note_seen(&what(2), minutes(100_000)).await.expect("what was not seen yet");
    for number in 3..8 {
        let what = what(number);
        match tokio::join!(store.note_seen(&what, minutes(9)), store.note_seen(&what, minutes(9))) {
            (Ok(()), Err(StoreError::Conflict)) | (Err(StoreError::Conflict), Ok(())) => {}
            neither => panic!("of two that see it at once one is the first: {neither:?}"),
        }
    }
}
