//! What this process keeps of a mailbox: how many calls are on their way, since Graph takes four at
//! once for each app and mailbox
//! (<https://learn.microsoft.com/en-us/graph/throttling-limits#outlook-service-limits>), and what is
//! known of its folders.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::id::fingerprint;
use crate::domain::provider::outlook::received::Folders;
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;

/// Graph's own bound.
const AT_ONCE: usize = 4;
/// Of them, those that operations may take.
const OF_OPERATIONS: usize = 3;
/// Folders are renamed, moved and made anew.
const FOLDERS_LIFE: Duration = Duration::from_secs(600);
/// Beyond, the oldest is forgotten.
const MOST_KEPT: usize = 64;

/// By access token, which is one mailbox's; what is kept is lost when it is refreshed.
#[derive(Default)]
pub struct Mailboxes(Mutex<HashMap<u128, (u64, Arc<Mailbox>)>>);

pub struct Mailbox {
    calls: Semaphore,
    operations: Semaphore,
    folders: Mutex<Option<(Timestamp, Folders)>>,
    /// The grant allows to read headers and nothing else.
    is_basic: AtomicBool,
}

impl Default for Mailbox {
    fn default() -> Self {
        Self {
            calls: Semaphore::new(AT_ONCE),
            operations: Semaphore::new(OF_OPERATIONS),
            folders: Mutex::new(None),
            is_basic: AtomicBool::new(false),
        }
    }
}

/// Room for calls that are on their way.
pub struct Room<'a>(#[expect(dead_code, reason = "held")] [Option<SemaphorePermit<'a>>; 2]);

impl Mailboxes {
    pub fn of(&self, access: &AccessToken) -> Arc<Mailbox> {
        let key = fingerprint(&["mailbox", access.secret.expose_secret()]).as_u128();
        let mut all = locked(&self.0);
        let newest = all.values().map(|(used, _)| *used).max().unwrap_or(0);
        let (used, mailbox) = all.entry(key).or_default();
        *used = newest + 1;
        let mailbox = Arc::clone(mailbox);
        if all.len() > MOST_KEPT
            && let Some(oldest) = all.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key)
        {
            all.remove(&oldest);
        }
        mailbox
    }
}

impl Mailbox {
    /// Waits for room for one call.
    pub async fn room(&self, is_operation: bool) -> Room<'_> {
        let operation = match is_operation {
            true => self.operations.acquire().await.ok(),
            false => None,
        };
        Room([operation, self.calls.acquire().await.ok()])
    }

    /// Waits for all the room that there is: the parts of a batch are worked four at a time.
    pub async fn whole_room(&self) -> Room<'_> {
        const ALL: u32 = AT_ONCE as u32;
        Room([self.calls.acquire_many(ALL).await.ok(), None])
    }

    pub fn folders(&self, now: Timestamp) -> Option<Folders> {
        let kept = locked(&self.folders);
        kept.as_ref()
            .filter(|(read, _)| now < read.after(FOLDERS_LIFE))
            .map(|(_, known)| known.clone())
    }

    /// Keeps what was read at `now`; what was learned besides keeps its age.
    pub fn keep_folders(&self, folders: Folders, now: Timestamp) {
        let mut kept = locked(&self.folders);
        let fresh =
            kept.as_ref().map(|(read, _)| *read).filter(|read| now < read.after(FOLDERS_LIFE));
        *kept = Some((fresh.unwrap_or(now), folders));
    }

    pub fn is_basic(&self) -> bool {
        self.is_basic.load(Ordering::Relaxed)
    }

    pub fn note_basic(&self) {
        self.is_basic.store(true, Ordering::Relaxed);
    }

    pub fn forget_folders(&self) {
        *locked(&self.folders) = None;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn access(secret: &str) -> AccessToken {
        AccessToken { secret: secret.into(), expires_at: Timestamp::from_seconds(0) }
    }

    #[test]
    fn four_calls_are_on_their_way_at_once_of_which_three_are_operations() {
        let mailboxes = Mailboxes::default();
        let (mailbox, again) = (mailboxes.of(&access("a")), mailboxes.of(&access("a")));
        let room = |is_operation| mailbox.room(is_operation).now_or_never();
        let operations: Vec<_> = (0..3).map(|_| room(true).unwrap()).collect();
        assert!(room(true).is_none(), "a fourth operation waits");
        let own = again.room(false).now_or_never().unwrap();
        assert!(room(false).is_none(), "five at once are too many");
        assert!(mailboxes.of(&access("b")).room(false).now_or_never().is_some());
        drop((own, operations));
        let whole = mailbox.whole_room().now_or_never().unwrap();
        assert!(room(false).is_none(), "a batch takes all the room");
        drop(whole);
        assert!(room(true).is_some());
    }

    #[test]
    fn few_mailboxes_are_kept_and_their_folders_for_a_while() {
        let mailboxes = Mailboxes::default();
        let now = Timestamp::from_seconds(1000);
        let kept = mailboxes.of(&access("kept"));
        kept.keep_folders(Folders::default(), now);
        for number in 0..100 {
            mailboxes.of(&access(&number.to_string()));
            assert!(Arc::ptr_eq(&kept, &mailboxes.of(&access("kept"))));
        }
        assert_eq!(locked(&mailboxes.0).len(), MOST_KEPT);
        kept.keep_folders(Folders::default(), now.after(Duration::from_secs(300)));
        assert!(kept.folders(now.after(Duration::from_secs(599))).is_some());
        assert!(kept.folders(now.after(FOLDERS_LIFE)).is_none(), "what was learned has no new age");
    }
}
