//! All data of an owner is exported or erased.

use email_connectors::domain::connector::Uniqueness;
use email_connectors::domain::event::DetailType;
use email_connectors::domain::id::ConnectorId;
use email_connectors::flows::access::{Access, Refreshes};
use email_connectors::flows::connect::Connect;
use email_connectors::flows::data_export::{ExportCursor, export};
use email_connectors::flows::disconnect::Disconnect;
use email_connectors::flows::erasure::erase;
use email_connectors::ports::Store;
use tests::stage::{MINUTE, Scene, Stage, owner};
use tests::world::{Call, Consent, Mail, When, World};

const PAGE: u32 = 30;

#[tokio::test]
async fn an_export_holds_everything_page_by_page_and_nothing_of_others() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let bob = stage.world.account("bob@example.com");
    let other = stage.connect("second-owner", &bob).await;
    stage.trigger(&other, serde_json::json!({})).await;
    bob.deliver(Mail::new("Of another owner"));
    let count = PAGE as usize + 20;
    for number in 0..count {
        scene.ada.deliver(Mail::new(&format!("Mail {number}")));
        stage.wake(&scene.push()).await.unwrap();
        stage.world.pass(MINUTE);
    }
    let (store, of) = (stage.world.store(), owner("owner"));
    let first = export(&store, &of, None, PAGE).await.unwrap();
    assert_eq!(
        (first.connectors.len(), first.triggers.len(), first.records.len()),
        (1, 1, PAGE as usize)
    );
    let second = export(&store, &of, first.next.clone(), PAGE).await.unwrap();
    assert_eq!((second.connectors.len(), second.triggers.len(), second.next), (0, 0, None));
    let fired = first
        .records
        .iter()
        .chain(&second.records)
        .filter(|event| event.detail_type == DetailType::TriggerFired);
    assert_eq!(
        fired.map(|event| &event.event_id).collect::<std::collections::BTreeSet<_>>().len(),
        count
    );
    assert!(
        first
            .records
            .iter()
            .chain(&second.records)
            .all(|event| event.detail.contains("\"owner_id\":\"owner\""))
    );

    let strangers = export(&store, &owner("stranger"), first.next, PAGE).await.unwrap();
    assert_eq!((strangers.records.len(), strangers.next), (0, None), "a page token is no key");
}

#[tokio::test]
async fn an_export_goes_on_behind_a_connector_that_was_disconnected_between_two_pages() {
    let stage = Stage::new();
    let connecting = Connect { uniqueness: Uniqueness::PerMailbox, ..stage.connecting() };
    let mut ids = Vec::new();
    for address in ["ada@example.com", "bob@example.com"] {
        let request =
            stage.request("owner", &stage.world.account(address).consent(Consent::default()));
        ids.push(connecting.run(&request, stage.world.now()).await.unwrap().connector_id);
    }
    ids.sort();
    let store = stage.world.store();
    let [first, last] = <[ConnectorId; 2]>::try_from(ids).unwrap();
    let token = ExportCursor { connector: first.clone(), after: None };
    let before = export(&store, &owner("owner"), Some(token.clone()), PAGE).await.unwrap();
    assert_eq!(
        before.next,
        Some(ExportCursor { connector: last.clone(), after: None }),
        "the next one follows"
    );
    assert!(stage.disconnect("owner", &first).await.unwrap().data_purged);

    let page = export(&store, &owner("owner"), Some(token), PAGE).await.unwrap();
    assert!(!page.records.is_empty(), "its own events, of its connect at least");
    assert!(
        page.records.iter().all(|event| event.detail.contains(last.as_str())),
        "{:?}",
        page.records
    );
}

#[tokio::test]
async fn an_erasure_deletes_everything_and_finishes_at_google_by_itself() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let (store, vault, provider, bus) =
        (stage.world.store(), stage.world.vault(), stage.world.gmail(), stage.world.bus());
    let access = Access {
        store: &store,
        vault: &vault,
        provider: &provider,
        refreshes: &Refreshes::default(),
    };
    let disconnect = Disconnect::<World> { access, bus: &bus };
    scene.deliver(&["One"]);
    stage.wake(&scene.push()).await.unwrap();
    stage.world.fail(Call::Revoke, When::Before, 1);
    let receipts = erase(&disconnect, &owner("owner"), stage.world.now()).await.unwrap();
    assert_eq!(
        receipts.iter().map(|(id, receipt)| (id.clone(), receipt.data_purged)).collect::<Vec<_>>(),
        [(scene.id.clone(), false)]
    );
    stage.world.pass(MINUTE);
    stage.sweep().await;
    assert_eq!(erase(&disconnect, &owner("owner"), stage.world.now()).await.unwrap(), []);
    let left = export(&store, &owner("owner"), None, PAGE).await.unwrap();
    assert_eq!((left.connectors, left.triggers, left.records), (vec![], vec![], vec![]));
    assert_eq!(store.delivery_records(&scene.id, None, 10).await.unwrap(), []);
    assert!(!scene.ada.is_granted());
    stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
}
