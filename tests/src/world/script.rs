//! What a story scripts: which call fails, crashes, waits or is overtaken, and on which side of its
//! effect.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use email_connectors::ports::{
    Cause, ProviderError, StoreError, TokenError, Unavailable, VaultError,
};
use tokio::sync::Semaphore;

use super::{State, World};

macro_rules! calls {
    ($($name:ident => $text:literal),* $(,)?) => {
        /// A method of a port; shown as `port.method`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Call {
            $($name),*
        }

        impl fmt::Display for Call {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(match self {
                    $(Self::$name => $text),*
                })
            }
        }
    };
}

calls! {
    InSlot => "store.in_slot",
    CreateConnector => "store.create_connector",
    Reconnect => "store.reconnect",
    Rename => "store.rename",
    Exchanged => "store.exchanged",
    Connector => "store.connector",
    Connectors => "store.connectors",
    Membership => "store.membership",
    PutMembership => "store.put_membership",
    KeepConsent => "store.keep_consent",
    TakeConsent => "store.take_consent",
    PutSession => "store.put_session",
    Session => "store.session",
    NoteSeen => "store.note_seen",
    ClaimKey => "store.claim_key",
    KeepAnswer => "store.keep_answer",
    ReleaseKey => "store.release_key",
    ForgetRequests => "store.forget_requests",
    BeginClosing => "store.begin_closing",
    RecordClosing => "store.record_closing",
    RemoveConnector => "store.remove_connector",
    Trigger => "store.trigger",
    Triggers => "store.triggers",
    PutTrigger => "store.put_trigger",
    Hook => "store.hook",
    RemoveTrigger => "store.remove_trigger",
    Mailbox => "store.mailbox",
    ConnectorAt => "store.connector_at",
    Decided => "store.decided",
    Commit => "store.commit",
    Announce => "store.announce",
    DeliveryRecords => "store.delivery_records",
    Firings => "store.firings",
    Forget => "store.forget",
    Unpublished => "store.unpublished",
    MarkPublished => "store.mark_published",
    CacheAccessToken => "store.cache_access_token",
    RotateRefreshToken => "store.rotate_refresh_token",
    RecordWatch => "store.record_watch",
    Schedule => "store.schedule",
    PutOff => "store.put_off",
    Due => "store.due",
    DataKey => "store.data_key",
    KeepDataKey => "store.keep_data_key",
    SealRefreshToken => "vault.seal_refresh_token",
    OpenRefreshToken => "vault.open_refresh_token",
    SealTriggerSecret => "vault.seal_trigger_secret",
    OpenTriggerSecret => "vault.open_trigger_secret",
    NewDataKey => "vault.new_data_key",
    SealAccessToken => "vault.seal_access_token",
    OpenAccessToken => "vault.open_access_token",
    Exchange => "gmail.exchange",
    Refresh => "gmail.refresh",
    Adopt => "gmail.adopt",
    Revoke => "gmail.revoke",
    Profile => "gmail.profile",
    Watch => "gmail.watch",
    Stop => "gmail.stop",
    History => "gmail.history",
    List => "gmail.list",
    Messages => "gmail.messages",
    Aliases => "gmail.aliases",
    Perform => "gmail.perform",
    Send => "queue.send",
    Keep => "quarantine.keep",
    Publish => "bus.publish",
    Verify => "tokens.verify",
    Ready => "tokens.ready",
    Depth => "queue.depth",
    PutUrl => "objects.put_url",
    GetUrl => "objects.get_url",
    ObjectSize => "objects.size",
    ReadObject => "objects.read",
    WriteObject => "objects.write",
}

/// On which side of a call's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The call fails without an effect.
    Before,
    /// The call takes effect, but its caller gets an error.
    After,
}

/// The error that the caller gets instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    Unavailable,
    /// Only of a store, like `Unreadable`.
    Conflict,
    Unreadable,
    /// Only of Gmail, like the others below.
    Unauthorized,
    GrantRefused,
    ClientRefused,
    HistoryExpired,
    /// Too many calls; how long to wait.
    RateLimited(Duration),
    /// For mail that must not be sent twice.
    OutcomeUnknown,
    PageLost,
    WatchTaken,
    Refused(u16),
}

pub(crate) enum Act {
    Fail(Failure),
    Crash,
    Hold(Gate),
    Meanwhile(Box<dyn FnOnce(&World) + Send>),
}

/// Blocks a scripted call until the story opens it.
#[derive(Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    pub fn open(&self) {
        self.0.add_permits(1);
    }

    pub(crate) async fn passed(&self) {
        // The semaphore is never closed.
        let _ = self.0.acquire().await.map(|permit| permit.forget());
    }
}

struct Script {
    call: Call,
    when: When,
    /// How many such calls there are to go, the scripted one among them.
    to_go: u32,
    act: Act,
}

#[derive(Default)]
pub(crate) struct Scripts(Vec<Script>);

impl Scripts {
    pub fn due(&mut self, call: Call, when: When) -> Vec<Act> {
        for script in self.0.iter_mut().filter(|script| script.call == call && script.when == when)
        {
            script.to_go -= 1;
        }
        self.0.extract_if(.., |script| script.to_go == 0).map(|script| script.act).collect()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let left: Vec<_> = self
            .scripts
            .0
            .iter()
            .map(|script| format!("{} ({:?}, {} to go)", script.call, script.when, script.to_go))
            .collect();
        if !std::thread::panicking() {
            assert!(left.is_empty(), "scripted, and never called: {}", left.join(", "));
        }
    }
}

impl World {
    /// The `nth` such call from now on (from 1) finds its port unavailable, before or after the
    /// effect.
    pub fn fail(&self, call: Call, when: When, nth: u32) {
        self.fail_with(call, when, nth, Failure::Unavailable);
    }

    pub fn fail_with(&self, call: Call, when: When, nth: u32, failure: Failure) {
        self.script(call, when, nth, Act::Fail(failure));
    }

    /// The process ends there; the flow must run under `until_crash`.
    pub fn crash(&self, call: Call, when: When, nth: u32) {
        self.script(call, when, nth, Act::Crash);
    }

    /// The call waits there until the gate is opened.
    pub fn hold(&self, call: Call, when: When, nth: u32) -> Gate {
        let gate = Gate(Arc::new(Semaphore::new(0)));
        self.script(call, when, nth, Act::Hold(gate.clone()));
        gate
    }

    /// Something happens elsewhere at that moment.
    pub fn meanwhile(
        &self,
        call: Call,
        when: When,
        nth: u32,
        happen: impl FnOnce(&World) + Send + 'static,
    ) {
        self.script(call, when, nth, Act::Meanwhile(Box::new(happen)));
    }

    fn script(&self, call: Call, when: When, nth: u32, act: Act) {
        assert!(nth > 0, "calls are counted from 1");
        self.lock().scripts.0.push(Script { call, when, to_go: nth, act });
    }

    /// For stories in which chance decides whether a script is reached.
    pub fn forget_scripts(&self) {
        self.lock().scripts = Scripts::default();
    }

    /// Runs a flow; `None` if it reached a scripted crash, at which it is dropped.
    pub async fn until_crash<F: Future>(&self, flow: F) -> Option<F::Output> {
        let mut flow = pin!(flow);
        poll_fn(|context| match flow.as_mut().poll(context) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if self.take_crashed() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

/// How a port expresses a scripted failure.
pub(crate) trait Refusal {
    fn of(failure: Failure) -> Self;
}

fn scripted() -> Cause {
    "as scripted".into()
}

impl Refusal for StoreError {
    fn of(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable => Self::Unavailable(scripted()),
            Failure::Conflict => Self::Conflict,
            Failure::Unreadable => Self::Unreadable("as scripted".into()),
            other => panic!("a store does not answer {other:?}"),
        }
    }
}

impl Refusal for VaultError {
    fn of(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable => Self::Unavailable(scripted()),
            other => panic!("a vault does not answer {other:?}"),
        }
    }
}

impl Refusal for ProviderError {
    fn of(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable => Self::unavailable("503, as scripted"),
            Failure::RateLimited(wait) => {
                Self::Unavailable { reason: "429, as scripted".into(), retry_after: Some(wait) }
            }
            Failure::OutcomeUnknown => Self::OutcomeUnknown("no answer, as scripted".into()),
            Failure::PageLost => Self::PageLost,
            Failure::WatchTaken => Self::WatchTaken,
            Failure::Unauthorized => Self::Unauthorized,
            Failure::GrantRefused => Self::GrantRefused("invalid_grant".into()),
            Failure::ClientRefused => Self::ClientRefused("invalid_client".into()),
            Failure::HistoryExpired => Self::HistoryExpired,
            Failure::Refused(status) => Self::Refused { status, reason: "as scripted".into() },
            other @ (Failure::Conflict | Failure::Unreadable) => {
                panic!("Gmail does not answer {other:?}")
            }
        }
    }
}

impl Refusal for Unavailable {
    fn of(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable => Self { what: "the port", cause: scripted() },
            other => panic!("this port does not answer {other:?}"),
        }
    }
}

impl Refusal for TokenError {
    fn of(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable => Self::KeysUnavailable(scripted()),
            other => panic!("a verifier does not answer {other:?}"),
        }
    }
}
