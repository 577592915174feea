//! The outside world in memory: every port over one shared state, with an ordered log of calls and
//! scripted failures.

mod account;
mod accounts;
mod bucket;
mod bus;
mod consent;
mod faults;
mod gmail;
mod grants;
mod mail;
mod mailbox;
mod outlook;
mod owned;
mod queue;
mod script;
mod store;
mod tables;
mod time;
mod tokens;
mod vault;

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::Ports;

pub use self::account::Account;
pub use self::bucket::{MemoryObjects, Served};
pub use self::bus::{MemoryBus, MemoryQuarantine};
pub use self::consent::{ACCESS_TOKEN_LIFE, CLIENT_ID, Consent, SCOPES, WATCH_LIFE};
pub use self::faults::Fault;
pub use self::gmail::MemoryGmail;
pub use self::grants::AuthorizeRequest;
pub use self::mail::{Delivered, Mail, Poison};
pub use self::outlook::mailbox::Folder;
pub use self::outlook::notifications::Said;
pub use self::queue::{DEDUPLICATION, InFlight, MemoryDepths, MemoryWakeUps};
pub use self::script::{Call, Failure, Gate, When};
pub use self::store::MemoryStore;
pub use self::tables::FORGOTTEN_AFTER;
pub use self::time::MemoryMachine;
pub use self::tokens::MemoryVerifier;
pub use self::vault::MemoryVault;

use self::script::{Act, Refusal, Scripts};

/// When every story begins.
pub const BEGINNING: Timestamp = Timestamp::from_seconds(1_893_456_000);

/// The world. Clones share it; a story ends in a panic if something that it scripted never
/// happened.
#[derive(Clone)]
pub struct World {
    state: Arc<Mutex<State>>,
}

pub(crate) struct State {
    now: Timestamp,
    /// How many random values were drawn.
    drawn: u64,
    calls: Vec<String>,
    scripts: Scripts,
    crashed: bool,
    faults: faults::Faults,
    tables: tables::Tables,
    sealed: u64,
    google: gmail::Google,
    /// Gmail's quota units that calls have cost.
    units: u64,
    queue: queue::Queue,
    bucket: bucket::Bucket,
    bus: bus::Bus,
    quarantined: Vec<(String, String)>,
    tokens: tokens::Tokens,
}

impl Ports for World {
    type Store = MemoryStore;
    type Vault = MemoryVault;
    type Provider = MemoryGmail;
    type WakeUps = MemoryWakeUps;
    type Depths = MemoryDepths;
    type Quarantine = MemoryQuarantine;
    type Objects = MemoryObjects;
    type Bus = MemoryBus;
    type Signatures = HmacSha256;
    type Verifier = MemoryVerifier;
    type Machine = MemoryMachine;
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    pub fn new() -> Self {
        let state = State {
            now: BEGINNING,
            drawn: 0,
            calls: Vec::new(),
            scripts: Scripts::default(),
            crashed: false,
            faults: faults::Faults::default(),
            tables: tables::Tables::default(),
            sealed: 0,
            google: gmail::Google::default(),
            units: 0,
            queue: queue::Queue::default(),
            bucket: bucket::Bucket::default(),
            bus: bus::Bus::default(),
            quarantined: Vec::new(),
            tokens: tokens::Tokens::default(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    pub fn store(&self) -> MemoryStore {
        MemoryStore::new(self.clone())
    }

    pub fn vault(&self) -> MemoryVault {
        MemoryVault::new(self.clone())
    }

    pub fn gmail(&self) -> MemoryGmail {
        MemoryGmail::new(self.clone())
    }

    pub fn wake_ups(&self) -> MemoryWakeUps {
        MemoryWakeUps::new(self.clone())
    }

    pub fn depths(&self) -> MemoryDepths {
        MemoryDepths::new(self.clone())
    }

    pub fn quarantine(&self) -> MemoryQuarantine {
        MemoryQuarantine::new(self.clone())
    }

    pub fn objects(&self) -> MemoryObjects {
        MemoryObjects::new(self.clone())
    }

    pub fn bus(&self) -> MemoryBus {
        MemoryBus::new(self.clone())
    }

    pub fn verifier(&self) -> MemoryVerifier {
        MemoryVerifier::new(self.clone())
    }

    pub fn machine(&self) -> MemoryMachine {
        MemoryMachine::new(self.clone())
    }

    /// A Google account with an empty mailbox; the same one if the address has one already.
    pub fn account(&self, address: &str) -> Account {
        Account::open(self, address)
    }

    /// A Microsoft account with an empty mailbox; the same one if the address has one already.
    pub fn outlook_account(&self, address: &str) -> Account {
        Account::open_outlook(self, address)
    }

    /// Every account that was opened.
    pub fn accounts(&self) -> Vec<Account> {
        let state = self.lock();
        let (gmail, outlook) = (state.google.mailboxes.keys(), state.google.outlook.keys());
        let subs: Vec<_> = gmail.chain(outlook).cloned().collect();
        drop(state);
        subs.into_iter().map(|sub| Account::of(self, sub)).collect()
    }

    /// The authorization request behind this consent URL.
    pub fn authorize_request(&self, url: &str) -> Option<AuthorizeRequest> {
        self.lock().google.grants.authorize_request(url)
    }

    /// Raises the version of the owner's connectors, as a changed trigger does.
    pub fn raise_version(&self, owner: &str) {
        self.lock().tables.raise_version(owner, false);
    }

    /// Raises version and generation of the owner's connectors, as a reconnect does.
    pub fn raise_generation(&self, owner: &str) {
        self.lock().tables.raise_version(owner, true);
    }

    /// How many rows the table would hold in the owner's partition.
    pub fn rows_of(&self, owner: &str) -> usize {
        self.lock().tables.rows_of(owner)
    }

    /// The table deletes the delivery rows whose time to live is over.
    pub fn expire_ledger(&self) {
        let mut state = self.lock();
        let now = state.now;
        state.tables.expire_ledger(now);
    }

    pub fn now(&self) -> Timestamp {
        self.lock().now
    }

    pub fn pass(&self, span: Duration) {
        let mut state = self.lock();
        state.now = state.now.after(span);
    }

    /// A call that something beside the world was asked for.
    pub fn note_call(&self, call: String) {
        self.lock().calls.push(call);
    }

    /// The calls since the last look, oldest first: a port's method and what it was about.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().calls)
    }

    /// Gmail's quota units that were spent since the last look.
    pub fn take_units(&self) -> u64 {
        std::mem::take(&mut self.lock().units)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call of a port: logged, then scripted on either side of its effect.
    pub(crate) async fn call<T, E: Refusal>(
        &self,
        call: Call,
        about: impl Display + Send,
        effect: impl FnOnce(&mut State) -> Result<T, E> + Send,
    ) -> Result<T, E> {
        let line = format!("{call} {about}").trim_end().to_string();
        let fault = self.fault(call);
        self.trace(&line, fault);
        self.lock().calls.push(line);
        self.struck_before(fault).await.map_err(E::of)?;
        self.play(call, When::Before).await.map_err(E::of)?;
        let answer = effect(&mut self.lock())?;
        self.play(call, When::After).await.map_err(E::of)?;
        self.struck_after(fault).await.map_err(E::of)?;
        Ok(answer)
    }

    async fn play(&self, call: Call, when: When) -> Result<(), Failure> {
        let acts = self.lock().scripts.due(call, when);
        for act in acts {
            match act {
                Act::Fail(failure) => return Err(failure),
                Act::Meanwhile(happen) => happen(self),
                Act::Hold(gate) => gate.passed().await,
                Act::Crash => {
                    self.lock().crashed = true;
                    std::future::pending::<()>().await;
                }
            }
        }
        Ok(())
    }
}
