//! Metrics have one list of names, which docs, dashboard and alarms must match. UPDATE_DOCS=1
//! writes the tables.
#![allow(clippy::disallowed_methods, reason = "UPDATE_DOCS is the environment's")]

use std::collections::BTreeSet;
use std::fmt::Write;

use email_connectors::domain::metric::{METRICS, Metric, PROVIDER};
use serde_yaml_ng::Value;

use tests::template;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
const NAMESPACE: &str = "AWS::StackName";

fn table() -> String {
    let mut text = String::from(
        "| metric | unit | dimensions | by provider | counted by | what it tells |\n|---|---|---|---|---|---|\n",
    );
    for metric in &METRICS {
        let dimensions = metric.dimensions.join(", ");
        let Metric { name, tells, .. } = metric;
        let by_provider = if metric.by_provider { "yes" } else { "" };
        writeln!(
            text,
            "| `{name}` | {} | {dimensions} | {by_provider} | {} | {tells} |",
            metric.unit.as_str(),
            metric.functions.join(", ")
        )
        .unwrap();
    }
    text
}

fn alarms(template: &Value) -> Vec<(String, Value)> {
    let all = template["Resources"].as_mapping().unwrap().iter();
    let alarms = all.filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm");
    alarms
        .map(|(name, resource)| (name.as_str().unwrap().into(), resource["Properties"].clone()))
        .collect()
}

fn alarm_table(template: &Value) -> String {
    let mut text = String::from("| alarm | rings when |\n|---|---|\n");
    for (name, alarm) in alarms(template) {
        writeln!(text, "| `{name}` | {} |", alarm["AlarmDescription"].as_str().unwrap()).unwrap();
    }
    text
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split_once(begin).unwrap().1.split_once(end).unwrap().0
}

#[test]
fn the_tables_of_the_docs_are_those_of_the_code_and_the_template() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let mut updated = text.clone();
    for (begin, end, table) in [
        ("<!-- metrics: made by the test `metrics` -->\n", "<!-- end of metrics -->", table()),
        (
            "<!-- alarms: made by the test `metrics` -->\n",
            "<!-- end of alarms -->",
            alarm_table(&template::read()),
        ),
    ] {
        let written = between(&text, begin, end);
        updated =
            updated.replacen(&format!("{begin}{written}{end}"), &format!("{begin}{table}{end}"), 1);
    }
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(FILE, &updated).unwrap();
    } else {
        assert_eq!(text, updated, "run this test with UPDATE_DOCS=1");
    }
}

/// A metric of ours that an alarm or a widget reads: its name and its dimensions.
type Read = (String, Vec<String>);

fn exists((name, dimensions): &Read) -> bool {
    let read = BTreeSet::from_iter(dimensions.iter().map(String::as_str));
    METRICS.iter().filter(|metric| metric.name == name).any(|metric| {
        let own = BTreeSet::from_iter(metric.dimensions.iter().copied().chain(["Function"]));
        let of_a_provider = BTreeSet::from_iter(own.iter().copied().chain([PROVIDER]));
        read == own || (metric.by_provider && read == of_a_provider)
    })
}

/// Every metric of the stack's namespace anywhere in an alarm.
fn read_by(value: &Value) -> Vec<Read> {
    match value {
        Value::Sequence(values) => values.iter().flat_map(read_by).collect(),
        Value::Mapping(pairs) if value["MetricName"].is_string() => {
            assert!(!pairs.is_empty());
            let ours = value["Namespace"] == NAMESPACE;
            let dimensions = value["Dimensions"]
                .as_sequence()
                .unwrap()
                .iter()
                .map(|dimension| dimension["Name"].as_str().unwrap().into());
            ours.then(|| (value["MetricName"].as_str().unwrap().into(), dimensions.collect()))
                .into_iter()
                .collect()
        }
        Value::Mapping(pairs) => pairs.values().flat_map(read_by).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_alarm_watches_a_metric_that_exists_and_names_a_runbook_or_a_page() {
    let mut watched = BTreeSet::new();
    for (name, alarm) in alarms(&template::read()) {
        for metric in read_by(&alarm) {
            let is_of_all = !metric.1.iter().any(|dimension| dimension == PROVIDER);
            assert!(is_of_all, "{name} would be silent in a stack of one provider: {metric:?}");
            assert!(exists(&metric), "{name} watches {metric:?}, which is not counted");
            watched.insert(metric.0);
        }
        let description = alarm["AlarmDescription"].as_str().unwrap();
        let page = description
            .split_once("See ")
            .unwrap_or_else(|| panic!("{name} says what to do nowhere: {description}"))
            .1;
        assert!(is_section(page), "{name} leads to {page}, which is not there");
        assert!(
            !alarm["AlarmActions"].is_null() && !alarm["OKActions"].is_null(),
            "{name} notifies nobody"
        );
    }
    for needed in [
        "CircuitsOpened",
        "WatchesLapsed",
        "WatchesUnproven",
        "EventsPublished",
        "OAuthClientRefused",
        "SecretWrongContext",
    ] {
        assert!(watched.contains(needed), "no alarm watches {needed}");
    }
}

/// Whether a page exists, with the section after its `#`.
fn is_section(page: &str) -> bool {
    let (file, section) = page.split_once('#').unwrap_or((page, ""));
    let Ok(text) = std::fs::read_to_string(format!("{}/../{file}", env!("CARGO_MANIFEST_DIR")))
    else {
        return false;
    };
    let anchor =
        |title: &str| title.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-");
    section.is_empty() || text.lines().any(|line| line.starts_with("##") && anchor(line) == section)
}

#[test]
fn the_dashboard_shows_metrics_that_exist_and_every_one_of_them() {
    let template = template::read();
    let body =
        template["Resources"]["Dashboard"]["Properties"]["DashboardBody"][0].as_str().unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let (mut shown, mut shown_by_provider) = (BTreeSet::new(), BTreeSet::new());
    for widget in body["widgets"].as_array().unwrap() {
        for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            let of_list = |parts: &[serde_json::Value]| -> Option<Read> {
                (parts[0].as_str()? == "${AWS::StackName}").then(|| {
                    let named = parts[2..].iter().take_while(|part| part.is_string()).step_by(2);
                    (
                        parts[1].as_str().unwrap().into(),
                        named.map(|name| name.as_str().unwrap().into()).collect(),
                    )
                })
            };
            let of_search = |parts: &[serde_json::Value]| -> Option<Read> {
                let search = parts[0]["expression"].as_str()?;
                let (dimensions, name) = search
                    .strip_prefix("SEARCH('{\"${AWS::StackName}\",")?
                    .split_once("} MetricName=")?;
                Some((
                    name.split(['\'', ' ']).next()?.into(),
                    dimensions.split(',').map(String::from).collect(),
                ))
            };
            let parts = metric.as_array().unwrap();
            if let Some(read) = of_list(parts).or_else(|| of_search(parts)) {
                assert!(
                    exists(&read),
                    "{} shows {read:?}, which is not counted",
                    widget["properties"]["title"]
                );
                let (name, dimensions) = read;
                if dimensions.iter().any(|dimension| dimension == PROVIDER) {
                    shown_by_provider.insert(name);
                } else {
                    shown.insert(name);
                }
            } else {
                assert!(
                    parts[0].as_str().is_some_and(|namespace| namespace.starts_with("AWS/")),
                    "{metric} is no metric"
                );
            }
        }
    }
    let all: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.into()).collect();
    assert_eq!(shown, all, "the dashboard shows what is counted");
    for needed in ["WakeUps", "CircuitsOpened", "WatchesNotRenewed", "TokenRefreshes"] {
        assert!(shown_by_provider.contains(needed), "whose {needed} is it at night?");
    }
}

/// Metric names come from the list; a name written by hand could have a typo.
#[test]
fn nothing_is_counted_under_a_name_that_is_not_listed() {
    for folder in ["lib/src", "functions"] {
        for (file, text) in crate::rooms::files(folder) {
            for (number, line) in text.lines().enumerate() {
                let by_hand = ["counter!(\"", "histogram!(\"", "gauge!("]
                    .iter()
                    .any(|called| line.contains(called));
                assert!(!by_hand, "{file}:{}: take the name from domain/metric.rs", number + 1);
            }
        }
    }
}
