//! The FIFO queue: groups in order, one of each in flight, repeats of an id dropped for five
//! minutes.

use std::time::Duration;

use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::wake_up::WakeUp;
use email_connectors::ports::{Counted, Depths, Unavailable, WakeUps};

use super::World;
use super::script::Call;

/// How long SQS remembers a deduplication id.
pub const DEDUPLICATION: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(crate) struct Queue {
    entries: Vec<Entry>,
    /// Every id that was sent, within its group, and when; also those that were received and
    /// deleted since.
    sent: Vec<(String, String, Timestamp)>,
    accepted: u64,
    /// How many wake-ups became dead letters.
    dead: u64,
}

struct Entry {
    receipt: u64,
    group: String,
    /// The body as SQS stores it, in JSON.
    body: String,
    in_flight: bool,
    receives: u32,
}

/// A received wake-up that was neither deleted nor given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlight {
    receipt: u64,
    /// How often it was received, this time among them.
    pub receives: u32,
    pub wake_up: WakeUp,
}

impl Queue {
    fn send(&mut self, wake_up: &WakeUp, deduplication_id: Option<&str>, now: Timestamp) {
        let group = wake_up.group();
        if let Some(id) = deduplication_id {
            let remembered = |(sent, within, at): &(String, String, Timestamp)| {
                sent == id && *within == group && now < at.after(DEDUPLICATION)
            };
            if self.sent.iter().any(remembered) {
                return;
            }
            self.sent.push((id.to_string(), group.clone(), now));
        }
        self.accepted += 1;
        let body = serde_json::to_string(wake_up).expect("a wake-up is JSON");
        self.entries.push(Entry {
            receipt: self.accepted,
            group,
            body,
            in_flight: false,
            receives: 0,
        });
    }

    fn receive(&mut self) -> Option<InFlight> {
        let busy: Vec<String> = self
            .entries
            .iter()
            .filter(|entry| entry.in_flight)
            .map(|entry| entry.group.clone())
            .collect();
        let next = self.entries.iter_mut().find(|entry| !busy.contains(&entry.group))?;
        next.in_flight = true;
        next.receives += 1;
        Some(InFlight { receipt: next.receipt, receives: next.receives, wake_up: read(&next.body) })
    }
}

fn read(body: &str) -> WakeUp {
    serde_json::from_str(body).expect("the queue holds wake-ups")
}

#[derive(Clone)]
pub struct MemoryWakeUps(World);

impl MemoryWakeUps {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    /// All wake-ups of the queue, in flight or not, oldest first.
    pub fn queued(&self) -> Vec<WakeUp> {
        self.0.lock().queue.entries.iter().map(|entry| read(&entry.body)).collect()
    }

    /// Puts a wake-up into the queue; not logged as a call.
    pub fn put(&self, wake_up: &WakeUp) {
        let mut state = self.0.lock();
        let now = state.now;
        state.queue.send(wake_up, None, now);
    }

    /// How many wake-ups the queue has taken, or dropped as repeats.
    pub fn sent(&self) -> u64 {
        self.0.lock().queue.accepted
    }

    /// The oldest wake-up whose group has none in flight.
    pub fn receive(&self) -> Option<InFlight> {
        self.0.lock().queue.receive()
    }

    pub fn delete(&self, received: &InFlight) {
        self.0.lock().queue.entries.retain(|entry| entry.receipt != received.receipt);
    }

    /// Its visibility timeout ends: it will be received again, before the rest of its group.
    pub fn give_back(&self, received: &InFlight) {
        for entry in
            self.0.lock().queue.entries.iter_mut().filter(|entry| entry.receipt == received.receipt)
        {
            entry.in_flight = false;
        }
    }
}

impl WakeUps for MemoryWakeUps {
    async fn send(
        &self,
        wake_up: &WakeUp,
        deduplication_id: Option<&str>,
    ) -> Result<(), Unavailable> {
        let about = format!("{:?} {}", wake_up.kind, wake_up.mailbox).to_lowercase();
        let send = |state: &mut super::State| {
            state.queue.send(wake_up, deduplication_id, state.now);
            Ok(())
        };
        self.0.call(Call::Send, about, send).await
    }
}

/// The depths of the queues of the world.
#[derive(Clone)]
pub struct MemoryDepths(World);

impl MemoryDepths {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    /// Adds a dead letter.
    pub fn bury(&self) {
        self.0.lock().queue.dead += 1;
    }
}

impl Depths for MemoryDepths {
    async fn depth(&self, queue: Counted) -> Result<u64, Unavailable> {
        let count = |state: &mut super::State| {
            let waiting = state.queue.entries.iter().filter(|entry| !entry.in_flight).count();
            Ok(match queue {
                Counted::WakeUps => waiting as u64,
                Counted::DeadLetters => state.queue.dead,
                Counted::Quarantine => state.quarantined.len() as u64,
            })
        };
        self.0.call(Call::Depth, format!("{queue:?}").to_lowercase(), count).await
    }
}
