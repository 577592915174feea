//! Each command: its requests, in their order, and how what came of them is shown.

pub mod attachments;
pub mod connect;
pub mod connectors;
pub mod dead_letters;
pub mod doctor;
pub mod drafts;
pub mod everyone;
pub mod grants;
pub mod labels;
pub mod messages;
pub mod migrate;
pub mod renew;
pub mod restore;
pub mod smoke;
pub mod tail;
pub mod threads;
pub mod triggers;
mod uploads;

use clap::ValueEnum;
use email_connectors::adapters::system::System;
use email_connectors::ports::{Clock, Entropy};

use crate::args::operate::Replay;
use crate::args::{Command, Page};
use crate::failure::Failure;
use crate::request::Request;
use crate::session::Session;

pub async fn run(session: &Session, command: Command) -> Result<(), Failure> {
    match command {
        Command::List(list) if list.all_owners => everyone::list(session, list.only).await,
        Command::List(list) => connectors::list(session, list.page).await,
        Command::Show(connector) => connectors::show(session, &connector.id).await,
        Command::Register(register) => connect::run(session, register).await,
        Command::Enable(connector) => connectors::pause(session, &connector.id, false).await,
        Command::Disable(connector) => connectors::pause(session, &connector.id, true).await,
        Command::Rename(rename) => {
            connectors::rename(session, &rename.connector.id, &rename.label).await
        }
        Command::Remove(remove) => connectors::remove(session, remove).await,
        Command::Sync(connector) | Command::Replay(Replay::Parked(connector)) => {
            connectors::sync(session, &connector.id).await
        }
        Command::Renew(renew) => renew::run(session, renew).await,
        Command::Health(health) if health.all_owners => everyone::health(session).await,
        Command::Health(health) => connectors::health(session, health).await,
        Command::Circuit(connector) => connectors::circuit(session, &connector.id).await,
        Command::Metrics(connector) => connectors::metrics(session, &connector.id).await,
        Command::Triggers(triggers) => triggers::run(session, triggers).await,
        Command::Test(test) => smoke::run(session, test).await,
        Command::Messages(messages) => messages::run(session, messages).await,
        Command::Attachments(attachments) => attachments::run(session, attachments).await,
        Command::Threads(threads) => threads::run(session, threads).await,
        Command::Labels(labels) => labels::run(session, labels).await,
        Command::Drafts(drafts) => drafts::run(session, drafts).await,
        Command::Replay(Replay::DeadLetters(dead_letters)) => {
            dead_letters::run(session, dead_letters).await
        }
        Command::RevokeGrants(revoke) => grants::run(session, revoke).await,
        Command::Restore(restore) => restore::run(session, restore).await,
        Command::Doctor(doctor) => doctor::run(session, doctor).await,
        Command::Tail(tail) => tail::run(session, tail).await,
        Command::Migrate(migrate) => migrate::run(session, migrate).await,
    }
}

fn paged(request: Request, page: &Page) -> Request {
    request.with("page_size", page.page_size).with("page_token", page.page_token.as_ref())
}

/// A chosen value as the API spells it.
fn named(value: Option<impl ValueEnum>) -> Option<String> {
    value.and_then(|value| value.to_possible_value()).map(|value| value.get_name().to_string())
}

/// Printed before the request is sent, so that it can be repeated if no answer comes.
fn idempotency_key(session: &Session, given: Option<String>) -> String {
    given.unwrap_or_else(|| {
        let key = System.uuid(System.now()).to_string();
        session.output.note(&format!("idempotency key: {key}"));
        key
    })
}
