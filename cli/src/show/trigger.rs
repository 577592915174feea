//! Triggers, what they would do, and what they did.

use serde_json::Value;

use super::table::{Columns, aligned, fields, table};
use super::{at, list};

pub fn all(answer: &Value) -> String {
    let columns: &Columns = &[
        ("ID", "/id"),
        ("TYPE", "/type"),
        ("AGENT", "/agent_id"),
        ("CONNECTOR", "/config/connector_id"),
        ("FILTERS", "/config/filters"),
    ];
    table(answer, "triggers", columns)
}

pub fn one(trigger: &Value) -> String {
    let lines = fields(
        trigger,
        &[
            ("id", "/id"),
            ("type", "/type"),
            ("agent", "/agent_id"),
            ("connector", "/config/connector_id"),
            ("filters", "/config/filters"),
            ("created", "/created_at"),
            ("updated", "/updated_at"),
        ],
    );
    match trigger.get("secret") {
        Some(_) => format!(
            "{lines}\nsecret     {}\nThe secret is shown this once: keep it.",
            at(trigger, "/secret")
        ),
        None => lines,
    }
}

/// Which of the last days' mails would fire, and why the others would not.
pub fn tested(answer: &Value) -> String {
    let from = |row: &Value| {
        [at(row, "/message_id"), at(row, "/timestamp"), at(row, "/from"), at(row, "/subject")]
    };
    let reasons =
        |row: &Value| list(row, "reasons").iter().map(reason).collect::<Vec<_>>().join("; ");
    let would = list(answer, "would_fire")
        .iter()
        .map(|row| [&["yes".to_string()][..], &from(row), &[String::new()]].concat());
    let would_not = list(answer, "would_not")
        .iter()
        .map(|row| [&["no".to_string()][..], &from(row), &[reasons(row)]].concat());
    let titles =
        ["FIRES", "MESSAGE", "TIME", "FROM", "SUBJECT", "WHY NOT"].map(String::from).to_vec();
    let counted = format!(
        "{} of {} messages of the last {} days would fire{}",
        list(answer, "would_fire").len(),
        at(answer, "/looked_at"),
        at(answer, "/days"),
        if answer.get("truncated") == Some(&Value::Bool(true)) {
            "; there are more than were looked at"
        } else {
            ""
        },
    );
    let rows: Vec<Vec<String>> = would.chain(would_not).collect();
    if rows.is_empty() { counted } else { format!("{}\n{counted}", aligned(titles, rows)) }
}

fn reason(reason: &Value) -> String {
    [at(reason, "/reason"), at(reason, "/detail")]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(": ")
}

pub fn firings(answer: &Value) -> String {
    let columns: &Columns = &[
        ("EVENT", "/event_id"),
        ("DECIDED", "/decided_at"),
        ("MESSAGE", "/message_id"),
        ("PUBLISHED", "/published"),
        ("FROM", "/detail/message/from"),
        ("SUBJECT", "/detail/message/subject"),
    ];
    table(answer, "firings", columns)
}

/// One line for an event as it comes in.
pub fn firing(firing: &Value) -> String {
    let about = [
        "/detail/message/from",
        "/detail/message/subject",
        "/detail/event/event_type",
        "/detail/event/resource_id",
    ];
    let about = about.map(|pointer| at(firing, pointer));
    let parts = [at(firing, "/decided_at"), at(firing, "/event_id")].into_iter().chain(about);
    parts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("  ")
}

pub fn rotated(answer: &Value) -> String {
    let (secret, until) = (at(answer, "/secret"), at(answer, "/previous_valid_until"));
    format!(
        "secret     {secret}\nThe secret is shown this once: keep it. The one before counts until {until}."
    )
}

pub fn fired(answer: &Value) -> String {
    format!("fired: {}", at(answer, "/event_id"))
}
