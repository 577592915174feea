//! Files in the bucket: whose they are, and what a URL of it is good for.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tests::deployed::User;
use uuid::Uuid;

use crate::security::case::Case;
use crate::security::target::{Target, document};

const UNKNOWN: &str = "400 invalid_request";

async fn announce(target: &Target, user: &User, size: usize) -> Value {
    let path = format!("/api/connectors/{}/uploads", user.connector);
    let body = Some(json!({"size": size}));
    document(target.stack.api(Method::POST, &path, Some(&user.token), body).await).await.1
}

async fn put(url: &str, bytes: &[u8]) -> u16 {
    Client::new().put(url).body(bytes.to_vec()).send().await.unwrap().status().as_u16()
}

/// What is answered to a draft with this upload.
async fn draft(target: &Target, user: &User, upload_id: &str) -> String {
    let path = format!("/api/connectors/{}/drafts", user.connector);
    let file = json!({"filename": "a", "mime_type": "text/plain", "upload_id": upload_id});
    let body = json!({"to": ["bo@example.com"], "attachments": [file]});
    let answer = target.stack.api(Method::POST, &path, Some(&user.token), Some(body)).await;
    if answer.status().is_success() {
        return "201".into();
    }
    document(answer).await.0
}

#[tokio::test]
async fn case_96_a_file_of_another_owner() {
    let mut case = Case::new(
        96,
        "API: another owner's uploaded file, and a URL of the bucket for another size, object, method or time",
    );
    for target in Target::all().await {
        let name = target.name;
        let ada = User::connected(&target.stack, "files").await;
        let bo = User::connected(&target.stack, "others").await;
        let upload = announce(&target, &ada, 3).await;
        let (url, id) =
            (upload["url"].as_str().unwrap(), upload["upload_id"].as_str().unwrap().to_string());

        for size in [0, 2, 4] {
            let came = put(url, &vec![b'x'; size]).await;
            case.check(format!("{name}: {size} bytes for a URL of 3"), 403, came);
        }
        case.check(
            format!("{name}: what was not put"),
            UNKNOWN.into(),
            draft(&target, &ada, &id).await,
        );
        case.check(format!("{name}: 3 bytes"), 200, put(url, b"xyz").await);
        case.check(format!("{name}: its owner"), "201".into(), draft(&target, &ada, &id).await);
        case.check(
            format!("{name}: another owner"),
            UNKNOWN.into(),
            draft(&target, &bo, &id).await,
        );
        let got = Client::new().get(url).send().await.unwrap().status().as_u16();
        case.check(format!("{name}: a GET of a URL to put"), 403, got);
        // The emulator lets anybody in who signs nothing; the bucket of the template does not.
        if target.inside.is_some() {
            let without = url.split('?').next().unwrap();
            let status = Client::new().get(without).send().await.unwrap().status().as_u16();
            case.check(format!("{name}: no signature"), 403, status);
        }

        let simple = Uuid::parse_str(&id).unwrap().simple().to_string();
        let other = Uuid::from_u128(7).simple().to_string();
        for (what, from, to) in [
            ("another object", simple.as_str(), other.as_str()),
            ("another connector", ada.connector.as_str(), bo.connector.as_str()),
            ("a folder above", "/up/", "/up/..%2Fup/"),
            ("what is to be read", "/up/", "/down/"),
            ("another signature", "X-Amz-Signature=", "X-Amz-Signature=7"),
        ] {
            let changed = url.replacen(from, to, 1);
            assert_ne!(changed, url, "{what}");
            let came = put(&changed, b"xyz").await;
            case.note(
                format!("{name}: a URL for {what}"),
                "403 or 404",
                came,
                matches!(came, 403 | 404),
            );
        }
        for text in ["../../x", "..", "up/x", "%2e%2e", "", "null"] {
            let came = draft(&target, &ada, text).await;
            case.check(format!("{name}: the upload {text:?}"), UNKNOWN.into(), came);
        }
        if let Some(inside) = &target.inside {
            let late = announce(&target, &ada, 3).await;
            inside.machine.pass(Duration::from_secs(901));
            // The world's clock follows with the next request.
            announce(&target, &ada, 3).await;
            let came = put(late["url"].as_str().unwrap(), b"xyz").await;
            case.check(format!("{name}: a quarter of an hour later"), 403, came);
        } else {
            let longer = url.replacen("X-Amz-Expires=900", "X-Amz-Expires=9000", 1);
            assert_ne!(longer, url);
            case.check(format!("{name}: a URL for longer"), 403, put(&longer, b"xyz").await);
        }
    }
}
