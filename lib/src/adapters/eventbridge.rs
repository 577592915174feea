//! The event bus on EventBridge: ten entries a call, refused entries resent, never a partial success taken for a whole.

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use crate::domain::firing::{EVENT_SOURCE, Firing, TRIGGER_FIRED};
use crate::ports::{Cause, EventBus, Unavailable};

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

    fn entry(&self, firing: &Firing) -> PutEventsRequestEntry {
        let entry = PutEventsRequestEntry::builder().event_bus_name(&self.bus).source(EVENT_SOURCE);
        entry.detail_type(TRIGGER_FIRED).detail(&firing.detail).build()
    }

    /// EventBridge answers 200 also when it took only some of the entries.
    async fn put(&self, firings: &[&Firing]) -> Result<(), Unavailable> {
        let mut left: Vec<&Firing> = firings.to_vec();
        let mut attempt = 1;
        loop {
            let entries = left.iter().map(|firing| self.entry(firing)).collect();
            let answer = self.client.put_events().set_entries(Some(entries)).send().await.map_err(unavailable)?;
            let refused = answer.entries().iter().map(|entry| entry.error_code());
            let pairs = left.iter().copied().zip(refused.chain(std::iter::repeat(Some("NoAnswer"))));
            let failed: Vec<(&Firing, &str)> = pairs.filter_map(|(firing, code)| Some((firing, code?))).collect();
            let Some((_, code)) = failed.first() else { return Ok(()) };
            if attempt == MOST_ATTEMPTS {
                return Err(unavailable(format!("{} of {} entries were refused, the first with {code}", failed.len(), firings.len())));
            }
            left = failed.into_iter().map(|(firing, _)| firing).collect();
            pause(attempt).await;
            attempt += 1;
        }
    }
}

impl EventBus for EventBridge {
    async fn publish(&self, firings: &[Firing]) -> Result<(), Unavailable> {
        for call in calls(firings) {
            self.put(&call).await?;
        }
        Ok(())
    }
}

/// As few calls as the bounds on entries and bytes allow.
fn calls(firings: &[Firing]) -> Vec<Vec<&Firing>> {
    let mut calls: Vec<Vec<&Firing>> = Vec::new();
    let mut bytes = 0;
    for firing in firings {
        let full = calls.last().is_none_or(|call| call.len() == MOST_ENTRIES || bytes + firing.detail.len() > MOST_BYTES);
        if full {
            calls.push(Vec::new());
            bytes = 0;
        }
        bytes += firing.detail.len();
        calls.last_mut().into_iter().for_each(|call| call.push(firing));
    }
    calls
}

#[expect(clippy::disallowed_methods, reason = "a refused entry deserves a moment before it is sent again")]
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
}

fn unavailable(cause: impl Into<Cause>) -> Unavailable {
    Unavailable { what: "the event bus", cause: cause.into() }
}
