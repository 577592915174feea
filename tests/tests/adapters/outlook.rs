//! The Outlook adapter against the fake Microsoft, in process and over HTTP.

#[path = "outlook/changes.rs"]
mod changes;
#[path = "outlook/faults.rs"]
mod faults;
#[path = "outlook/grants.rs"]
mod grants;
#[path = "outlook/operations.rs"]
mod operations;
#[path = "outlook/subscriptions.rs"]
mod subscriptions;

use email_connectors::adapters::https;
use email_connectors::adapters::outlook::Outlook;
use email_connectors::adapters::system::System;
use email_connectors::config::MicrosoftSettings;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::operation::answer::MailAnswer;
use email_connectors::domain::operation::request::MailRequest;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{
    AuthorizationCode, Clock, EmailProvider, Grant, ProviderError, Sender,
};
use fake_microsoft::{Delivered, Fault, NewCode, NewMailbox, NewMessage, Running};
use secrecy::SecretString;
use tests::microsoft;

pub const ADA: &str = "ada@contoso.example";
const REDIRECT: &str = "http://localhost/callback";

pub struct Microsoft {
    pub fake: Running,
    pub settings: MicrosoftSettings,
    pub outlook: Outlook,
}

pub fn now() -> Timestamp {
    System.now()
}

impl Microsoft {
    pub async fn start() -> Self {
        let fake = microsoft::start(None).await;
        let settings = microsoft::settings(&fake).await;
        fake.admin
            .create_mailbox(NewMailbox { email: ADA.into(), ..NewMailbox::default() })
            .unwrap();
        let outlook = Outlook::new(https::client().unwrap(), settings.clone());
        Self { fake, settings, outlook }
    }

    pub async fn grant(&self) -> Grant {
        let code = self.fake.admin.create_code(NewCode::of(ADA)).unwrap();
        self.exchange(&code).await.unwrap()
    }

    pub async fn grant_of(&self, scopes: &str) -> Grant {
        let code = NewCode { scopes: scopes.into(), ..NewCode::of(ADA) };
        let code = self.fake.admin.create_code(code).unwrap();
        self.exchange(&code).await.unwrap()
    }

    pub async fn exchange(&self, code: &str) -> Result<Grant, ProviderError> {
        let code = AuthorizationCode {
            code: SecretString::from(code),
            redirect_uri: REDIRECT.into(),
            code_verifier: None,
        };
        self.outlook.exchange(&code, now()).await
    }

    pub fn deliver(&self, message: NewMessage) -> Delivered {
        let from = message.from.clone().or_else(|| Some("Bo <bo@fabrikam.example>".into()));
        self.fake.admin.deliver(ADA, NewMessage { from, ..message }).unwrap()
    }

    pub fn fail(&self, name: &str, times: u32, status: u16) {
        let fault = Fault { name: name.into(), times, status, ..Fault::default() };
        self.fake.admin.add_fault(fault);
    }

    pub async fn perform(
        &self,
        grant: &Grant,
        request: MailRequest,
    ) -> Result<MailAnswer, ProviderError> {
        let address = EmailAddress::parse(ADA).unwrap();
        let sender = Sender { address: &address, now: now(), only_headers: false };
        let performed = self.outlook.perform(&grant.access_token, &request, sender).await;
        performed.map(|performed| performed.answer)
    }

    /// How often a method was called, by the fake's name of it.
    pub fn calls(&self, name: &str) -> usize {
        self.fake.admin.calls(None).iter().filter(|call| call.name == name).count()
    }

    /// That every request was one that Graph takes.
    pub fn end(self) {
        assert_eq!(self.fake.admin.violations(), Vec::<String>::new());
    }
}
