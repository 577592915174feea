//! The table of findings in docs/health.md is made of the code's own: run with UPDATE_DOCS=1 to write it.
#![allow(clippy::disallowed_methods, reason = "whether to write is the environment's to say")]

use std::fmt::Write;

use email_connectors::domain::health::code::CODES;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/health.md");
const BEGIN: &str = "<!-- findings: made by the shape test `health` -->\n";
const END: &str = "<!-- end of findings -->\n";

#[test]
fn every_finding_is_documented_as_it_is() {
    let mut made = String::from("\n| code | severity | found when | what to do | at length |\n|---|---|---|---|---|\n");
    for entry in &CODES {
        let severities: Vec<&str> = entry.severities.iter().map(|severity| severity.as_str()).collect();
        let remedy = match entry.remedy.split_once(": connectors ") {
            Some((before, command)) => format!("{before}: `connectors {command}`"),
            None => entry.remedy.into(),
        };
        let section = entry.section.map(|section| format!("[{section}](operations.md#{section})")).unwrap_or_default();
        writeln!(made, "| `{}` | {} | {} | {remedy} | {section} |", entry.name, severities.join(", "), entry.when).unwrap();
    }
    made.push('\n');
    let text = std::fs::read_to_string(FILE).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the table begins");
    let (written, after) = rest.split_once(END).expect("the table ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
        return;
    }
    assert!(written == made, "docs/health.md is not what the code says; run this test with UPDATE_DOCS=1");
}
