//! The tables in docs/parameters.md are those of the template: run with UPDATE_DOCS=1 to write
//! them.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_yaml_ng::Value;

use tests::template;

use super::tables::check_section;

const BEGIN: &str = "<!-- parameters: made by the test `parameters` -->\n";
const END: &str = "<!-- end of parameters -->";

#[test]
fn every_parameter_is_documented_as_the_template_has_it() {
    let made = tables(&template::read());
    check_section("parameters.md", BEGIN, END, &made);
}

#[test]
fn every_parameter_is_in_one_group() {
    let template = template::read();
    let all: Vec<&str> =
        template["Parameters"].as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
    let grouped: Vec<&str> = groups(&template).iter().flat_map(|group| names(group)).collect();
    assert_eq!(grouped.len(), all.len(), "a parameter is in two groups, or in none");
    assert_eq!(BTreeSet::from_iter(grouped), BTreeSet::from_iter(all));
}

/// Where the scopes stand once more, because they are needed without a template.
#[test]
fn microsofts_scopes_by_default_are_the_same_everywhere() {
    let template = template::read();
    let scopes = template["Parameters"]["MicrosoftScopes"]["Default"].as_str().unwrap();
    for file in [
        "cli/src/doctor/judge/microsoft.rs",
        "docs/microsoft/setup.sh",
        "tests/fake-microsoft/src/admin/identity.rs",
        "tests/local/migration.py",
        "tests/src/microsoft.rs",
    ] {
        let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(&format!("\"{scopes}\"")), "{file} has other scopes");
    }
}

fn groups(template: &Value) -> &[Value] {
    template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_sequence().unwrap()
}

fn names(group: &Value) -> Vec<&str> {
    group["Parameters"].as_sequence().unwrap().iter().filter_map(Value::as_str).collect()
}

fn tables(template: &Value) -> String {
    let mut text = String::new();
    for group in groups(template) {
        let title = group["Label"]["default"].as_str().unwrap();
        writeln!(
            text,
            "\n### {title}\n\n| parameter | default | values | meaning |\n|---|---|---|---|"
        )
        .unwrap();
        for name in names(group) {
            let parameter = &template["Parameters"][name];
            let meaning = parameter["Description"].as_str().unwrap();
            writeln!(
                text,
                "| `{name}` | {} | {} | {meaning} |",
                default(parameter),
                values(parameter)
            )
            .unwrap();
        }
    }
    text.push('\n');
    text
}

fn default(parameter: &Value) -> String {
    match parameter.get("Default").map(plain) {
        None => "*required*".into(),
        Some(text) if text.is_empty() => "empty".into(),
        Some(text) => format!("`{text}`"),
    }
}

fn values(parameter: &Value) -> String {
    if let Some(allowed) = parameter["AllowedValues"].as_sequence() {
        let allowed: Vec<String> =
            allowed.iter().map(|value| format!("`{}`", plain(value))).collect();
        return allowed.join(", ");
    }
    match (parameter["MinValue"].as_i64(), parameter["MaxValue"].as_i64()) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("{least} or more"),
        _ => parameter["ConstraintDescription"].as_str().unwrap_or_default().into(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        value => value.as_str().unwrap().into(),
    }
}
