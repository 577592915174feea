//! What listings and single reads have in common: `$select`, paging, and the envelope of a list.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal};
use super::{Context, Prefer};
use crate::query::Query;

/// Entries of a page if nobody says: <https://learn.microsoft.com/graph/paging>.
const PAGE: usize = 10;
const LONGEST_PAGE: usize = 1000;

/// `$name`, or `name`, in any case.
pub(super) fn option<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    let is = |key: &str| key.strip_prefix('$').unwrap_or(key).eq_ignore_ascii_case(name);
    query.pairs().iter().find(|(key, _)| is(key)).map(|(_, value)| value.as_str())
}

/// A parameter of an action; its description writes `DestinationId` where examples have
/// `destinationId`, and Graph takes both.
pub(super) fn parameter<'a>(body: &'a Value, name: &str) -> &'a Value {
    let named =
        body.as_object().and_then(|all| all.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)));
    named.map_or(&Value::Null, |(_, value)| value)
}

pub(super) fn select(query: &Query) -> Option<Vec<String>> {
    let named = option(query, "select")?;
    Some(
        named
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
    )
}

/// The selected entries of an object, its id, and what OData says of it.
pub(super) fn selected(full: Value, query: &Query) -> Value {
    let (Some(names), Value::Object(all)) = (select(query), &full) else { return full };
    let wanted = |name: &String| {
        name == "id"
            || name.starts_with('@')
            || names.iter().any(|one| one.eq_ignore_ascii_case(name))
    };
    let kept: Map<String, Value> = all
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    kept.into()
}

/// From where, and how many.
pub(super) struct Page {
    pub skip: usize,
    pub size: usize,
}

impl Page {
    pub fn of(query: &Query, prefer: Prefer) -> Result<Self, Refusal> {
        let number = |name: &str| {
            option(query, name).map(|text| {
                text.parse::<usize>().map_err(|_| {
                    Refusal::bad_request(&format!("Invalid value '{text}' for ${name} query option found. The ${name} query option requires a non-negative integer value."))
                })
            })
        };
        let top = number("top").transpose()?;
        if let Some(top) = top.filter(|top| *top > LONGEST_PAGE) {
            return Err(Refusal::new(
                400,
                "ErrorInvalidParameter",
                &format!(
                    "The limit of '{LONGEST_PAGE}' for Top query has been exceeded. The value from the incoming request is '{top}'."
                ),
            ));
        }
        let size = top.or(prefer.page_size).unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
        Ok(Self { skip: number("skip").transpose()?.unwrap_or(0), size })
    }

    /// The page's part of what was found, and whether more follows.
    pub fn cut<T>(&self, found: Vec<T>) -> (Vec<T>, bool) {
        let more = found.len() > self.skip + self.size;
        (found.into_iter().skip(self.skip).take(self.size).collect(), more)
    }
}

/// A list; the link to its next page names how many to skip, so it loses and repeats entries when
/// the set changes (microsoftgraph/microsoft-graph-docs#2153).
pub(super) fn listed(
    context: &Context<'_>,
    kind: &str,
    (value, more): (Vec<Value>, bool),
    page: &Page,
    count: usize,
) -> Answer {
    let mut body =
        json!({ "@odata.context": format!("{}/v1.0/$metadata#{kind}", context.app.url) });
    if option(&context.query, "count").is_some_and(|wish| wish.eq_ignore_ascii_case("true")) {
        body["@odata.count"] = count.into();
    }
    body["value"] = value.into();
    if more {
        body["@odata.nextLink"] = next_link(context, page.skip + page.size).into();
    }
    Answer::json(200, body)
}

fn next_link(context: &Context<'_>, skip: usize) -> String {
    let is_skip = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default().replace("%24", "$");
        name.trim_start_matches('$').eq_ignore_ascii_case("skip")
    };
    let kept = context.call.query.split('&').filter(|pair| !pair.is_empty() && !is_skip(pair));
    let skip = format!("%24skip={skip}");
    let query = kept.chain([skip.as_str()]).collect::<Vec<_>>().join("&");
    format!("{}/v1.0{}?{query}", context.app.url, context.call.path)
}
