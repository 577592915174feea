//! The provider's table against Google's: methods and scopes by the discovery document, units by
//! the quota page.

use std::collections::{BTreeMap, BTreeSet};

use email_connectors::domain::connector::Provider;
use email_connectors::domain::provider::{gmail, registered};
use serde_json::Value;

use super::requests::ways;

/// The extract of the discovery document that the fake Google validates requests by.
fn discovery() -> BTreeMap<String, Value> {
    let document: Value =
        serde_json::from_str(include_str!("../../fake-google/discovery/gmail.v1.json")).unwrap();
    serde_json::from_value(document["methods"].clone()).unwrap()
}

/// Units of projects made since May 2026, copied independently from
/// <https://developers.google.com/workspace/gmail/api/reference/quota>.
const UNITS: [(&str, u32); 29] = [
    ("settings.sendAs.list", 1),
    ("drafts.create", 10),
    ("drafts.delete", 10),
    ("drafts.get", 20),
    ("drafts.list", 5),
    ("drafts.send", 100),
    ("drafts.update", 15),
    ("labels.create", 5),
    ("labels.delete", 5),
    ("labels.get", 1),
    ("labels.list", 1),
    ("labels.patch", 5),
    ("messages.attachments.get", 20),
    ("messages.batchDelete", 50),
    ("messages.batchModify", 50),
    ("messages.delete", 10),
    ("messages.get", 20),
    ("messages.list", 5),
    ("messages.modify", 5),
    ("messages.send", 100),
    ("messages.trash", 20),
    ("messages.untrash", 5),
    ("threads.delete", 20),
    ("threads.get", 40),
    ("threads.list", 10),
    ("threads.modify", 10),
    ("threads.trash", 20),
    ("threads.untrash", 20),
    ("history.list", 2),
];

#[test]
fn every_method_is_googles_with_googles_scopes() {
    let discovery = discovery();
    for method in gmail::METHODS {
        let known = discovery
            .get(method.name)
            .unwrap_or_else(|| panic!("{} is no method of Gmail's", method.name));
        // Scopes of add-ons, which are never granted to an OAuth client.
        let theirs: BTreeSet<&str> = known["scopes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scope| scope.as_str().unwrap())
            .collect();
        let theirs: BTreeSet<&str> =
            theirs.into_iter().filter(|scope| !scope.contains("addons")).collect();
        let ours: BTreeSet<&str> = method.scopes.iter().copied().collect();
        assert!(ours.is_subset(&theirs), "{}: {:?}", method.name, ours.difference(&theirs));
        let left: Vec<_> = theirs.difference(&ours).copied().collect();
        // Gmail refuses gmail.metadata at run time for bodies and searches.
        let whole = left == ["https://www.googleapis.com/auth/gmail.metadata"];
        assert!(left.is_empty() || whole, "{} lacks {left:?}", method.name);
    }
}

#[test]
fn every_method_costs_what_the_quota_page_says() {
    let units: BTreeMap<&str, u32> = UNITS.into();
    for method in gmail::METHODS {
        assert_eq!(units.get(method.name), Some(&method.units), "{}", method.name);
    }
}

#[test]
fn every_kind_of_request_has_a_cost_and_a_scope_that_allows_it() {
    let gmail = registered(Provider::Gmail);
    for way in ways() {
        let (name, request) = (way.name(), way.request());
        // Gmail has no part in an upload until it is sent.
        assert_eq!(gmail.units(&request) > 0, name != "uploads.create", "{name}");
        let missing = gmail
            .missing_scope(&request, &[])
            .unwrap_or_else(|| panic!("{name} needs no scope at all"));
        assert_eq!(
            gmail.missing_scope(&request, &[missing.to_string()]),
            None,
            "{name}: {missing} is named, and is not enough"
        );
        assert_eq!(
            gmail.missing_scope(&request, &["https://mail.google.com/".to_string()]),
            None,
            "{name}"
        );
    }
}

#[test]
fn the_least_scope_is_the_one_that_is_named() {
    let named: BTreeMap<String, String> = ways()
        .iter()
        .map(|way| {
            (
                way.name(),
                registered(Provider::Gmail)
                    .missing_scope(&way.request(), &[])
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .to_string(),
            )
        })
        .collect();
    let table = [
        ("messages.list", "gmail.metadata"),
        ("messages.list query=invoice", "gmail.readonly"),
        ("messages.list format=full", "gmail.readonly"),
        ("messages.get", "gmail.readonly"),
        ("messages.get format=metadata", "gmail.metadata"),
        ("messages.get format=raw", "gmail.readonly"),
        ("messages.send", "gmail.send"),
        // A reply reads the headers of the original.
        ("messages.send (a reply)", "gmail.modify"),
        ("messages.send (a reply to a thread)", "gmail.modify"),
        ("messages.send (a forward)", "gmail.modify"),
        ("messages.send (from an alias)", "gmail.modify"),
        ("drafts.patch", "gmail.compose"),
        ("messages.modify", "gmail.modify"),
        ("messages.delete", "gmail.modify"),
        ("messages.delete permanent=true", ""),
        ("messages.batch_delete", "gmail.modify"),
        ("messages.batch_delete (for good)", ""),
        ("attachments.get", "gmail.readonly"),
        ("labels.list", "gmail.labels"),
        ("labels.create", "gmail.labels"),
        ("drafts.create", "gmail.compose"),
        ("drafts.send", "gmail.compose"),
        ("drafts.list", "gmail.readonly"),
    ];
    for (name, scope) in table {
        assert_eq!(named.get(name).map(String::as_str), Some(scope), "{name} in {named:?}");
    }
}
