//! Events as they come in: the delivery records of triggers are polled, and each event is printed
//! once.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use super::triggers;
use crate::args::operate::Tail;
use crate::failure::Failure;
use crate::pace::{Since, pause};
use crate::session::Session;
use crate::show::{at, list, trigger as shown};

const PAGE: u32 = 50;
/// So many pages are looked at for what is new.
const MOST_PAGES: usize = 20;

pub async fn run(session: &Session, tail: Tail) -> Result<(), Failure> {
    let triggers = match tail.triggers.is_empty() {
        true => shown_ids(&session.api().await?.all("/api/triggers", "triggers").await?),
        false => tail.triggers.clone(),
    };
    if triggers.is_empty() {
        return Err(Failure::NotFound(
            "there is no trigger to watch; make one: connectors triggers create".into(),
        ));
    }
    let (since, mut seen, mut printed, mut first) = (Since::now(), HashSet::new(), 0, true);
    loop {
        for trigger in &triggers {
            let fresh = match fresh(session, trigger, &mut seen, first && !tail.from_start).await {
                Ok(fresh) => fresh,
                // The first look shows whether there is anything to wait for at all.
                Err(failure) if failure.is_passing() && !first => {
                    session.output.note(&format!("{failure}; looking again"));
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            if first && !tail.from_start {
                continue;
            }
            // The newest came first.
            for firing in fresh.iter().rev() {
                session.output.document(firing, &shown::firing(firing))?;
                printed += 1;
                if tail.count.is_some_and(|count| printed >= count) {
                    return Ok(());
                }
            }
        }
        if first {
            session.output.note(&format!("watching {} triggers", triggers.len()));
        }
        first = false;
        if tail.seconds.is_some_and(|seconds| since.elapsed() >= Duration::from_secs(seconds)) {
            return Ok(());
        }
        pause(Duration::from_secs_f64(tail.every)).await;
    }
}

fn shown_ids(answer: &Value) -> Vec<String> {
    list(answer, "triggers").iter().map(|trigger| at(trigger, "/id")).collect()
}

/// Those that were not seen, newest first: page after page until one was seen, or only the newest
/// page, to know where to begin.
async fn fresh(
    session: &Session,
    trigger: &str,
    seen: &mut HashSet<String>,
    only_begin: bool,
) -> Result<Vec<Value>, Failure> {
    let (mut fresh, mut token): (Vec<Value>, Option<String>) = (Vec::new(), None);
    for page in 1..=MOST_PAGES {
        let request =
            triggers::firings(trigger).with("page_size", Some(PAGE)).with("page_token", token);
        let answer = session.read(&request).await?.json()?;
        let firings = list(&answer, "firings");
        let new: Vec<Value> = firings
            .iter()
            .filter(|firing| !seen.contains(&at(firing, "/event_id")))
            .cloned()
            .collect();
        let all_new = new.len() == firings.len();
        fresh.extend(new);
        token = answer.get("next_page_token").and_then(Value::as_str).map(String::from);
        if token.is_none() || !all_new || only_begin {
            break;
        }
        if page == MOST_PAGES {
            session.output.note(&format!("{trigger} fired more than is shown; the rest: connectors triggers firings {trigger}"));
        }
    }
    // Only once all pages are read: after a failure the next look prints these events.
    seen.extend(fresh.iter().map(|firing| at(firing, "/event_id")));
    Ok(fresh)
}
