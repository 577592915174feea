//! A `webhook` trigger is fired by its owner or with a signature by its secret; each request fires
//! once.

use std::time::Duration;

use aws_lc_rs::hmac;
use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::domain::id::TriggerId;
use email_connectors::domain::limit::Limits;
use email_connectors::domain::trigger::{MOST_WEBHOOKS, Trigger};
use email_connectors::flows::inbound_webhook::OpenedSecrets;
use email_connectors::flows::inbound_webhook::{Fire, FireError};
use email_connectors::flows::subscribe::SubscribeError;
use email_connectors::ports::Store;
use secrecy::ExposeSecret;
use serde_json::json;
use tests::stage::{MINUTE, Scene, detail, owner};
use tests::world::{Call, MemoryBus, MemoryStore, MemoryVault, When, World};

const BODY: &[u8] =
    br#"{"event_type":"order.paid","resource_type":"order","resource_id":"7","data":{"sum":12}}"#;

struct Hooked {
    scene: Scene,
    trigger: Trigger,
    secret: String,
    opened: OpenedSecrets,
    limits: Limits,
}

type Ports = (MemoryStore, MemoryVault, MemoryBus);

impl Hooked {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let body =
            json!({"type": "webhook", "agent_id": "agent-9", "config": {"connector_id": scene.id}});
        let (trigger, secret) = scene.stage.subscribe(&owner("owner"), body).await.unwrap();
        let secret = secret.expect("a webhook trigger has a secret").expose_secret().to_string();
        Self { scene, trigger, secret, opened: OpenedSecrets::default(), limits: Limits::default() }
    }

    fn ports(&self) -> Ports {
        let world = &self.scene.stage.world;
        (world.store(), world.vault(), world.bus())
    }

    fn fire<'a>(&'a self, (store, vault, bus): &'a Ports) -> Fire<'a, World> {
        Fire {
            store,
            vault,
            bus,
            signatures: &HmacSha256,
            opened: &self.opened,
            limits: &self.limits,
        }
    }

    fn signature(&self, seconds: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let mac = hmac::sign(&key, &[format!("{seconds}.").as_bytes(), body].concat());
        format!(
            "t={seconds},v1={}",
            mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        )
    }

    async fn signed(
        &self,
        id: &TriggerId,
        header: Option<&str>,
        body: &[u8],
    ) -> Result<String, FireError> {
        let world = self.ports();
        let fire = self.fire(&world);
        fire.signed(id, header, body, self.scene.stage.world.now())
            .await
            .map(|fired| fired.event_id)
    }

    async fn as_owner(&self, of: &str, delivery: &str) -> Result<String, FireError> {
        let world = self.ports();
        let fire = self.fire(&world);
        fire.as_owner(&owner(of), &self.trigger.id, delivery, BODY, self.scene.stage.world.now())
            .await
            .map(|fired| fired.event_id)
    }

    fn seconds(&self) -> i64 {
        self.scene.stage.world.now().seconds()
    }
}

#[tokio::test]
async fn what_is_signed_fires_once_in_the_normalized_form() {
    let hooked = Hooked::new().await;
    let signature = hooked.signature(hooked.seconds(), BODY);
    let event_id = hooked.signed(&hooked.trigger.id, Some(&signature), BODY).await.unwrap();
    let fired = hooked.scene.stage.fired();
    let event_detail = detail(&fired[0]);
    assert_eq!((fired.len(), &event_detail["event_id"]), (1, &json!(event_id)));
    assert_eq!(
        event_detail["trigger"],
        json!({"id": hooked.trigger.id, "type": "webhook", "agent_id": "agent-9"})
    );
    let event = json!({
        "connector_type": "webhook", "event_type": "order.paid", "resource_type": "order", "resource_id": "7",
        "timestamp": hooked.scene.stage.world.now(), "data": {"sum": 12}, "raw_payload": String::from_utf8_lossy(BODY),
    });
    assert_eq!(event_detail["event"], event);

    let again = hooked.signed(&hooked.trigger.id, Some(&signature), BODY).await;
    assert!(matches!(again, Err(FireError::Unauthorized(_))), "{again:?}");
    let upper =
        signature.replace("v1=", "").to_uppercase().replace("T=", "t=").replace(',', ",v1=");
    assert!(matches!(
        hooked.signed(&hooked.trigger.id, Some(&upper), BODY).await,
        Err(FireError::Unauthorized(_))
    ));
    assert_eq!(hooked.scene.stage.fired().len(), 1);
}

#[tokio::test]
async fn what_is_not_signed_here_and_now_fires_nothing() {
    let hooked = Hooked::new().await;
    let now = hooked.seconds();
    let (good, late, early) = (
        hooked.signature(now, BODY),
        hooked.signature(now - 300, BODY),
        hooked.signature(now + 300, BODY),
    );
    let other = Hooked {
        secret: "another secret".into(),
        trigger: hooked.trigger.clone(),
        ..Hooked::new().await
    };
    let wrong = other.signature(now, BODY);
    let table = [
        ("missing", None),
        ("of another form", Some("t=1,v1=00")),
        ("by another secret", Some(wrong.as_str())),
        ("late", Some(&late)),
        ("early", Some(&early)),
    ];
    for (case, header) in table {
        let refused = hooked.signed(&hooked.trigger.id, header, BODY).await;
        assert!(matches!(refused, Err(FireError::Unauthorized(_))), "{case}: {refused:?}");
    }
    let altered = hooked.signed(&hooked.trigger.id, Some(&good), br#"{"data":1}"#).await;
    assert!(matches!(altered, Err(FireError::Unauthorized(_))), "another body: {altered:?}");
    for id in [hooked.scene.trigger.id.clone(), TriggerId::new("trg_unknown")] {
        assert!(
            matches!(hooked.signed(&id, Some(&good), BODY).await, Err(FireError::Unauthorized(_))),
            "another trigger"
        );
    }
    assert!(hooked.scene.stage.fired().is_empty());
}

#[tokio::test]
async fn its_owner_fires_it_once_for_each_delivery() {
    let hooked = Hooked::new().await;
    let first = hooked.as_owner("owner", "delivery-1").await.unwrap();
    assert_eq!(hooked.as_owner("owner", "delivery-1").await.unwrap(), first);
    assert_ne!(hooked.as_owner("owner", "delivery-2").await.unwrap(), first);
    assert!(matches!(hooked.as_owner("thief", "delivery-3").await, Err(FireError::NotFound)));
    assert_eq!(hooked.scene.stage.fired().len(), 2);

    let world = hooked.ports();
    let fire = hooked.fire(&world);
    let now = hooked.scene.stage.world.now();
    let other = fire
        .as_owner(&owner("owner"), &hooked.trigger.id, "delivery-1", b"{}", now)
        .await
        .unwrap()
        .event_id;
    assert_ne!(other, first, "another body under the same key is not dropped");
}

#[tokio::test]
async fn mail_fires_no_webhook_and_nobody_fires_mail() {
    let hooked = Hooked::new().await;
    hooked.scene.deliver(&["One"]);
    hooked.scene.stage.wake(&hooked.scene.push()).await.unwrap();
    assert_eq!(
        hooked.scene.stage.fired().iter().map(|event| event.trigger_id.clone()).collect::<Vec<_>>(),
        [Some(hooked.scene.trigger.id.clone())]
    );
    let mails = Hooked { trigger: hooked.scene.trigger.clone(), ..hooked };
    assert!(matches!(mails.as_owner("owner", "d").await, Err(FireError::NotFound)));
}

#[tokio::test]
async fn what_the_bus_does_not_take_is_owed() {
    let hooked = Hooked::new().await;
    hooked.scene.stage.world.fail(Call::Publish, When::Before, 1);
    let signature = hooked.signature(hooked.seconds(), BODY);
    hooked.signed(&hooked.trigger.id, Some(&signature), BODY).await.unwrap();
    assert!(hooked.scene.stage.fired().is_empty());
    for _ in 0..2 {
        hooked.scene.stage.world.pass(MINUTE + Duration::from_secs(1));
        hooked.scene.stage.sweep().await;
        hooked.scene.stage.work().await;
    }
    assert_eq!(hooked.scene.stage.fired().len(), 1);
}

#[tokio::test]
async fn a_body_that_is_not_an_object_is_refused() {
    let hooked = Hooked::new().await;
    for body in [&b"[]"[..], b"nothing", b"\xff", &[b'['; 20_000]] {
        let signature = hooked.signature(hooked.seconds(), body);
        let refused = hooked.signed(&hooked.trigger.id, Some(&signature), body).await;
        assert!(matches!(refused, Err(FireError::Unusable(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_body_that_makes_too_long_an_event_is_refused() {
    let hooked = Hooked::new().await;
    let body = format!("[{}1]", "1e15,".repeat(3000));
    let body = format!("{{\"data\":{body}}}");
    let signature = hooked.signature(hooked.seconds(), body.as_bytes());
    let refused = hooked.signed(&hooked.trigger.id, Some(&signature), body.as_bytes()).await;
    assert!(matches!(refused, Err(FireError::Unusable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_secret_that_lies_in_another_row_does_not_open() {
    let hooked = Hooked::new().await;
    let store = hooked.scene.stage.world.store();
    let hook = store.hook(&hooked.trigger.id).await.unwrap().unwrap();
    let body = json!({"type": "webhook", "config": {"connector_id": hooked.scene.id}});
    let (other, _) = hooked.scene.stage.subscribe(&owner("owner"), body).await.unwrap();
    let connector = hooked.scene.connector();
    store.put_trigger(&other, Some(&hook), &connector.location(), connector.version).await.unwrap();
    let signature = hooked.signature(hooked.seconds(), BODY);
    assert!(matches!(
        hooked.signed(&other.id, Some(&signature), BODY).await,
        Err(FireError::Unauthorized(_))
    ));
}

#[tokio::test]
async fn a_connector_has_a_limit_of_webhooks() {
    let hooked = Hooked::new().await;
    let body = json!({"type": "webhook", "config": {"connector_id": hooked.scene.id}});
    for _ in 1..MOST_WEBHOOKS {
        hooked.scene.stage.subscribe(&owner("owner"), body.clone()).await.unwrap();
    }
    let refused =
        hooked.scene.stage.subscribe(&owner("owner"), body).await.map(|(trigger, _)| trigger);
    assert!(matches!(refused, Err(SubscribeError::TooManyWebhooks)), "{refused:?}");
}

#[tokio::test]
async fn a_webhook_goes_with_its_connector() {
    let hooked = Hooked::new().await;
    assert!(hooked.scene.stage.disconnect("owner", &hooked.scene.id).await.unwrap().data_purged);
    assert_eq!(hooked.scene.stage.world.store().hook(&hooked.trigger.id).await.unwrap(), None);
    let signature = hooked.signature(hooked.seconds(), BODY);
    assert!(matches!(
        hooked.signed(&hooked.trigger.id, Some(&signature), BODY).await,
        Err(FireError::Unauthorized(_))
    ));
}
