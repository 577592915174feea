//! `page_size` and `page_token` of every list, and `next_page_token`, which is absent on the last
//! page. Other parameters are ignored.

use axum::Json;
use axum::http::StatusCode;
use email_connectors::domain::id::{ConnectorId, EventId};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::web::Problem;
use serde_json::{Value, json};

pub const LARGEST_PAGE: u32 = 100;

/// The requested page.
pub struct Page {
    pub size: u32,
    token: Option<String>,
}

impl Page {
    pub fn of_query(query: Option<&str>) -> Result<Self, Problem> {
        let named = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        let size = match named("page_size") {
            None => LARGEST_PAGE,
            Some(size) => size
                .parse()
                .ok()
                .filter(|size| (1..=LARGEST_PAGE).contains(size))
                .ok_or_else(|| {
                    let detail = format!("must be a whole number from 1 to {LARGEST_PAGE}");
                    Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail).at("page_size")
                })?,
        };
        Ok(Self { size, token: named("page_token") })
    }

    /// Where the page begins, decoded from its token; `None` for the first page.
    pub fn after<T>(&self, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some(token) = &self.token else { return Ok(None) };
        let unread = || {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_page_token",
                "send the next_page_token of the page before",
            )
            .at("page_token")
        };
        read(token).map(Some).ok_or_else(unread)
    }

    /// Cuts the page out of the whole list, ordered by id. Its token is the last id, so that
    /// inserts and deletes between two requests shift nothing.
    pub fn cut<T>(
        &self,
        name: &str,
        prefix: &str,
        mut all: Vec<T>,
        id: impl Fn(&T) -> String,
        shown: impl Fn(T) -> Value,
    ) -> Result<Json<Value>, Problem> {
        let after = self.after(|token| is_id(token, prefix).then(|| token.to_string()))?;
        all.retain(|one| after.as_ref().is_none_or(|after| id(one) > *after));
        all.sort_by_cached_key(&id);
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = all.len() > size;
        all.truncate(size);
        let next = all.last().filter(|_| more).map(&id);
        Ok(paged(name, all.into_iter().map(shown).collect(), next))
    }
}

pub fn paged(name: &str, shown: Vec<Value>, next: Option<String>) -> Json<Value> {
    let mut page = json!({ name: shown });
    if let Some(next) = next {
        page["next_page_token"] = json!(next);
    }
    Json(page)
}

/// A page token of a list of events, newest first.
pub fn cursor(at: Timestamp, event: &EventId) -> String {
    format!("{}.{event}", at.millis())
}

pub fn read_cursor(token: &str) -> Option<(Timestamp, EventId)> {
    let (at, event) = token.split_once('.')?;
    is_id(event, "evt_").then_some(())?;
    Some((Timestamp::from_millis(at.parse().ok()?), EventId::new(event)))
}

fn is_id(text: &str, prefix: &str) -> bool {
    // All ids are made of the same letters.
    text.starts_with(prefix) && ConnectorId::parse(text).is_some()
}
