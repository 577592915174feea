//! Cases of what is sealed: the cached access token and the service's data key.

use email_connectors::domain::connector::{Connector, StoredGrant};
use email_connectors::domain::secret::Sealed;
use email_connectors::ports::Store;

use super::cast::{Cast, access_token, now};
use super::conflicts;

pub async fn an_access_token_is_cached_for_its_generation(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let location = stored.location();
    for generation in [0, 2] {
        conflicts(
            store.cache_access_token(&location, generation, &access_token("other")).await,
            "a token of another generation",
        );
    }
    assert_eq!(now(store, &location).await, stored, "a refused token changes nothing");
    for text in ["first", "second"] {
        store.cache_access_token(&location, 1, &access_token(text)).await.unwrap();
        let expected = Connector { access_token: Some(access_token(text)), ..stored.clone() };
        assert_eq!(
            now(store, &location).await,
            expected,
            "a token comes into the cache and raises no version"
        );
    }
    let nobody = cast.connector(9).location();
    conflicts(
        store.cache_access_token(&nobody, 1, &access_token("nobody")).await,
        "a token of a connector that is not there",
    );
    assert_eq!(store.connector_at(&nobody).await.unwrap(), None, "and no connector comes of it");
}

pub async fn a_refresh_token_takes_the_place_of_the_one_before_it(store: &impl Store, cast: &Cast) {
    let stored = cast.stored(store, cast.connector(1)).await;
    let (location, first) = (stored.location(), &stored.grant.refresh_token);
    let (second, third) = (Sealed(vec![0, 159, 2]), Sealed(vec![0, 159, 3]));
    for (generation, replaced, case) in [
        (0, first, "a refresh token of an earlier generation"),
        (2, first, "a refresh token of a later generation"),
        (1, &second, "one in place of a token that is not stored"),
    ] {
        let rotated = store.rotate_refresh_token(&location, generation, replaced, &third).await;
        conflicts(rotated, case);
    }
    assert_eq!(now(store, &location).await, stored, "a refused token changes nothing");
    store.rotate_refresh_token(&location, 1, first, &second).await.unwrap();
    let grant = StoredGrant { refresh_token: second.clone(), ..stored.grant.clone() };
    assert_eq!(
        now(store, &location).await,
        Connector { grant, ..stored.clone() },
        "the token alone changes, and raises no version"
    );
    conflicts(
        store.rotate_refresh_token(&location, 1, first, &third).await,
        "one that comes second",
    );
    store.rotate_refresh_token(&location, 1, &second, &third).await.unwrap();
    let nobody = cast.connector(9).location();
    conflicts(
        store.rotate_refresh_token(&nobody, 1, first, &second).await,
        "a refresh token of a connector that is not there",
    );
    assert_eq!(store.connector_at(&nobody).await.unwrap(), None, "and no connector comes of it");
}

pub async fn the_first_data_key_stays(store: &impl Store, tag: &str) {
    let (ours, later) =
        (Sealed(format!("{tag} key").into_bytes()), Sealed(b"a later key".to_vec()));
    // The store may have one already: then that one is the first.
    let before = store.data_key().await.unwrap();
    let (one, other) =
        tokio::join!(store.keep_data_key(ours.clone()), store.keep_data_key(later.clone()));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other, "both of two first keys are answered with the one that stays");
    assert!(
        before.map_or([&ours, &later].contains(&&one), |before| before == one),
        "the key that stays is the first one"
    );
    assert_eq!(
        store.keep_data_key(Sealed(vec![1])).await.unwrap(),
        one,
        "a later key does not replace it"
    );
    assert_eq!(store.data_key().await.unwrap(), Some(one), "and it is the one that is read");
}
