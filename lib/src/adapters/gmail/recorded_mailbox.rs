//! Google in a dry run: one recorded mailbox, which writes change and which sends
//! nothing. It speaks Google's own HTTP, so that the same code makes requests and reads answers as
//! against Google.

mod batched;
mod call;
mod drafts;
mod fields;
mod history;
mod labels;
mod mailbox;
mod messages;
mod mime;
mod recorded;
mod routes;
mod search;
mod threads;
mod uploads;

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use reqwest::{Request, Response, Url};
use serde_json::json;

use self::call::Refusal;
use self::mailbox::Mailbox;
use self::uploads::{Step, Uploads};
use crate::adapters::dry_run::{self, Accounts, Reply, below};
use crate::config::GoogleSettings;
use crate::domain::timestamp::Timestamp;
use crate::ports::ConsentRequest;

/// Clones share one mailbox.
#[derive(Clone)]
pub struct RecordedMailbox {
    endpoints: Arc<Endpoints>,
    now: fn() -> Timestamp,
    state: Arc<Mutex<State>>,
}

/// Google's URLs, by which a request is recognized.
struct Endpoints {
    client_id: String,
    token_url: String,
    revoke_url: String,
    batch_url: String,
    api_base: String,
}

struct State {
    accounts: Accounts,
    /// Read from the recorded set at its first use.
    mailbox: Option<Mailbox>,
    uploads: Uploads,
}

impl RecordedMailbox {
    pub fn new(settings: &GoogleSettings, scopes: Vec<String>, now: fn() -> Timestamp) -> Self {
        let endpoints = Endpoints {
            client_id: settings.client_id.clone(),
            token_url: settings.token_url.clone(),
            revoke_url: settings.revoke_url.clone(),
            batch_url: settings.batch_url.clone(),
            api_base: settings.api_base.clone(),
        };
        let state = State {
            accounts: Accounts::new(settings.client_id.clone(), scopes),
            mailbox: None,
            uploads: Uploads::default(),
        };
        Self { endpoints: Arc::new(endpoints), now, state: Arc::new(Mutex::new(state)) }
    }

    /// The consent is given at once: the browser goes straight back to where Google would send it.
    pub fn consent_url(&self, consent: &ConsentRequest<'_>) -> String {
        dry_run::consented(consent)
    }

    pub fn answer(&self, request: &Request) -> Response {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.now)();
        let body = dry_run::body(request);
        let header = |name| dry_run::header(request, name);
        let url = request.url();
        let is = |endpoint: &str| Url::parse(endpoint).is_ok_and(|endpoint| endpoint == *url);
        let authorization = header(AUTHORIZATION);
        if let Some(target) = self.upload(url) {
            let range = header(CONTENT_RANGE);
            return self.uploaded(
                &mut state,
                request.method().as_str(),
                target,
                authorization,
                range,
                body,
            );
        }
        let answered = match request.method().as_str() {
            "POST" if is(&self.endpoints.token_url) => {
                state.token(&self.endpoints.client_id, body, now)
            }
            "POST" if is(&self.endpoints.revoke_url) => Ok(state.accounts.revoke(body)),
            "POST" if is(&self.endpoints.batch_url) => {
                Ok(batched::answer(header(CONTENT_TYPE), body, |method, target, body| {
                    let url =
                        Url::parse(&self.endpoints.api_base).and_then(|base| base.join(target));
                    let url = url.map_err(|_| Refusal::unknown(method, target));
                    url.and_then(|url| self.api(&mut state, method, &url, authorization, body, now))
                        .unwrap_or_else(|refusal| refusal.reply())
                }))
            }
            method => self.api(&mut state, method, url, authorization, body, now),
        };
        answered.unwrap_or_else(|refusal| refusal.reply()).response()
    }

    /// The URL of the method that an upload is for.
    fn upload(&self, url: &Url) -> Option<Url> {
        let path = below(&self.endpoints.api_base, url)?.strip_prefix("/upload")?;
        let base = self.endpoints.api_base.trim_end_matches('/');
        let mut target = Url::parse(&format!("{base}{path}")).ok()?;
        target.set_query(url.query());
        Some(target)
    }

    /// A mail that comes in pieces.
    fn uploaded(
        &self,
        state: &mut State,
        method: &str,
        target: Url,
        authorization: &str,
        range: &str,
        body: &[u8],
    ) -> Response {
        let step = state.uploads.step(method, target, range, body);
        let reply = match step {
            Ok(Step::Begun(target)) => {
                let path = target.path().to_string();
                let base = self.endpoints.api_base.trim_end_matches('/');
                let within = path.split_once("/gmail/").map_or("", |(_, within)| within);
                let location =
                    format!("{base}/upload/gmail/{within}?{}", target.query().unwrap_or_default());
                return Reply::bare(200).with_header(LOCATION, &location);
            }
            Ok(Step::Arrived(0)) => return Reply::bare(308).response(),
            Ok(Step::Arrived(bytes)) => {
                return Reply::bare(308).with_header(RANGE, &format!("bytes=0-{}", bytes - 1));
            }
            Ok(Step::Whole { method, target, body }) => {
                self.api(state, &method, &target, authorization, &body, (self.now)())
            }
            Err(refusal) => Err(refusal),
        };
        reply.unwrap_or_else(|refusal| refusal.reply()).response()
    }

    fn api(
        &self,
        state: &mut State,
        method: &str,
        url: &Url,
        authorization: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let path = below(&self.endpoints.api_base, url)
            .ok_or_else(|| Refusal::unknown(method, url.path()))?;
        if !dry_run::is_ours(authorization.strip_prefix("Bearer ").unwrap_or_default()) {
            return Err(Refusal::unauthenticated());
        }
        let query: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        routes::answer(state.mailbox()?, method, path, query, body, now)
    }
}

impl State {
    fn token(&mut self, azp: &str, form: &[u8], now: Timestamp) -> Result<Reply, Refusal> {
        let account = &self.mailbox()?.account;
        let identity = json!({
            "iss": "https://accounts.google.com", "azp": azp, "sub": account.sub,
            "email": account.address, "email_verified": true,
        });
        Ok(self.accounts.token(identity, form, now))
    }

    fn mailbox(&mut self) -> Result<&mut Mailbox, Refusal> {
        if self.mailbox.is_none() {
            self.mailbox = Some(recorded::mailbox().map_err(Refusal::broken)?);
        }
        self.mailbox.as_mut().ok_or_else(|| Refusal::broken("there is no mailbox".into()))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use base64::Engine;
    use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
    use secrecy::SecretString;
    use serde_json::Value;

    use super::*;
    use crate::adapters::gmail::client::Client;
    use crate::adapters::gmail::errors::Failure;
    use crate::adapters::gmail::{Gmail, parse};
    use crate::config::DryRun;
    use crate::domain::changes::Change;
    use crate::domain::gap::Slice;
    use crate::domain::id::MessageId;
    use crate::domain::identity::IdentityPolicy;
    use crate::domain::mailbox_key::MailboxKey;
    use crate::domain::mark::Mark;
    use crate::domain::retry::RetryPolicy;
    use crate::domain::secret::{AccessToken, RefreshToken};
    use crate::domain::watch::{Ending, Watching};
    use crate::ports::{AuthorizationCode, EmailProvider, Grant, ProviderError, WatchRequest};

    const NOON: Timestamp = Timestamp::from_seconds(1_770_000_000);

    thread_local! {
        static NOW: Cell<Timestamp> = const { Cell::new(NOON) };
    }

    async fn watch(gmail: &Gmail, access: &AccessToken) -> Watching {
        let mailbox = MailboxKey::parse("sample@example.com").unwrap();
        let request = WatchRequest { mailbox: &mailbox, current: None };
        gmail.watch(access, &request).await.unwrap()
    }

    fn later(seconds: u64) {
        NOW.set(NOW.get().after(Duration::from_secs(seconds)));
    }

    struct Dry {
        gmail: Gmail,
        access: AccessToken,
    }

    fn gmail_at(url: &str) -> Gmail {
        let settings = GoogleSettings {
            client_id: "client".into(),
            client_secret: "secret".into(),
            token_url: format!("{url}/token"),
            revoke_url: format!("{url}/revoke"),
            api_base: url.into(),
            batch_url: format!("{url}/batch/gmail/v1"),
            auth_url: format!("{url}/o/oauth2/v2/auth"),
            pubsub_topic: "projects/p/topics/t".into(),
            retry: RetryPolicy { max_attempts: 1, statuses: vec![429] },
        };
        let scopes = ["openid", "email", "https://www.googleapis.com/auth/gmail.modify"]
            .map(String::from)
            .into();
        Gmail::dry_run(settings, DryRun { scopes }, || NOW.get())
    }

    async fn exchange(gmail: &Gmail, code: &str) -> Grant {
        let code = AuthorizationCode {
            code: code.into(),
            redirect_uri: "postmessage".into(),
            code_verifier: None,
        };
        gmail.exchange(&code, NOW.get()).await.unwrap()
    }

    impl Dry {
        async fn start() -> Self {
            NOW.set(NOON);
            let gmail = gmail_at("https://gmail.invalid");
            let access = exchange(&gmail, "4/any").await.access_token;
            Self { gmail, access }
        }

        async fn call(
            &self,
            method: &str,
            path: &str,
            query: &[(&str, &str)],
            body: Value,
        ) -> Result<Value, Failure> {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let request = self.gmail.http.request(method, self.gmail.url(path, query).unwrap());
            let request =
                request.bearer_auth(secrecy::ExposeSecret::expose_secret(&self.access.secret));
            let request = if body.is_null() { request } else { request.json(&body) };
            let answered = self.gmail.send(request).await?;
            if answered.body.is_empty() { Ok(Value::Null) } else { parse(&answered.body) }
        }

        async fn read(&self, path: &str, query: &[(&str, &str)]) -> Value {
            self.call("GET", path, query, Value::Null).await.unwrap()
        }

        async fn post(&self, path: &str, body: Value) -> Value {
            self.call("POST", path, &[], body).await.unwrap()
        }

        async fn refused(
            &self,
            method: &str,
            path: &str,
            query: &[(&str, &str)],
            body: Value,
        ) -> String {
            self.call(method, path, query, body).await.unwrap_err().to_string()
        }

        /// The ids of what a search finds.
        async fn found(&self, q: &str) -> Vec<String> {
            let page = self.read("messages", &[("q", q)]).await;
            page["messages"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|message| text(&message["id"]))
                .collect()
        }

        async fn history_after(&self, id: &Value) -> Vec<Value> {
            let answer = self.read("history", &[("startHistoryId", &text(id))]).await;
            answer["history"].as_array().cloned().unwrap_or_default()
        }
    }

    fn text(value: &Value) -> String {
        value.as_str().unwrap_or_else(|| panic!("{value} is no text")).into()
    }

    fn mail(lines: &[&str]) -> Value {
        json!(BASE64_URL_SAFE.encode(lines.join("\r\n")))
    }

    #[tokio::test]
    async fn a_consent_is_given_at_once_and_its_code_is_good_in_any_process() {
        let Dry { gmail, .. } = Dry::start().await;
        let consent = ConsentRequest {
            scopes: &["openid".into(), "email".into()],
            redirect_uri: "https://app.example.com/auth/google/callback",
            state: "s&1",
            nonce: "n1",
            code_verifier: &SecretString::from("v"),
            login_hint: None,
        };
        let url = Url::parse(&gmail.consent_url(&consent)).unwrap();
        assert_eq!(
            url.as_str().split('?').next(),
            Some("https://app.example.com/auth/google/callback")
        );
        let back: std::collections::BTreeMap<_, _> = url.query_pairs().collect();
        assert_eq!((&*back["state"], &*back["scope"]), ("s&1", "openid email"));

        let other_process = gmail_at("https://gmail.invalid");
        let grant = exchange(&other_process, &back["code"]).await;
        let policy = IdentityPolicy::Google { client_id: "client".into() };
        assert_eq!(
            policy.admit(&grant.identity, Some("n1"), NOON).unwrap().as_str(),
            "109876543210987654321"
        );
        assert!(
            policy.admit(&exchange(&gmail, "4/any").await.identity, None, NOON).is_ok(),
            "the popup's codes have no nonce"
        );
        assert_eq!(
            (&grant.identity["email"], grant.scopes.len()),
            (&json!("sample@example.com"), 3)
        );
    }

    #[tokio::test]
    async fn a_grant_is_refreshed_until_it_is_revoked() {
        let Dry { gmail, .. } = Dry::start().await;
        let token = exchange(&gmail, "4/any").await.refresh_token.unwrap();
        let access = gmail.refresh(&token, NOON).await.unwrap().access;
        gmail.profile(&access).await.unwrap();
        assert!(gmail.revoke(&token).await.unwrap());
        assert!(!gmail.revoke(&token).await.unwrap(), "it is known no more");
        assert!(matches!(gmail.refresh(&token, NOON).await, Err(ProviderError::GrantRefused(_))));
    }

    #[tokio::test]
    async fn a_real_grant_is_neither_used_nor_lost() {
        let Dry { gmail, .. } = Dry::start().await;
        let real = RefreshToken("1//real".into());
        assert!(matches!(gmail.refresh(&real, NOON).await, Err(ProviderError::Unavailable { .. })));
        assert!(matches!(gmail.revoke(&real).await, Err(ProviderError::Unavailable { .. })));
        let access = AccessToken { secret: "ya29.real".into(), expires_at: NOON };
        assert!(matches!(gmail.profile(&access).await, Err(ProviderError::Unauthorized)));
    }

    #[tokio::test]
    async fn nothing_is_sent_to_where_google_would_be() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        NOW.set(NOON);
        let gmail = gmail_at(&format!("http://{}", listener.local_addr().unwrap()));
        assert!(matches!(gmail.http, Client::RecordedMailbox(_)), "a dry run has no HTTP client");
        let grant = exchange(&gmail, "4/any").await;
        let access =
            gmail.refresh(grant.refresh_token.as_ref().unwrap(), NOON).await.unwrap().access;
        gmail.profile(&access).await.unwrap();
        watch(&gmail, &access).await;
        let page = gmail
            .list(&access, &Slice { after: Timestamp::from_seconds(2), before: None }, None)
            .await
            .unwrap();
        assert_eq!(
            gmail.messages(&access, &page.messages, false).await.unwrap().messages.len(),
            page.messages.len()
        );
        gmail.stop(&access, Ending::All { known: None }).await.unwrap();
        gmail.revoke(&grant.refresh_token.unwrap()).await.unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn the_recorded_mailbox_is_read_like_gmails() {
        let dry = Dry::start().await;
        let profile = dry.gmail.profile(&dry.access).await.unwrap();
        assert_eq!(
            (profile.email_address.as_str(), profile.mark),
            ("sample@example.com", Mark::new(1000))
        );
        let expiration = watch(&dry.gmail, &dry.access).await.expires;
        assert_eq!(expiration, NOON.after(Duration::from_secs(7 * 24 * 3600)));

        let all =
            dry.read("messages", &[("includeSpamTrash", "true"), ("fields", "messages(id)")]).await;
        let ids: Vec<MessageId> = all["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| MessageId::new(text(&message["id"])))
            .collect();
        assert_eq!((ids.len(), all.as_object().unwrap().len()), (9, 1));
        let mut wanted = ids.clone();
        wanted.push(MessageId::new("0000000000000001"));
        let fetched = dry.gmail.messages(&dry.access, &wanted, false).await.unwrap();
        assert_eq!(
            fetched.messages.iter().map(|message| message.id.clone()).collect::<Vec<_>>(),
            ids,
            "in one batch, the missing left out"
        );
        assert_eq!(fetched.messages.iter().filter(|message| message.has_attachments).count(), 1);
        assert!(fetched.failed.is_empty() && fetched.unanswered.is_none());
        let headers = dry.gmail.messages(&dry.access, &ids[..2], true).await.unwrap();
        assert_eq!(headers.messages.len(), 2);
    }

    #[tokio::test]
    async fn what_is_recorded_agrees_with_itself() {
        let dry = Dry::start().await;
        let profile = dry.read("profile", &[]).await;
        let recorded: Vec<Value> = include_str!("recorded_mailbox/recorded.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let bodies = |route: &str| {
            recorded
                .iter()
                .filter(|line| line["route"] == format!("/gmail/v1/users/me{route}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(profile, bodies("/profile")[0]["body"]);
        assert_eq!(dry.read("labels", &[]).await, bodies("/labels")[0]["body"]);
        let past = |line: &&&Value| {
            line["body"]["historyId"].as_str().unwrap().parse::<u64>().unwrap() <= 1000
        };
        let messages = bodies("/messages/{id}");
        assert_eq!((messages.len(), messages.iter().filter(past).count()), (9, 8));
        for line in messages.iter().filter(past) {
            let id = text(&line["id"]);
            assert_eq!(dry.read(&format!("messages/{id}"), &[]).await, line["body"]);
            // Written as mail and read again it is the same message.
            let raw = text(&dry.read(&format!("messages/{id}"), &[("format", "raw")]).await["raw"]);
            let parsed = mime::parsed(BASE64_URL_SAFE.decode(raw).unwrap(), "", NOON).ok().unwrap();
            let contents =
                |payload: &Value, attachments: &std::collections::BTreeMap<String, String>| {
                    let mut seen = Vec::new();
                    flatten(payload, attachments, &mut seen);
                    seen
                };
            let attachment: Vec<_> = bodies("/messages/{messageId}/attachments/{id}");
            let stored = attachment
                .iter()
                .map(|line| (text(&line["id"]), text(&line["body"]["data"])))
                .collect();
            assert_eq!(
                contents(&parsed.payload, &parsed.attachments),
                contents(&line["body"]["payload"], &stored)
            );
            assert_eq!(parsed.snippet, text(&line["body"]["snippet"]));
        }
        let draft = bodies("/drafts/{id}")[0];
        assert_eq!(dry.read(&format!("drafts/{}", text(&draft["id"])), &[]).await, draft["body"]);
    }

    /// Each part's id, type, name, headers and content.
    fn flatten(
        part: &Value,
        attachments: &std::collections::BTreeMap<String, String>,
        seen: &mut Vec<Value>,
    ) {
        let content = part["body"]["attachmentId"]
            .as_str()
            .map_or(part["body"]["data"].clone(), |id| json!(attachments[id]));
        seen.push(json!([
            part["partId"],
            part["mimeType"],
            part["filename"],
            part["headers"],
            part["body"]["size"],
            content
        ]));
        for part in part["parts"].as_array().into_iter().flatten() {
            flatten(part, attachments, seen);
        }
    }

    #[tokio::test]
    async fn an_attachment_is_fetched_by_its_id_from_its_message_alone() {
        let dry = Dry::start().await;
        let id = dry.found("has:attachment").await.remove(0);
        let message = dry.read(&format!("messages/{id}"), &[]).await;
        let attachment = text(&message["payload"]["parts"][1]["body"]["attachmentId"]);
        let body = dry.read(&format!("messages/{id}/attachments/{attachment}"), &[]).await;
        let bytes =
            BASE64_URL_SAFE_NO_PAD.decode(text(&body["data"]).trim_end_matches('=')).unwrap();
        assert!(bytes.starts_with(b"%PDF") && body["size"] == bytes.len());
        let other = dry.found("subject:lunch").await.remove(0);
        let path = format!("messages/{other}/attachments/{attachment}");
        assert!(dry.refused("GET", &path, &[], Value::Null).await.starts_with("404 notFound"));
    }

    #[tokio::test]
    async fn lists_come_in_pages_and_by_label() {
        let dry = Dry::start().await;
        let (mut seen, mut sizes, mut token) = (Vec::new(), Vec::new(), None::<String>);
        loop {
            let mut query = vec![("maxResults", "3")];
            query.extend(token.as_deref().map(|token| ("pageToken", token)));
            let page = dry.read("messages", &query).await;
            let messages = page["messages"].as_array().unwrap();
            sizes.push(messages.len());
            seen.extend(messages.iter().map(|message| text(&message["id"])));
            token = page["nextPageToken"].as_str().map(String::from);
            if token.is_none() {
                break;
            }
        }
        assert_eq!(sizes, [3, 3, 2], "the one in the trash is not among them");
        assert_eq!(seen, dry.found("").await);
        let labelled = dry.read("messages", &[("labelIds", "INBOX"), ("labelIds", "UNREAD")]).await;
        assert_eq!(labelled["messages"].as_array().unwrap().len(), 2);
        let threads = dry.read("threads", &[("maxResults", "2")]).await;
        assert_eq!(
            (threads["threads"].as_array().unwrap().len(), &threads["resultSizeEstimate"]),
            (2, &json!(3))
        );
        let thread = dry
            .read(
                &format!("threads/{}", text(&threads["threads"][1]["id"])),
                &[("format", "minimal")],
            )
            .await;
        assert_eq!(thread["messages"].as_array().unwrap().len(), 3);
        for (name, value) in
            [("pageToken", "x"), ("maxResults", "0"), ("labelIds", "Label_9"), ("colour", "red")]
        {
            let refusal = dry.refused("GET", "messages", &[(name, value)], Value::Null).await;
            assert!(refusal.starts_with("400 invalidArgument"), "{name}: {refusal}");
        }
    }

    #[tokio::test]
    async fn a_search_finds_what_it_says_and_what_it_cannot_do_is_refused_by_name() {
        let dry = Dry::start().await;
        let table = [
            ("", 8),
            ("from:shop.example", 2),
            ("-from:shop.example", 6),
            ("from:billing subject:\"your invoice\" is:unread", 1),
            ("to:sample@example.com", 5),
            ("cc:kim", 1),
            ("noon", 2),
            ("in:inbox", 4),
            ("in:sent", 2),
            ("in:trash", 1),
            ("in:anywhere", 9),
            ("in:drafts", 1),
            ("in:archive", 1),
            ("is:starred", 1),
            ("is:read in:inbox", 2),
            ("label:invoices", 2),
            ("label:travel-autumn in:anywhere", 2),
            ("label:nowhere", 0),
            ("has:attachment", 1),
            ("rfc822msgid:<mail-24@example.org>", 1),
            ("after:2026/01/06", 5),
            ("before:2026/1/6", 3),
            ("after:1767603600 before:1767610000", 1),
            ("older_than:1d", 8),
            ("newer_than:1d", 0),
        ];
        for (q, expected) in table {
            assert_eq!(dry.found(q).await.len(), expected, "{q}");
        }
        for (q, named) in [
            ("larger:5M", "larger:"),
            ("a OR b", "OR"),
            ("{a b}", "{"),
            ("-(a b)", "("),
            ("filename:private.pdf", "filename:"),
            ("is:muted", "is:muted"),
            ("has:drive", "has:drive"),
            ("after:soon", "after:"),
        ] {
            let refusal = dry.refused("GET", "messages", &[("q", q)], Value::Null).await;
            assert!(
                refusal.starts_with("400 invalidArgument")
                    && refusal.to_lowercase().ends_with(&named.to_lowercase()),
                "{refusal}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_sent_is_read_again_and_listed_in_the_history() {
        let dry = Dry::start().await;
        let before = dry.read("profile", &[]).await["historyId"].clone();
        later(5);
        let thread = text(&dry.read("threads", &[("q", "lunch")]).await["threads"][0]["id"]);
        let raw = mail(&[
            "To: Bo <bo@example.org>",
            "Subject: Re: Lunch on Thursday?",
            "",
            "See you <there>.",
        ]);
        let sent = dry.post("messages/send", json!({"raw": raw, "threadId": thread})).await;
        assert_eq!((&sent["threadId"], &sent["labelIds"]), (&json!(thread), &json!(["SENT"])));

        let id = text(&sent["id"]);
        let read = dry.read(&format!("messages/{id}"), &[]).await;
        let named = |name: &str| {
            let headers = read["payload"]["headers"].as_array().unwrap();
            headers
                .iter()
                .find(|header| header["name"] == name)
                .map(|header| text(&header["value"]))
        };
        assert_eq!(named("From").as_deref(), Some("sample@example.com"));
        assert_eq!(named("Date").as_deref(), Some("Mon, 02 Feb 2026 02:40:05 +0000"));
        assert!(named("Message-ID").unwrap().ends_with("@dry-run.invalid>"));
        assert_eq!(
            (&read["snippet"], &read["internalDate"]),
            (&json!("See you &lt;there&gt;."), &json!("1770000005000"))
        );
        assert_eq!(dry.found("").await[0], id);
        let messages =
            dry.read(&format!("threads/{thread}"), &[]).await["messages"].as_array().unwrap().len();
        assert_eq!(messages, 4);

        let page = dry
            .gmail
            .changes(&dry.access, Mark::new(text(&before).parse().unwrap()), None)
            .await
            .unwrap();
        let changes: Vec<&Change> =
            page.records.iter().flat_map(|record| &record.changes).collect();
        assert_eq!(
            changes,
            [&Change::Added { message: MessageId::new(&id), label_ids: vec!["SENT".into()] }]
        );

        let to_itself = mail(&["To: SAMPLE@example.com", "Subject: note", "", "to myself"]);
        let sent = dry.post("messages/send", json!({"raw": to_itself})).await;
        assert_eq!(sent["labelIds"], json!(["UNREAD", "SENT", "INBOX"]));
        assert_eq!(sent["threadId"], sent["id"]);
    }

    #[tokio::test]
    async fn mail_that_gmail_would_not_send_is_refused() {
        let dry = Dry::start().await;
        for (body, expected) in [
            (json!({}), "400 invalidArgument: 'raw' RFC822"),
            (json!({"raw": "*"}), "400 invalidArgument: Invalid value at 'message.raw'"),
            (
                json!({"raw": mail(&["Subject: to nobody", "", "x"])}),
                "400 invalidArgument: Recipient address required",
            ),
            (
                json!({"raw": mail(&["To: a@b.example", "", "x"]), "threadId": "0000000000000001"}),
                "404 notFound",
            ),
        ] {
            let refusal = dry.refused("POST", "messages/send", &[], body).await;
            assert!(refusal.starts_with(expected), "{refusal}");
        }
        assert_eq!(dry.found("").await.len(), 8);
    }

    #[tokio::test]
    async fn an_attachment_that_is_sent_can_be_fetched() {
        let dry = Dry::start().await;
        let raw = mail(&[
            "To: bo@example.org",
            "MIME-Version: 1.0",
            "Content-Type: multipart/mixed; boundary=b",
            "",
            "--b",
            "Content-Type: text/html",
            "",
            "<p>Two <b>bytes</b></p>",
            "--b",
            "Content-Type: application/octet-stream",
            "Content-Disposition: attachment; filename=\"two.bin\"",
            "Content-Transfer-Encoding: base64",
            "",
            "AP8=",
            "--b--",
        ]);
        let id = text(&dry.post("messages/send", json!({"raw": raw})).await["id"]);
        let message = dry.read(&format!("messages/{id}"), &[]).await;
        assert_eq!(
            (&message["snippet"], &message["payload"]["mimeType"]),
            (&json!("Two bytes"), &json!("multipart/mixed"))
        );
        let part = &message["payload"]["parts"][1];
        assert_eq!(
            (&part["partId"], &part["filename"], &part["body"]["size"]),
            (&json!("1"), &json!("two.bin"), &json!(2))
        );
        let path = format!("messages/{id}/attachments/{}", text(&part["body"]["attachmentId"]));
        assert_eq!(
            dry.read(&path, &[]).await,
            json!({"size": 2, "data": BASE64_URL_SAFE.encode([0, 255])})
        );
        assert_eq!(
            text(&dry.read(&format!("messages/{id}"), &[("format", "raw")]).await["raw"]).len() % 4,
            0
        );
    }

    #[tokio::test]
    async fn a_label_is_made_set_counted_changed_and_deleted() {
        let dry = Dry::start().await;
        let label =
            dry.post("labels", json!({"name": "Later", "labelListVisibility": "labelShow"})).await;
        let id = text(&label["id"]);
        assert_eq!(
            (&label["type"], &label["labelListVisibility"]),
            (&json!("user"), &json!("labelShow"))
        );
        assert_eq!(
            dry.refused("POST", "labels", &[], json!({"name": "LATER"})).await,
            "409 aborted: Label name exists or conflicts"
        );
        let unread = dry.found("is:unread").await;
        dry.post("messages/batchModify", json!({"ids": unread, "addLabelIds": [id]})).await;
        let counted = dry.read(&format!("labels/{id}"), &[]).await;
        let counts = ["messagesTotal", "messagesUnread", "threadsTotal", "threadsUnread"]
            .map(|name| counted[name].as_u64().unwrap());
        assert_eq!(counts, [2, 2, 2, 2]);

        let color = json!({"textColor": "#ffffff", "backgroundColor": "#16a766"});
        let changed = dry
            .call("PATCH", &format!("labels/{id}"), &[], json!({"name": "Soon", "color": color}))
            .await
            .unwrap();
        assert_eq!(
            (&changed["name"], &changed["labelListVisibility"], &changed["color"]),
            (&json!("Soon"), &json!("labelShow"), &color)
        );
        let before = dry.read("profile", &[]).await["historyId"].clone();
        dry.call("DELETE", &format!("labels/{id}"), &[], Value::Null).await.unwrap();
        assert!(
            dry.refused("GET", &format!("labels/{id}"), &[], Value::Null).await.starts_with("404")
        );
        assert_eq!(
            dry.history_after(&before)
                .await
                .iter()
                .filter(|record| record["labelsRemoved"].is_array())
                .count(),
            2
        );
        for (method, path, body) in [
            ("PATCH", "labels/INBOX", json!({"name": "Mine"})),
            ("DELETE", "labels/SENT", Value::Null),
            ("POST", "labels", json!({"name": "inbox"})),
            ("POST", "labels", json!({"name": "A", "labelListVisibility": "sometimes"})),
            ("POST", "messages/batchModify", json!({"ids": ["a"], "addLabelIds": ["SENT"]})),
            ("POST", "messages/batchModify", json!({"ids": [], "addLabelIds": ["INBOX"]})),
            ("POST", "messages/batchDelete", json!({"ids": vec!["a"; 1001]})),
        ] {
            let refusal = dry.refused(method, path, &[], body).await;
            assert!(refusal.starts_with("400 invalidArgument"), "{method} {path}: {refusal}");
        }
    }

    #[tokio::test]
    async fn a_draft_keeps_its_id_until_it_is_sent() {
        let dry = Dry::start().await;
        let draft = dry
            .post("drafts", json!({"message": {"raw": mail(&["Subject: plan", "", "one"])}}))
            .await;
        let (id, first) = (text(&draft["id"]), text(&draft["message"]["id"]));
        assert_eq!(draft["message"]["labelIds"], json!(["DRAFT"]));
        assert_eq!(dry.read("drafts", &[]).await["drafts"].as_array().unwrap().len(), 2);
        assert_eq!(dry.read("drafts", &[("q", "plan")]).await["drafts"][0]["id"], id);
        let send = json!({"id": id});
        assert_eq!(
            dry.refused("POST", "drafts/send", &[], send.clone()).await,
            "400 invalidArgument: Recipient address required"
        );

        let raw = mail(&["To: bo@example.org", "Subject: plan", "", "two"]);
        let path = format!("drafts/{id}");
        let updated = dry.call("PUT", &path, &[], json!({"message": {"raw": raw}})).await.unwrap();
        let second = text(&updated["message"]["id"]);
        assert_eq!(updated["message"]["threadId"], draft["message"]["threadId"]);
        assert!(
            first != second
                && dry
                    .refused("GET", &format!("messages/{first}"), &[], Value::Null)
                    .await
                    .starts_with("404")
        );
        assert_eq!(dry.read(&path, &[("format", "metadata")]).await["message"]["id"], second);

        let sent = dry.post("drafts/send", send).await;
        assert_eq!(
            (&sent["labelIds"], &sent["threadId"]),
            (&json!(["SENT"]), &draft["message"]["threadId"])
        );
        assert!(dry.refused("GET", &path, &[], Value::Null).await.starts_with("404"));
        assert_eq!(
            dry.read(&format!("messages/{}", text(&sent["id"])), &[]).await["snippet"],
            "two"
        );

        let recorded = text(&dry.read("drafts", &[]).await["drafts"][0]["id"]);
        let sent = dry.post("drafts/send", json!({"id": recorded})).await;
        assert_eq!(
            dry.read(&format!("messages/{}", text(&sent["id"])), &[]).await["snippet"],
            "Dear Eve, what about the day train? Sam"
        );
        assert!(dry.read("drafts", &[]).await.get("drafts").is_none());
    }

    #[tokio::test]
    async fn trash_is_left_again_and_deleting_is_for_good() {
        let dry = Dry::start().await;
        let before = dry.read("profile", &[]).await["historyId"].clone();
        let thread = text(&dry.read("threads", &[("q", "lunch")]).await["threads"][0]["id"]);
        dry.post(&format!("threads/{thread}/trash"), Value::Null).await;
        assert_eq!(dry.found("lunch").await.len(), 0);
        assert_eq!(dry.found("lunch in:trash").await.len(), 3);
        dry.post(&format!("threads/{thread}/untrash"), Value::Null).await;
        dry.post(&format!("threads/{thread}/modify"), json!({"addLabelIds": ["INBOX", "Label_2"]}))
            .await;
        assert_eq!(dry.found("lunch in:inbox label:travel-autumn").await.len(), 3);
        let message = dry.found("lunch").await.remove(0);
        let trashed = dry.post(&format!("messages/{message}/trash"), Value::Null).await;
        assert!(trashed["labelIds"].as_array().unwrap().contains(&json!("TRASH")));
        dry.call("DELETE", &format!("messages/{message}"), &[], Value::Null).await.unwrap();
        assert!(
            dry.refused("DELETE", &format!("messages/{message}"), &[], Value::Null)
                .await
                .starts_with("404")
        );
        dry.call("DELETE", &format!("threads/{thread}"), &[], Value::Null).await.unwrap();
        assert!(
            dry.refused("GET", &format!("threads/{thread}"), &[], Value::Null)
                .await
                .starts_with("404")
        );
        let deleted = dry.found("").await;
        dry.post("messages/batchDelete", json!({"ids": deleted})).await;
        assert_eq!(dry.found("in:anywhere").await.len(), 1);
        let records = dry.history_after(&before).await;
        assert_eq!(
            records.iter().filter(|record| record["messagesDeleted"].is_array()).count(),
            3 + deleted.len()
        );
        let ids: Vec<u64> =
            records.iter().map(|record| text(&record["id"]).parse().unwrap()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }

    #[tokio::test]
    async fn one_mail_arrives_a_minute_after_the_mailbox_was_first_used() {
        let dry = Dry::start().await;
        let profile = dry.gmail.profile(&dry.access).await.unwrap();
        later(59);
        assert!(
            dry.gmail.changes(&dry.access, profile.mark, None).await.unwrap().records.is_empty()
        );
        later(61);
        let page = dry.gmail.changes(&dry.access, profile.mark, None).await.unwrap();
        assert_eq!(page.records.len(), 1);
        let Change::Added { message, label_ids } = &page.records[0].changes[0] else {
            panic!("{:?}", page.records)
        };
        assert!(label_ids.contains(&"INBOX".to_string()));
        let fetched =
            dry.gmail.messages(&dry.access, std::slice::from_ref(message), false).await.unwrap();
        assert_eq!(fetched.messages[0].received_at, NOON.after(dry_run::ARRIVES_AFTER));
        assert_eq!(dry.gmail.profile(&dry.access).await.unwrap().mark, page.mark.unwrap());
        assert!(matches!(
            dry.gmail.changes(&dry.access, Mark::new(1), None).await,
            Err(ProviderError::HistoryExpired)
        ));
    }

    #[tokio::test]
    async fn what_is_not_known_is_refused_with_its_route() {
        let dry = Dry::start().await;
        let table = [
            (
                "GET",
                "settings/filters",
                "501 notImplemented: A dry run does not know GET /gmail/v1/users/me/settings/filters",
            ),
            (
                "POST",
                "messages/import",
                "501 notImplemented: A dry run does not know POST /gmail/v1/users/me/messages/import",
            ),
            (
                "DELETE",
                "profile",
                "501 notImplemented: A dry run does not know DELETE /gmail/v1/users/me/profile",
            ),
        ];
        for (method, path, expected) in table {
            assert_eq!(dry.refused(method, path, &[], json!({})).await, expected);
        }
        let elsewhere = dry
            .gmail
            .http
            .request(reqwest::Method::GET, "https://elsewhere.invalid/gmail/v1/users/me/profile")
            .bearer_auth("dry-run.access.1");
        let failure = dry.gmail.send(elsewhere).await.map(|_| ()).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "501 notImplemented: A dry run does not know GET /gmail/v1/users/me/profile"
        );
        let unreadable = dry.gmail.http.request(reqwest::Method::GET, "no url");
        assert!(dry.gmail.send(unreadable).await.is_err());
    }
}
