//! What the sample does about an event: it prints one line.

use std::io::Write;

use crate::claims::Cause;
use crate::consume::Handler;
use crate::event::{Address, Fired};

pub struct Print;

impl Handler for Print {
    async fn handle(&self, fired: &Fired) -> Result<(), Cause> {
        writeln!(std::io::stdout(), "{}", line(fired))?;
        Ok(())
    }
}

/// Texts are their sender's, so they are quoted and escaped.
pub fn line(fired: &Fired) -> String {
    let agent = fired
        .trigger
        .agent_id
        .as_deref()
        .map(|agent| format!(" for {agent:?}"))
        .unwrap_or_default();
    format!("{} {}{agent}: {}", fired.fired_at, fired.trigger.id, about(fired))
}

fn about(fired: &Fired) -> String {
    match (&fired.message, &fired.event) {
        (Some(message), _) => {
            let subject = message
                .subject
                .as_ref()
                .map_or("no subject".into(), |subject| format!("{subject:?}"));
            let from = message.from.as_ref().map_or("nobody".into(), mailbox);
            format!("{subject} from {from}")
        }
        (None, Some(sent)) => {
            let resource = [&sent.resource_type, &sent.resource_id]
                .into_iter()
                .flatten()
                .map(|part| format!(" {part:?}"));
            format!("{:?}{}", sent.event_type, resource.collect::<String>())
        }
        (None, None) => "nothing that is known here".into(),
    }
}

fn mailbox(address: &Address) -> String {
    match &address.name {
        Some(name) => format!("{name:?} <{}>", address.address.escape_debug()),
        None => format!("<{}>", address.address.escape_debug()),
    }
}
