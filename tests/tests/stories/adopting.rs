//! Another system's grant is adopted, once however often this is tried, or refused and left as it
//! was.

use email_connectors::domain::connector::{Status, Uniqueness};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::event::DetailType;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::secret::RefreshToken;
use email_connectors::domain::trigger::{MOST_TRIGGERS, NewTrigger};
use email_connectors::domain::watch::WatchStatus;
use email_connectors::flows::adopt::{AdoptError, Adopted, AdoptedTrigger, Adoption};
use email_connectors::flows::connect::{Connect, ConnectError};
use email_connectors::flows::subscribe::SubscribeError;
use email_connectors::ports::{Entropy, ProviderError, Vault};
use secrecy::ExposeSecret;
use serde_json::json;
use tests::stage::{DAY, MINUTE, Stage, owner, subjects};
use tests::world::{Account, Call, Consent, Failure, Mail, When};

fn trigger(known_as: &str, filters: serde_json::Value) -> AdoptedTrigger {
    let body =
        json!({"type": "email", "config": {"connector_id": "con_to_be", "filters": filters}});
    AdoptedTrigger { known_as: known_as.into(), new: NewTrigger::parse(body).unwrap() }
}

fn adoption(stage: &Stage, of: &str, token: &str) -> Adoption {
    Adoption {
        owner_id: owner(of),
        refresh_token: RefreshToken(token.into()),
        address: None,
        triggers: vec![trigger("id:1", json!({}))],
        new_id: ConnectorId::from_uuid(stage.world.machine().uuid(stage.world.now())),
    }
}

async fn adopt(stage: &Stage, adoption: &Adoption) -> Result<Adopted, AdoptError> {
    stage.connecting().adopt(adoption, stage.world.now()).await
}

fn opening() -> (Stage, Account, String) {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let token = ada.granted(Consent::default());
    (stage, ada, token)
}

#[tokio::test]
async fn a_grant_becomes_a_connector_with_its_triggers() {
    let (stage, ada, token) = opening();
    ada.deliver(Mail::new("From before"));
    let adopted = adopt(&stage, &adoption(&stage, "owner", &token)).await.unwrap();
    let calls = [
        "gmail.adopt",
        "gmail.profile",
        "store.in_slot email#gmail",
        "store.membership 100001",
        "vault.seal_refresh_token con",
        "store.create_connector con",
        "gmail.watch",
        "bus.publish 1",
        "store.mark_published 1",
        "store.record_watch con",
        "queue.send kick ada@example.com",
    ];
    assert_eq!(stage.calls(), calls);
    assert!(
        adopted.is_new
            && adopted.triggers == 1
            && adopted.watch.status(stage.world.now()) == WatchStatus::Active
    );
    let connector = stage.connector(&adopted.connector_id);
    assert_eq!(
        (connector.reading.status, &connector.account, connector.reading.position.cursor),
        (Status::Active, &ada.sub, ada.history_id())
    );
    let sealed = stage
        .world
        .vault()
        .open_refresh_token(&connector.grant.refresh_token, &connector.id)
        .await
        .unwrap();
    assert_eq!(sealed.0.expose_secret(), token);
    assert_eq!(stage.notices(DetailType::ConnectorConnected).len(), 1);

    stage.world.pass(MINUTE);
    ada.deliver(Mail::new("From after"));
    stage.work().await;
    assert_eq!(subjects(&stage.fired()), ["From after"], "what came before was the other system's");
}

#[tokio::test]
async fn adopting_again_changes_nothing() {
    let (stage, _, token) = opening();
    let first = adopt(&stage, &adoption(&stage, "owner", &token)).await.unwrap();
    stage.work().await;
    stage.forget_calls();
    let before = stage.connector(&first.connector_id);
    let again = adopt(&stage, &adoption(&stage, "owner", &token)).await.unwrap();
    assert_eq!(again, Adopted { is_new: false, triggers: 0, ..first });
    assert_eq!(stage.connector(&before.id), before);
    assert_eq!(
        stage.calls()[2..],
        [
            "store.in_slot email#gmail",
            "store.membership 100001",
            "store.connector con",
            "store.triggers owner"
        ]
    );
    assert_eq!(stage.world.store().all_triggers().len(), 1);
}

#[tokio::test]
async fn a_user_who_connected_themself_keeps_their_connector_and_gets_the_triggers() {
    let (stage, ada, token) = opening();
    let existing = stage.connect("owner", &ada).await;
    stage.trigger(&existing, json!({"query": "own"})).await;
    let adopted = adopt(&stage, &adoption(&stage, "owner", &token)).await.unwrap();
    assert_eq!(
        (adopted.connector_id, adopted.is_new, adopted.triggers),
        (existing.id.clone(), false, 1)
    );
    let after = stage.connector(&existing.id);
    assert_eq!(
        (after.grant.generation, after.grant.refresh_token),
        (existing.grant.generation, existing.grant.refresh_token)
    );
    let triggers = stage.world.store().all_triggers();
    assert!(
        triggers.len() == 2
            && triggers.iter().all(|trigger| trigger.config.connector_id == existing.id)
    );
}

#[tokio::test]
async fn a_crash_anywhere_leaves_nothing_half_made_for_long() {
    let table = [
        (Call::CreateConnector, When::Before, true),
        (Call::CreateConnector, When::After, false),
        (Call::Watch, When::After, false),
        (Call::RecordWatch, When::Before, false),
        (Call::RecordWatch, When::After, false),
        (Call::Send, When::Before, false),
    ];
    for (call, when, is_new) in table {
        let (stage, ada, token) = opening();
        stage.world.crash(call, when, 1);
        let first = adoption(&stage, "owner", &token);
        assert!(
            stage
                .world
                .until_crash(stage.connecting().adopt(&first, stage.world.now()))
                .await
                .is_none()
        );
        let made = stage.world.store().connectors_of(&ada.address());
        assert_eq!(
            stage.world.store().all_triggers().len(),
            made.len(),
            "{call} {when:?}: a connector has its triggers, or is not there"
        );

        let again = adopt(&stage, &adoption(&stage, "owner", &token)).await.unwrap();
        assert_eq!(again.is_new, is_new, "{call} {when:?}");
        assert!(
            ada.watched_until().is_some() && again.watch.expiration == ada.watched_until(),
            "{call} {when:?}"
        );
        assert_eq!(stage.world.store().connectors_of(&ada.address()).len(), 1);
        assert_eq!(stage.world.store().all_triggers().len(), 1);
        stage.world.pass(5 * MINUTE);
        stage.sweep().await;
        stage.work().await;
        assert_eq!(stage.notices(DetailType::ConnectorConnected).len(), 1, "{call} {when:?}");
    }
}

#[tokio::test]
async fn whatever_fails_the_grant_is_not_taken_from_the_other_system() {
    let without_gmail =
        Consent { scopes: ["openid", "email"].map(String::from).into(), ..Consent::default() };
    let without_openid = Consent {
        scopes: vec!["https://www.googleapis.com/auth/gmail.modify".into()],
        ..Consent::default()
    };
    let of_another_client = Consent {
        claims: json!({"aud": "another"}).as_object().unwrap().clone(),
        ..Consent::default()
    };
    let table = [
        (without_gmail, "not granted: https://www.googleapis.com/auth/gmail.modify"),
        (without_openid, "not granted: openid email"),
        (of_another_client, "the id token: the token's aud"),
    ];
    for (consent, expected) in table {
        let stage = Stage::new();
        let ada = stage.world.account("ada@example.com");
        let token = ada.granted(consent);
        let refused = adopt(&stage, &adoption(&stage, "owner", &token)).await.unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
        nothing_happened(&stage, &ada);
    }
    let (stage, ada, token) = opening();
    let named = Adoption {
        address: Some(EmailAddress::parse("eve@example.com").unwrap()),
        ..adoption(&stage, "owner", &token)
    };
    assert!(
        matches!(adopt(&stage, &named).await, Err(AdoptError::AnotherAddress(address)) if address == ada.address())
    );
    nothing_happened(&stage, &ada);
    for failing in [Call::Profile, Call::InSlot, Call::SealRefreshToken, Call::CreateConnector] {
        stage.world.fail(failing, When::Before, 1);
        assert!(adopt(&stage, &adoption(&stage, "owner", &token)).await.is_err(), "{failing}");
        nothing_happened(&stage, &ada);
    }
}

fn nothing_happened(stage: &Stage, account: &Account) {
    assert!(account.is_granted() && account.watched_until().is_none());
    assert!(
        stage.world.store().connectors_of(&account.address()).is_empty()
            && stage.world.store().all_triggers().is_empty()
    );
    assert!(stage.calls_of(&["gmail.revoke", "gmail.watch", "gmail.stop"]).is_empty());
}

#[tokio::test]
async fn a_dead_grant_is_refused() {
    let (stage, ada, token) = opening();
    ada.revoke_grant();
    let refused = adopt(&stage, &adoption(&stage, "owner", &token)).await.unwrap_err();
    assert!(
        matches!(
            refused,
            AdoptError::Connect(ConnectError::Provider(ProviderError::GrantRefused(_)))
        ),
        "{refused}"
    );
}

#[tokio::test]
async fn an_owner_who_connected_another_account_keeps_it() {
    let (stage, ada, token) = opening();
    let bob = stage.world.account("bob@example.com");
    let existing = stage.connect("owner", &bob).await;
    stage.forget_calls();
    let refused = adopt(&stage, &adoption(&stage, "owner", &token)).await.unwrap_err();
    assert!(matches!(refused, AdoptError::Connect(ConnectError::AccountMismatch)), "{refused}");
    assert_eq!(stage.connector(&existing.id), existing);
    nothing_happened(&stage, &ada);

    let several = Connect { uniqueness: Uniqueness::PerMailbox, ..stage.connecting() };
    assert!(
        several.adopt(&adoption(&stage, "owner", &token), stage.world.now()).await.unwrap().is_new
    );
}

#[tokio::test]
async fn a_connector_that_waits_for_its_user_is_left_to_them() {
    let (stage, ada, token) = opening();
    let existing = stage.connect("owner", &ada).await;
    // The connector's own grant is revoked first; the other system's still works.
    stage.world.fail_with(Call::Refresh, When::Before, 1, Failure::GrantRefused);
    stage.world.fail_with(Call::Refresh, When::Before, 2, Failure::GrantRefused);
    stage.world.pass(2 * DAY);
    stage.sweep().await;
    stage.world.pass(MINUTE * 15);
    stage.sweep().await;
    assert_eq!(stage.connector(&existing.id).reading.status, Status::NeedsReauth);
    assert!(matches!(
        adopt(&stage, &adoption(&stage, "owner", &token)).await,
        Err(AdoptError::NeedsReauth)
    ));
}

#[tokio::test]
async fn a_connector_takes_no_more_triggers_than_it_can() {
    let (stage, ada, token) = opening();
    let existing = stage.connect("owner", &ada).await;
    for _ in 0..MOST_TRIGGERS {
        stage.trigger(&existing, json!({})).await;
    }
    let refused = adopt(&stage, &adoption(&stage, "owner", &token)).await.unwrap_err();
    assert!(matches!(refused, AdoptError::Subscribe(SubscribeError::TooMany)), "{refused}");
}

#[tokio::test]
async fn who_comes_first_wins_and_both_find_one_connector() {
    let (stage, ada, token) = opening();
    let (one, other) = (adoption(&stage, "owner", &token), adoption(&stage, "owner", &token));
    let gate = stage.world.hold(Call::CreateConnector, When::Before, 1);
    let connecting = stage.connecting();
    let now = stage.world.now();
    let second = async {
        let adopted = adopt(&stage, &other).await;
        gate.open();
        adopted
    };
    let (one, other) = tokio::join!(connecting.adopt(&one, now), second);
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.connector_id, one.is_new, other.is_new), (other.connector_id, false, true));
    assert_eq!(stage.world.store().connectors_of(&ada.address()).len(), 1);
}
