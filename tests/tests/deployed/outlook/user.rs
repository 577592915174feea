//! A user of the deployed stack with a mailbox at the fake Microsoft, a connector and a trigger.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use email_connectors::adapters::system::System;
use email_connectors::domain::id::{AccountId, EventId, MessageIdentity, TriggerId};
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::provider::outlook::identity::identity;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{Clock, Entropy};
use reqwest::{Method, Response, Url};
use serde_json::{Value, json};

use crate::deployed::rows::Rows;
use tests::deployed::{ORIGIN, Stack, token};

pub const CONNECT: &str = "/api/auth/microsoft/outlook";

pub struct User {
    pub owner: String,
    pub token: String,
    pub email: String,
    /// The id of the organization.
    pub tid: String,
    pub account: AccountId,
    pub connector: String,
    pub trigger: String,
}

impl User {
    /// A user with a mailbox that is not connected.
    pub async fn new(stack: &Stack, name: &str) -> Self {
        Self::of_organization(stack, name, "example.com").await
    }

    /// The same in the organization that has this domain.
    pub async fn of_organization(stack: &Stack, name: &str, domain: &str) -> Self {
        let owner = format!("{name}-{}", System.uuid(System.now()).simple());
        let email = format!("{owner}@{domain}");
        let made = stack.microsoft(Method::POST, "/admin/mailboxes", json!({"email": email})).await;
        let part = |name: &str| made[name].as_str().unwrap().to_string();
        Self {
            token: token(stack, &owner).await,
            account: AccountId::new(format!("{}.{}", part("tid"), part("oid"))),
            tid: part("tid"),
            owner,
            email,
            connector: String::new(),
            trigger: String::new(),
        }
    }

    /// A user whose trigger fires for everything about invoices.
    pub async fn connected(stack: &Stack, name: &str) -> Self {
        Self::new(stack, name).await.connecting(stack).await
    }

    pub async fn connecting(mut self, stack: &Stack) -> Self {
        let connected = self.connect(stack).await;
        assert_eq!(connected["email_address"], self.email.as_str());
        assert_eq!(connected["watch"]["status"], "active", "{connected}");
        self.connector = connected["connector_id"].as_str().unwrap().into();
        let trigger = json!({"type": "email", "agent_id": "agent-7", "config": {
            "connector_id": self.connector, "filters": {"subject_contains": ["invoice"]}}});
        let made = self.api(stack, Method::POST, "/api/triggers", Some(trigger)).await;
        self.trigger = made["id"].as_str().unwrap().into();
        self
    }

    pub async fn connect(&self, stack: &Stack) -> Value {
        let back = self.consent(stack).await;
        self.api(stack, Method::POST, CONNECT, Some(posted(&back))).await
    }

    /// Away by the redirect flow; returns where the browser comes back to.
    pub async fn consent(&self, stack: &Stack) -> Url {
        let start = format!("{CONNECT}/start?login_hint={}", self.email);
        let away = self.api(stack, Method::GET, &start, None).await;
        let consent = stack.visit(away["authorization_url"].as_str().unwrap()).await;
        redirected(&consent)
    }

    pub async fn request(
        &self,
        stack: &Stack,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Response {
        stack.api(method, path, Some(&self.token), body).await
    }

    pub async fn api(
        &self,
        stack: &Stack,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Value {
        let response = self.request(stack, method, path, body).await;
        let status = response.status();
        assert!(status.is_success(), "{path}: {status} {}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    /// Below the connector.
    pub fn below(&self, path: &str) -> String {
        format!("/api/connectors/{}/{path}", self.connector)
    }

    pub async fn connector(&self, stack: &Stack) -> Value {
        self.api(stack, Method::GET, &format!("/api/connectors/{}", self.connector), None).await
    }

    /// A mail of this subject arrives.
    pub async fn receives(&self, stack: &Stack, subject: &str) {
        self.receives_many(stack, 1, json!({"subject": subject})).await;
    }

    /// So many mails arrive at once.
    pub async fn receives_many(&self, stack: &Stack, count: usize, mut mail: Value) {
        mail["count"] = count.into();
        let path = format!("/admin/mailboxes/{}/messages", self.email);
        stack.microsoft(Method::POST, &path, mail).await;
    }

    /// The mails of a folder, as Microsoft has them.
    pub async fn mails_in(&self, stack: &Stack, folder: &str) -> Vec<Value> {
        let path = format!("/admin/mailboxes/{}", self.email);
        let mailbox = stack.microsoft(Method::GET, &path, Value::Null).await;
        let all = mailbox["messages"].as_array().unwrap().iter();
        all.filter(|mail| mail["folder"] == folder).cloned().collect()
    }

    /// The ids of the events that the inbox must have led to.
    pub async fn expected(&self, stack: &Stack) -> BTreeSet<String> {
        let mails = self.mails_in(stack, "inbox").await;
        let is_invoice = |mail: &&Value| mail["subject"].as_str().unwrap().contains("invoice");
        mails.iter().filter(is_invoice).map(|mail| self.event_id(mail)).collect()
    }

    /// The id that the firing of this user's trigger for a mail must have.
    fn event_id(&self, mail: &Value) -> String {
        let received = Timestamp::parse(mail["received"].as_str().unwrap()).unwrap();
        let message_id = mail["internet_message_id"].as_str();
        let identity = identity(mail["id"].as_str().unwrap(), message_id, received);
        EventId::derive(
            &self.account,
            &MessageIdentity::new(identity),
            &TriggerId::new(&self.trigger),
        )
        .to_string()
    }

    /// The subjects of the events that came, once there is one with this subject.
    pub async fn fired(&self, stack: &Stack, last: &str) -> Vec<String> {
        let mut subjects: Vec<String> = Vec::new();
        let came = async || {
            let events = stack.events(&self.owner, 0).await;
            for event in &events {
                assert_eq!(event["connector"]["provider"], "outlook");
                subjects.push(event["message"]["subject"].as_str().unwrap().into());
            }
            subjects.iter().any(|subject| subject == last).then_some(())
        };
        stack.until(&format!("the event of {last}"), came).await;
        subjects
    }

    /// One more mail arrives, and nothing but it fires.
    pub async fn nothing_else_fires(&self, stack: &Stack) {
        const LAST: &str = "the last invoice";
        self.receives(stack, LAST).await;
        assert_eq!(self.fired(stack, LAST).await, [LAST]);
    }

    pub async fn subscriptions(&self, stack: &Stack) -> Vec<Value> {
        let path = format!("/admin/subscriptions?email={}", self.email);
        stack.microsoft(Method::GET, &path, Value::Null).await.as_array().unwrap().clone()
    }

    /// Calls to Microsoft for this mailbox.
    pub async fn calls(&self, stack: &Stack) -> Vec<Value> {
        let path = format!("/admin/calls?email={}", self.email);
        stack.microsoft(Method::GET, &path, Value::Null).await.as_array().unwrap().clone()
    }

    /// How often a method was called.
    pub async fn times_called(&self, stack: &Stack, name: &str) -> usize {
        self.calls(stack).await.iter().filter(|call| call["name"] == name).count()
    }

    pub async fn forget_calls(&self, stack: &Stack) {
        let path = format!("/admin/calls?email={}", self.email);
        stack.microsoft(Method::DELETE, &path, Value::Null).await;
    }

    /// A fault of this mailbox, until it is mended or has hit as often as it says.
    pub async fn fault(&self, stack: &Stack, mut fault: Value) {
        fault["email"] = self.email.as_str().into();
        if fault["times"].is_null() {
            fault["times"] = 0.into();
        }
        stack.microsoft(Method::POST, "/admin/faults", fault).await;
    }

    pub async fn mend(&self, stack: &Stack) {
        let path = format!("/admin/faults?email={}", self.email);
        stack.microsoft(Method::DELETE, &path, Value::Null).await;
    }

    /// All access tokens of the mailbox end before their time.
    pub async fn expire_access_tokens(&self, stack: &Stack) {
        let body = json!({"email": self.email});
        stack.microsoft(Method::POST, "/admin/access-tokens/expire", body).await;
    }

    fn row(&self) -> (String, String) {
        let mailbox = MailboxKey::of_account("outlook", &self.account);
        (format!("MAILBOX#{mailbox}"), format!("CONNECTOR#{}", self.connector))
    }

    /// How far the mailbox was read, as the table has it.
    pub async fn position(&self, stack: &Stack) -> HashMap<String, AttributeValue> {
        let row = Rows::of(stack).await.row(self.row()).await.unwrap();
        row["position"].as_m().unwrap().clone()
    }

    /// The connector and its trigger become so much older: they were made then, and the mailbox was
    /// looked at then and not since.
    pub async fn age(&self, stack: &Stack, by: Duration) {
        let rows = Rows::of(stack).await;
        let then = System.now().before(by);
        let moment = AttributeValue::S(then.to_string());
        let (pk, sk) = self.row();
        // Another version, so that no look that has begun is committed over this.
        let aged = [
            (":then", moment.clone()),
            (":mark", AttributeValue::S(then.millis().to_string())),
            (":one", AttributeValue::N("1".into())),
        ];
        rows.change(
            (pk.clone(), sk.clone()),
            "SET connected_at = :then, #position.listed_at = :then, #position.#cursor = :mark, \
             #position.#settled = :mark, #version = #version + :one \
             REMOVE #position.#settling, #position.#late",
            &aged,
        )
        .await;
        rows.change(
            (pk, format!("{sk}#TRIGGER#{}", self.trigger)),
            "SET created_at = :then",
            &[(":then", moment)],
        )
        .await;
    }
}

/// Where an answer sends the browser: back to the frontend's page.
pub fn redirected(answer: &Response) -> Url {
    let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    assert_eq!(back.path(), "/auth/microsoft/callback");
    back
}

/// A parameter of the URL that the browser came back to.
pub fn parameter(back: &Url, name: &str) -> Option<String> {
    back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// What the frontend's page posts then.
pub fn posted(back: &Url) -> Value {
    let of = |name: &str| parameter(back, name).unwrap_or_else(|| panic!("no {name} in {back}"));
    let callback = format!("{ORIGIN}/auth/microsoft/callback");
    json!({"auth_code": of("code"), "state": of("state"), "callback_url": callback})
}
