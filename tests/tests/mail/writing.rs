//! Mail as it is written: each part as its type wants it, drafts changed in part, mail passed on.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::invalid::Invalid;
use email_connectors::domain::mail::{Content, Part};
use email_connectors::domain::message::Metadata;
use email_connectors::domain::operation::answer::MinimalMessage;
use email_connectors::domain::outgoing::Outgoing;
use email_connectors::domain::outgoing::draft_change::DraftChange;
use email_connectors::domain::outgoing::forwarding::Unforwardable;
use email_connectors::domain::timestamp::Timestamp;
use serde_json::{Value, json};

fn written(mail: &Outgoing) -> String {
    let own = EmailAddress::parse("ada@example.com").unwrap();
    let bytes = mail.to_rfc5322(&own, Timestamp::from_seconds(1_780_000_000), "0123456789");
    String::from_utf8(bytes).unwrap()
}

fn sent(mail: Value) -> String {
    written(&Outgoing::parse(mail).unwrap())
}

fn attached(mime_type: &str, content: &[u8]) -> Value {
    json!({"text": "See there.", "attachments": [{"mime_type": mime_type, "content": BASE64_STANDARD.encode(content)}]})
}

#[test]
fn an_attached_mail_is_written_in_its_own_lines() {
    let inner = "Subject: within\n\nOne line\nand another: ü\n";
    let mail = sent(attached("message/rfc822", inner.as_bytes()));
    assert!(mail.contains("Content-Transfer-Encoding: 8bit\r\n"), "{mail}");
    let (header, _) = mail.split_once("\r\n\r\n").unwrap();
    assert!(header.contains("8bit"), "what is around it says so too: {header}");
    assert!(mail.contains("filename=\"attachment.eml\""), "{mail}");
    assert!(
        mail.contains("\r\n\r\nSubject: within\r\n\r\nOne line\r\nand another: ü\r\n"),
        "{mail}"
    );
    let seven = sent(attached("message/delivery-status", b"Reporting-MTA: dns; x\r\n"));
    assert!(seven.contains("Content-Transfer-Encoding: 7bit\r\n"), "{seven}");
    assert!(!seven.contains("base64") && !seven.contains("8bit"), "{seven}");
}

#[test]
fn a_media_type_keeps_its_parameters() {
    let mail = sent(attached("text/calendar; method=REQUEST; charset=utf-8", b"BEGIN:VCALENDAR"));
    let line = mail.lines().find(|line| line.contains("text/calendar")).unwrap();
    assert!(line.contains("method=") && mail.contains("filename=\"attachment.ics\""), "{mail}");
    let root = Part::read(mail.as_bytes()).unwrap();
    let kind = root.find("1").unwrap().header("content-type").unwrap().replace('"', "");
    assert_eq!(kind, "text/calendar; method=REQUEST; charset=utf-8");
    let odd = sent(attached("text/plain; name=\"=?utf-8?q?x?=\"", b"x"));
    assert!(odd.contains("name*=UTF-8''%3D%3Futf-8%3Fq%3Fx%3F%3D"), "{odd}");
}

#[test]
fn a_carriage_return_and_a_nul_arrive_as_they_were() {
    for field in ["text", "html"] {
        let mail = sent(json!({field: "a\rb\0c\nd\r\ne"}));
        assert!(mail.contains("Content-Transfer-Encoding: base64"), "{mail}");
        assert!(!mail.contains('\0') && !mail.replace("\r\n", "").contains('\r'), "{mail:?}");
        let body = Part::read(mail.as_bytes()).unwrap().body().as_written();
        assert_eq!(body.text.or(body.html).unwrap(), "a\rb\0c\r\nd\r\ne");
    }
}

#[test]
fn names_that_look_like_encoded_words_are_encoded() {
    let word = "=?utf-8?q?hidden?=";
    let mail = sent(
        json!({"from": {"name": word}, "to": [{"name": word, "address": "bo@example.com"}],
        "subject": word, "attachments": [{"filename": word, "mime_type": "text/plain", "content": ""}]}),
    );
    assert!(!mail.contains(word), "{mail}");
    assert!(mail.contains("From: =?utf-8?B?"), "{mail}");
}

#[test]
fn an_inline_file_without_an_id_is_shown_beside_the_text() {
    let file =
        json!({"filename": "a.png", "mime_type": "image/png", "content": "", "inline": true});
    let mail = sent(json!({"html": "<p>x</p>", "attachments": [file]}));
    assert!(mail.contains("multipart/mixed") && !mail.contains("multipart/related"), "{mail}");
    assert!(mail.contains("Content-Disposition: inline"), "{mail}");
}

#[test]
fn the_author_is_who_was_said() {
    let from = |author: Value| {
        let mail = sent(json!({"from": author, "to": ["bo@example.com"]}));
        mail.lines().find(|line| line.starts_with("From:")).unwrap().to_string()
    };
    assert_eq!(from(Value::Null), "From: <ada@example.com>");
    assert_eq!(from(json!({"name": "Ada"})), "From: \"Ada\" <ada@example.com>");
    assert_eq!(from(json!({"address": "help@exämple.com"})), "From: <help@xn--exmple-cua.com>");
}

const DRAFT: &str = "From: Ada <ada@example.com>\r\nTo: Team: bo@example.com, nobody;,\r\n cy@example.com\r\nBcc: di@example.com\r\nSubject: Later\r\n\
Date: Mon, 01 Jun 2026 09:30:00 +0000\r\nMessage-ID: <draft@example.com>\r\nImportance: high\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1; format=flowed\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\r\nf=FCr dich\r\n--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\
Content-Disposition: attachment; filename=a.ics\r\n\r\nBEGIN:VCALENDAR\r\n--b--\r\n";

fn patched(change: Value) -> String {
    written(
        &DraftChange::parse(change).unwrap().applied_to(DRAFT.as_bytes(), "19b0".into()).unwrap(),
    )
}

#[test]
fn a_change_of_a_draft_leaves_what_it_does_not_name() {
    let mail = patched(json!({"subject": "Now"}));
    for kept in [
        "From: Ada <ada@example.com>\r\n",
        "To: Team: bo@example.com, nobody;,\r\n cy@example.com\r\n",
        "Bcc: di@example.com\r\n",
        "Message-ID: <draft@example.com>\r\n",
        "Importance: high\r\n",
        "Subject: Now\r\n",
    ] {
        assert_eq!(mail.matches(kept).count(), 1, "{kept} in {mail}");
    }
    let (_, body) = DRAFT.split_once("Content-Type: multipart/mixed").unwrap();
    assert!(mail.ends_with(body), "byte for byte: {mail}");
    assert_eq!((mail.matches("Date:").count(), mail.contains("Later")), (1, false));

    let mail = patched(json!({"to": [], "bcc": ["eve@example.com"]}));
    assert!(!mail.contains("\r\nTo:") && mail.contains("Bcc: <eve@example.com>\r\n"), "{mail}");

    let mail = patched(json!({"html": "<p>für dich</p>"}));
    let root = Part::read(mail.as_bytes()).unwrap();
    let body = root.body();
    assert_eq!(body.text.as_deref().map(str::trim), Some("für dich"));
    assert_eq!(body.html.as_deref(), Some("<p>für dich</p>"));
    let file = &root.files().attachments[0];
    assert_eq!((file.filename.as_str(), file.mime_type.as_str()), ("a.ics", "text/calendar"));
    let part = root.find(&file.part_id).unwrap();
    assert_eq!(part.content, Content::Bytes(b"BEGIN:VCALENDAR".to_vec()));
    assert!(part.header("content-type").unwrap().contains("method="));
    assert!(mail.contains("Subject: Later\r\n") && mail.contains("Importance: high\r\n"));

    let mail = patched(json!({"text": "", "html": "<p>x</p>", "attachments": []}));
    let root = Part::read(mail.as_bytes()).unwrap();
    assert_eq!((root.body().as_written().text, root.files().attachments.len()), (None, 0));
}

#[test]
fn a_change_of_nothing_and_one_that_makes_no_mail_are_refused() {
    for (change, field) in [
        (json!({}), "body"),
        (json!({"subject": null}), "body"),
        (json!({"to": ["bo"]}), "to[0]"),
        (json!({"reply_to_message_id": "19b0"}), "reply_to_message_id"),
        (json!({"from": {"address": "x"}}), "from.address"),
    ] {
        assert_eq!(DraftChange::parse(change.clone()).unwrap_err().field, field, "{change}");
    }
}

const ORIGINAL: &str = "From: Bo <bo@example.com>\r\nTo: ada@example.com, cy@example.com\r\nCc: Di <di@example.com>\r\nBcc: secret@example.com\r\n\
Subject: Plans / drafts\r\nDate: Mon, 01 Jun 2026 09:30:00 +0200\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n\
--c\r\nContent-Type: text/plain\r\n\r\nPlain plans\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>Rich plans</p>\r\n--c--\r\n\
--b\r\nContent-Type: application/pdf; name=plan.pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\n\
Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--b--\r\n";

fn forwarded(mail: Value, original: &str) -> Result<Outgoing, Unforwardable> {
    let original = MinimalMessage {
        id: MessageId::new("19b0"),
        thread_id: "19b0".into(),
        label_ids: vec![],
        snippet: String::new(),
        timestamp: Timestamp::from_seconds(0),
        metadata: Metadata { history_id: None, size_estimate: 0 },
        raw: Some(BASE64_URL_SAFE.encode(original)),
    };
    let mut whole = json!({"forward_message_id": "19b0", "to": ["eve@example.com"]});
    whole.as_object_mut().unwrap().extend(mail.as_object().unwrap().clone());
    Outgoing::parse(whole).unwrap().forwarding(original)
}

#[test]
fn a_mail_is_passed_on_in_the_body_with_its_files() {
    let mail = forwarded(json!({"text": "Look <here>"}), ORIGINAL).unwrap();
    assert_eq!(mail.subject.as_deref(), Some("Fwd: Plans / drafts"));
    let (text, html) = (mail.text.clone().unwrap(), mail.html.clone().unwrap());
    for (body, above, below) in
        [(&text, "Look <here>", "Plain plans"), (&html, "Look &lt;here&gt;", "<p>Rich plans</p>")]
    {
        assert!(body.starts_with(above) && body.contains(below), "{body}");
        for line in [
            "Forwarded message",
            "Date: Mon, 01 Jun 2026 09:30:00 +0200",
            "Subject: Plans / drafts",
            "To: ada@example.com, cy@example.com",
        ] {
            assert!(body.contains(line), "{line} in {body}");
        }
        assert!(!body.contains("secret"), "{body}");
    }
    assert!(
        text.contains("From: Bo <bo@example.com>\n") && text.contains("Cc: Di <di@example.com>\n")
    );
    assert!(html.contains("From: Bo &lt;bo@example.com&gt;"), "{html}");
    let names: Vec<&str> = mail.attachments.iter().map(|file| file.filename.as_str()).collect();
    assert_eq!(names, ["plan.pdf", "attachment.eml"]);
    assert_eq!(mail.attachments[0].content.as_deref(), Some(b"%PDF".as_slice()));
    let root = Part::read(written(&mail).as_bytes()).unwrap();
    assert_eq!(root.files().attachments.len(), 2);
    assert!(!written(&mail).contains("In-Reply-To"));
}

#[test]
fn of_text_and_html_a_forward_has_what_both_sides_have() {
    let head = "From: bo@example.com\r\nSubject: Fwd: x\r\nContent-Type: text/";
    let (plain, rich) =
        (format!("{head}plain\r\n\r\n1 < 2"), format!("{head}html\r\n\r\n<b>1</b>"));
    for (mail, original, text, html) in [
        (json!({}), &plain, Some("1 < 2"), None),
        (json!({"text": "t"}), &plain, Some("1 < 2"), None),
        (json!({"html": "<i>h</i>"}), &plain, None, Some("1 &lt; 2")),
        (json!({"text": "t", "html": "<i>h</i>"}), &plain, Some("1 < 2"), Some("1 &lt; 2")),
        (json!({}), &rich, None, Some("<b>1</b>")),
        (json!({"text": "t"}), &rich, None, Some("<b>1</b>")),
    ] {
        let forward = forwarded(mail.clone(), original).unwrap();
        assert_eq!(forward.subject.as_deref(), Some("Fwd: x"), "named once");
        for (body, expected) in [(&forward.text, text), (&forward.html, html)] {
            let holds = body.as_ref().zip(expected).is_some_and(|(body, part)| body.contains(part));
            assert!(
                body.is_some() == expected.is_some() && (body.is_none() || holds),
                "{mail} {body:?}"
            );
        }
        for own in ["text", "html"].iter().filter_map(|field| mail[field].as_str()) {
            let bodies = [forward.text.as_deref(), forward.html.as_deref()];
            assert!(bodies.iter().flatten().any(|body| body.starts_with(own)), "{bodies:?}");
        }
    }
}

#[test]
fn a_mail_is_passed_on_as_a_file() {
    let mail = forwarded(json!({"forward_as": "attachment", "text": "There."}), ORIGINAL).unwrap();
    assert_eq!(mail.text.as_deref(), Some("There."));
    let file = &mail.attachments[0];
    assert_eq!(
        (file.filename.as_str(), file.mime_type.essence()),
        ("Plans _ drafts.eml", "message/rfc822")
    );
    let expected = ORIGINAL.replace("Bcc: secret@example.com\r\n", "");
    assert_eq!(String::from_utf8(file.content.clone().unwrap()).unwrap(), expected);
    assert!(written(&mail).contains(&expected), "in its own lines");
    let long = format!("From: bo@example.com\r\n\r\n{}\r\n", "x".repeat(1200));
    let refused = forwarded(json!({"forward_as": "attachment"}), &long).unwrap_err();
    assert!(
        matches!(&refused, Unforwardable::Invalid(why) if why.field == "forward_as"),
        "{refused}"
    );
    assert!(forwarded(json!({}), &long).is_ok(), "inline it can be");
}

#[test]
fn what_is_too_large_to_pass_on_is_refused() {
    let large = format!("From: bo@example.com\r\n\r\n{}", "line\r\n".repeat(900_000));
    assert_eq!(forwarded(json!({}), &large), Err(Unforwardable::TooLarge));
}

#[test]
fn what_a_machine_writes_says_so() {
    for how in ["auto-replied", "auto-generated"] {
        let mail = sent(json!({"text": "x", "auto_submitted": how}));
        assert_eq!(mail.matches(&format!("Auto-Submitted: {how}\r\n")).count(), 1, "{mail}");
    }
    assert!(!sent(json!({"text": "x"})).contains("Auto-Submitted"));
    let refused = Outgoing::parse(json!({"auto_submitted": "yes"})).unwrap_err();
    assert_eq!(refused.field, "auto_submitted");
}

fn changed(draft: &str, change: Value) -> Result<String, Invalid> {
    let mail = DraftChange::parse(change).unwrap().applied_to(draft.as_bytes(), "t".into())?;
    Ok(written(&mail))
}

#[test]
fn half_an_author_keeps_the_other_half() {
    let draft = "From: Help <help@example.com>\r\nSubject: x\r\n\r\ny";
    for (change, from) in [
        (json!({"from": {"name": "Desk"}}), "From: \"Desk\" <help@example.com>\r\n"),
        (json!({"from": {"address": "ada@example.com"}}), "From: \"Help\" <ada@example.com>\r\n"),
    ] {
        let mail = changed(draft, change).unwrap();
        assert!(mail.contains(from), "{mail}");
    }
}

#[test]
fn of_two_forms_of_a_text_both_are_changed_or_one_is_left_out() {
    let draft = "Subject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nyes\r\n\
                 --b\r\nContent-Type: text/html\r\n\r\n<p>yes</p>\r\n--b--\r\n";
    assert_eq!(changed(draft, json!({"text": "no"})).unwrap_err().field, "text");
    assert_eq!(changed(draft, json!({"html": "no"})).unwrap_err().field, "html");
    let mail = changed(draft, json!({"text": "no", "html": ""})).unwrap();
    assert!(mail.contains("no") && !mail.contains("yes"), "{mail}");
}

#[test]
fn texts_that_stand_beside_each_other_are_passed_on_in_their_order() {
    let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nPay 100 & more\r\n\
                --b\r\nContent-Type: text/html\r\n\r\n<p>-- Bo</p>\r\n--b--\r\n";
    let forward = forwarded(json!({}), mail).unwrap();
    let html = forward.html.unwrap();
    let (first, last) = (html.find("Pay 100 &amp; more").unwrap(), html.find("<p>-- Bo").unwrap());
    assert!(first < last && forward.text.is_none(), "{html}");
}

#[test]
fn a_boundary_cannot_be_foretold_from_the_subject_and_the_text() {
    let one = sent(
        json!({"subject": "s", "text": "t", "attachments": [{"mime_type": "text/plain", "content": "YQ=="}]}),
    );
    let other = sent(
        json!({"subject": "s", "text": "t", "attachments": [{"mime_type": "text/plain", "content": "Yg=="}]}),
    );
    assert_ne!(one, other);
}
