//! Cases of requests that were given a key: claimed once, answered again, forgotten after a day.

use email_connectors::domain::id::fingerprint;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{ClaimedKey, KEY_LIFE, PendingConsent, RequestKey, Store};

use super::cast::{Cast, START, minutes};

fn key(cast: &Cast, name: &str, body: &str, at: Timestamp) -> RequestKey {
    let name = fingerprint(&[cast.owner().as_str(), name]);
    RequestKey { name, body: fingerprint(&[body]), at }
}

fn stored_key(key: &RequestKey, answer: Option<&str>) -> Option<ClaimedKey> {
    Some(ClaimedKey { body: key.body, at: key.at, answer: answer.map(String::from) })
}

pub async fn a_key_is_its_owners_and_claimed_once(store: &impl Store, cast: &Cast) {
    let (first, again) = (key(cast, "k", "one", START), key(cast, "k", "two", minutes(1)));
    assert_eq!(store.claim_key(&cast.owner(), &first).await.unwrap(), None, "nobody had it");
    assert_eq!(
        store.claim_key(&cast.owner(), &again).await.unwrap(),
        stored_key(&first, None),
        "the stored key is returned, and stays"
    );
    assert_eq!(store.claim_key(&cast.owner(), &again).await.unwrap(), stored_key(&first, None));
    assert_eq!(
        store.claim_key(&cast.other_owner(), &again).await.unwrap(),
        None,
        "another owner's keys are their own"
    );
    store.keep_answer(&cast.owner(), &first, r#"{"id":"1"}"#).await.unwrap();
    assert_eq!(
        store.claim_key(&cast.owner(), &again).await.unwrap(),
        stored_key(&first, Some(r#"{"id":"1"}"#))
    );
    assert_eq!(
        store.claim_key(&cast.other_owner(), &first).await.unwrap(),
        stored_key(&again, None),
        "and so are their answers"
    );
}

pub async fn a_released_key_is_free(store: &impl Store, cast: &Cast) {
    let (first, again) = (key(cast, "k", "one", START), key(cast, "k", "two", minutes(1)));
    assert_eq!(store.claim_key(&cast.owner(), &first).await.unwrap(), None);
    store.release_key(&cast.other_owner(), &first).await.unwrap();
    assert_eq!(
        store.claim_key(&cast.owner(), &again).await.unwrap(),
        stored_key(&first, None),
        "another owner cannot release it"
    );
    store.release_key(&cast.owner(), &first).await.unwrap();
    assert_eq!(store.claim_key(&cast.owner(), &again).await.unwrap(), None);
}

pub async fn a_key_is_remembered_for_a_day(store: &impl Store, cast: &Cast) {
    let first = key(cast, "k", "one", START);
    store.claim_key(&cast.owner(), &first).await.unwrap();
    store.keep_answer(&cast.owner(), &first, "{}").await.unwrap();
    let late =
        key(cast, "k", "two", START.after(KEY_LIFE).before(std::time::Duration::from_secs(1)));
    assert_eq!(
        store.claim_key(&cast.owner(), &late).await.unwrap(),
        stored_key(&first, Some("{}"))
    );
    let over = key(cast, "k", "two", START.after(KEY_LIFE));
    assert_eq!(
        store.claim_key(&cast.owner(), &over).await.unwrap(),
        None,
        "as if it had never been"
    );
    assert_eq!(store.claim_key(&cast.owner(), &over).await.unwrap(), stored_key(&over, None));
}

pub async fn an_owners_requests_are_forgotten_together(store: &impl Store, cast: &Cast) {
    let (one, other) = (key(cast, "k", "one", START), key(cast, "other", "one", START));
    let connector = cast.stored(store, cast.connector(1)).await;
    let consent = PendingConsent {
        state: fingerprint(&[connector.id.as_str()]),
        code_verifier: "verifier".into(),
        asked_at: START,
    };
    for owner in [cast.owner(), cast.other_owner()] {
        store.claim_key(&owner, &one).await.unwrap();
        store.claim_key(&owner, &other).await.unwrap();
        store.keep_consent(&owner, &consent).await.unwrap();
    }
    assert_eq!(
        store.exchanged(&cast.owner(), &cast.exchange(connector.id.as_str())).await.unwrap(),
        Some(connector.id.clone()),
        "it is remembered at first"
    );

    store.forget_requests(&cast.owner()).await.unwrap();
    store.forget_requests(&cast.owner()).await.unwrap();
    assert_eq!(store.claim_key(&cast.owner(), &one).await.unwrap(), None, "no key is claimed");
    assert_eq!(store.claim_key(&cast.owner(), &other).await.unwrap(), None);
    assert!(
        store.take_consent(&cast.owner(), consent.state, START).await.unwrap().is_none(),
        "no consent is under way"
    );
    assert_eq!(
        store.exchanged(&cast.owner(), &cast.exchange(connector.id.as_str())).await.unwrap(),
        None,
        "and no exchange is remembered"
    );
    assert_eq!(
        store.connector(&cast.owner(), &connector.id).await.unwrap(),
        Some(connector),
        "what no request left stays"
    );
    assert!(
        store.claim_key(&cast.other_owner(), &one).await.unwrap().is_some(),
        "another owner's are their own"
    );
    assert!(store.take_consent(&cast.other_owner(), consent.state, START).await.unwrap().is_some());
}

pub async fn of_two_that_claim_a_key_one_gets_it(store: &impl Store, cast: &Cast) {
    for number in 0..5 {
        let key = key(cast, &number.to_string(), "one", START);
        // Also where an expired one is in the way.
        let late = RequestKey { at: START.after(KEY_LIFE), ..key.clone() };
        for claimed in [&key, &late] {
            let owner = cast.owner();
            let (one, other) =
                tokio::join!(store.claim_key(&owner, claimed), store.claim_key(&owner, claimed));
            let (one, other) = (one.unwrap(), other.unwrap());
            assert!(one.is_none() != other.is_none(), "one gets it: {one:?}, {other:?}");
            assert_eq!(one.or(other), stored_key(claimed, None));
        }
    }
}
