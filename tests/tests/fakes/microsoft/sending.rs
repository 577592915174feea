//! Drafts and sending, by JSON and by MIME; folders and categories beside them.

use fake_microsoft::{NewMailbox, NewMessage};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, EMAIL, code, read};
use super::messages::base64;

const BO: &str = "bo@contoso.example";

async fn two() -> Client {
    let client = Client::start().await;
    let other = NewMailbox { email: BO.into(), ..NewMailbox::default() };
    client.microsoft.admin.create_mailbox(other).unwrap();
    client
}

fn to(address: &str) -> Value {
    json!([{ "emailAddress": { "address": address } }])
}

async fn mime(client: &Client, path: &str, mail: &str) -> (u16, Value) {
    let request = client.request(Method::POST, path).header("Content-Type", "text/plain");
    read(request.body(base64(mail))).await
}

fn inbox(client: &Client, email: &str) -> Vec<String> {
    let messages = client.microsoft.admin.mailbox(email).unwrap().messages;
    let within = messages.into_iter().filter(|message| message.folder == "inbox");
    within.filter_map(|message| message.subject).collect()
}

#[tokio::test]
async fn a_draft_keeps_its_id_when_it_is_sent() {
    let client = two().await;
    let mail = format!(
        "To: {BO}\r\nBcc: hidden@example.com\r\nSubject: Hello\r\nIn-Reply-To: <1@x>\r\n\r\ntext"
    );
    let (status, draft) = mime(&client, "me/messages", &mail).await;
    assert_eq!(
        (status, &draft["isDraft"], &draft["bccRecipients"]),
        (
            201,
            &json!(true),
            &json!([{ "emailAddress": { "name": "hidden@example.com", "address": "hidden@example.com" } }])
        )
    );
    let path = format!("me/messages/{}", draft["id"].as_str().unwrap());
    assert_eq!(client.post(&format!("{path}/send"), json!({})).await.0, 202);
    let (_, sent) = client.get(&path).await;
    let (_, folder) = client.get("me/mailFolders/sentitems").await;
    assert_eq!((&sent["isDraft"], &sent["parentFolderId"]), (&json!(false), &folder["id"]));
    assert_eq!(inbox(&client, BO), ["Hello"]);
    let arrived =
        client.microsoft.admin.mailbox(BO).unwrap().messages[0].internet_message_id.clone();
    assert_eq!(json!(arrived), sent["internetMessageId"]);
    let (status, again) = client.post(&format!("{path}/send"), json!({})).await;
    assert_eq!((status, code(&again)), (400, "ErrorInvalidOperation"));
}

#[tokio::test]
async fn mail_is_sent_at_once_both_ways() {
    let client = two().await;
    let body = json!({ "message": { "subject": "JSON", "toRecipients": to(BO) }, "saveToSentItems": false });
    assert_eq!(client.post("me/sendMail", body).await.0, 202);
    assert_eq!(
        mime(&client, "me/sendMail", &format!("To: {BO}\r\nSubject: MIME\r\n\r\n")).await.0,
        202
    );
    assert_eq!(inbox(&client, BO), ["JSON", "MIME"]);
    assert_eq!(client.subjects("me/messages").await, ["MIME"], "only one was kept");
    let request = client.request(Method::POST, "me/sendMail").header("Content-Type", "text/plain");
    let (status, broken) = read(request.body("no base64!")).await;
    assert_eq!((status, code(&broken)), (400, "ErrorMimeContentInvalidBase64String"));
    let (_, nobody) = client.post("me/sendMail", json!({ "message": { "subject": "x" } })).await;
    assert_eq!(code(&nobody), "ErrorInvalidRecipients");
    let headers = json!({ "message": { "toRecipients": to(BO), "internetMessageHeaders": [{ "name": "References", "value": "x" }] } });
    assert_eq!(code(&client.post("me/sendMail", headers).await.1), "InvalidInternetMessageHeader");
}

#[tokio::test]
async fn answers_join_the_conversation() {
    let client = two().await;
    let question = NewMessage {
        from: Some(BO.into()),
        cc: vec!["cy@example.com".into()],
        ..NewMessage::of("Question")
    };
    let mail = client.deliver(question);
    let path = format!("me/messages/{}", mail.id);
    let (_, asked) = client.get(&path).await;
    let (_, reply) =
        client.post(&format!("{path}/createReplyAll"), json!({ "comment": "yes" })).await;
    assert_eq!(
        (&reply["conversationId"], &reply["subject"]),
        (&asked["conversationId"], &json!("RE: Question"))
    );
    assert_eq!(reply["ccRecipients"][0]["emailAddress"]["address"], "cy@example.com");
    let filter = format!(
        "me/messages?$filter=conversationId eq '{}'",
        asked["conversationId"].as_str().unwrap()
    );
    assert_eq!(client.subjects(&filter).await.len(), 2);
    assert_eq!(
        client.post(&format!("{path}/forward"), json!({ "toRecipients": to(BO) })).await.0,
        202
    );
    assert_eq!(inbox(&client, BO), ["FW: Question"]);
}

#[tokio::test]
async fn folders_and_categories_are_made_once() {
    let client = Client::start().await;
    let named = |name: &str| json!({ "displayName": name });
    let (status, made) = client.post("me/mailFolders", named("Work")).await;
    assert_eq!(status, 201);
    assert_eq!(client.post("me/mailFolders", named("work")).await.0, 409);
    let id = made["id"].as_str().unwrap().to_owned();
    let (_, child) = client.post(&format!("me/mailFolders/{id}/childFolders"), named("Deep")).await;
    client.deliver(NewMessage { folder: Some("Deep".into()), ..NewMessage::of("x") });
    let (_, listed) = client.get(&format!("me/mailFolders/{id}/childFolders")).await;
    assert_eq!(
        (&listed["value"][0]["id"], &listed["value"][0]["totalItemCount"]),
        (&child["id"], &json!(1))
    );
    assert_eq!(client.patch("me/mailFolders/inbox", named("x")).await.0, 400);
    assert_eq!(client.delete(&format!("me/mailFolders/{id}")).await, 204);
    assert!(client.microsoft.admin.mailbox(EMAIL).unwrap().messages.is_empty());
    let path = "me/outlook/masterCategories";
    assert_eq!(client.post(path, named("Red")).await.0, 201);
    assert_eq!(client.post(path, named("red")).await.0, 409);
}
