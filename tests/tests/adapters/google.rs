//! The Gmail adapter against the fake Google, which validates requests and answers by Gmail's
//! discovery document.

use std::time::Duration;

use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::https;
use email_connectors::config::GoogleSettings;
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::retry::RetryPolicy;
use email_connectors::domain::secret::{AccessToken, RefreshToken};
use email_connectors::domain::watch::{Ending, Watching};
use email_connectors::ports::{
    AuthorizationCode, EmailProvider, Grant, ProviderError, WatchRequest,
};
use fake_google::{
    Config, Delivered, FakeGoogle, Fault, NewCode, NewMailbox, NewMessage, OauthChange, Running,
};
use secrecy::{ExposeSecret, SecretString};

use crate::aws;

pub const ADA: &str = "ada@example.com";

pub struct Google {
    pub fake: Running,
    pub gmail: Gmail,
}

impl Google {
    async fn watch(&self, access: &AccessToken) -> Result<Watching, ProviderError> {
        let mailbox = MailboxKey::parse(ADA).unwrap();
        self.gmail.watch(access, &WatchRequest { mailbox: &mailbox, current: None }).await
    }

    pub async fn start() -> Self {
        let fake = FakeGoogle::start(Config::default()).await.unwrap();
        let settings = GoogleSettings {
            client_id: Config::default().client_id,
            client_secret: SecretString::from(Config::default().client_secret),
            auth_url: format!("{}/o/oauth2/v2/auth", fake.url),
            token_url: format!("{}/token", fake.url),
            revoke_url: format!("{}/revoke", fake.url),
            api_base: fake.url.clone(),
            batch_url: format!("{}/batch/gmail/v1", fake.url),
            pubsub_topic: "projects/example-project/topics/gmail".into(),
            retry: RetryPolicy { max_attempts: 3, statuses: vec![429, 500, 503] },
        };
        fake.admin
            .create_mailbox(NewMailbox {
                email: ADA.into(),
                sub: Some("108".into()),
                history_id: Some(u64::MAX - 1_000_000),
            })
            .unwrap();
        Self { fake, gmail: Gmail::new(https::client().unwrap(), settings) }
    }

    pub async fn grant(&self) -> Grant {
        let code = self.fake.admin.create_code(NewCode::of(ADA)).unwrap();
        self.exchange(&code, "postmessage").await.unwrap()
    }

    pub async fn exchange(&self, code: &str, redirect_uri: &str) -> Result<Grant, ProviderError> {
        let code = AuthorizationCode {
            code: SecretString::from(code),
            redirect_uri: redirect_uri.into(),
            code_verifier: None,
        };
        self.gmail.exchange(&code, aws::now()).await
    }

    pub fn deliver(&self, subject: &str) -> Delivered {
        let message = NewMessage {
            subject: Some(subject.into()),
            from: Some("Bo <bo@example.com>".into()),
            ..NewMessage::default()
        };
        self.fake.admin.deliver(ADA, message).unwrap()
    }

    pub fn fail(&self, method: &str, times: u32, status: u16) {
        self.fake.admin.add_fault(Fault {
            method: method.into(),
            times,
            status,
            ..Fault::default()
        });
    }

    pub fn calls(&self, method: &str) -> usize {
        self.fake.admin.calls().iter().filter(|call| call.method == method).count()
    }

    /// Ends a test: no request or answer violated the discovery document.
    pub fn conforms(&self) {
        assert_eq!(self.fake.admin.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_code_becomes_a_grant_with_identity_and_scopes() {
    let google = Google::start().await;
    let grant = google.grant().await;
    assert_eq!(grant.identity["sub"], "108");
    assert_eq!(grant.identity["aud"], Config::default().client_id);
    assert!(
        grant.scopes.iter().any(|scope| scope == "https://www.googleapis.com/auth/gmail.modify"),
        "{:?}",
        grant.scopes
    );
    assert!(grant.refresh_token.is_some());
    assert!(grant.access_token.expires_at > aws::now().after(Duration::from_secs(3000)));
    google.conforms();
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_redirect_uri() {
    let google = Google::start().await;
    let code = google.fake.admin.create_code(NewCode::of(ADA)).unwrap();
    let mismatch = google.exchange(&code, "https://other.example").await;
    assert!(
        matches!(mismatch, Err(ProviderError::Refused { status: 400, reason }) if reason.starts_with("redirect_uri_mismatch"))
    );
    let code = google.fake.admin.create_code(NewCode::of(ADA)).unwrap();
    google.exchange(&code, "postmessage").await.unwrap();
    assert!(matches!(
        google.exchange(&code, "postmessage").await,
        Err(ProviderError::GrantRefused(_))
    ));
}

#[tokio::test]
async fn an_adopted_grant_says_whose_it_is_if_it_may_and_keeps_its_refresh_token() {
    let google = Google::start().await;
    let token = google.grant().await.refresh_token.unwrap();
    let adopted = google.gmail.adopt(&token, aws::now()).await.unwrap();
    assert_eq!(
        (&adopted.identity["sub"], adopted.refresh_token.unwrap().0.expose_secret()),
        (&"108".into(), token.0.expose_secret())
    );
    assert!(
        adopted.scopes.iter().any(|scope| scope.ends_with("gmail.modify")),
        "{:?}",
        adopted.scopes
    );
    google.gmail.profile(&adopted.access_token).await.unwrap();

    let scopes = Some(vec!["https://www.googleapis.com/auth/gmail.modify".into()]);
    let code = google
        .fake
        .admin
        .create_code(NewCode { email: ADA.into(), scopes, ..NewCode::default() })
        .unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "postmessage"),
        ("client_id", &Config::default().client_id),
        ("client_secret", &Config::default().client_secret),
    ];
    let answer = https::client()
        .unwrap()
        .post(format!("{}/token", google.fake.url))
        .form(&form)
        .send()
        .await
        .unwrap();
    let answer: serde_json::Value = answer.json().await.unwrap();
    let token = RefreshToken(answer["refresh_token"].as_str().unwrap().into());
    assert!(google.gmail.adopt(&token, aws::now()).await.unwrap().identity.is_empty());
}

#[tokio::test]
async fn an_exchange_is_never_sent_twice_and_a_refresh_is() {
    let google = Google::start().await;
    let grant = google.grant().await;
    google.fake.admin.clear_calls();
    google.fail("token", 1, 503);
    let code = google.fake.admin.create_code(NewCode::of(ADA)).unwrap();
    assert!(matches!(
        google.exchange(&code, "postmessage").await,
        Err(ProviderError::OutcomeUnknown(_))
    ));
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
    assert!(google.gmail.revoke(&token).await.unwrap());
    assert!(matches!(
        google.gmail.refresh(&token, aws::now()).await,
        Err(ProviderError::GrantRefused(_))
    ));
    assert!(google.gmail.revoke(&token).await.unwrap(), "Google says yes to a dead token too");
    assert!(!google.gmail.revoke(&RefreshToken(SecretString::from("never-seen"))).await.unwrap());
}

#[tokio::test]
async fn an_expired_access_token_is_unauthorized() {
    let google = Google::start().await;
    let grant = google.grant().await;
    google.fake.admin.expire_access_tokens(None);
    assert!(matches!(
        google.gmail.profile(&grant.access_token).await,
        Err(ProviderError::Unauthorized)
    ));
}

#[tokio::test]
async fn profile_watch_and_stop_speak_gmail() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let profile = google.gmail.profile(&access).await.unwrap();
    assert_eq!(
        (profile.email_address.as_str(), profile.mark),
        (ADA, Mark::new(u64::MAX - 1_000_000))
    );
    let watching = google.watch(&access).await.unwrap();
    assert!(watching.expires > aws::now().after(Duration::from_secs(6 * 24 * 3600)));
    let watch = google.fake.admin.mailbox(ADA).unwrap().watch.unwrap();
    assert_eq!(
        (watch.topic_name.as_str(), watch.label_ids.len()),
        ("projects/example-project/topics/gmail", 0)
    );
    google.gmail.stop(&access, Ending::All { known: None }).await.unwrap();
    assert!(google.fake.admin.mailbox(ADA).unwrap().watch.is_none_or(|watch| !watch.live));
    google.conforms();
}

#[tokio::test]
async fn a_taken_watch_is_an_error_of_its_own_and_can_be_stopped() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    google.fake.admin.take_watch(ADA).unwrap();
    assert!(matches!(google.watch(&access).await, Err(ProviderError::WatchTaken)));
    google.fail("watch", 1, 400);
    assert!(
        matches!(google.watch(&access).await, Err(ProviderError::Refused { status: 400, .. })),
        "another 400 is not that"
    );
    google.gmail.stop(&access, Ending::All { known: None }).await.unwrap();
    google.watch(&access).await.unwrap();
    google.conforms();
}

#[tokio::test]
async fn a_passing_refusal_is_tried_again_and_a_lasting_one_is_returned() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    google.fail("getProfile", 2, 503);
    google.gmail.profile(&access).await.unwrap();
    assert_eq!(google.calls("getProfile"), 3);
    google.fail("getProfile", 3, 429);
    assert!(matches!(google.gmail.profile(&access).await, Err(ProviderError::Unavailable { .. })));
    assert_eq!(google.calls("getProfile"), 6);
}

#[tokio::test]
async fn how_long_to_wait_is_read_from_the_header_and_from_the_message() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let wait_after = async |fault: Fault| {
        google.fake.admin.clear_calls();
        google.fake.admin.add_fault(Fault { method: "getProfile".into(), ..fault });
        let answer = google.gmail.profile(&access).await;
        let Err(ProviderError::Unavailable { retry_after, .. }) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(google.calls("getProfile"), 1, "no function waits that long");
        retry_after.map(|wait| wait.as_secs())
    };
    let message = |span| {
        format!(
            "User-rate limit exceeded.  Retry after {}",
            aws::now().after(Duration::from_secs(span))
        )
    };
    let limit = || Fault { status: 429, ..Fault::default() };
    assert_eq!(wait_after(Fault { retry_after: Some(90), ..limit() }).await, Some(90));
    let seconds = wait_after(Fault { message: Some(message(900)), ..limit() }).await.unwrap();
    // The answer's own date has whole seconds.
    assert!((898..=902).contains(&seconds), "{seconds}");
    let as_403 = Fault {
        status: 403,
        reason: Some("userRateLimitExceeded".into()),
        message: Some(message(900)),
        ..Fault::default()
    };
    assert!(wait_after(as_403).await.is_some_and(|seconds| (898..=902).contains(&seconds)));
    assert_eq!(
        wait_after(Fault { retry_after: Some(10_000_000), ..limit() }).await,
        Some(24 * 3600),
        "at most a day"
    );

    google.fake.admin.clear_calls();
    google.fake.admin.add_fault(Fault {
        method: "getProfile".into(),
        retry_after: Some(1),
        ..limit()
    });
    google.gmail.profile(&access).await.unwrap();
    assert_eq!(google.calls("getProfile"), 2, "a second is worth waiting");
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
        for secret in
            [refresh.0.expose_secret(), grant.access_token.secret.expose_secret(), "local-secret"]
        {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
