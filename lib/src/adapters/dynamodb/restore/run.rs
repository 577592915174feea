//! A restore: scans the other table for the chosen connectors, finds what is missing of each, and
//! writes it in an order in which nothing fires twice.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::iter;
use futures_util::{StreamExt, TryStreamExt};

use super::Kinds;
use crate::adapters::dynamodb::DynamoStore;
use crate::adapters::dynamodb::scan::{Of, Row};
use crate::domain::connector::Location;
use crate::domain::id::{ConnectorId, EventId, OwnerId};
use crate::domain::restore::KeptOut;
use crate::domain::timestamp::Timestamp;
use crate::ports::StoreError;

/// How many rows or connectors are looked at side by side.
const AT_ONCE: usize = 16;

/// Which connectors are restored; all, if none is named.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    pub connectors: Vec<ConnectorId>,
    pub owners: Vec<OwnerId>,
}

pub struct Restore<'a> {
    pub from: &'a DynamoStore,
    pub to: &'a DynamoStore,
    pub choice: Choice,
    /// Else the tables are only compared.
    pub apply: bool,
}

/// What was restored, or would be.
#[derive(Debug, Default)]
pub struct Report {
    /// How many rows were read.
    pub rows: u64,
    /// How many of them are short-lived, and not restored.
    pub passing: u64,
    /// The chosen connectors.
    pub connectors: BTreeMap<ConnectorId, Restored>,
    /// Missing rows of the whole stack.
    pub service: u64,
}

#[derive(Debug)]
pub struct Restored {
    pub location: Location,
    pub owner: OwnerId,
    pub ended: Ended,
    owed: BTreeSet<EventId>,
}

impl Restored {
    pub fn new(location: Location, owner: OwnerId, ended: Ended) -> Self {
        Self { location, owner, ended, owed: BTreeSet::new() }
    }
}

#[derive(Debug)]
pub enum Ended {
    /// Rows that are missing, or were restored; empty if nothing was missing.
    Complete(Kinds),
    KeptOut(KeptOut),
    Failed(StoreError),
}

impl Restore<'_> {
    pub async fn run(&self, now: Timestamp) -> Result<Report, StoreError> {
        let mut report = self.choose().await?;
        self.judge(&mut report).await;
        // Before their connectors: the ledger must be complete when a mailbox is read again.
        self.restore_events(&mut report, now).await?;
        if self.apply {
            self.restore_connectors(&mut report, now).await;
        }
        Ok(report)
    }

    /// Scans the other table for the chosen connectors.
    async fn choose(&self) -> Result<Report, StoreError> {
        let (mut report, mut next) = (Report::default(), None);
        loop {
            let page = self.from.all_rows(next).await?;
            for row in page.rows {
                report.rows += 1;
                match row.of() {
                    Of::Passing => report.passing += 1,
                    Of::Connector(location, owner) if self.wants(&location, &owner) => {
                        let connector =
                            Restored::new(location, owner, Ended::Complete(Kinds::new()));
                        report.connectors.insert(connector.location.connector.clone(), connector);
                    }
                    Of::Service if self.wants_all() => {
                        report.service += u64::from(self.restore_service(&row).await?)
                    }
                    _ => {}
                }
            }
            next = page.next;
            if next.is_none() {
                return Ok(report);
            }
        }
    }

    fn wants_all(&self) -> bool {
        self.choice.connectors.is_empty() && self.choice.owners.is_empty()
    }

    fn wants(&self, location: &Location, owner: &OwnerId) -> bool {
        self.choice.connectors.contains(&location.connector)
            || self.choice.owners.contains(owner)
            || self.wants_all()
    }

    async fn restore_service(&self, row: &Row) -> Result<bool, StoreError> {
        if self.apply { self.to.insert_absent(row).await } else { Ok(!self.to.lies(row).await?) }
    }

    async fn judge(&self, report: &mut Report) {
        let judged = iter(report.connectors.values_mut()).map(async |connector| {
            match self.to.missing(self.from, &connector.location).await {
                Ok(Ok(missing)) => {
                    connector.ended = Ended::Complete(missing.kinds().clone());
                    connector.owed = missing.owed().clone();
                }
                Ok(Err(kept_out)) => connector.ended = Ended::KeptOut(kept_out),
                Err(error) => connector.ended = Ended::Failed(error),
            }
        });
        judged.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }

    async fn restore_events(&self, report: &mut Report, now: Timestamp) -> Result<(), StoreError> {
        let mut next = None;
        loop {
            let page = self.from.all_events(next).await?;
            let known = &report.connectors;
            let of_chosen = page.rows.into_iter().filter_map(|row| match row.of() {
                Of::Event(event, connector) => {
                    let of = known
                        .get(&connector)
                        .filter(|of| matches!(of.ended, Ended::Complete(_)))?;
                    Some((row, of.owed.contains(&event), connector))
                }
                _ => None,
            });
            let restored =
                iter(of_chosen.collect::<Vec<_>>()).map(async |(row, owed, connector)| {
                    let missing = self.to.insert_event(row, owed, self.apply, now).await?;
                    Ok::<_, StoreError>(missing.then_some(connector))
                });
            let restored: Vec<_> = restored.buffer_unordered(AT_ONCE).try_collect().await?;
            for connector in restored.into_iter().flatten() {
                if let Some(Restored { ended: Ended::Complete(kinds), .. }) =
                    report.connectors.get_mut(&connector)
                {
                    *kinds.entry("event").or_default() += 1;
                }
            }
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    async fn restore_connectors(&self, report: &mut Report, now: Timestamp) {
        let restored = iter(report.connectors.values_mut()).map(async |connector| {
            let Ended::Complete(kinds) = &mut connector.ended else { return };
            let events = kinds.remove_entry("event");
            match self.to.restore_connector(self.from, &connector.location, now).await {
                Ok(Ok(written)) => *kinds = written.into_iter().chain(events).collect(),
                Ok(Err(kept_out)) => connector.ended = Ended::KeptOut(kept_out),
                Err(error) => connector.ended = Ended::Failed(error),
            }
        });
        restored.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }
}
