//! The list of operations in docs/gmail.md is made from the tables: run with UPDATE_DOCS=1 to write
//! it.

use std::collections::BTreeSet;
use std::fmt::Write;

use connectors_api::openapi::description;
use email_connectors::domain::connector::Provider;
use email_connectors::domain::operation::{Entry, OPERATIONS};
use email_connectors::domain::provider::registered;
use serde_json::Value;

use super::requests::{Way, ways};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gmail.md");
const BEGIN: &str = "<!-- operations: made by the test `documented` -->\n";
const END: &str = "<!-- end of operations -->\n";

/// The scopes, any one of which is enough, by their short names, and the most units.
fn needs(way: &Way) -> (Vec<String>, u32) {
    let calls = (registered(Provider::Gmail).calls)(&way.request());
    let needed: Vec<_> = calls.iter().filter(|used| !used.optional).collect();
    let all: BTreeSet<&str> = needed.iter().flat_map(|used| used.method.scopes).copied().collect();
    let order = &calls.last().unwrap().method.scopes;
    let mut fit: Vec<&str> = all
        .into_iter()
        .filter(|scope| needed.iter().all(|used| used.method.scopes.contains(scope)))
        .collect();
    fit.sort_by_key(|scope| order.iter().position(|known| known == scope));
    let short = |scope: &str| match scope.rsplit('/').next().unwrap() {
        "" => "`mail.google.com`".to_string(),
        name => format!("`{name}`"),
    };
    (
        fit.into_iter().map(short).collect(),
        calls.iter().map(|used| used.method.units * used.times).sum(),
    )
}

fn section(entry: &Entry, document: &Value) -> String {
    let path = connectors_api::mail::path(entry);
    let operation = &document["paths"][&path][entry.verb.as_str().to_lowercase()];
    let mut text = format!("### `{}`\n\n{}\n\n", entry.name, entry.about);
    writeln!(text, "| asked for | role | one of the scopes | units at most |\n|---|---|---|---|")
        .unwrap();
    for way in ways().iter().filter(|way| way.entry.operation == entry.operation) {
        let (scopes, units) = needs(way);
        let how = way.name().replacen(entry.name, "", 1);
        let how = if how.trim().is_empty() {
            "as it is".into()
        } else {
            format!("`{}`", how.trim().trim_matches(['(', ')']))
        };
        writeln!(
            text,
            "| {how} | {} | {} | {units} |",
            entry.action.needs().as_str(),
            scopes.join(" ")
        )
        .unwrap();
    }
    if !entry.parameters.is_empty() {
        text.push('\n');
        for parameter in entry.parameters {
            writeln!(text, "- `{}`: {}", parameter.name, parameter.about).unwrap();
        }
    }
    let body = operation
        .pointer("/requestBody/content/application~1json/example")
        .filter(|example| !example.is_null());
    let path = entry
        .path
        .replace("{message_id}", "19b0000000000001")
        .replace("{thread_id}", "19b0000000000001");
    let path = path
        .replace("{label_id}", "Label_7")
        .replace("{draft_id}", "r-7")
        .replace("{part_id}", "1");
    let method = if entry.verb.as_str() == "GET" {
        String::new()
    } else {
        format!(" -X {}", entry.verb.as_str())
    };
    write!(text, "\n```sh\ncurl -H \"Authorization: Bearer $TOKEN\"{method} \"$API/api/connectors/$ID{path}\"").unwrap();
    if let Some(body) = body {
        write!(
            text,
            " \\\n  -H 'Content-Type: application/json' -d '{}'",
            serde_json::to_string(body).unwrap()
        )
        .unwrap();
    }
    text.push_str("\n```\n");
    let answers = operation["responses"].as_object().unwrap();
    let (status, answer) = answers.iter().find(|(status, _)| *status != "default").unwrap();
    match answer.pointer("/content/application~1json/example").filter(|example| !example.is_null())
    {
        Some(example) => {
            writeln!(text, "\n{status}:\n\n```json\n{}\n```\n", shown(example)).unwrap()
        }
        None => {
            writeln!(text, "\n{status}: {}\n", answer["description"].as_str().unwrap()).unwrap()
        }
    }
    text
}

/// On one line if it fits there.
fn shown(example: &Value) -> String {
    let line = serde_json::to_string(example).unwrap();
    if line.len() <= 160 { line } else { serde_json::to_string_pretty(example).unwrap() }
}

#[test]
fn the_operations_are_documented_as_they_are() {
    let document = serde_json::to_value(description()).unwrap();
    let made: String = OPERATIONS.iter().map(|entry| section(entry, &document)).collect();
    let text = std::fs::read_to_string(FILE).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the section begins");
    let (written, after) = rest.split_once(END).expect("the section ends");
    let made = format!("\n{made}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
        return;
    }
    assert!(
        written == made,
        "docs/gmail.md is not what the tables say; run this test with UPDATE_DOCS=1"
    );
}
