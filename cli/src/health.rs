//! The API's health documents as tables, with what to do about each finding. Pure.

use serde_json::Value;

use crate::show::table::aligned;
use crate::show::{at, list};

/// Of connectors, each with its findings below.
pub fn table(healths: &[Value]) -> String {
    if healths.is_empty() {
        return "no connectors".into();
    }
    let columns = [
        ("ID", "/id"),
        ("OWNER", "/owner_id"),
        ("ADDRESS", "/email_address"),
        ("STATUS", "/auth/status"),
        ("WATCH", "/watch/status"),
        ("CIRCUIT", "/circuit/state"),
        ("PARKED", "/backlog/parked_messages"),
        ("HEALTH", "/status"),
    ];
    // An owner's own list has no owner column.
    let has_owners = healths.iter().any(|health| health.get("owner_id").is_some());
    let columns: Vec<_> =
        columns.into_iter().filter(|(title, _)| has_owners || *title != "OWNER").collect();
    let titles = columns.iter().map(|(title, _)| title.to_string()).collect();
    let rows = healths
        .iter()
        .map(|health| columns.iter().map(|(_, pointer)| at(health, pointer)).collect())
        .collect();
    let findings = healths.iter().flat_map(|health| {
        list(health, "findings").iter().map(|finding| finding_line(&at(health, "/id"), finding))
    });
    std::iter::once(aligned(titles, rows)).chain(findings).collect::<Vec<_>>().join("\n")
}

/// All owners' connectors that are not healthy, and the number of each status.
pub fn everyone(summary: &Value) -> String {
    let [healthy, degraded, down] =
        ["/healthy", "/degraded", "/down"].map(|pointer| at(summary, pointer));
    let counted = format!("{down} down, {degraded} degraded, {healthy} healthy");
    match list(summary, "connectors") {
        [] => counted,
        unwell => format!("{}\n{counted}", table(unwell)),
    }
}

fn finding_line(id: &str, finding: &Value) -> String {
    let field = |pointer: &str| at(finding, pointer);
    let runbook = Some(field("/runbook"))
        .filter(|runbook| !runbook.is_empty())
        .map(|runbook| format!(" ({runbook})"))
        .unwrap_or_default();
    format!(
        "{id}: {} {}: {}. {}{runbook}",
        field("/severity"),
        field("/code"),
        field("/what"),
        field("/remedy")
    )
}

/// Of the system's parts.
pub fn system(health: &Value) -> String {
    let titles = ["PART", "HEALTH", "DETAIL"].map(String::from).to_vec();
    let columns = ["/name", "/status", "/detail"];
    let rows = list(health, "checks")
        .iter()
        .map(|check| columns.iter().map(|pointer| at(check, pointer)).collect())
        .collect();
    // Below the table, where it is not cut.
    let remedies = list(health, "checks").iter().filter(|check| !at(check, "/remedy").is_empty());
    let remedies =
        remedies.map(|check| format!("{}: {}", at(check, "/name"), at(check, "/remedy")));
    let table = aligned(titles, rows);
    std::iter::once(format!("{table}\nThe system is {}.", at(health, "/status")))
        .chain(remedies)
        .collect::<Vec<_>>()
        .join("\n")
}

pub fn is_down(health: &Value) -> bool {
    at(health, "/status") == "down"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_finding_is_shown_with_its_remedy() {
        let finding = json!({"code": "circuit_open", "severity": "down", "what": "Gmail failed", "remedy": "Wait.", "runbook": "docs/o.md#c"});
        let paused = json!({"code": "paused", "severity": "note", "what": "it is paused", "remedy": "To go on: connectors enable con_1", "runbook": null});
        let health = json!({"id": "con_1", "email_address": "ada@example.com", "status": "down", "auth": {"status": "active"},
            "watch": {"status": "active"}, "circuit": {"state": "open"}, "backlog": {"parked_messages": 2}, "findings": [finding, paused]});
        let shown = table(std::slice::from_ref(&health));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "ID     ADDRESS          STATUS  WATCH   CIRCUIT  PARKED  HEALTH");
        assert_eq!(lines[1], "con_1  ada@example.com  active  active  open     2       down");
        assert_eq!(lines[2], "con_1: down circuit_open: Gmail failed. Wait. (docs/o.md#c)");
        assert_eq!(lines[3], "con_1: note paused: it is paused. To go on: connectors enable con_1");
        assert!(is_down(&health) && !is_down(&json!({"status": "degraded"})));
        assert_eq!(table(&[]), "no connectors");
    }

    #[test]
    fn unhealthy_connectors_of_all_owners_are_shown_with_their_owners_and_the_others_counted() {
        let unwell = json!({"id": "con_1", "owner_id": "ada", "email_address": "ada@example.com", "status": "down", "findings": []});
        let shown =
            everyone(&json!({"connectors": [unwell], "healthy": 7, "degraded": 0, "down": 1}));
        let lines: Vec<&str> = shown.lines().collect();
        assert!(
            lines[0].starts_with("ID     OWNER  ADDRESS")
                && lines[1].starts_with("con_1  ada    ada@example.com"),
            "{shown}"
        );
        assert_eq!(lines[2..], ["1 down, 0 degraded, 7 healthy"]);
        assert_eq!(
            everyone(&json!({"connectors": [], "healthy": 8, "degraded": 0, "down": 0})),
            "0 down, 0 degraded, 8 healthy"
        );
    }

    #[test]
    fn the_systems_parts_are_shown_with_their_remedies_below() {
        let checks = json!([
            {"name": "table", "status": "healthy", "detail": "the table answers", "remedy": null},
            {"name": "quarantine", "status": "degraded", "detail": "something came", "remedy": "Read it."},
        ]);
        let shown = system(&json!({"status": "degraded", "checks": checks}));
        assert!(shown.ends_with("The system is degraded.\nquarantine: Read it."), "{shown}");
        assert!(
            shown.starts_with(
                "PART        HEALTH    DETAIL\ntable       healthy   the table answers\n"
            ),
            "{shown}"
        );
    }
}
