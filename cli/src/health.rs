//! What a connector's own view says about its health, and what to do about it. Pure.

use serde_json::Value;

use crate::show::at;
use crate::show::table::aligned;

pub struct Verdict {
    row: Vec<String>,
    /// It will not mend by itself.
    pub needs_person: bool,
    pub advice: Vec<String>,
}

/// Times are compared as they are written: all are RFC 3339 in UTC with milliseconds.
pub fn verdict(connector: &Value) -> Verdict {
    let told = |pointer: &str| at(connector, pointer);
    let (id, status, watch, circuit) = (told("/id"), told("/status"), told("/watch/status"), told("/circuit/state"));
    let parked = connector.get("parked_messages").and_then(Value::as_u64).unwrap_or(0);
    let (mut needs_person, mut advice) = (false, Vec::new());
    if !told("/closing").is_empty() {
        advice.push("is being disconnected; that goes on by itself".to_string());
    } else if status == "needs_reauth" {
        needs_person = true;
        advice.push("the user must connect again: connectors connect".to_string());
    } else if status != "active" {
        needs_person = true;
        advice.push(format!("its status is {status}: see last_error"));
    } else {
        if watch == "failed" {
            needs_person = true;
            let reason = told("/watch/failure/reason");
            advice.push(format!("Gmail does not notify ({reason}); mend that, then: connectors renew {id}"));
        } else if !told("/watch/failure").is_empty() {
            advice.push(format!("the watch could not be renewed ({}); it is tried again by itself", told("/watch/failure/reason")));
        } else if watch == "active" && told("/watch/verified_at").is_empty() {
            advice.push("no push has proven the watch yet; if mail has come since, look at the push subscription".to_string());
        }
        match circuit.as_str() {
            "open" => advice.push(format!("Gmail fails; it is tried again after {}", told("/circuit/open_until"))),
            "half_open" => advice.push("Gmail failed; the next look decides".to_string()),
            _ => {}
        }
        if parked > 0 {
            advice.push(format!("{parked} messages are set aside, and tried again by themselves; at once: connectors replay parked {id}"));
        }
        if connector.get("paused") == Some(&Value::Bool(true)) {
            advice.push(format!("is paused; to go on: connectors enable {id}"));
        }
        if !told("/last_error").is_empty() {
            advice.push(format!("last error: {}", told("/last_error")));
        }
    }
    let row = vec![id, told("/email_address"), status, watch, circuit, parked.to_string()];
    Verdict { row, needs_person, advice }
}

pub fn table(verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return "no connectors".into();
    }
    let titles = ["ID", "ADDRESS", "STATUS", "WATCH", "CIRCUIT", "PARKED", "WELL"].map(String::from).to_vec();
    let well = |verdict: &Verdict| String::from(if verdict.needs_person { "no" } else { "yes" });
    let rows = verdicts.iter().map(|verdict| [verdict.row.clone(), vec![well(verdict)]].concat()).collect();
    let told = verdicts.iter().filter_map(|verdict| verdict.row.first().map(|id| (id, &verdict.advice)));
    let advice: Vec<String> = told.flat_map(|(id, advice)| advice.iter().map(move |line| format!("{id}: {line}"))).collect();
    [vec![aligned(titles, rows)], advice].concat().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn well() -> Value {
        json!({
            "id": "con_1", "email_address": "ada@example.com", "status": "active", "paused": false, "parked_messages": 0, "last_error": null,
            "watch": {"status": "active", "verified_at": "2026-01-01T00:00:00.000Z"}, "circuit": {"state": "closed", "failures": 0}
        })
    }

    #[test]
    fn says_what_needs_a_person_and_what_does_not() {
        let table = [
            (json!({}), false, None),
            (json!({"status": "needs_reauth"}), true, Some("connectors connect")),
            (json!({"status": "error"}), true, Some("its status is error")),
            (json!({"watch": {"status": "failed", "failure": {"reason": "403"}}}), true, Some("Gmail does not notify (403)")),
            (json!({"watch": {"status": "active", "failure": {"reason": "503"}}}), false, Some("tried again by itself")),
            (json!({"watch": {"status": "active", "verified_at": null}}), false, Some("no push has proven")),
            (json!({"circuit": {"state": "open", "open_until": "later"}}), false, Some("after later")),
            (json!({"circuit": {"state": "half_open"}}), false, Some("the next look decides")),
            (json!({"parked_messages": 2}), false, Some("connectors replay parked con_1")),
            (json!({"paused": true}), false, Some("connectors enable con_1")),
            (json!({"last_error": "why"}), false, Some("last error: why")),
            (json!({"closing": {"since": "then"}, "status": "needs_reauth"}), false, Some("being disconnected")),
        ];
        for (change, needs_person, advice) in table {
            let mut connector = well();
            connector.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let verdict = verdict(&connector);
            assert_eq!(verdict.needs_person, needs_person, "{change}");
            match advice {
                Some(advice) => assert!(verdict.advice.concat().contains(advice), "{change}: {:?}", verdict.advice),
                None => assert!(verdict.advice.is_empty(), "{:?}", verdict.advice),
            }
        }
    }
}
