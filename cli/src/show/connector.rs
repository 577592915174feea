//! Connectors, and what was done with them.

use serde_json::Value;

use super::table::{Columns, fields, table};
use super::{at, list};

pub fn all(answer: &Value) -> String {
    let columns: &Columns = &[
        ("ID", "/id"),
        ("ADDRESS", "/email_address"),
        ("LABEL", "/label"),
        ("STATUS", "/status"),
        ("WATCH", "/watch/status"),
        ("CIRCUIT", "/circuit/state"),
        ("PAUSED", "/paused"),
        ("LAST EVENT", "/last_event_at"),
    ];
    table(answer, "connectors", columns)
}

/// Those of all owners.
pub fn everyone(answer: &Value) -> String {
    let columns: &Columns = &[
        ("ID", "/id"),
        ("OWNER", "/owner_id"),
        ("ADDRESS", "/email_address"),
        ("STATUS", "/status"),
        ("WATCH", "/watch/status"),
        ("WATCH ENDS", "/watch/expiration"),
        ("CIRCUIT", "/circuit/state"),
        ("LAST EVENT", "/last_event_at"),
    ];
    table(answer, "connectors", columns)
}

pub fn one(connector: &Value) -> String {
    fields(
        connector,
        &[
            ("id", "/id"),
            ("label", "/label"),
            ("address", "/email_address"),
            ("owner", "/owner_id"),
            ("status", "/status"),
            ("paused", "/paused"),
            ("capabilities", "/capabilities"),
            ("scopes", "/granted_scopes"),
            ("history id", "/history_id"),
            ("watch", "/watch/status"),
            ("watch ends", "/watch/expiration"),
            ("watch renewed", "/watch/renewed_at"),
            ("watch proven", "/watch/verified_at"),
            ("watch failure", "/watch/failure/reason"),
            ("circuit", "/circuit/state"),
            ("circuit until", "/circuit/open_until"),
            ("failures", "/circuit/failures"),
            ("parked", "/parked_messages"),
            ("last event", "/last_event_at"),
            ("last error", "/last_error"),
            ("closing since", "/closing/since"),
            ("created", "/created_at"),
            ("updated", "/updated_at"),
        ],
    )
}

pub fn circuit(connector: &Value) -> String {
    fields(
        connector,
        &[
            ("circuit", "/circuit/state"),
            ("failures", "/circuit/failures"),
            ("until", "/circuit/open_until"),
            ("last error", "/last_error"),
        ],
    )
}

/// What the connector's own row counts.
pub fn metrics(connector: &Value) -> String {
    let counted = fields(
        connector,
        &[
            ("history id", "/history_id"),
            ("parked messages", "/parked_messages"),
            ("failures in a row", "/circuit/failures"),
            ("last event", "/last_event_at"),
            ("watch renewed", "/watch/renewed_at"),
            ("watch proven", "/watch/verified_at"),
            ("updated", "/updated_at"),
        ],
    );
    format!("{counted}\nThe rest is in CloudWatch, namespace EmailConnectors.")
}

pub fn connected(answer: &Value) -> String {
    fields(
        answer,
        &[
            ("connected", "/connector_id"),
            ("address", "/email_address"),
            ("watch", "/watch/status"),
            ("reason", "/watch/reason"),
        ],
    )
}

pub fn consent_page(answer: &Value) -> String {
    format!("Open this in a browser, and consent:\n{}", at(answer, "/authorization_url"))
}

pub fn admin_consent_page(answer: &Value) -> String {
    format!(
        "Have an administrator of the organization open this, and consent for all its users:\n{}",
        at(answer, "/admin_consent_url")
    )
}

pub fn removed(receipt: &Value) -> String {
    let steps = fields(
        receipt,
        &[
            ("watch stopped", "/watch_stopped"),
            ("grant revoked", "/grant_revoked"),
            ("data purged", "/data_purged"),
        ],
    );
    let rest = if receipt.get("data_purged") == Some(&Value::Bool(true)) {
        ""
    } else {
        "\nThe rest goes on by itself."
    };
    format!("{steps}{rest}")
}

pub fn queued(_: &Value) -> String {
    "queued: the mailbox is looked at, and its parked messages are tried again".into()
}

/// The connectors in an answer: of a list, or the single one.
pub fn each(answer: &Value) -> &[Value] {
    if answer.get("connectors").is_some() {
        list(answer, "connectors")
    } else {
        std::slice::from_ref(answer)
    }
}
