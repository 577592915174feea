//! The table of findings in docs/health.md is made from the code: run with UPDATE_DOCS=1 to write
//! it.

use std::fmt::Write;

use email_connectors::domain::health::code::CODES;

use super::tables::check_section;

const BEGIN: &str = "<!-- findings: made by the shape test `health` -->\n";
const END: &str = "<!-- end of findings -->\n";

#[test]
fn every_finding_is_documented_as_it_is() {
    let mut made = String::from(
        "\n| code | severity | found when | what to do | at length |\n|---|---|---|---|---|\n",
    );
    for entry in &CODES {
        let severities: Vec<&str> =
            entry.severities.iter().map(|severity| severity.as_str()).collect();
        let remedy = match entry.remedy.split_once(": connectors ") {
            Some((before, command)) => format!("{before}: `connectors {command}`"),
            None => entry.remedy.into(),
        };
        let section = entry
            .section
            .map(|section| format!("[{section}](operations.md#{section})"))
            .unwrap_or_default();
        writeln!(
            made,
            "| `{}` | {} | {} | {remedy} | {section} |",
            entry.name,
            severities.join(", "),
            entry.when
        )
        .unwrap();
    }
    made.push('\n');
    check_section("health.md", BEGIN, END, &made);
}
