//! A clock that moves only when a story moves it, and deterministic randomness.

use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{Clock, Entropy};
use secrecy::SecretString;
use uuid::{Builder, Uuid};

use super::World;

/// Clock and entropy of one world.
#[derive(Clone)]
pub struct MemoryMachine(World);

impl MemoryMachine {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    pub fn set(&self, now: Timestamp) {
        self.0.lock().now = now;
    }
}

impl Clock for MemoryMachine {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl Entropy for MemoryMachine {
    fn uuid(&self, now: Timestamp) -> Uuid {
        let mut state = self.0.lock();
        state.drawn += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&state.drawn.to_be_bytes());
        Builder::from_unix_timestamp_millis(
            u64::try_from(now.millis()).unwrap_or_default(),
            &random,
        )
        .into_uuid()
    }

    /// As long as a real one, and of the same letters.
    fn secret(&self) -> SecretString {
        let mut state = self.0.lock();
        state.drawn += 1;
        format!("secret-{:036}", state.drawn).into()
    }
}
