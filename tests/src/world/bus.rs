//! Where events and unreadable input end up: the event bus and the quarantine.

use email_connectors::domain::firing::Firing;
use email_connectors::ports::{EventBus, Quarantine, Unavailable};

use super::World;
use super::script::{Call, Failure, Refusal};

#[derive(Default)]
pub(crate) struct Bus {
    published: Vec<Firing>,
    /// How many entries of the next publication the bus takes.
    takes: Option<usize>,
}

impl Bus {
    fn publish(&mut self, firings: &[Firing]) -> Result<(), Unavailable> {
        let taken = self.takes.take().unwrap_or(firings.len()).min(firings.len());
        self.published.extend_from_slice(&firings[..taken]);
        if taken == firings.len() { Ok(()) } else { Err(Unavailable::of(Failure::Unavailable)) }
    }
}

#[derive(Clone)]
pub struct MemoryBus(World);

impl MemoryBus {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    /// All that was published, repeats too, oldest first.
    pub fn published(&self) -> Vec<Firing> {
        self.0.lock().bus.published.clone()
    }

    /// Of the next publication the bus takes this many entries and refuses the others to the end.
    pub fn take_only(&self, entries: usize) {
        self.0.lock().bus.takes = Some(entries);
    }
}

impl EventBus for MemoryBus {
    async fn publish(&self, firings: &[Firing]) -> Result<(), Unavailable> {
        self.0.call(Call::Publish, firings.len(), |state| state.bus.publish(firings)).await
    }
}

#[derive(Clone)]
pub struct MemoryQuarantine(World);

impl MemoryQuarantine {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    /// What was kept, each with the reason.
    pub fn kept(&self) -> Vec<(String, String)> {
        self.0.lock().quarantined.clone()
    }
}

impl Quarantine for MemoryQuarantine {
    async fn keep(&self, body: &str, reason: &str) -> Result<(), Unavailable> {
        let keep = |state: &mut super::State| {
            state.quarantined.push((body.to_string(), reason.to_string()));
            Ok(())
        };
        self.0.call(Call::Keep, reason, keep).await
    }
}
