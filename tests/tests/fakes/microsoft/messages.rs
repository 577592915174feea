//! Single messages and attachments: marks, moves, MIME in and out, large files.

use fake_microsoft::{NewAttachment, NewMessage, Shapes};
use reqwest::Method;
use serde_json::json;

use super::client::{Client, EMAIL, code, read};

const MIME: &str = "From: bo@example.com\r\nTo: ann@contoso.example\r\nSubject: Raw\r\nMessage-ID: <raw@example.com>\r\n\
    Received: from a by b\r\nContent-Type: text/plain\r\n\r\nas it came\r\n";

fn raw() -> NewMessage {
    NewMessage { raw: Some(base64(MIME)), ..NewMessage::default() }
}

pub fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn a_mail_comes_back_as_it_came() {
    let client = Client::start().await;
    let mail = client.deliver(raw());
    let path = format!("me/messages/{}", mail.id);
    let bytes = client.request(Method::GET, &format!("{path}/$value")).send().await.unwrap();
    assert_eq!(bytes.headers()["content-type"], "text/plain");
    assert_eq!(bytes.bytes().await.unwrap(), MIME.as_bytes());
    let (_, found) = client.get(&format!("{path}?$select=internetMessageHeaders,body")).await;
    assert_eq!(
        found["internetMessageHeaders"][4],
        json!({ "name": "Received", "value": "from a by b" })
    );
    assert_eq!(found["body"]["contentType"], "html", "text is converted, unless it is preferred");
    assert!(found["subject"].is_null());
    client.microsoft.admin.set_shapes(Shapes { text_stays_text: true, ..Shapes::default() });
    assert_eq!(
        client.get(&path).await.1["body"],
        json!({ "contentType": "text", "content": "as it came\r\n" })
    );
}

#[tokio::test]
async fn a_change_has_a_key_and_a_time_of_its_own() {
    let client = Client::start().await;
    let mail = client.mail("x");
    let path = format!("me/messages/{}", mail.id);
    let (_, before) = client.get(&path).await;
    client.microsoft.admin.shift_clock(2_000);
    let (_, after) = client.patch(&path, json!({ "isRead": true, "importance": "High" })).await;
    assert_ne!(before["changeKey"], after["changeKey"]);
    assert!(before["lastModifiedDateTime"].as_str() < after["lastModifiedDateTime"].as_str());
    assert_eq!((&after["isRead"], &after["importance"]), (&json!(true), &json!("high")));
    let (status, refused) = client.patch(&path, json!({ "subject": "another" })).await;
    assert_eq!((status, code(&refused)), (400, "ErrorInvalidPropertySet"));
    let (status, _) = client.patch(&path, json!({ "flag": { "flagStatus": "nonsense" } })).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_move_raises_the_time_or_leaves_it() {
    let client = Client::start().await;
    let mail =
        client.deliver(NewMessage { folder: Some("junkemail".into()), ..NewMessage::of("x") });
    let path = format!("me/messages/{}", mail.id);
    let (_, before) = client.get(&path).await;
    client.microsoft.admin.shift_clock(5_000);
    let (status, rescued) =
        client.post(&format!("{path}/move"), json!({ "destinationId": "inbox" })).await;
    assert_eq!((status, &rescued["id"]), (201, &json!(mail.id)));
    assert_ne!(before["lastModifiedDateTime"], rescued["lastModifiedDateTime"]);
    client.microsoft.admin.set_shapes(Shapes { move_keeps_modified: true, ..Shapes::default() });
    client.microsoft.admin.shift_clock(9_000);
    let (_, kept) =
        client.post(&format!("{path}/move"), json!({ "destinationId": "archive" })).await;
    assert_eq!(kept["lastModifiedDateTime"], rescued["lastModifiedDateTime"]);
    let (status, none) =
        client.post(&format!("{path}/move"), json!({ "destinationId": "none" })).await;
    assert_eq!((status, code(&none)), (404, "ErrorItemNotFound"));
}

#[tokio::test]
async fn deletion_leads_to_deleted_items_and_then_out_of_sight() {
    let client = Client::start().await;
    let mail = client.mail("x");
    let path = format!("me/messages/{}", mail.id);
    assert_eq!(client.delete(&path).await, 204);
    assert_eq!(client.subjects("me/mailFolders/deleteditems/messages").await, ["x"]);
    assert_eq!(client.delete(&path).await, 204);
    assert!(client.subjects("me/messages").await.is_empty());
    assert_eq!(client.post(&format!("{path}/permanentDelete"), json!({})).await.0, 204);
    assert_eq!(client.get(&path).await.0, 404);
    assert!(client.microsoft.admin.mailbox(EMAIL).unwrap().messages.is_empty());
}

#[tokio::test]
async fn inline_attachments_do_not_count() {
    let client = Client::start().await;
    let inline = NewAttachment {
        filename: "a.png".into(),
        mime_type: Some("image/png".into()),
        size: 3,
        content_id: Some("a@x".into()),
        inline: true,
        ..NewAttachment::default()
    };
    let html = NewMessage {
        html: Some("<img src='cid:a@x'>".into()),
        attachments: vec![inline],
        ..NewMessage::of("x")
    };
    let mail = client.deliver(html);
    let (_, found) = client.get(&format!("me/messages/{}?$expand=attachments", mail.id)).await;
    assert_eq!(found["hasAttachments"], json!(false));
    assert_eq!(
        (&found["attachments"][0]["isInline"], &found["attachments"][0]["contentId"]),
        (&json!(true), &json!("a@x"))
    );
}

#[tokio::test]
async fn a_large_file_goes_up_in_ranges() {
    let client = Client::start().await;
    let (_, draft) = client.post("me/messages", json!({ "subject": "large" })).await;
    let path = format!("me/messages/{}/attachments", draft["id"].as_str().unwrap());
    let size = 3 * 1024 * 1024 + 1;
    let item =
        json!({ "AttachmentItem": { "attachmentType": "file", "name": "l.bin", "size": size } });
    let (status, session) = client.post(&format!("{path}/createUploadSession"), item).await;
    assert_eq!((status, &session["nextExpectedRanges"]), (201, &json!(["0-"])));
    let url = session["uploadUrl"].as_str().unwrap();
    let put = async |from: usize, bytes: usize| {
        let range = format!("bytes {from}-{}/{size}", from + bytes - 1);
        let sent = client.http.put(url).header("Content-Range", range).body(vec![1; bytes]);
        read(sent).await
    };
    assert_eq!(put(5, 10).await.0, 416, "ranges follow each other");
    let (status, next) = put(0, 2_000_000).await;
    assert_eq!((status, &next["nextExpectedRanges"]), (200, &json!(["2000000-"])));
    assert_eq!(put(2_000_000, size - 2_000_000).await.0, 201);
    let (_, listed) = client.get(&path).await;
    assert_eq!(listed["value"][0]["size"], json!(size));
    let small = json!({ "@odata.type": "#microsoft.graph.fileAttachment", "name": "a", "contentBytes": base64(&"x".repeat(size)) });
    assert_eq!(client.post(&path, small).await.0, 413, "too large for one request");
    assert!(client.microsoft.admin.violations().is_empty());
}
