//! The Gmail adapter against the fake Google, which holds every request and answer against Gmail's discovery document.

use std::time::Duration;

use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::https;
use email_connectors::config::GoogleSettings;
use email_connectors::domain::history::Change;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::retry::RetryPolicy;
use email_connectors::domain::secret::RefreshToken;
use email_connectors::ports::{AuthorizationCode, EmailProvider, Grant, ProviderError};
use fake_google::{
    Config, Delivered, FakeGoogle, Fault, LabelChange, NewAttachment, NewCode, NewMailbox, NewMessage, OauthChange, Running,
};
use secrecy::{ExposeSecret, SecretString};

use crate::aws;

const ADA: &str = "ada@example.com";

struct Google {
    fake: Running,
    gmail: Gmail,
}

impl Google {
    async fn start() -> Self {
        let fake = FakeGoogle::start(Config::default()).await.unwrap();
        let settings = GoogleSettings {
            client_id: Config::default().client_id,
            client_secret: SecretString::from(Config::default().client_secret),
            token_url: format!("{}/token", fake.url),
            revoke_url: format!("{}/revoke", fake.url),
            api_base: fake.url.clone(),
            batch_url: format!("{}/batch/gmail/v1", fake.url),
            pubsub_topic: "projects/example-project/topics/gmail".into(),
            retry: RetryPolicy { max_attempts: 3, statuses: vec![429, 500, 503] },
        };
        fake.admin
            .create_mailbox(NewMailbox { email: ADA.into(), sub: Some("108".into()), history_id: Some(u64::MAX - 1_000_000) })
            .unwrap();
        Self { fake, gmail: Gmail::new(https::client().unwrap(), settings) }
    }

    async fn grant(&self) -> Grant {
        let code = self.fake.admin.create_code(NewCode::of(ADA)).unwrap();
        self.exchange(&code, "postmessage").await.unwrap()
    }

    async fn exchange(&self, code: &str, redirect_uri: &str) -> Result<Grant, ProviderError> {
        let code = AuthorizationCode { code: SecretString::from(code), redirect_uri: redirect_uri.into(), code_verifier: None };
        self.gmail.exchange(&code, aws::now()).await
    }

    fn deliver(&self, subject: &str) -> Delivered {
        let message = NewMessage { subject: Some(subject.into()), from: Some("Bo <bo@example.com>".into()), ..NewMessage::default() };
        self.fake.admin.deliver(ADA, message).unwrap()
    }

    fn fail(&self, method: &str, times: u32, status: u16) {
        self.fake.admin.add_fault(Fault { method: method.into(), times, status, ..Fault::default() });
    }

    fn calls(&self, method: &str) -> usize {
        self.fake.admin.calls().iter().filter(|call| call.method == method).count()
    }

    /// Ends a test: nothing that we sent or were answered was against the discovery document.
    fn conforms(&self) {
        assert_eq!(self.fake.admin.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_code_becomes_a_grant_with_identity_and_scopes() {
    let google = Google::start().await;
    let grant = google.grant().await;
    assert_eq!(grant.identity["sub"], "108");
    assert_eq!(grant.identity["aud"], Config::default().client_id);
    assert!(grant.scopes.iter().any(|scope| scope == "https://www.googleapis.com/auth/gmail.modify"), "{:?}", grant.scopes);
    assert!(grant.refresh_token.is_some());
    assert!(grant.access_token.expires_at > aws::now().after(Duration::from_secs(3000)));
    google.conforms();
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_redirect_uri() {
    let google = Google::start().await;
    let code = google.fake.admin.create_code(NewCode::of(ADA)).unwrap();
    let mismatch = google.exchange(&code, "https://other.example").await;
    assert!(matches!(mismatch, Err(ProviderError::Refused { status: 400, reason }) if reason == "redirect_uri_mismatch"));
    let code = google.fake.admin.create_code(NewCode::of(ADA)).unwrap();
    google.exchange(&code, "postmessage").await.unwrap();
    assert!(matches!(google.exchange(&code, "postmessage").await, Err(ProviderError::GrantRefused(_))));
}

#[tokio::test]
async fn an_exchange_is_never_sent_twice_and_a_refresh_is() {
    let google = Google::start().await;
    let grant = google.grant().await;
    google.fake.admin.clear_calls();
    google.fail("token", 1, 503);
    let code = google.fake.admin.create_code(NewCode::of(ADA)).unwrap();
    assert!(matches!(google.exchange(&code, "postmessage").await, Err(ProviderError::Unavailable(_))));
    assert_eq!(google.calls("token"), 1);
    google.fail("token", 1, 503);
    google.gmail.refresh(&grant.refresh_token.unwrap(), aws::now()).await.unwrap();
    assert_eq!(google.calls("token"), 3);
}

#[tokio::test]
async fn a_revoked_grant_is_refused_and_revoking_it_again_is_done() {
    let google = Google::start().await;
    let token = google.grant().await.refresh_token.unwrap();
    google.gmail.refresh(&token, aws::now()).await.unwrap();
    google.gmail.revoke(&token).await.unwrap();
    assert!(matches!(google.gmail.refresh(&token, aws::now()).await, Err(ProviderError::GrantRefused(_))));
    google.gmail.revoke(&token).await.unwrap();
    google.gmail.revoke(&RefreshToken(SecretString::from("never-seen"))).await.unwrap();
}

#[tokio::test]
async fn an_expired_access_token_is_unauthorized() {
    let google = Google::start().await;
    let grant = google.grant().await;
    google.fake.admin.expire_access_tokens(None);
    assert!(matches!(google.gmail.profile(&grant.access_token).await, Err(ProviderError::Unauthorized)));
}

#[tokio::test]
async fn profile_watch_and_stop_speak_gmail() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let profile = google.gmail.profile(&access).await.unwrap();
    assert_eq!((profile.email_address.as_str(), profile.history_id), (ADA, HistoryId::new(u64::MAX - 1_000_000)));
    let expiration = google.gmail.watch(&access).await.unwrap();
    assert!(expiration > aws::now().after(Duration::from_secs(6 * 24 * 3600)));
    let watch = google.fake.admin.mailbox(ADA).unwrap().watch.unwrap();
    assert_eq!((watch.topic_name.as_str(), watch.label_ids.len()), ("projects/example-project/topics/gmail", 0));
    google.gmail.stop(&access).await.unwrap();
    assert!(google.fake.admin.mailbox(ADA).unwrap().watch.is_none_or(|watch| !watch.live));
    google.conforms();
}

#[tokio::test]
async fn history_is_read_page_by_page_with_ids_beyond_a_float() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let start = google.gmail.profile(&access).await.unwrap().history_id;
    let delivered: Vec<Delivered> = (0..3).map(|number| google.deliver(&format!("mail {number}"))).collect();
    let page = google.gmail.history(&access, start, None).await.unwrap();
    let arrived = |delivered: &Delivered| Change::Added {
        message: MessageId::new(&delivered.id),
        label_ids: ["INBOX", "UNREAD"].map(String::from).into(),
    };
    assert_eq!(page.changes, delivered.iter().map(arrived).collect::<Vec<_>>());
    assert!(page.history_id >= HistoryId::new(delivered[2].history_id));
    assert!(page.history_id.value() > 1 << 60);

    let nothing = google.gmail.history(&access, page.history_id, None).await.unwrap();
    assert_eq!((nothing.changes.len(), nothing.next_page_token), (0, None));

    (0..600).for_each(|number| drop(google.deliver(&format!("more {number}"))));
    let first = google.gmail.history(&access, page.history_id, None).await.unwrap();
    let token = first.next_page_token.clone().expect("600 records are more than a page");
    let second = google.gmail.history(&access, page.history_id, Some(&token)).await.unwrap();
    assert_eq!((first.changes.len(), second.changes.len(), second.next_page_token), (500, 100, None));
    google.conforms();
}

#[tokio::test]
async fn a_rescue_from_spam_and_a_label_are_told_by_the_history() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let spam = NewMessage { label_ids: Some(vec!["SPAM".into()]), ..NewMessage::default() };
    let message = google.fake.admin.deliver(ADA, spam).unwrap().id;
    let start = google.gmail.profile(&access).await.unwrap().history_id;
    let rescue = LabelChange { add: vec!["INBOX".into()], remove: vec!["SPAM".into()] };
    google.fake.admin.change_labels(ADA, &message, &rescue).unwrap();
    let page = google.gmail.history(&access, start, None).await.unwrap();
    assert_eq!(page.changes, [Change::Labelled { message: MessageId::new(message), label_ids: vec!["INBOX".into()] }]);
    google.conforms();
}

#[tokio::test]
async fn expired_history_is_told_apart_from_every_other_refusal() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let start = google.gmail.profile(&access).await.unwrap().history_id;
    google.deliver("a");
    google.fake.admin.expire_history(ADA, None).unwrap();
    assert!(matches!(google.gmail.history(&access, start, None).await, Err(ProviderError::HistoryExpired)));
    google.fail("history.list", 1, 400);
    assert!(matches!(google.gmail.history(&access, start, None).await, Err(ProviderError::Refused { status: 400, .. })));
}

#[tokio::test]
async fn a_passing_refusal_is_tried_again_and_a_lasting_one_is_told() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    google.fail("getProfile", 2, 503);
    google.gmail.profile(&access).await.unwrap();
    assert_eq!(google.calls("getProfile"), 3);
    google.fail("getProfile", 3, 429);
    assert!(matches!(google.gmail.profile(&access).await, Err(ProviderError::Unavailable(_))));
    assert_eq!(google.calls("getProfile"), 6);
}

#[tokio::test]
async fn messages_come_whole_by_one_call_or_in_batches() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let attachment = NewAttachment { filename: "bill.pdf".into(), mime_type: "application/pdf".into(), size: 10_000 };
    let with_attachment = NewMessage { subject: Some("Bill".into()), attachment: Some(attachment), ..NewMessage::default() };
    let bill = MessageId::new(google.fake.admin.deliver(ADA, with_attachment).unwrap().id);
    let rest: Vec<MessageId> = (0..59).map(|number| MessageId::new(google.deliver(&format!("mail {number}")).id)).collect();
    google.fake.admin.clear_calls();

    let one = google.gmail.messages(&access, std::slice::from_ref(&bill), false).await.unwrap();
    assert_eq!((one[0].has_attachments, google.calls("batch")), (true, 0));
    let message = one[0].clone().normalize();
    assert_eq!(message.subject.as_deref(), Some("Bill"));

    let ids: Vec<MessageId> = rest.iter().cloned().chain([MessageId::new("00000000deadbeef"), bill]).collect();
    let messages = google.gmail.messages(&access, &ids, false).await.unwrap();
    assert_eq!(messages.len(), 60, "one of 61 is not there");
    assert_eq!(google.calls("batch"), 3, "61 messages in batches of 25");
    let plain = messages.iter().find(|message| message.id == rest[0]).unwrap();
    assert!(!plain.has_attachments);
    assert_eq!(plain.clone().normalize().from.unwrap().address, "bo@example.com");
    google.conforms();
}

#[tokio::test]
async fn only_the_refused_parts_of_a_batch_are_asked_for_again() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let ids: Vec<MessageId> = (0..25).map(|number| MessageId::new(google.deliver(&format!("mail {number}")).id)).collect();
    google.fake.admin.clear_calls();
    google.fake.admin.add_fault(Fault { method: "messages.get".into(), times: 12, status: 429, only_in_batch: true, ..Fault::default() });

    let messages = google.gmail.messages(&access, &ids, false).await.unwrap();
    assert_eq!(messages.len(), 25);
    assert_eq!(google.calls("messages.get"), 25 + 12);
    assert_eq!(google.calls("batch"), 1 + 2, "twelve again, ten at a time");
}

#[tokio::test]
async fn a_batch_whose_parts_stay_refused_is_an_error() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let ids: Vec<MessageId> = (0..3).map(|number| MessageId::new(google.deliver(&format!("mail {number}")).id)).collect();
    google.fake.admin.add_fault(Fault {
        method: "messages.get".into(),
        times: 0,
        status: 503,
        message_id: Some(ids[1].to_string()),
        ..Fault::default()
    });
    assert!(matches!(google.gmail.messages(&access, &ids, false).await, Err(ProviderError::Unavailable(_))));
}

#[tokio::test]
async fn the_metadata_scope_reads_headers_only() {
    let google = Google::start().await;
    let scopes = ["openid", "https://www.googleapis.com/auth/userinfo.email", "https://www.googleapis.com/auth/gmail.metadata"];
    let new = NewCode { scopes: Some(scopes.map(String::from).into()), ..NewCode::of(ADA) };
    let code = google.fake.admin.create_code(new).unwrap();
    let access = google.exchange(&code, "postmessage").await.unwrap().access_token;
    let id = MessageId::new(google.deliver("Hello").id);
    assert!(matches!(
        google.gmail.messages(&access, std::slice::from_ref(&id), false).await,
        Err(ProviderError::Refused { status: 403, .. })
    ));
    let messages = google.gmail.messages(&access, &[id], true).await.unwrap();
    assert_eq!(messages[0].clone().normalize().subject.as_deref(), Some("Hello"));
    google.conforms();
}

#[tokio::test]
async fn no_error_of_ours_shows_a_token() {
    let google = Google::start().await;
    google.fake.admin.change_oauth(&OauthChange { expires_in: Some(60), ..OauthChange::default() });
    let grant = google.grant().await;
    let refresh = grant.refresh_token.clone().unwrap();
    google.fail("token", 0, 500);
    google.fail("getProfile", 0, 400);
    let errors = [
        google.gmail.refresh(&refresh, aws::now()).await.map(|_| ()).unwrap_err(),
        google.gmail.profile(&grant.access_token).await.map(|_| ()).unwrap_err(),
    ];
    for error in errors {
        let shown = format!("{error} {error:?} {grant:?}");
        for secret in [refresh.0.expose_secret(), grant.access_token.secret.expose_secret(), "local-secret"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
