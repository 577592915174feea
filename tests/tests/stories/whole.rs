//! A provider may list messages whole, and may give a message another id: what came with a page is
//! not fetched, and a message that is known under another id does not fire again.

use email_connectors::domain::wake_up::Kind;
use tests::stage::{MINUTE, Scene, listed, subjects};
use tests::world::Mail;

#[tokio::test]
async fn what_came_with_the_page_is_not_fetched_and_costs_no_units() {
    let scene = Scene::new().await;
    scene.ada.lists_whole();
    scene.deliver(&["One", "Two"]);
    scene.stage.forget_calls();
    scene.stage.world.take_units();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(2, 2)]);
    assert_eq!(scene.stage.calls_of(&["gmail"]), ["gmail.history after 1000"]);
    assert_eq!(subjects(&scene.stage.fired()), ["One", "Two"]);
    assert_eq!(scene.connector().reading.spent.units, 2, "the listing alone");
}

#[tokio::test]
async fn of_many_that_came_with_the_page_no_minute_is_too_short() {
    let scene = Scene::new().await;
    scene.ada.lists_whole();
    let subjects: Vec<String> = (0..450).map(|number| format!("Mail {number}")).collect();
    scene.deliver(&subjects.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(450, 450)]);
    assert_eq!(scene.stage.fired().len(), 450);
}

#[tokio::test]
async fn a_message_under_another_id_fires_once() {
    let scene = Scene::new().await;
    scene.ada.lists_whole();
    let delivered = scene.ada.deliver(Mail::new("One"));
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.world.pass(MINUTE);
    scene.ada.drag(&delivered.message);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 0)]);
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
}

#[tokio::test]
async fn two_ids_of_one_listing_that_are_one_message_fire_once() {
    let scene = Scene::new().await;
    scene.ada.lists_whole();
    let delivered = scene.ada.deliver(Mail::new("One"));
    let dragged = scene.ada.drag(&delivered.message);
    scene.ada.drag(&dragged);
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.wake(&scene.own(Kind::Due)).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
}

#[tokio::test]
async fn a_message_whose_identity_only_its_content_says_fires_once_all_the_same() {
    let scene = Scene::new().await;
    let delivered = scene.ada.deliver(Mail::new("One"));
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.ada.drag(&delivered.message);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 0)]);
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
}
