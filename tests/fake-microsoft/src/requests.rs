//! What requests of Graph name: paths, options, fields. No value of theirs is kept.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::graph::Call;
use crate::graph::routes::Route;
use crate::query::Query;

/// A file that gets a line for each request; several fakes may share it.
#[derive(Default)]
pub(crate) struct Requests(Option<Mutex<File>>);

#[derive(Debug, PartialEq, Serialize)]
struct Named {
    method: String,
    /// As Graph's description has it, or as it was sent if it is none of them.
    path: String,
    options: BTreeSet<String>,
    /// Of `$select`, `$orderby`, `$filter` and `$expand`, as `from/emailAddress/address`.
    fields: BTreeSet<String>,
    /// Of the JSON body, as `toRecipients/emailAddress/address`.
    body: BTreeSet<String>,
}

impl Requests {
    pub fn of(file: Option<&Path>) -> std::io::Result<Self> {
        let open = |file| OpenOptions::new().create(true).append(true).open(file).map(Mutex::new);
        file.map(open).transpose().map(Self)
    }

    pub fn record(&self, call: &Call, route: Option<&Route>) {
        let Some(file) = &self.0 else { return };
        let line = serde_json::to_string(&named(call, route)).unwrap_or_default();
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            // An incomplete record would look complete.
            eprintln!("fake-microsoft: a request cannot be recorded: {error}");
            std::process::abort();
        }
    }
}

fn named(call: &Call, route: Option<&Route>) -> Named {
    let query = Query::parse(&call.query);
    let of = |names: &[&str]| -> Vec<String> {
        let heeded = query.pairs().iter().filter(|(name, _)| {
            let name = name.trim_start_matches('$').to_lowercase();
            names.contains(&name.as_str())
        });
        heeded.map(|(_, value)| value.clone()).collect()
    };
    let listed = of(&["select", "orderby", "expand"]).into_iter().flat_map(|list| listed(&list));
    let filtered = of(&["filter"]).into_iter().flat_map(|filter| filtered(&filter));
    let mut body = BTreeSet::new();
    if let Ok(json) = serde_json::from_slice(&call.body) {
        // The parts of a batch are requests of their own.
        let parts = route.is_some_and(|route| route.name == "batch");
        let json = if parts { Value::Null } else { json };
        names(&json, "", &mut body);
    }
    Named {
        method: call.method.clone(),
        path: route.map_or_else(|| call.path.clone(), |route| route.template.into()),
        options: query.pairs().iter().map(|(name, _)| name.clone()).collect(),
        fields: listed.chain(filtered).collect(),
        body,
    }
}

/// `a,b desc,c($select=d)` names `a`, `b` and `c`.
fn listed(list: &str) -> Vec<String> {
    let name = |one: &str| {
        let ends = |letter: char| letter.is_whitespace() || letter == '(';
        one.trim().split(ends).next().unwrap_or_default().to_owned()
    };
    list.split(',').map(name).filter(|name| !name.is_empty()).collect()
}

/// The properties of a filter: its words outside of quotes that are neither values nor OData's own.
fn filtered(filter: &str) -> Vec<String> {
    const OWN: [&str; 16] = [
        "and",
        "or",
        "not",
        "eq",
        "ne",
        "gt",
        "ge",
        "lt",
        "le",
        "true",
        "false",
        "null",
        "startswith",
        "endswith",
        "contains",
        "in",
    ];
    // A doubled quote, which stands for one, leaves nothing between.
    let unquoted = filter.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let word = |word: &str| {
        let name = word.strip_suffix("/any").or(word.strip_suffix("/all")).unwrap_or(word);
        // Not a moment or a number, nor the variable of `categories/any(c:c eq 'x')`.
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic());
        (is_name && !name.contains(':') && !OWN.contains(&name)).then(|| name.to_owned())
    };
    let ends = |letter: char| letter.is_whitespace() || "(),".contains(letter);
    unquoted.split(ends).filter_map(word).collect()
}

fn names(json: &Value, within: &str, found: &mut BTreeSet<String>) {
    match json {
        Value::Array(all) => all.iter().for_each(|one| names(one, within, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let path =
                    if within.is_empty() { name.clone() } else { format!("{within}/{name}") };
                names(value, &path, found);
                found.insert(path);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::graph::routes;

    fn recorded(method: &str, path: &str, query: &str, body: &str) -> Named {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let segments: Vec<String> = path.split('/').skip(1).map(Into::into).collect();
        let route = routes::find(method, &segments).map(|(route, _)| route);
        named(&Call::new(method, path, query, &headers, body.into()), route)
    }

    fn set(names: &str) -> BTreeSet<String> {
        names.split_whitespace().map(Into::into).collect()
    }

    #[test]
    fn a_request_is_known_by_names_and_no_value() {
        let filter = "isRead%20eq%20false%20and%20(from/emailAddress/address%20eq%20%27it%27%27s%20subject%27\
            %20or%20categories/any(c:c%20eq%20%27Red%27))%20and%20receivedDateTime%20ge%202026-01-01T00:00:00Z";
        let query = format!(
            "$filter={filter}&$orderby=sentDateTime%20desc&$select=id,subject&$top=5&$search=%22secret%22"
        );
        let found = recorded("GET", "/me/messages", &query, "");
        assert_eq!((found.method.as_str(), found.path.as_str()), ("GET", "/me/messages"));
        assert_eq!(found.options, set("$filter $orderby $select $top $search"));
        let fields =
            "isRead from/emailAddress/address categories receivedDateTime sentDateTime id subject";
        assert_eq!(found.fields, set(fields));
        let body = r#"{"subject":"secret","toRecipients":[{"emailAddress":{"address":"secret"}}]}"#;
        let found = recorded("PATCH", "/me/messages/AAA", "$expand=attachments($select=id)", body);
        assert_eq!(found.path, "/me/messages/{message-id}");
        assert_eq!(found.fields, set("attachments"));
        let names =
            "subject toRecipients toRecipients/emailAddress toRecipients/emailAddress/address";
        assert_eq!(found.body, set(names));
        assert_eq!(recorded("GET", "/me/nothing", "", "").path, "/me/nothing");
        let batch = recorded("POST", "/$batch", "", r#"{"requests":[{"id":"1"}]}"#);
        assert_eq!(batch.body, BTreeSet::new());
    }
}
