//! Adopts the rows, several at once: temporary failures are retried, and a bad row does not stop
//! the run.

use std::cell::RefCell;
use std::time::Duration;

use email_connectors::domain::id::{ConnectorId, OwnerId, fingerprint};
use email_connectors::domain::provider::{Provider, Registration, registered};
use email_connectors::flows::adopt::{AdoptError, Adopted, AdoptedTrigger, Adoption};
pub use email_connectors::flows::connect::Connect;
use email_connectors::flows::connect::ConnectError;
use email_connectors::flows::subscribe::SubscribeError;
use email_connectors::ports::{Clock, Entropy, Ports, ProviderError};
use email_connectors::web::causes;
use futures_util::StreamExt;
use futures_util::stream::iter;
use tokio::sync::Mutex;

use super::export::Checked;
use super::journal::{Done, Entry, Journal};
use super::report::Report;
use super::row::{Bad, Candidate, Code};
use crate::failure::Failure;
use crate::pace::pause;

/// The delays before the retries of one row.
pub const BACKOFF: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];
/// The longest delay, even if a `Retry-After` is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// So many unavailable rows one after the other end the run: what is down is down for all rows.
const MOST_UNAVAILABLE: u32 = 25;
/// Locks that serialize the rows of one owner; two owners may share one by their hash, which only
/// costs time.
const LANES: usize = 1024;

/// How a migration is run.
pub struct Rate<'a> {
    pub at_once: usize,
    pub backoff: &'a [Duration],
}

/// What is wrong about one row, or about all.
enum Ending {
    Row(Bad),
    /// Not possible for now, and why; with the delay that the provider named, if it did.
    Later(String, Option<Duration>),
    All(Failure),
}

/// Adopts the checked rows and reports the bad ones. An error of the file, or one that concerns all
/// rows, ends the run.
pub async fn run<P: Ports>(
    connect: &Connect<P>,
    machine: &(impl Clock + Entropy),
    rows: impl Iterator<Item = Result<Checked, Failure>>,
    books: Books<'_>,
    pace: &Rate<'_>,
    handled: impl Fn(),
) -> Result<(), Failure> {
    let (books, lanes): (_, Vec<Mutex<()>>) =
        (RefCell::new(books), (0..LANES).map(|_| Mutex::new(())).collect());
    let adopted = iter(rows).map(async |row| {
        let (number, checked) = row?;
        let Some(candidate) = books.borrow_mut().open(number, checked)? else { return Ok(None) };
        let _one_of_its_owner = lanes[lane(&candidate.owner)].lock().await;
        let (entry, adoption) = adoption(candidate, machine);
        let ended = patiently(connect, machine, &adoption, pace.backoff).await;
        books.borrow_mut().close(entry, ended).map(Some)
    });
    let mut adopted = std::pin::pin!(adopted.buffer_unordered(pace.at_once));
    let mut unavailable = 0;
    while let Some(row) = adopted.next().await {
        handled();
        match row? {
            Some(Outcome::Settled) => unavailable = 0,
            Some(Outcome::Open) => unavailable += 1,
            None => {}
        }
        // Rows in progress are dropped: adopting them again finds what was begun.
        if unavailable >= MOST_UNAVAILABLE {
            return Err(Failure::Unreachable(format!(
                "nothing was possible for {unavailable} rows one after the other; what is done is kept: run it again later"
            )));
        }
    }
    books.borrow_mut().journal.sync()
}

/// What is written down of each row.
pub struct Books<'a> {
    pub journal: &'a mut Journal,
    pub report: &'a mut Report,
}

enum Outcome {
    Settled,
    Open,
}

impl Books<'_> {
    /// The row, if something is to be done for it.
    fn open(
        &mut self,
        number: u64,
        checked: Result<Candidate, Bad>,
    ) -> Result<Option<Candidate>, Failure> {
        self.report.tally.rows += 1;
        match checked {
            Ok(candidate) if self.journal.is_done(candidate.key) => {
                self.report.tally.done_before += 1;
                Ok(None)
            }
            Ok(candidate) => Ok(Some(candidate)),
            Err(bad) => self.report.bad(number, &bad).map(|()| None),
        }
    }

    fn close(
        &mut self,
        mut entry: Entry,
        ended: Result<Adopted, Ending>,
    ) -> Result<Outcome, Failure> {
        let (bad, outcome) = match ended {
            Ok(adopted) => {
                count(self.report, &adopted);
                entry.outcome =
                    if adopted.is_new { Done::Connected } else { Done::AlreadyConnected };
                entry.connector_id = Some(adopted.connector_id.to_string());
                return self.journal.write(&entry).map(|()| Outcome::Settled);
            }
            Err(Ending::All(failure)) => return Err(failure),
            Err(Ending::Row(bad)) => (bad, Outcome::Settled),
            Err(Ending::Later(why, _)) => (
                Bad::new(Code::Unavailable, format!("not for now: {why}; run it again")),
                Outcome::Open,
            ),
        };
        entry.code = Some(bad.code);
        self.report.bad(entry.row, &Bad { owner: Some(entry.owner.clone()), ..bad })?;
        self.journal.write(&entry).map(|()| outcome)
    }
}

fn lane(owner: &OwnerId) -> usize {
    usize::from(fingerprint(&[owner.as_str()]).as_fields().1) % LANES
}

fn adoption(candidate: Candidate, machine: &(impl Clock + Entropy)) -> (Entry, Adoption) {
    let Candidate { number, key, owner, address, refresh_token, triggers } = candidate;
    let entry = Entry {
        row: number,
        key,
        owner: owner.to_string(),
        outcome: Done::Open,
        connector_id: None,
        code: None,
    };
    let triggers =
        triggers.into_iter().map(|(known_as, new)| AdoptedTrigger { known_as, new }).collect();
    let new_id = ConnectorId::from_uuid(machine.uuid(machine.now()));
    (entry, Adoption { owner_id: owner, refresh_token, address, triggers, new_id })
}

fn count(report: &mut Report, adopted: &Adopted) {
    let tally = &mut report.tally;
    if adopted.is_new {
        tally.connected += 1
    } else {
        tally.already_connected += 1
    }
    tally.triggers += adopted.triggers as u64;
    tally.not_watched += u64::from(adopted.watch.expiration.is_none());
}

async fn patiently<P: Ports>(
    connect: &Connect<P>,
    machine: &impl Clock,
    adoption: &Adoption,
    backoff: &[Duration],
) -> Result<Adopted, Ending> {
    let mut waits = backoff.iter();
    loop {
        let ending = match connect.adopt(adoption, machine.now()).await {
            Ok(adopted) => return Ok(adopted),
            Err(error) => ending(error, registered(connect.kind)),
        };
        match (ending, waits.next()) {
            (Ending::Later(_, retry_after), Some(wait)) => {
                pause(retry_after.unwrap_or(*wait).clamp(*wait, LONGEST_WAIT)).await
            }
            (ending, _) => return Err(ending),
        }
    }
}

/// What an error means for the row, in words that say the way out.
fn ending(error: AdoptError, provider: &Registration) -> Ending {
    let vendor = provider.vendor;
    let row = |code, reason: String| Ending::Row(Bad::new(code, reason));
    let again = "its user must connect again";
    match error {
        AdoptError::AnotherAddress(address) => row(
            Code::AnotherAddress,
            format!("the mailbox is {address}, the export names another one"),
        ),
        AdoptError::NeedsReauth => row(
            Code::NeedsReauth,
            format!("a connector is there and has lost its own grant: {again}"),
        ),
        AdoptError::Subscribe(SubscribeError::TooMany) => row(
            Code::TooManyTriggers,
            "the connector that is there holds as many triggers as it can; delete some".into(),
        ),
        AdoptError::Subscribe(error) => Ending::Later(causes(&error), None),
        AdoptError::Connect(error) => match error {
            ConnectError::MissingScopes(missing) => {
                row(Code::MissingScopes, format!("not granted: {}: {again}", missing.join(" ")))
            }
            ConnectError::Identity(refusal) => row(
                Code::UnknownAccount,
                format!("{vendor} does not say whose grant it is ({refusal}): {again}"),
            ),
            ConnectError::AccountMismatch => row(
                Code::AnotherAccount,
                format!(
                    "another {vendor} account is connected for this owner; nothing was changed"
                ),
            ),
            ConnectError::Provider(ProviderError::NotConfigured) => {
                Ending::All(Failure::here(format!("the stack connects no {}", provider.name)))
            }
            ConnectError::Provider(error) => of_provider(error, provider, again),
            error => Ending::Later(causes(&error), None),
        },
    }
}

fn of_provider(error: ProviderError, provider: &Registration, again: &str) -> Ending {
    let vendor = provider.vendor;
    let row = |code, reason: String| Ending::Row(Bad::new(code, reason));
    match error {
        ProviderError::GrantRefused(reason) => row(
            Code::InvalidGrant,
            format!("{vendor} no longer honours the grant ({reason}): {again}"),
        ),
        // Google says so of another client's token; Microsoft calls that an invalid grant.
        ProviderError::ClientRefused(reason) if reason == "unauthorized_client" => row(
            Code::AnotherClient,
            format!("the grant is of another OAuth client than the stack's: {again}"),
        ),
        ProviderError::ClientRefused(reason) => Ending::All(Failure::here(format!(
            "{vendor} refuses the stack's OAuth client ({reason}): deploy the stack with the client of the older system"
        ))),
        ProviderError::Refused { status, reason } => {
            row(refused(provider), format!("{vendor} refuses with {status}: {reason}"))
        }
        ProviderError::Unavailable { reason, retry_after } => Ending::Later(reason, retry_after),
        ProviderError::RateLimited { reason, retry_after } => Ending::Later(reason, retry_after),
        error => Ending::Later(causes(&error), None),
    }
}

fn refused(provider: &Registration) -> Code {
    match provider.provider {
        Provider::Gmail => Code::GoogleRefused,
        Provider::Outlook => Code::MicrosoftRefused,
    }
}
