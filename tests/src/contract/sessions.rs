//! Cases of connect sessions: written one version on, their owner's, and forgotten with the owner's
//! requests.

use email_connectors::domain::connect_session::{ConnectSession, SESSION_LIFE};
use email_connectors::domain::connector::Provider;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::{ConnectorId, fingerprint};
use email_connectors::ports::{Store, StoreError};

use super::cast::{Cast, START};
use super::conflicts;

fn session(cast: &Cast, name: &str) -> ConnectSession {
    ConnectSession {
        id: fingerprint(&[cast.owner().as_str(), name]),
        origin: "https://app.example.com".into(),
        provider: Some(Provider::Gmail),
        connector: Some(ConnectorId::new("con_1")),
        login_hint: Some(EmailAddress::parse("ada@example.com").unwrap()),
        user: Some("user-17".into()),
        until: START.after(SESSION_LIFE),
        claimed_by: None,
        connected: None,
        version: 1,
    }
}

pub async fn a_session_is_its_owners_and_written_one_version_on(store: &impl Store, cast: &Cast) {
    let (owner, new) = (cast.owner(), session(cast, "one"));
    let bare = ConnectSession {
        id: fingerprint(&[owner.as_str(), "bare"]),
        provider: None,
        connector: None,
        login_hint: None,
        user: None,
        ..new.clone()
    };
    assert_eq!(store.session(&owner, new.id).await.unwrap(), None, "never stored");
    let skipped = ConnectSession { version: 2, ..new.clone() };
    conflicts(store.put_session(&owner, &skipped).await, "a second version without a first");
    for stored in [&new, &bare] {
        store.put_session(&owner, stored).await.unwrap();
        assert_eq!(store.session(&owner, stored.id).await.unwrap().as_ref(), Some(stored));
    }
    assert_eq!(store.session(&cast.other_owner(), new.id).await.unwrap(), None);
    conflicts(store.put_session(&owner, &new).await, "a new one in the place of another");
    let claimed = ConnectSession {
        claimed_by: Some(fingerprint(&["request"])),
        connected: Some(ConnectorId::new("con_2")),
        version: 2,
        ..new.clone()
    };
    store.put_session(&owner, &claimed).await.unwrap();
    conflicts(store.put_session(&owner, &claimed).await, "the same version again");
    assert_eq!(store.session(&owner, new.id).await.unwrap(), Some(claimed));
}

pub async fn of_two_that_claim_a_session_one_gets_it(store: &impl Store, cast: &Cast) {
    for number in 0..5 {
        let (owner, new) = (cast.owner(), session(cast, &number.to_string()));
        store.put_session(&owner, &new).await.unwrap();
        let claim = |name| ConnectSession {
            claimed_by: Some(fingerprint(&[name])),
            version: 2,
            ..new.clone()
        };
        let (one, other) = (claim("one"), claim("other"));
        match tokio::join!(store.put_session(&owner, &one), store.put_session(&owner, &other)) {
            (Ok(()), Err(StoreError::Conflict)) | (Err(StoreError::Conflict), Ok(())) => {}
            neither => panic!("one gets it: {neither:?}"),
        }
    }
}

pub async fn an_owners_sessions_are_forgotten_with_its_requests(store: &impl Store, cast: &Cast) {
    let new = session(cast, "forgotten");
    for owner in [cast.owner(), cast.other_owner()] {
        store.put_session(&owner, &new).await.unwrap();
    }
    store.forget_requests(&cast.owner()).await.unwrap();
    assert_eq!(store.session(&cast.owner(), new.id).await.unwrap(), None);
    assert!(store.session(&cast.other_owner(), new.id).await.unwrap().is_some());
    let late = ConnectSession { version: 2, ..new };
    conflicts(store.put_session(&cast.owner(), &late).await, "a connect after the erasure");
}
