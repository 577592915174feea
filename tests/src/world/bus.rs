//! Where events and unreadable input end up: the event bus and the quarantine.

use email_connectors::domain::event::Event;
use email_connectors::ports::{Cause, EventBus, NotPublished, Quarantine, Unavailable};

use super::World;
use super::script::Call;
use crate::schemas;

#[derive(Default)]
pub(crate) struct Bus {
    published: Vec<Event>,
    /// How many entries of the next publication the bus takes.
    takes: Option<usize>,
}

impl Bus {
    pub fn published(&self) -> &[Event] {
        &self.published
    }

    pub fn calm(&mut self) {
        self.takes = None;
    }

    /// Returns how many entries it accepted.
    fn publish(&mut self, events: &[Event]) -> usize {
        let taken = self.takes.take().unwrap_or(events.len()).min(events.len());
        self.published.extend_from_slice(&events[..taken]);
        taken
    }
}

#[derive(Clone)]
pub struct MemoryBus(World);

impl MemoryBus {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    /// All that was published, repeats too, oldest first.
    pub fn published(&self) -> Vec<Event> {
        self.0.lock().bus.published.clone()
    }

    /// The bus accepts this many entries of the next publication and refuses the rest.
    pub fn take_only(&self, entries: usize) {
        self.0.lock().bus.takes = Some(entries);
    }
}

impl EventBus for MemoryBus {
    async fn publish(&self, events: &[Event]) -> Result<(), NotPublished> {
        events.iter().for_each(schemas::hold_event);
        let not_published = |events: &[Event], cause: Cause| {
            let events = events.iter().map(|event| event.event_id.clone()).collect();
            Err(NotPublished { events, cause })
        };
        match self.0.call(Call::Publish, events.len(), |state| Ok(state.bus.publish(events))).await
        {
            Ok(taken) if taken == events.len() => Ok(()),
            Ok(taken) => not_published(&events[taken..], "refused, as scripted".into()),
            // The outcome of a call without an answer is unknown.
            Err(Unavailable { cause, .. }) => not_published(events, cause),
        }
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
