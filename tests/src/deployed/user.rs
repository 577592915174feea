//! A user of the deployed stack: an owner with a mailbox at the fake Google, a connector and a
//! trigger.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use email_connectors::adapters::system::System;
use email_connectors::domain::id::{AccountId, EventId, MessageIdentity, TriggerId};
use email_connectors::ports::{Clock, Entropy};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{Stack, read};

/// A user with a connected mailbox and a trigger that fires for everything about invoices.
#[derive(Clone)]
pub struct User {
    pub owner: String,
    pub token: String,
    pub email: String,
    pub sub: String,
    pub connector: String,
    pub trigger: String,
}

impl User {
    /// A user with a mailbox that is not connected.
    pub async fn new(stack: &Stack, name: &str) -> Self {
        let unique = System.uuid(System.now()).simple().to_string();
        let owner = format!("{name}-{unique}");
        let user = Self {
            token: token(stack, &owner).await,
            email: format!("{owner}@example.com"),
            sub: format!("sub-{unique}"),
            connector: String::new(),
            trigger: String::new(),
            owner,
        };
        stack
            .google(Method::POST, "/admin/mailboxes", json!({"email": user.email, "sub": user.sub}))
            .await;
        user
    }

    /// Another owner of this one's mailbox, who has not connected it.
    pub async fn beside(&self, stack: &Stack, name: &str) -> Self {
        let owner = format!("{name}-{}", System.uuid(System.now()).simple());
        let (email, sub) = (self.email.clone(), self.sub.clone());
        Self {
            token: token(stack, &owner).await,
            owner,
            email,
            sub,
            connector: String::new(),
            trigger: String::new(),
        }
    }

    pub async fn connected(stack: &Stack, name: &str) -> Self {
        Self::new(stack, name).await.connecting(stack).await
    }

    pub async fn connecting(mut self, stack: &Stack) -> Self {
        self.connector = self.connect(stack).await["connector_id"].as_str().unwrap().into();
        self.trigger = self.subscribe(stack, json!({"subject_contains": ["invoice"]})).await;
        self
    }

    pub async fn code(&self, stack: &Stack) -> String {
        let made = stack.google(Method::POST, "/admin/codes", json!({"email": self.email})).await;
        made["code"].as_str().unwrap().into()
    }

    /// Consents a second time if the answer asks for it, as people do: an emulator that has too
    /// much to do leaves the table unanswered.
    pub async fn connect(&self, stack: &Stack) -> Value {
        let first = self.consent(stack).await;
        let answer = match first.status() {
            StatusCode::BAD_GATEWAY => self.consent(stack).await,
            _ => first,
        };
        read(answer, StatusCode::OK).await
    }

    async fn consent(&self, stack: &Stack) -> Response {
        let body = json!({"auth_code": self.code(stack).await});
        stack.api(Method::POST, "/api/auth/google/gmail", Some(&self.token), Some(body)).await
    }

    pub async fn subscribe(&self, stack: &Stack, filters: Value) -> String {
        let body = json!({"type": "email", "agent_id": "agent-7", "config": {"connector_id": self.connector, "filters": filters}});
        let response =
            stack.api(Method::POST, "/api/triggers", Some(&self.token), Some(body)).await;
        read(response, StatusCode::CREATED).await["id"].as_str().unwrap().into()
    }

    /// Delivers `count` mails at once, with one push unless they are silent; returns their ids.
    pub async fn receive_many(&self, stack: &Stack, count: usize, mut mail: Value) -> Vec<String> {
        mail["count"] = count.into();
        let made = stack
            .google(Method::POST, &format!("/admin/mailboxes/{}/messages", self.email), mail)
            .await;
        made.as_array().unwrap().iter().map(|made| made["id"].as_str().unwrap().into()).collect()
    }

    /// Delivers a mail; returns its id.
    pub async fn receive(&self, stack: &Stack, mail: Value) -> String {
        let made = stack
            .google(Method::POST, &format!("/admin/mailboxes/{}/messages", self.email), mail)
            .await;
        made["id"].as_str().unwrap().into()
    }

    /// The remaining events of this user: a last mail is delivered, and everything before its event
    /// has arrived by then.
    pub async fn rest(&self, stack: &Stack) -> Vec<Value> {
        let last =
            self.event_id(&self.receive(stack, json!({"subject": "the last invoice"})).await);
        let mut events = Vec::new();
        let came = async || {
            events.extend(stack.events(&self.owner, 0).await);
            events.iter().any(|event: &Value| event["event_id"] == last).then_some(())
        };
        stack.until("the last event", came).await;
        events.retain(|event| event["event_id"] != last);
        events
    }

    /// The id that the firing of this user's trigger for a message must have.
    pub fn event_id(&self, message: &str) -> String {
        EventId::derive(
            &AccountId::new(&self.sub),
            &MessageIdentity::new(message),
            &TriggerId::new(&self.trigger),
        )
        .to_string()
    }

    /// How far the mailbox was read, as the table has it.
    pub async fn position(&self, stack: &Stack) -> HashMap<String, AttributeValue> {
        let (pk, sk) = (format!("MAILBOX#{}", self.email), format!("CONNECTOR#{}", self.connector));
        let request = aws_sdk_dynamodb::Client::new(&stack.config().await)
            .get_item()
            .table_name(&stack.table);
        let request = request
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .consistent_read(true);
        let row = request.send().await.unwrap().item.unwrap();
        row["position"].as_m().unwrap().clone()
    }

    pub async fn connector(&self, stack: &Stack) -> Value {
        let response = stack
            .api(
                Method::GET,
                &format!("/api/connectors/{}", self.connector),
                Some(&self.token),
                None,
            )
            .await;
        read(response, StatusCode::OK).await
    }
}

/// A trigger that is fired by a signature.
pub async fn webhook(stack: &Stack, user: &User) -> Value {
    let body = json!({"type": "webhook", "agent_id": "agent-7", "config": {"connector_id": user.connector}});
    read(
        stack.api(Method::POST, "/api/triggers", Some(&user.token), Some(body)).await,
        StatusCode::CREATED,
    )
    .await
}

/// A token of an owner who may do everything.
pub async fn token(stack: &Stack, owner: &str) -> String {
    token_with(stack, json!({"sub": owner, "claims": {"role": "admin"}})).await
}

/// A token made to order: see the fake's `NewUserToken`.
pub async fn token_with(stack: &Stack, order: Value) -> String {
    stack.google(Method::POST, "/admin/user-tokens", order).await["token"].as_str().unwrap().into()
}
