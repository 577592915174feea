//! More than fits into one transaction, one page or one run.

use std::time::Duration;

use serde_json::json;

use crate::sim::Sim;
use crate::stage::MINUTE;

/// More rows than a transaction holds, and a second owner who leaves in between.
pub async fn more_rows_than_a_transaction_holds(sim: &mut Sim) {
    let (ada, first) = (sim.ada.clone(), sim.first());
    sim.stage.limits.units_per_minute = 100_000;
    sim.trigger(&first, json!({})).await;
    sim.trigger(&first, json!({})).await;
    let second = sim.connect("second-owner", &ada).await;
    sim.trigger(&second, json!({})).await;
    sim.work().await;
    sim.pass(MINUTE);
    sim.mail(70);
    sim.begin();
    sim.push(&ada);
    sim.disconnect("second-owner", &second).await;
    sim.work().await;
}

pub async fn a_backlog_longer_than_a_run(sim: &mut Sim) {
    sim.ada.page_size(20);
    sim.stage.limits.units_per_minute = 100_000;
    sim.mail(70);
    // Every call takes so long that a run ends in the middle of the listing.
    sim.world.set_tick(Duration::from_secs(3));
    sim.begin();
    sim.push(&sim.ada.clone());
    sim.work().await;
    sim.world.set_tick(Duration::from_millis(40));
}

/// Nothing is fetched; mail from before the first trigger never fires.
pub async fn a_mailbox_without_triggers(sim: &mut Sim) {
    let bob = sim.world.account("bob@example.com");
    let connector = sim.connect("second-owner", &bob).await;
    sim.work().await;
    sim.begin();
    sim.deliver(&bob, crate::world::Mail::new("Before any trigger"));
    sim.push(&bob);
    sim.work().await;
    sim.pass(Duration::from_secs(2));
    sim.trigger(&connector, json!({})).await;
    sim.pass(Duration::from_secs(2));
    sim.deliver(&bob, crate::world::Mail::new("After it"));
    sim.push(&bob);
    sim.work().await;
}
