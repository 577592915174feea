//! Mail that takes something from the mailbox before it is written: what it answers, what it passes
//! on, and the addresses that it may be from.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use reqwest::Method;
use serde_json::{Value, json};

use super::mailbox::{FULL, MODIFY, Mailbox};
use super::requests::ALIAS;

const POST: Method = Method::POST;

impl Mailbox {
    /// Sends a mail; answers what was sent, as Gmail has it, and the units that it cost.
    async fn sends(&self, mail: Value) -> (Value, u64) {
        self.calls().await;
        let response = self.send(POST, "/messages", Some(mail)).await;
        let units: u64 = response.headers()["x-quota-units"].to_str().unwrap().parse().unwrap();
        let counted: u64 = self.calls().await.iter().map(|(_, units)| units).sum();
        assert_eq!(counted, units, "the answer says what it cost");
        let sent: Value = response.json().await.unwrap();
        (self.get(&format!("/messages/{}", sent["id"].as_str().unwrap())).await, units)
    }

    async fn receives(&self, mail: Value) -> String {
        self.user.receive(&self.stack, mail).await
    }
}

fn addresses(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["address"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_thread_is_answered_by_its_id_alone() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let answer = json!({"from": "Cy <cy@example.com>", "subject": "Re: The invoice", "text": "x", "thread_id": mailbox.message});
    let last = mailbox.receives(answer).await;
    let (sent, units) =
        mailbox.sends(json!({"thread_id": mailbox.message, "text": "Thanks."})).await;
    let last = mailbox.get(&format!("/messages/{last}?format=metadata")).await;
    assert_eq!((&sent["thread_id"], units), (&json!(mailbox.message), 140));
    assert_eq!(sent["headers"]["in_reply_to"], last["headers"]["message_id"]);
    assert_eq!(
        (addresses(&sent["to"]), &sent["subject"]),
        (vec!["cy@example.com"], &json!("Re: The invoice"))
    );
    let given = json!({"thread_id": mailbox.message, "to": ["di@example.com"], "subject": "Re: The invoice",
        "in_reply_to": last["headers"]["message_id"], "text": "x"});
    let (sent, units) = mailbox.sends(given).await;
    assert_eq!(
        (units, addresses(&sent["to"])),
        (100, vec!["di@example.com"]),
        "nothing is left to read"
    );
    let (status, problem) =
        mailbox.refused(POST, "/messages", Some(json!({"thread_id": "ffff", "text": "x"}))).await;
    assert_eq!((status, &problem["field"]), (404, &json!("thread_id")));
    let draft = mailbox.get(&format!("/drafts/{}?format=minimal", mailbox.draft)).await;
    let replaced = json!({"to": ["bo@example.com"], "text": "anew", "thread_id": draft["message"]["thread_id"]});
    mailbox.done(Method::PUT, &format!("/drafts/{}", mailbox.draft), Some(replaced)).await;
    mailbox.is_clean().await;
}

#[tokio::test]
async fn a_reply_to_all_leaves_out_oneself_by_every_address() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let raw = format!(
        "From: Bo <bo@example.com>\r\nTo: {}, cy@example.com\r\nCc: {ALIAS}, CY@example.com, di@exämple.com\r\nSubject: All\r\nMessage-ID: <all@example.com>\r\n\r\nx",
        mailbox.user.email
    );
    let id = mailbox.receives(json!({"raw": base64::prelude::BASE64_STANDARD.encode(raw)})).await;
    let (sent, units) =
        mailbox.sends(json!({"reply_to_message_id": id, "reply_all": true, "text": "x"})).await;
    assert_eq!((addresses(&sent["to"]), units), (vec!["bo@example.com"], 121));
    assert_eq!(addresses(&sent["cc"]), ["cy@example.com", "di@xn--exmple-cua.com"]);
    mailbox.is_clean().await;
}

#[tokio::test]
async fn who_cannot_be_answered_is_named_and_nothing_is_sent() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let nobody = mailbox.receives(json!({"from": "nobody at all", "subject": "x"})).await;
    mailbox.calls().await;
    let reply = json!({"reply_to_message_id": nobody, "text": "x"});
    for (method, path) in [
        (POST, "/messages".to_string()),
        (POST, "/drafts".into()),
        (Method::PUT, format!("/drafts/{}", mailbox.draft)),
    ] {
        let (status, problem) = mailbox.refused(method, &path, Some(reply.clone())).await;
        assert_eq!(
            (status, &problem["code"], &problem["field"]),
            (400, &json!("invalid_request"), &json!("to"))
        );
    }
    let called = mailbox.calls().await;
    assert!(
        !called.iter().any(|(method, _)| method.ends_with("send") || method.starts_with("drafts")),
        "{called:?}"
    );
    let mut reply = reply;
    reply["to"] = json!(["\"ab..cd.\"@example.com"]);
    mailbox.sends(reply).await;
}

#[tokio::test]
async fn mail_goes_out_by_an_alias_that_gmail_accepts() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let mail =
        |from: Value| json!({"from": from, "to": ["bo@example.com"], "subject": "x", "text": "x"});
    let (sent, units) = mailbox.sends(mail(json!({"address": "HELP@example.com"}))).await;
    assert_eq!((&sent["from"], units), (&json!({"name": "The help desk", "address": ALIAS}), 101));
    let (own, units) =
        mailbox.sends(mail(json!({"name": "Ada", "address": mailbox.user.email}))).await;
    assert_eq!((&own["from"]["name"], units), (&json!("Ada"), 100), "one's own needs no look");
    for address in ["soon@example.com", "ceo@example.com"] {
        let (status, problem) =
            mailbox.refused(POST, "/messages", Some(mail(json!({"address": address})))).await;
        assert_eq!((status, &problem["field"]), (400, &json!("from.address")));
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains(ALIAS)
                && detail.contains(&mailbox.user.email)
                && !detail.contains("soon@example.com,"),
            "{detail}"
        );
    }
    // What was sent by the alias is the owner's: its recipients are answered, by the alias.
    let id = sent["id"].clone();
    let (reply, units) = mailbox.sends(json!({"reply_to_message_id": id, "text": "more"})).await;
    assert_eq!(
        (addresses(&reply["to"]), &reply["from"]["address"], units),
        (vec!["bo@example.com"], &json!(ALIAS), 121)
    );
    let to_alias =
        mailbox.receives(json!({"from": "cy@example.com", "to": ALIAS, "subject": "Help"})).await;
    let (reply, _) = mailbox.sends(json!({"reply_to_message_id": to_alias, "text": "x"})).await;
    assert_eq!(
        (addresses(&reply["to"]), &reply["from"]["address"]),
        (vec!["cy@example.com"], &json!(ALIAS))
    );
    mailbox.is_clean().await;
}

#[tokio::test]
async fn a_reply_does_without_the_aliases_where_they_may_not_be_read() {
    let scope = |name: &str| format!("https://www.googleapis.com/auth/gmail.{name}");
    let (metadata, send) = (scope("metadata"), scope("send"));
    let mailbox = Mailbox::granted(&[&metadata, &send]).await;
    let to_alias =
        mailbox.receives(json!({"from": "cy@example.com", "to": ALIAS, "subject": "Help"})).await;
    mailbox
        .done(POST, "/messages", Some(json!({"reply_to_message_id": to_alias, "text": "x"})))
        .await;
    mailbox.calls().await;
    let mail = json!({"from": {"address": ALIAS}, "to": ["bo@example.com"], "text": "x"});
    let (status, problem) = mailbox.refused(POST, "/messages", Some(mail)).await;
    assert_eq!((status, &problem["code"]), (403, &json!("insufficient_scope")));
    assert_eq!(mailbox.calls().await, []);
    let forbidding = Mailbox::granted(&[MODIFY]).await;
    let fault = json!({"method": "settings.sendAs.list", "status": 403, "reason": "domainPolicy", "times": 9});
    forbidding.stack.google(POST, "/admin/faults", fault).await;
    let to_list = forbidding
        .receives(json!({"from": "cy@example.com", "to": "list@example.com", "subject": "x"}))
        .await;
    forbidding
        .done(POST, "/messages", Some(json!({"reply_to_message_id": to_list, "text": "x"})))
        .await;
}

#[tokio::test]
async fn a_message_is_forwarded_within_and_as_a_file() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let forward = |how: &str| json!({"forward_message_id": mailbox.message, "forward_as": how, "to": ["cy@example.com"], "text": "See there."});
    let (within, units) = mailbox.sends(forward("inline")).await;
    assert_eq!((&within["subject"], units), (&json!("Fwd: The invoice"), 120));
    for body in ["text", "html"] {
        let text = within["body"][body].as_str().unwrap();
        assert!(
            text.contains("See there.")
                && text.contains("It is attached.")
                && text.contains("bo@example.com"),
            "{text}"
        );
    }
    let file = &within["attachments"][0];
    assert_eq!((&file["filename"], &file["size"]), (&json!("invoice.pdf"), &json!(3000)));
    let (whole, units) = mailbox.sends(forward("attachment")).await;
    let file = &whole["attachments"][0];
    assert_eq!(
        (&file["filename"], &file["mime_type"], units),
        (&json!("The invoice.eml"), &json!("message/rfc822"), 120)
    );
    let raw = mailbox.get(&format!("/messages/{}?format=raw", whole["id"].as_str().unwrap())).await;
    let raw =
        String::from_utf8(BASE64_URL_SAFE.decode(raw["raw"].as_str().unwrap()).unwrap()).unwrap();
    let original = mailbox.get(&format!("/messages/{}?format=raw", mailbox.message)).await;
    let original = BASE64_URL_SAFE.decode(original["raw"].as_str().unwrap()).unwrap();
    assert!(raw.contains(String::from_utf8(original).unwrap().trim_end()), "byte for byte");
    let (status, problem) = mailbox
        .refused(
            POST,
            "/messages",
            Some(json!({"forward_message_id": mailbox.message, "text": "x"})),
        )
        .await;
    assert_eq!((status, &problem["field"]), (400, &json!("to")));
    let missing = json!({"forward_message_id": "ffff", "to": ["cy@example.com"]});
    let (status, problem) = mailbox.refused(POST, "/messages", Some(missing)).await;
    assert_eq!((status, &problem["field"]), (404, &json!("forward_message_id")));
    mailbox.is_clean().await;
}

#[tokio::test]
async fn what_is_too_large_to_forward_says_what_to_do() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    for lines in [80_000, 200_000] {
        let raw = format!(
            "From: bo@example.com\r\nSubject: big\r\n\r\n{}",
            format!("{}\r\n", "x".repeat(70)).repeat(lines)
        );
        let id =
            mailbox.receives(json!({"raw": base64::prelude::BASE64_STANDARD.encode(raw)})).await;
        let forward = json!({"forward_message_id": id, "to": ["cy@example.com"]});
        let (status, problem) = mailbox.refused(POST, "/messages", Some(forward)).await;
        assert_eq!(
            (status, &problem["code"], &problem["field"]),
            (413, &json!("mail_too_large"), &json!("forward_message_id"))
        );
        assert!(problem["detail"].as_str().unwrap().contains("attachments"), "{problem}");
    }
}

#[tokio::test]
async fn a_draft_is_changed_in_part() {
    let mailbox = Mailbox::granted(&[FULL]).await;
    let made = json!({"reply_to_message_id": mailbox.message, "bcc": ["di@example.com"], "text": "one", "html": "<p>one</p>",
        "attachments": [{"filename": "a.ics", "mime_type": "text/calendar; method=REQUEST", "content": "YQ"}]});
    let draft = mailbox.done(POST, "/drafts", Some(made)).await;
    let path = format!("/drafts/{}", draft["id"].as_str().unwrap());
    let before = mailbox.get(&path).await["message"].clone();
    mailbox.calls().await;
    let change = mailbox.send(Method::PATCH, &path, Some(json!({"cc": ["cy@example.com"]}))).await;
    assert_eq!(change.headers()["x-quota-units"], "35");
    let changed: Value = change.json().await.unwrap();
    assert_eq!(
        (&changed["id"], &changed["message"]["thread_id"]),
        (&draft["id"], &json!(mailbox.message))
    );
    let after = mailbox.get(&path).await["message"].clone();
    assert_eq!(addresses(&after["cc"]), ["cy@example.com"]);
    for field in ["from", "to", "bcc", "subject", "body", "attachments", "headers"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    mailbox
        .done(
            Method::PATCH,
            &path,
            Some(json!({"text": "two", "html": "", "from": {"address": ALIAS}})),
        )
        .await;
    let after = mailbox.get(&path).await["message"].clone();
    assert_eq!(after["body"], json!({"text": "two"}));
    assert_eq!(
        (&after["from"]["address"], addresses(&after["bcc"])),
        (&json!(ALIAS), vec!["di@example.com"])
    );
    assert_eq!(after["attachments"][0]["filename"], "a.ics");
    let (status, problem) = mailbox.refused(Method::PATCH, &path, Some(json!({}))).await;
    assert_eq!((status, &problem["field"]), (400, &json!("body")));
    assert_eq!(
        mailbox.refused(Method::PATCH, "/drafts/r-1", Some(json!({"text": "x"}))).await.0,
        404
    );
    mailbox.is_clean().await;
}
