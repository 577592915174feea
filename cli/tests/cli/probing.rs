//! `connectors doctor --probe` on a mailbox of the fake Microsoft.

use std::time::Duration;

use connectors_cli::doctor::fact::Fact;
use connectors_cli::doctor::facts::Tried;
use connectors_cli::doctor::gather::probed::Mailbox;
use email_connectors::adapters::https;
use email_connectors::adapters::outlook::Outlook;
use email_connectors::adapters::system::System;
use email_connectors::config::MicrosoftSettings;
use email_connectors::domain::retry::RetryPolicy;
use email_connectors::ports::{AuthorizationCode, Clock, EmailProvider};
use fake_microsoft::{Config, FakeMicrosoft, NewCode, NewMailbox, Running, Shapes};
use secrecy::SecretString;

use crate::doctoring::patient::PROBES;

const ADA: &str = "ada@contoso.example";

/// A mailbox with the access token of its user.
async fn mailbox() -> (Running, SecretString) {
    let fake = FakeMicrosoft::start(Config::default()).await.unwrap();
    fake.admin.create_mailbox(NewMailbox { email: ADA.into(), ..NewMailbox::default() }).unwrap();
    let settings = MicrosoftSettings {
        client_id: Config::default().client_id,
        client_secret: SecretString::from(Config::default().client_secret),
        tenant: "common".into(),
        scopes: vec!["openid".into(), "offline_access".into(), "Mail.ReadWrite".into()],
        login_base: fake.url.clone(),
        graph_base: format!("{}/v1.0", fake.url),
        notification_url: String::new(),
        notification_keys: Vec::new(),
        retry: RetryPolicy { max_attempts: 1, statuses: vec![429] },
    };
    let code = AuthorizationCode {
        code: SecretString::from(fake.admin.create_code(NewCode::of(ADA)).unwrap()),
        redirect_uri: "http://localhost/callback".into(),
        code_verifier: None,
    };
    let outlook = Outlook::new(https::client().unwrap(), settings);
    let grant = outlook.exchange(&code, System.now()).await.unwrap();
    (fake, grant.access_token.secret)
}

async fn tried(fake: &Running, token: &SecretString) -> Fact<Vec<Tried>> {
    let (http, base) = (https::client().unwrap(), format!("{}/v1.0", fake.url));
    let mailbox = Mailbox { http: &http, base: &base, token };
    mailbox.tried(Duration::from_secs(2)).await
}

#[tokio::test]
async fn what_is_taken_for_granted_holds_and_nothing_is_left_behind() {
    let (fake, token) = mailbox().await;
    let Fact::Known(all) = tried(&fake, &token).await else { panic!("it is tried") };
    let ids: Vec<&str> = all.iter().map(|one| one.id).collect();
    assert_eq!(ids, PROBES);
    let broken: Vec<&Tried> = all.iter().filter(|one| !one.holds).collect();
    assert!(broken.is_empty(), "{broken:?}");
    assert_eq!(fake.admin.mailbox(ADA).unwrap().messages.len(), 0);
    assert_eq!(fake.admin.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn what_does_not_hold_is_named() {
    let (fake, token) = mailbox().await;
    fake.admin.set_shapes(Shapes { move_keeps_modified: true, ..Shapes::default() });
    let Fact::Known(all) = tried(&fake, &token).await else { panic!("it is tried") };
    let broken: Vec<&str> = all.iter().filter(|one| !one.holds).map(|one| one.id).collect();
    assert_eq!(broken, ["probe.move-is-a-change"]);
    let said = &all.iter().find(|one| one.id == broken[0]).unwrap().found;
    assert!(said.contains("changes neither lastModifiedDateTime nor changeKey"), "{said}");
}

#[tokio::test]
async fn without_a_right_nothing_is_said() {
    let (fake, _) = mailbox().await;
    let refused = tried(&fake, &SecretString::from("none")).await;
    let Fact::Unreachable(why) = refused else { panic!("it is refused") };
    assert!(why.starts_with("no draft can be made: POST /me/messages is answered 401"), "{why}");
}
