//! Every operation in a dry run: the real adapters, each with its recorded mailbox below it.

use std::collections::BTreeMap;

use email_connectors::adapters::https;
use email_connectors::adapters::providers::{MailProvider, MailProviders};
use email_connectors::config::{DryRun, GoogleSettings, MicrosoftSettings};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::operation::answer::{MailAnswer, MessageView};
use email_connectors::domain::operation::request::MailRequest;
use email_connectors::domain::operation::{OPERATIONS, Operation};
use email_connectors::domain::provider::Provider;
use email_connectors::domain::retry::RetryPolicy;
use email_connectors::domain::secret::AccessToken;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{AuthorizationCode, EmailProvider, ProviderError, Providers, Sender};
use serde_json::{Value, json};

use super::requests::ways;

struct Dry {
    providers: MailProviders,
    kind: Provider,
    access: AccessToken,
    own: EmailAddress,
}

const NOW: Timestamp = Timestamp::from_seconds(1_780_000_000);

/// Nothing listens at this port.
fn nowhere(path: &str) -> String {
    format!("http://127.0.0.1:9{path}")
}

fn microsoft() -> MicrosoftSettings {
    MicrosoftSettings {
        client_id: "client".into(),
        client_secret: "secret".into(),
        tenant: "common".into(),
        scopes: ["openid", "offline_access", "Mail.ReadWrite", "Mail.Send"]
            .map(String::from)
            .into(),
        login_base: nowhere(""),
        graph_base: nowhere("/v1.0"),
        notification_url: nowhere("/graph"),
        notification_keys: vec!["0123456789abcdef0123456789abcdef".into()],
        retry: RetryPolicy { max_attempts: 1, statuses: vec![429] },
    }
}

impl Dry {
    async fn start(kind: Provider) -> Self {
        let settings = GoogleSettings {
            client_id: "client".into(),
            client_secret: "secret".into(),
            token_url: nowhere("/token"),
            revoke_url: nowhere("/revoke"),
            api_base: nowhere(""),
            batch_url: nowhere("/batch/gmail/v1"),
            auth_url: nowhere("/auth"),
            pubsub_topic: "projects/p/topics/t".into(),
            retry: RetryPolicy { max_attempts: 1, statuses: vec![429] },
        };
        let scopes = ["openid", "email", "https://mail.google.com/"].map(String::from).into();
        let http = https::client().unwrap();
        let dry_run = Some(DryRun { scopes });
        let providers = MailProviders::as_set(&http, Some(settings), Some(microsoft()), dry_run);
        let code = AuthorizationCode {
            code: "4/any".into(),
            redirect_uri: "postmessage".into(),
            code_verifier: None,
        };
        let access = providers.of(kind).exchange(&code, NOW).await.unwrap().access_token;
        let own = providers.of(kind).profile(&access).await.unwrap().email_address;
        Self { providers, kind, access, own }
    }

    fn provider(&self) -> &MailProvider {
        self.providers.of(self.kind)
    }

    async fn perform(&self, request: &MailRequest) -> Result<MailAnswer, ProviderError> {
        let sender = Sender { address: &self.own, now: NOW, only_headers: false };
        let performed = self.provider().perform(&self.access, request, sender).await;
        performed.map(|performed| performed.answer)
    }

    async fn run(
        &self,
        operation: Operation,
        ids: &[&str],
        query: &str,
        body: Value,
    ) -> MailAnswer {
        let names = operation.entry().path_parameters();
        let path: BTreeMap<String, String> =
            names.zip(ids).map(|(name, id)| (name.into(), id.to_string())).collect();
        let query: Vec<_> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(a, b)| (a.to_string(), b.to_string()))
            .collect();
        let request = MailRequest::read(operation, &path, &query, || Ok(body)).unwrap();
        self.perform(&request)
            .await
            .unwrap_or_else(|error| panic!("{operation:?} {ids:?}: {error}"))
    }

    /// The ids of the messages that a search finds.
    async fn found(&self, query: &str) -> Vec<String> {
        let MailAnswer::Messages(page) = self
            .run(Operation::ListMessages, &[], &format!("query={query}&page_size=50"), Value::Null)
            .await
        else {
            panic!("a listing")
        };
        let id = |view: MessageView| match view {
            MessageView::Whole(message) => message.id.to_string(),
            other => panic!("{other:?}"),
        };
        page.messages.into_iter().map(id).collect()
    }
}

#[tokio::test]
async fn what_is_written_is_read_again_without_google() {
    // A label leaves a message where it is.
    is_read_again(Provider::Gmail, 1).await;
}

#[tokio::test]
async fn what_is_written_is_read_again_without_microsoft() {
    // A folder takes a message away from the one where it was.
    is_read_again(Provider::Outlook, 0).await;
}

/// `still` is how many labelled messages stay in the folder of sent ones.
async fn is_read_again(kind: Provider, still: usize) {
    let dry = Dry::start(kind).await;
    let before = dry.found("in:sent").await.len();
    let mail = json!({"to": ["bo@example.com"], "subject": "Dry", "text": "Nothing is sent.",
        "attachments": [{"filename": "a.txt", "mime_type": "text/plain", "content": "YWJj"}]});
    let MailAnswer::Placed(sent) = dry.run(Operation::SendMessage, &[], "", mail).await else {
        panic!("it is sent")
    };
    assert_eq!(dry.found("in:sent").await.len(), before + 1);
    let MailAnswer::Message(view) =
        dry.run(Operation::GetMessage, &[sent.id.as_str()], "", Value::Null).await
    else {
        panic!("it is there")
    };
    let MessageView::Whole(message) = *view else { panic!("it is whole") };
    assert_eq!(message.body.unwrap().text.as_deref().map(str::trim), Some("Nothing is sent."));
    let part = message.attachments.unwrap().remove(0).part_id;
    let MailAnswer::Bytes(bytes) =
        dry.run(Operation::GetAttachment, &[sent.id.as_str(), &part], "", Value::Null).await
    else {
        panic!("a file")
    };
    assert_eq!(bytes.bytes.as_deref(), Some(&b"abc"[..]));
    let MailAnswer::Label(label) =
        dry.run(Operation::CreateLabel, &[], "", json!({"name": "Dry"})).await
    else {
        panic!("a label")
    };
    dry.run(
        Operation::ModifyMessage,
        &[sent.id.as_str()],
        "",
        json!({"add_label_ids": [label.id]}),
    )
    .await;
    let MailAnswer::Label(counted) =
        dry.run(Operation::GetLabel, &[&label.id], "", Value::Null).await
    else {
        panic!("a label")
    };
    assert_eq!(counted.messages_total, Some(1));
    let MailAnswer::Draft(draft) = dry
        .run(Operation::CreateDraft, &[], "", json!({"to": ["bo@example.com"], "text": "later"}))
        .await
    else {
        panic!("a draft")
    };
    dry.run(Operation::SendDraft, &[&draft.id], "", Value::Null).await;
    assert_eq!(dry.found("in:sent").await.len(), before + 1 + still);
    dry.run(Operation::DeleteMessage, &[sent.id.as_str()], "permanent=true", Value::Null).await;
    assert_eq!(dry.found("in:sent").await.len(), before + 1);
}

/// A method that the recorded mailbox lacks answers 501; made-up ids may answer 404.
#[tokio::test]
async fn no_operation_is_unknown_to_a_recorded_mailbox() {
    for kind in [Provider::Gmail, Provider::Outlook] {
        knows_all(kind).await;
    }
}

async fn knows_all(kind: Provider) {
    let dry = Dry::start(kind).await;
    let mut done = 0;
    for way in ways() {
        match dry.perform(&way.request()).await {
            Ok(_) => done += 1,
            Err(ProviderError::Refused { status: 400 | 404 | 409, .. }) => {}
            // What only the other provider has.
            Err(ProviderError::Invalid(_)) => {}
            Err(error) => panic!("{kind:?} {}: {error}", way.name()),
        }
    }
    assert!(done > OPERATIONS.len() / 3, "{done} were done");
}
