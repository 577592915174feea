//! The connectors of a mailbox, read from its rows: a connector comes before its triggers.

use super::keys::{self, Item};
use super::rows::{ConnectorRow, read};
use crate::domain::connector::Connector;
use crate::domain::trigger::Trigger;
use crate::ports::StoreError;

pub fn connector(row: Item) -> Result<Connector, StoreError> {
    read::<ConnectorRow>(row).map(Connector::from)
}

/// The readable connectors with all of their triggers. A connector with an unreadable row is logged
/// and left out. A newer version may have written it with a filter that is unknown here; without
/// that filter it would fire for too much mail.
pub fn members(rows: Vec<Item>) -> Vec<(Connector, Vec<Trigger>)> {
    let mut members: Vec<Result<(Connector, Vec<Trigger>), StoreError>> = Vec::new();
    for row in rows {
        let is_trigger =
            row.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| keys::is_trigger(sk));
        match (is_trigger, members.last_mut()) {
            (false, _) => members.push(connector(row).map(|connector| (connector, Vec::new()))),
            (true, Some(member)) => add(member, row),
            (true, None) => {
                members.push(Err(StoreError::Unreadable("a trigger without its connector".into())))
            }
        }
    }
    let readable = |member: Result<_, StoreError>| {
        member.inspect_err(|error| tracing::error!(%error, "a connector rests")).ok()
    };
    members.into_iter().filter_map(readable).collect()
}

fn add(member: &mut Result<(Connector, Vec<Trigger>), StoreError>, row: Item) {
    if let Ok((_, triggers)) = member {
        match read(row) {
            Ok(trigger) => triggers.push(trigger),
            Err(error) => *member = Err(error),
        }
    }
}
