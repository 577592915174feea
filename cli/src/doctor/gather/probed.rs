//! What Outlook's connectors take for granted of Graph, and Microsoft's pages leave open, tried on a
//! real mailbox: with a draft that is moved, marked, listed, and deleted for good.

use std::time::Duration;

use email_connectors::domain::timestamp::Timestamp;
use reqwest::{Client, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::web::{Heard, fetch, skew};
use crate::doctor::fact::Fact;
use crate::doctor::facts::Tried;
use crate::pace::{Since, pause};

/// Graph's times have whole seconds.
const NEXT_SECOND: Duration = Duration::from_millis(1500);
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const SELECTED: &str =
    "id,changeKey,lastModifiedDateTime,internetMessageId,receivedDateTime,parentFolderId,isRead";
const PAGE: &str = "50";

/// A mailbox, by a token with `Mail.ReadWrite`.
pub struct Mailbox<'a> {
    pub http: &'a Client,
    pub base: &'a str,
    pub token: &'a SecretString,
}

impl Mailbox<'_> {
    /// One for each assumption; the draft is deleted whatever came of it.
    pub async fn tried(&self, patience: Duration) -> Fact<Vec<Tried>> {
        let draft = json!({"subject": "connectors doctor --probe", "body": {"content": "A test."}});
        let made = match self.call(Method::POST, "/me/messages", &[], Some(draft)).await {
            Ok(made) => made,
            Err(why) => return Fact::Unreachable(format!("no draft can be made: {why}")),
        };
        let id = text(&made.body, "id");
        let tried = self.tried_on(&made, patience).await;
        let delete = format!("/me/messages/{id}/permanentDelete");
        let deleted = self.call(Method::POST, &delete, &[], None).await;
        match (tried, deleted) {
            (Ok(tried), Ok(_)) => Fact::Known(tried),
            (Err(why), _) => Fact::Unreachable(why),
            (Ok(_), Err(why)) => Fact::Unreachable(format!(
                "the draft `connectors doctor --probe` could not be deleted: {why}"
            )),
        }
    }

    async fn tried_on(&self, made: &Heard, patience: Duration) -> Result<Vec<Tried>, String> {
        let id = text(&made.body, "id");
        let junk = self.moved(&id, "junkemail").await?;
        pause(NEXT_SECOND).await;
        let inbox = self.moved(&text(&junk, "id"), "inbox").await?;
        pause(NEXT_SECOND).await;
        let mark = json!({"isRead": inbox["isRead"] != json!(true)});
        let path = format!("/me/messages/{}", text(&inbox, "id"));
        let marked = self.call(Method::PATCH, &path, &[], Some(mark)).await?.body;
        let ids = [&made.body, &junk, &inbox].map(|message| text(message, "id"));
        Ok(vec![
            clock(made),
            Tried {
                id: "probe.id-stays",
                holds: ids.iter().all(|one| *one == ids[0]),
                found: "the immutable id after two moves".into(),
            },
            changed("probe.move-is-a-change", "a move from Junk Email to the inbox", &junk, &inbox),
            changed("probe.mark-is-a-change", "a change of isRead", &inbox, &marked),
            Tried {
                id: "probe.identity-stays",
                holds: ["internetMessageId", "receivedDateTime"]
                    .iter()
                    .all(|name| made.body[*name] == marked[*name]),
                found: "internetMessageId and receivedDateTime after two moves".into(),
            },
            self.listed(&junk, &marked, patience).await?,
        ])
    }

    async fn moved(&self, id: &str, folder: &str) -> Result<Value, String> {
        let (path, to) = (format!("/me/messages/{id}/move"), json!({ "destinationId": folder }));
        Ok(self.call(Method::POST, &path, &[], Some(to)).await?.body)
    }

    /// Whether the changes since are listed in their order, with the last one of the message.
    async fn listed(
        &self,
        since: &Value,
        last: &Value,
        patience: Duration,
    ) -> Result<Tried, String> {
        let filter = format!("lastModifiedDateTime ge {}", text(since, "lastModifiedDateTime"));
        let query = [
            ("$filter", filter.as_str()),
            ("$orderby", "lastModifiedDateTime"),
            ("$top", PAGE),
            ("$select", SELECTED),
        ];
        let begun = Since::now();
        loop {
            let answer = self.call(Method::GET, "/me/messages", &query, None).await?.body;
            let page = answer["value"].as_array().cloned().unwrap_or_default();
            let times: Vec<String> =
                page.iter().map(|message| text(message, "lastModifiedDateTime")).collect();
            let same = |message: &&Value| {
                message["id"] == last["id"] && message["changeKey"] == last["changeKey"]
            };
            let found = format!("after {} ms", begun.elapsed().as_millis());
            let tried = |holds, found| Tried { id: "probe.listed", holds, found };
            if !times.is_sorted() {
                return Ok(tried(false, "changes are not listed in their order".into()));
            }
            if page.iter().any(|message| same(&message)) {
                return Ok(tried(true, format!("the change is listed {found}, in its order")));
            }
            if begun.elapsed() > patience {
                return Ok(tried(false, format!("the change is not listed {found}")));
            }
            pause(LOOK_AGAIN).await;
        }
    }

    /// With immutable ids, as every call of the connectors.
    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<Heard, String> {
        let what = format!("{method} {path}");
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        // A plus sign is no space in every part of OData.
        let url = format!("{}{path}?{}", self.base, query.replace('+', "%20"));
        let request = self
            .http
            .request(method, url.trim_end_matches('?'))
            .bearer_auth(self.token.expose_secret())
            .header("prefer", "IdType=\"ImmutableId\"");
        // Graph wants a length on every POST.
        let request = match &body {
            Some(body) => request.json(body),
            None => request.body(""),
        };
        match fetch(request).await {
            Fact::Known(heard) if (200..300).contains(&heard.status) => Ok(heard),
            Fact::Known(heard) => {
                let code = heard.body["error"]["code"].as_str().unwrap_or_default();
                Err(format!("{what} is answered {} {code}", heard.status))
            }
            Fact::Unreachable(why) => Err(format!("{what}: {why}")),
            _ => Err(what),
        }
    }
}

fn text(message: &Value, name: &str) -> String {
    message[name].as_str().unwrap_or_default().into()
}

/// Listings are bounded by the server's own clock.
fn clock(answer: &Heard) -> Tried {
    let (id, skew) = ("probe.clock", skew(&Fact::Known(answer.clone())));
    match skew {
        Fact::Known(skew) => Tried {
            id,
            holds: true,
            found: format!("Graph's answers carry its time, {skew} s off"),
        },
        _ => Tried { id, holds: false, found: "an answer of Graph's carries no Date".into() },
    }
}

/// A change shows as another key and as a later time.
fn changed(id: &'static str, what: &str, before: &Value, after: &Value) -> Tried {
    let time = |message: &Value| Timestamp::parse(&text(message, "lastModifiedDateTime"));
    let rises =
        matches!((time(before), time(after)), (Some(before), Some(after)) if before < after);
    let differs = before["changeKey"] != after["changeKey"];
    let missing = match (rises, differs) {
        (true, true) => "raises lastModifiedDateTime and gives another changeKey",
        (true, false) => "leaves changeKey as it was",
        (false, true) => "does not raise lastModifiedDateTime",
        (false, false) => "changes neither lastModifiedDateTime nor changeKey",
    };
    Tried { id, holds: rises && differs, found: format!("{what} {missing}") }
}
