//! Microsoft in a dry run: one recorded mailbox, which writes change and which sends nothing. It
//! speaks Microsoft's own HTTP, so that the same code makes requests and reads answers as against
//! Microsoft.

mod attachments;
mod batched;
mod call;
mod filter;
mod folders;
mod mailbox;
mod messages;
mod mime;
mod recorded;
mod routes;
mod search;
mod subscriptions;

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE};
use reqwest::{Request, Response, Url};
use serde_json::json;

use self::call::{Call, Refusal};
use self::mailbox::Mailbox;
use crate::adapters::dry_run::{Accounts, Reply, below, body, consented, header, is_ours};
use crate::config::MicrosoftSettings;
use crate::domain::timestamp::Timestamp;
use crate::ports::ConsentRequest;

/// Of the recorded account.
const TENANT: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";

/// Clones share one mailbox.
#[derive(Clone)]
pub struct RecordedMailbox {
    endpoints: Arc<Endpoints>,
    now: fn() -> Timestamp,
    state: Arc<Mutex<State>>,
}

/// Microsoft's URLs, by which a request is recognized.
struct Endpoints {
    login_base: String,
    token_url: String,
    graph_base: String,
}

struct State {
    accounts: Accounts,
    /// Read from the recorded set at its first use.
    mailbox: Option<Mailbox>,
}

impl RecordedMailbox {
    pub fn new(settings: &MicrosoftSettings, token_url: String, now: fn() -> Timestamp) -> Self {
        let endpoints = Endpoints {
            login_base: settings.login_base.clone(),
            token_url,
            graph_base: settings.graph_base.clone(),
        };
        let accounts = Accounts::new(settings.client_id.clone(), settings.scopes.clone());
        let state = State { accounts: accounts.rotating(), mailbox: None };
        Self { endpoints: Arc::new(endpoints), now, state: Arc::new(Mutex::new(state)) }
    }

    /// The consent is given at once: the browser goes straight back to where Microsoft would send it.
    pub fn consent_url(&self, consent: &ConsentRequest<'_>) -> String {
        consented(consent)
    }

    /// So is an administrator's.
    pub fn admin_consent_url(&self, redirect_uri: &str, state: &str) -> String {
        let pairs = [("admin_consent", "True"), ("tenant", TENANT), ("state", state)];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{redirect_uri}?{query}")
    }

    pub fn answer(&self, request: &Request) -> Response {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = self.answered(&mut state, request);
        answered.unwrap_or_else(|refusal| refusal.reply()).response()
    }

    fn answered(&self, state: &mut State, request: &Request) -> Result<Reply, Refusal> {
        let (method, url, body) = (request.method().as_str(), request.url(), body(request));
        let now = (self.now)();
        if method == "POST" && Url::parse(&self.endpoints.token_url).is_ok_and(|own| own == *url) {
            return state.token(&self.endpoints.login_base, body, now);
        }
        let path = below(&self.endpoints.graph_base, url)
            .ok_or_else(|| Refusal::unknown(method, url.path()))?;
        let mailbox = state.mailbox()?;
        // Whoever has the URL of an upload may put a file there: it takes no token.
        if let Some(number) = path.strip_prefix(attachments::UPLOADS).filter(|_| method == "PUT") {
            let range = header(request, CONTENT_RANGE);
            return attachments::put(mailbox, number, range, body, now);
        }
        let bearer = header(request, AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default();
        if !is_ours(bearer) {
            return Err(Refusal::unauthenticated());
        }
        if (method, path) == ("POST", "/$batch") {
            return batched::answer(body, |method, target, content_type, body| {
                let base = self.endpoints.graph_base.trim_end_matches('/');
                let url = Url::parse(&format!("{base}{target}"))
                    .map_err(|_| Refusal::unknown(method, target))?;
                self.api(mailbox, method, &url, content_type, body, now)
            });
        }
        self.api(mailbox, method, url, header(request, CONTENT_TYPE), body, now)
    }

    fn api(
        &self,
        mailbox: &mut Mailbox,
        method: &str,
        url: &Url,
        content_type: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let path = below(&self.endpoints.graph_base, url)
            .ok_or_else(|| Refusal::unknown(method, url.path()))?;
        let call = Call {
            ids: Vec::new(),
            url: url.clone(),
            base: self.endpoints.graph_base.trim_end_matches('/').into(),
            content_type: content_type.into(),
            body: body.to_vec(),
            now,
        };
        routes::answer(mailbox, method, path, call)
    }
}

impl State {
    fn token(&mut self, login_base: &str, form: &[u8], now: Timestamp) -> Result<Reply, Refusal> {
        let user = &self.mailbox()?.user;
        let identity = json!({
            "iss": format!("{login_base}/{TENANT}/v2.0"), "tid": TENANT, "oid": user["id"],
            "sub": user["id"], "name": user["displayName"], "ver": "2.0",
            "preferred_username": user["userPrincipalName"], "email": user["mail"],
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
    use std::collections::BTreeMap;
    use std::time::Duration;

    use reqwest::Method;
    use secrecy::SecretString;
    use serde_json::Value;

    use super::*;
    use crate::adapters::dry_run::ARRIVES_AFTER;
    use crate::adapters::outlook::Outlook;
    use crate::adapters::outlook::client::{Call as Sent, Http, Repeat, parse};
    use crate::adapters::outlook::errors::Failure;
    use crate::domain::changes::Change;
    use crate::domain::gap::Slice;
    use crate::domain::id::AccountId;
    use crate::domain::mailbox_key::MailboxKey;
    use crate::domain::provider::outlook::account::IdentityPolicy;
    use crate::domain::retry::RetryPolicy;
    use crate::domain::secret::{AccessToken, RefreshToken};
    use crate::domain::watch::{Ending, Watching};
    use crate::ports::{AuthorizationCode, EmailProvider, Grant, ProviderError, WatchRequest};

    const NOON: Timestamp = Timestamp::from_seconds(1_770_000_000);
    const CALLBACK: &str = "https://app.example.com/auth/microsoft/callback";

    thread_local! {
        static NOW: Cell<Timestamp> = const { Cell::new(NOON) };
    }

    fn later(seconds: u64) {
        NOW.set(NOW.get().after(Duration::from_secs(seconds)));
    }

    struct Dry {
        outlook: Outlook,
        access: AccessToken,
    }

    fn outlook_at(url: &str) -> Outlook {
        let settings = MicrosoftSettings {
            client_id: "client".into(),
            client_secret: "secret".into(),
            tenant: "common".into(),
            scopes: ["openid", "offline_access", "Mail.ReadWrite"].map(String::from).into(),
            login_base: url.into(),
            graph_base: format!("{url}/v1.0"),
            notification_url: "https://api.example.com/graph".into(),
            notification_keys: vec!["0123456789abcdef0123456789abcdef".into()],
            retry: RetryPolicy { max_attempts: 1, statuses: vec![429] },
        };
        Outlook::dry_run(settings, || NOW.get())
    }

    async fn exchange(outlook: &Outlook, code: &str) -> Grant {
        let code = AuthorizationCode {
            code: code.into(),
            redirect_uri: CALLBACK.into(),
            code_verifier: None,
        };
        outlook.exchange(&code, NOW.get()).await.unwrap()
    }

    async fn watch(dry: &Dry, current: Option<&str>) -> Watching {
        let mailbox = MailboxKey::of_account("outlook", &AccountId::new("a"));
        let request = WatchRequest { mailbox: &mailbox, current };
        dry.outlook.watch(&dry.access, &request).await.unwrap()
    }

    impl Dry {
        async fn start() -> Self {
            NOW.set(NOON);
            let outlook = outlook_at("https://graph.invalid");
            let access = exchange(&outlook, "any").await.access_token;
            Self { outlook, access }
        }

        async fn call(
            &self,
            method: &str,
            path: &str,
            query: &[(&str, &str)],
            body: Value,
        ) -> Result<Value, Failure> {
            let calling = self.outlook.calling(&self.access);
            let path: Vec<&str> = path.split('/').collect();
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let call = Sent::new(method, self.outlook.client.url(&path, query)?);
            let call = if body.is_null() { call } else { call.json(&body) };
            let answered = calling.send(call, Repeat::Safely).await?;
            if answered.body.is_empty() { Ok(Value::Null) } else { parse(&answered.body) }
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

        /// The subjects that a listing finds, as it orders them.
        async fn found(&self, path: &str, query: &[(&str, &str)]) -> Vec<String> {
            let page = self.call("GET", path, query, Value::Null).await.unwrap();
            let subject = |one: &Value| one["subject"].as_str().unwrap().to_string();
            page["value"].as_array().unwrap().iter().map(subject).collect()
        }

        /// The id of a message that a search finds.
        async fn id(&self, search: &str) -> String {
            let query = [("$search", search)];
            let page = self.call("GET", "me/messages", &query, Value::Null).await.unwrap();
            page["value"][0]["id"].as_str().unwrap().into()
        }
    }

    #[tokio::test]
    async fn a_consent_is_given_at_once_and_its_code_is_good_in_any_process() {
        let Dry { outlook, .. } = Dry::start().await;
        let consent = ConsentRequest {
            scopes: &["openid".into(), "Mail.Read".into()],
            redirect_uri: CALLBACK,
            state: "s&1",
            nonce: "n1",
            code_verifier: &SecretString::from("v"),
            login_hint: None,
        };
        let url = Url::parse(&outlook.consent_url(&consent)).unwrap();
        assert_eq!(url.as_str().split('?').next(), Some(CALLBACK));
        let back: BTreeMap<_, _> = url.query_pairs().collect();
        assert_eq!(&*back["state"], "s&1");

        let grant = exchange(&outlook_at("https://graph.invalid"), &back["code"]).await;
        let policy = IdentityPolicy {
            client_id: "client".into(),
            login_base: "https://graph.invalid".into(),
        };
        let account = policy.admit(&grant.identity, Some("n1"), NOON).unwrap();
        assert_eq!(account.as_str(), format!("{TENANT}.5b6c1d2e-3f40-4152-8364-75869a0bcdef"));
        assert!(policy.admit(&grant.identity, Some("n2"), NOON).is_err());
        assert_eq!(grant.scopes, ["openid", "offline_access", "Mail.ReadWrite"]);
        assert_eq!(
            outlook.admin_consent_url(None, CALLBACK),
            format!("{CALLBACK}?admin_consent=True&tenant={TENANT}&state=admin-consent")
        );
    }

    #[tokio::test]
    async fn each_refresh_answers_a_new_refresh_token() {
        let Dry { outlook, .. } = Dry::start().await;
        let first = exchange(&outlook, "any").await.refresh_token.unwrap();
        let refreshed = outlook.refresh(&first, NOON).await.unwrap();
        let second = refreshed.refresh.unwrap();
        let text =
            |token: &RefreshToken| secrecy::ExposeSecret::expose_secret(&token.0).to_string();
        assert_ne!(text(&first), text(&second));
        for token in [&first, &second] {
            assert!(outlook.refresh(token, NOON).await.is_ok(), "the one before stays good");
        }
        outlook.profile(&refreshed.access).await.unwrap();
    }

    #[tokio::test]
    async fn a_real_grant_is_neither_used_nor_lost() {
        let Dry { outlook, .. } = Dry::start().await;
        let real = RefreshToken("1.AVYA.real".into());
        assert!(matches!(
            outlook.refresh(&real, NOON).await,
            Err(ProviderError::Unavailable { .. })
        ));
        let access = AccessToken { secret: "eyJ.real".into(), expires_at: NOON };
        assert!(matches!(outlook.profile(&access).await, Err(ProviderError::Unauthorized)));
    }

    #[tokio::test]
    async fn nothing_is_sent_to_where_microsoft_would_be() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        NOW.set(NOON);
        let outlook = outlook_at(&format!("http://{}", listener.local_addr().unwrap()));
        assert!(
            matches!(outlook.client.http, Http::RecordedMailbox(_)),
            "a dry run has no HTTP client"
        );
        let grant = exchange(&outlook, "any").await;
        let refresh = grant.refresh_token.unwrap();
        let access = outlook.refresh(&refresh, NOON).await.unwrap().access;
        let dry = Dry { outlook, access };
        dry.outlook.profile(&dry.access).await.unwrap();
        let id = watch(&dry, None).await.id;
        let slice = Slice { after: Timestamp::from_seconds(2), before: None };
        let page = dry.outlook.list(&dry.access, &slice, None).await.unwrap();
        let read = dry.outlook.messages(&dry.access, &page.messages, false).await.unwrap();
        assert_eq!((read.messages.len(), page.messages.len()), (4, 4), "without spam and trash");
        dry.outlook.stop(&dry.access, Ending::All { known: id.as_deref() }).await.unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }

    /// What Graph would make of the recorded mails is what is recorded of them.
    #[test]
    fn what_is_recorded_agrees_with_itself() {
        let mailbox = recorded::mailbox().unwrap();
        assert_eq!((mailbox.messages.len(), mailbox.to_come.len()), (8, 1));
        for message in mailbox.messages.values().chain(&mailbox.to_come) {
            let read = mime::shown(&message.mime).unwrap();
            for (name, value) in read.as_object().unwrap() {
                let is_set_by_hand = ["importance", "internetMessageHeaders"];
                if !is_set_by_hand.contains(&name.as_str()) {
                    assert_eq!(message.shown[name], *value, "{name} of {}", message.text("id"));
                }
            }
            let headers = &message.shown["internetMessageHeaders"];
            match message.shown["isDraft"] == true {
                true => assert!(headers.is_null(), "a draft was never sent"),
                false => assert_eq!(headers.as_array().unwrap()[0]["name"], "From"),
            }
            mailbox.folder(message.text("parentFolderId")).unwrap();
            for name in ["createdDateTime", "receivedDateTime", "lastModifiedDateTime"] {
                assert!(message.moment(name).is_some_and(|moment| moment < NOON), "{name}");
            }
        }
        for folder in &mailbox.folders {
            mailbox.folder(&folder.parent).unwrap();
        }
    }

    #[tokio::test]
    async fn one_mail_arrives_a_minute_after_the_mailbox_was_first_used() {
        let dry = Dry::start().await;
        let (outlook, access) = (&dry.outlook, &dry.access);
        let profile = outlook.profile(access).await.unwrap();
        assert_eq!(profile.email_address.as_str(), "sample@outlook.example");
        let changed = async || {
            let page = outlook.changes(access, profile.mark, None).await.unwrap();
            let all = page.records.into_iter().flat_map(|record| record.changes);
            all.filter_map(|change| match change {
                Change::Added { message, .. } => Some(message),
                _ => None,
            })
            .collect::<Vec<_>>()
        };
        later(59);
        assert!(changed().await.is_empty(), "the newest one is spam");
        later(61);
        let [message] = &changed().await[..] else { panic!("one") };
        let read = outlook.messages(access, std::slice::from_ref(message), false).await.unwrap();
        assert_eq!(read.messages[0].received_at, NOON.after(ARRIVES_AFTER));
        assert!(outlook.profile(access).await.unwrap().mark > profile.mark);
    }

    #[tokio::test]
    async fn a_watch_is_renewed_and_made_anew_where_it_is_not_known() {
        let dry = Dry::start().await;
        let made = watch(&dry, None).await;
        assert!(made.expires > NOON.after(Duration::from_secs(6 * 24 * 3600)));
        assert_eq!(watch(&dry, made.id.as_deref()).await.id, made.id);
        let another = Dry::start().await;
        later(1);
        let anew = watch(&another, made.id.as_deref()).await;
        assert_ne!(anew.id, made.id, "of another process");
        let list = dry.call("GET", "subscriptions", &[], Value::Null).await.unwrap();
        assert_eq!(list["value"].as_array().unwrap().len(), 1);
        dry.outlook.stop(&dry.access, Ending::All { known: made.id.as_deref() }).await.unwrap();
        let list = dry.call("GET", "subscriptions", &[], Value::Null).await.unwrap();
        assert_eq!(list, json!({"value": []}));
        let body = json!({"changeType": "created", "notificationUrl": "https://a.example",
            "resource": "me/messages", "expirationDateTime": "soon"});
        assert!(dry.refused("POST", "subscriptions", &[], body).await.starts_with("400"));
    }

    #[tokio::test]
    async fn listings_are_filtered_searched_ordered_and_paged() {
        let dry = Dry::start().await;
        let invoice = "Your invoice 2026-017";
        let table: [(&str, &str, &[&str]); 13] = [
            (
                "$filter",
                "isRead eq false and importance eq 'normal'",
                &["You have won", "Lunch on Thursday?", "Re: Your invoice 2026-017"],
            ),
            (
                "$filter",
                "receivedDateTime lt 2026-01-05T14:00:01Z and hasAttachments eq true",
                &[invoice],
            ),
            ("$filter", "flag/flagStatus eq 'flagged'", &["Trains in autumn"]),
            ("$filter", "categories/any(c:c eq 'Invoices') and importance ne 'normal'", &[invoice]),
            ("$filter", "from/emailAddress/address eq 'BO@example.org'", &["Lunch on Thursday?"]),
            (
                "$filter",
                "receivedDateTime ge 2026-01-07T22:00:00Z and not categories/any(c:c eq 'a and b''s')",
                &["You have won"],
            ),
            (
                "$search",
                "\"subject:invoice NOT from:sample\"",
                &["Re: Your invoice 2026-017", invoice],
            ),
            ("$search", "\"\\\"night train\\\"\"", &["Trains in autumn"]),
            (
                "$search",
                "\"cc:kim received>=2026-01-06 received<2026-01-07\"",
                &["Lunch on Thursday?"],
            ),
            ("$search", "\"hasAttachments:true importance:high size>100\"", &[invoice]),
            ("$search", "\"size<100\"", &[]),
            ("$search", "\"emailAddress\"", &[]),
            (
                "$orderby",
                "lastModifiedDateTime",
                &[
                    invoice,
                    "Re: Your invoice 2026-017",
                    "Re: Your invoice 2026-017",
                    "Lunch on Thursday?",
                    "Trains in autumn",
                    "Re: Trains in autumn",
                    "Re: Trains in autumn",
                    "You have won",
                ],
            ),
        ];
        for (option, value, expected) in table {
            let found = dry.found("me/messages", &[(option, value)]).await;
            assert_eq!(found, expected, "{value}");
        }
        assert_eq!(dry.found("me/mailFolders/SentItems/messages", &[]).await.len(), 1);

        let query = [("$top", "5"), ("$filter", "receivedDateTime ge 2026-01-01T00:00:00Z")];
        let page = dry.call("GET", "me/messages", &query, Value::Null).await.unwrap();
        let next = Url::parse(page["@odata.nextLink"].as_str().unwrap()).unwrap();
        let next: Vec<_> = next.query_pairs().into_owned().collect();
        assert!(next.contains(&("$skip".into(), "5".into())), "{next:?}");
        let query = [query[0], query[1], ("$skip", "5")];
        let page = dry.call("GET", "me/messages", &query, Value::Null).await.unwrap();
        assert_eq!(page["value"].as_array().unwrap().len(), 3);
        assert!(page.get("@odata.nextLink").is_none());
        for unknown in [
            ("$filter", "subject eq 'a'"),
            ("$filter", "isRead gt true"),
            ("$filter", "receivedDateTime ge soon"),
            ("$filter", "startswith(subject,'a')"),
            ("$search", "\"a OR b\""),
            ("$search", "\"size>much\""),
            ("$orderby", "subject"),
            ("$expand", "attachments"),
        ] {
            let refusal = dry.refused("GET", "me/messages", &[unknown], Value::Null).await;
            assert!(refusal.starts_with("501 notImplemented: A dry run does not"), "{refusal}");
        }
        let both = [("$search", "a"), ("$filter", "isRead eq true")];
        assert!(dry.refused("GET", "me/messages", &both, Value::Null).await.starts_with("400"));
    }

    #[tokio::test]
    async fn a_message_is_marked_moved_and_deleted() {
        let dry = Dry::start().await;
        let id = dry.id("subject:lunch").await;
        let path = format!("me/messages/{id}");
        let before = dry.call("GET", &path, &[], Value::Null).await.unwrap();
        assert!(before.get("internetMessageHeaders").is_none(), "only on request");
        later(5);
        let marks = json!({"isRead": true, "flag": {"flagStatus": "flagged"}, "categories": ["A"]});
        let after = dry.call("PATCH", &path, &[], marks).await.unwrap();
        assert_eq!((&after["isRead"], &after["categories"]), (&json!(true), &json!(["A"])));
        assert_eq!(after["lastModifiedDateTime"], "2026-02-02T02:40:05Z");
        assert_ne!(after["changeKey"], before["changeKey"]);
        let to = json!({"destinationId": "archive"});
        let moved = dry.call("POST", &format!("{path}/move"), &[], to).await.unwrap();
        assert_eq!(moved["id"], before["id"], "an immutable id stays");
        assert_ne!(moved["parentFolderId"], before["parentFolderId"]);
        for (body, status) in [
            (json!({"isRead": 7}), "400"),
            (json!({"importance": "highest"}), "400"),
            (json!({"subject": "another"}), "501"),
        ] {
            assert!(dry.refused("PATCH", &path, &[], body).await.starts_with(status));
        }
        let gone = format!("{path}/permanentDelete");
        dry.call("POST", &gone, &[], Value::Null).await.unwrap();
        let refusal = dry.refused("GET", &path, &[], Value::Null).await;
        assert!(refusal.starts_with("404 ErrorItemNotFound"), "{refusal}");
    }

    #[tokio::test]
    async fn what_is_sent_is_answered_and_sent_to_oneself_arrives() {
        let dry = Dry::start().await;
        let calling = dry.outlook.calling(&dry.access);
        let draft = async |lines: &[&str]| {
            let mime = lines.join("\r\n");
            calling.draft_of(mime.as_bytes()).await.unwrap().id
        };
        let nobody = draft(&["Subject: to nobody", "", "x"]).await;
        let refusal =
            dry.refused("POST", &format!("me/messages/{nobody}/send"), &[], Value::Null).await;
        assert!(refusal.starts_with("400 ErrorInvalidRecipients"), "{refusal}");
        let reply = [
            "To: SAMPLE@outlook.example",
            "Subject: Re: Lunch on Thursday?",
            "In-Reply-To: <mail-4@example.org>",
            "",
            "See you <there>.",
        ];
        let id = draft(&reply).await;
        let path = format!("me/messages/{id}");
        dry.call("POST", &format!("{path}/send"), &[], Value::Null).await.unwrap();
        let again = dry.refused("POST", &format!("{path}/send"), &[], Value::Null).await;
        assert!(again.starts_with("400"), "{again}");
        let headers = [("$select", "internetMessageHeaders")];
        let shown = dry.call("GET", &path, &headers, Value::Null).await.unwrap();
        assert!(shown["internetMessageHeaders"].is_array(), "it was sent");
        let unsent = format!("me/messages/{nobody}");
        let shown = dry.call("GET", &unsent, &headers, Value::Null).await.unwrap();
        assert!(shown["internetMessageHeaders"].is_null(), "a draft was not");
        let sent = dry.call("GET", &path, &[], Value::Null).await.unwrap();
        assert_eq!((&sent["isDraft"], &sent["isRead"]), (&json!(false), &json!(true)));
        assert_eq!(sent["from"]["emailAddress"]["address"], "sample@outlook.example");
        assert_eq!(sent["bodyPreview"], "See you <there>.");
        let conversation = sent["conversationId"].as_str().unwrap();
        let filter = format!("conversationId eq '{conversation}'");
        assert_eq!(dry.found("me/messages", &[("$filter", &filter)]).await.len(), 3);
        let unread = [("$filter", "isRead eq false")];
        let inbox = dry.found("me/mailFolders/inbox/messages", &unread).await;
        assert_eq!(inbox[0], "Re: Lunch on Thursday?");
        let json = dry.refused("POST", "me/messages", &[], json!({"subject": "a"})).await;
        assert_eq!(json, "501 notImplemented: A dry run takes mail as MIME alone");
    }

    #[tokio::test]
    async fn files_are_put_to_a_draft_whole_and_in_pieces() {
        let dry = Dry::start().await;
        let calling = dry.outlook.calling(&dry.access);
        let mail = "To: bo@example.org\r\nSubject: files\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n\r\nThree.";
        let id = calling.draft_of(mail.as_bytes()).await.unwrap().id;
        let path = format!("me/messages/{id}/attachments");
        for name in ["a.txt", "b.txt"] {
            let file = json!({"name": name, "contentType": "text/plain", "contentBytes": "YWJj"});
            dry.call("POST", &path, &[], file).await.unwrap();
        }
        let item =
            json!({"AttachmentItem": {"name": "c.bin", "contentType": "application/x", "size": 5}});
        let session = format!("{path}/createUploadSession");
        let begun = dry.call("POST", &session, &[], item).await.unwrap();
        let url = Url::parse(begun["uploadUrl"].as_str().unwrap()).unwrap();
        for (range, bytes, status) in [
            ("bytes 0-2/5", &[0, 1, 2][..], 200),
            ("bytes 0-2/5", &[0, 1, 2], 416),
            ("bytes 3-4/5", &[3, 255], 201),
        ] {
            let mut request = Request::new(Method::PUT, url.clone());
            request.headers_mut().insert(CONTENT_RANGE, range.parse().unwrap());
            *request.body_mut() = Some(bytes.to_vec().into());
            let answer = dry.outlook.client.http.execute(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{range}");
        }
        let bytes = calling.mime(&id).await.unwrap();
        let root = crate::domain::mail::Part::read(&bytes).unwrap();
        assert_eq!(root.body().text.as_deref().map(str::trim), Some("Three."));
        let files = root.files().attachments;
        let named: Vec<(&str, Option<u64>)> =
            files.iter().map(|file| (file.filename.as_str(), file.size)).collect();
        assert_eq!(named, [("a.txt", Some(3)), ("b.txt", Some(3)), ("c.bin", Some(5))]);
        let shown = dry.call("GET", &format!("me/messages/{id}"), &[], Value::Null).await.unwrap();
        assert_eq!(shown["hasAttachments"], true);
    }

    #[tokio::test]
    async fn a_folder_is_made_renamed_and_deleted_with_what_is_in_it() {
        let dry = Dry::start().await;
        let make = json!({"displayName": "Later"});
        let made = dry.call("POST", "me/mailFolders", &[], make.clone()).await.unwrap();
        let id = made["id"].as_str().unwrap().to_string();
        let path = format!("me/mailFolders/{id}");
        let refusal = dry.refused("POST", "me/mailFolders", &[], make.clone()).await;
        assert!(refusal.starts_with("409 ErrorFolderExists"), "{refusal}");
        dry.call("POST", &format!("{path}/childFolders"), &[], make).await.unwrap();
        dry.call("PATCH", &path, &[], json!({"displayName": "Soon"})).await.unwrap();
        let message = dry.id("subject:lunch").await;
        let to = json!({"destinationId": id});
        dry.call("POST", &format!("me/messages/{message}/move"), &[], to).await.unwrap();
        let counted = dry.call("GET", &path, &[], Value::Null).await.unwrap();
        let counts = ["childFolderCount", "totalItemCount", "unreadItemCount"];
        assert_eq!(counts.map(|name| counted[name].as_u64().unwrap()), [1, 1, 1]);
        assert_eq!(counted["displayName"], "Soon");
        dry.call("DELETE", &path, &[], Value::Null).await.unwrap();
        assert!(dry.found("me/messages", &[("$search", "subject:lunch")]).await.is_empty());
        let list = dry.call("GET", "me/mailFolders", &[], Value::Null).await.unwrap();
        assert_eq!(list["value"].as_array().unwrap().len(), 8);
        for (method, body) in [("PATCH", json!({"displayName": "Mine"})), ("DELETE", Value::Null)] {
            let refusal = dry.refused(method, "me/mailFolders/inbox", &[], body).await;
            assert!(refusal.starts_with("400 ErrorDeleteDistinguishedFolder"), "{refusal}");
        }
    }

    #[tokio::test]
    async fn what_is_not_known_is_refused_with_its_route() {
        let dry = Dry::start().await;
        for (method, path) in [
            ("GET", "me/events"),
            ("POST", "me/messages/a/forward"),
            ("DELETE", "me"),
            ("GET", "users/a/messages"),
        ] {
            let refusal = dry.refused(method, path, &[], json!({})).await;
            let expected = format!("501 notImplemented: A dry run does not know {method} /{path}");
            assert_eq!(refusal, expected);
        }
        let batch = json!({"requests": [
            {"id": "1", "method": "GET", "url": "/me/events"},
            {"id": "2", "method": "GET", "url": "/me/messages/none"},
            {"id": "3", "method": "GET", "url": "/me?$select=mail"},
        ]});
        let answer = dry.call("POST", "$batch", &[], batch).await.unwrap();
        let statuses: Vec<u64> = answer["responses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|response| response["status"].as_u64().unwrap())
            .collect();
        assert_eq!(statuses, [501, 404, 200]);
        assert_eq!(answer["responses"][2]["body"]["mail"], "sample@outlook.example");
        let empty = dry.refused("POST", "$batch", &[], json!({"requests": []})).await;
        assert!(empty.starts_with("400"), "{empty}");
    }
}
