//! The event bus on EventBridge: ten entries a call, refused entries resent, never a partial
//! success taken for a whole.

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use crate::domain::event::{EVENT_SOURCE, Event};
use crate::domain::id::EventId;
use crate::ports::{Cause, EventBus, NotPublished};

/// PutEvents takes ten entries of together 256 KiB (1 MiB in some regions).
const MOST_ENTRIES: usize = 10;
const MOST_BYTES: usize = 240 * 1024;
const MOST_ATTEMPTS: u32 = 4;

pub struct EventBridge {
    client: Client,
    bus: String,
}

impl EventBridge {
    pub fn new(config: &aws_config::SdkConfig, bus: impl Into<String>) -> Self {
        Self { client: Client::new(config), bus: bus.into() }
    }

    fn entry(&self, event: &Event) -> PutEventsRequestEntry {
        let entry = PutEventsRequestEntry::builder().event_bus_name(&self.bus).source(EVENT_SOURCE);
        entry.detail_type(event.detail_type.as_str()).detail(&event.detail).build()
    }

    /// The error has the events that were not accepted, and why. EventBridge answers 200 even if it
    /// accepts only some of the entries.
    async fn put<'a>(&self, events: &[&'a Event]) -> Result<(), Left<'a>> {
        let mut left: Vec<&Event> = events.to_vec();
        let mut attempt = 1;
        loop {
            let entries = left.iter().map(|event| self.entry(event)).collect();
            let answer = match self.client.put_events().set_entries(Some(entries)).send().await {
                Ok(answer) => answer,
                Err(error) => return Err(Left { events: left, cause: error.into(), silent: true }),
            };
            let refused = answer.entries().iter().map(|entry| entry.error_code());
            let pairs =
                left.iter().copied().zip(refused.chain(std::iter::repeat(Some("NoAnswer"))));
            let failed: Vec<(&Event, &str)> =
                pairs.filter_map(|(event, code)| Some((event, code?))).collect();
            let Some((_, code)) = failed.first() else { return Ok(()) };
            let cause = format!(
                "{} of {} entries were refused, the first with {code}",
                failed.len(),
                events.len()
            );
            left = failed.into_iter().map(|(event, _)| event).collect();
            if attempt == MOST_ATTEMPTS {
                return Err(Left { events: left, cause: cause.into(), silent: false });
            }
            pause(attempt).await;
            attempt += 1;
        }
    }
}

/// The events of one call that were not published.
struct Left<'a> {
    events: Vec<&'a Event>,
    cause: Cause,
    /// The bus did not answer: further calls would only take time.
    silent: bool,
}

impl EventBus for EventBridge {
    async fn publish(&self, events: &[Event]) -> Result<(), NotPublished> {
        let mut not_published: Option<NotPublished> = None;
        let mut calls = calls(events).into_iter();
        while let Some(call) = calls.next() {
            let Err(left) = self.put(&call).await else { continue };
            let rest = if left.silent { calls.by_ref().flatten().collect() } else { Vec::new() };
            let mut events: Vec<EventId> =
                left.events.into_iter().chain(rest).map(|event| event.event_id.clone()).collect();
            events.extend(not_published.take().into_iter().flat_map(|earlier| earlier.events));
            not_published = Some(NotPublished { events, cause: left.cause });
        }
        not_published.map_or(Ok(()), Err)
    }
}

/// As few calls as the bounds on entries and bytes allow.
fn calls(events: &[Event]) -> Vec<Vec<&Event>> {
    let mut calls: Vec<Vec<&Event>> = Vec::new();
    let mut bytes = 0;
    for event in events {
        let full = calls.last().is_none_or(|call| {
            call.len() == MOST_ENTRIES || bytes + event.detail.len() > MOST_BYTES
        });
        if full {
            calls.push(Vec::new());
            bytes = 0;
        }
        bytes += event.detail.len();
        calls.last_mut().into_iter().for_each(|call| call.push(event));
    }
    calls
}

#[expect(
    clippy::disallowed_methods,
    reason = "a refused entry deserves a moment before it is sent again"
)]
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
}
