//! What the Gmail adapter reads from the fake Google: history, listings by date, and messages.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::domain::changes::{Change, Record};
use email_connectors::domain::gap::Slice;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::provider::gmail::price;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{EmailProvider, Fetched, ProviderError};
use fake_google::{
    Delivered, Fault, LabelChange, NewAttachment, NewCode, NewMessage, Shapes, UnnamedText,
};

use crate::google::{ADA, Google};

#[tokio::test]
async fn history_is_read_page_by_page_with_ids_beyond_a_float() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let start = google.gmail.profile(&access).await.unwrap().mark;
    let delivered: Vec<Delivered> =
        (0..3).map(|number| google.deliver(&format!("mail {number}"))).collect();
    let page = google.gmail.changes(&access, start, None).await.unwrap();
    let arrived = |delivered: &Delivered| {
        let label_ids = ["INBOX", "UNREAD"].map(String::from).into();
        let change = Change::Added { message: MessageId::new(&delivered.id), label_ids };
        Record { key: Mark::new(delivered.history_id).into(), changes: vec![change] }
    };
    assert_eq!(page.records, delivered.iter().map(arrived).collect::<Vec<_>>());
    assert!(page.mark >= Some(Mark::new(delivered[2].history_id)));
    assert!(page.mark.unwrap().value() > 1 << 60);

    let nothing = google.gmail.changes(&access, page.mark.unwrap(), None).await.unwrap();
    assert_eq!((nothing.records.len(), nothing.next_page_token), (0, None));

    google.fake.admin.deliver_many(ADA, &NewMessage::default(), 600).unwrap();
    let first = google.gmail.changes(&access, page.mark.unwrap(), None).await.unwrap();
    let token = first.next_page_token.clone().expect("600 records are more than a page");
    let second = google.gmail.changes(&access, page.mark.unwrap(), Some(&token)).await.unwrap();
    assert_eq!(
        (first.records.len(), second.records.len(), second.next_page_token),
        (500, 100, None)
    );
    google.conforms();
}

#[tokio::test]
async fn a_rescue_from_spam_and_a_label_are_in_the_history() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let spam = NewMessage { label_ids: Some(vec!["SPAM".into()]), ..NewMessage::default() };
    let message = google.fake.admin.deliver(ADA, spam).unwrap().id;
    let start = google.gmail.profile(&access).await.unwrap().mark;
    let rescue = LabelChange { add: vec!["INBOX".into()], remove: vec!["SPAM".into()] };
    google.fake.admin.change_labels(ADA, &message, &rescue).unwrap();
    let page = google.gmail.changes(&access, start, None).await.unwrap();
    let changes: Vec<&Change> = page.records.iter().flat_map(|record| &record.changes).collect();
    assert_eq!(
        changes,
        [&Change::Labelled { message: MessageId::new(message), label_ids: vec!["INBOX".into()] }]
    );
    google.conforms();
}

#[tokio::test]
async fn expired_history_is_an_error_of_its_own() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let start = google.gmail.profile(&access).await.unwrap().mark;
    google.deliver("a");
    google.fake.admin.expire_history(ADA, None).unwrap();
    assert!(matches!(
        google.gmail.changes(&access, start, None).await,
        Err(ProviderError::HistoryExpired)
    ));
    google.fail("history.list", 1, 400);
    assert!(matches!(
        google.gmail.changes(&access, start, None).await,
        Err(ProviderError::Refused { status: 400, .. })
    ));
}

#[tokio::test]
async fn a_lost_page_is_an_error_of_its_own() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let start = google.gmail.profile(&access).await.unwrap().mark;
    google.fake.admin.deliver_many(ADA, &NewMessage::default(), 501).unwrap();
    let slice = Slice { after: Timestamp::from_seconds(0), before: None };
    let page = google.gmail.changes(&access, start, None).await.unwrap().next_page_token.unwrap();
    let list_page =
        google.gmail.list(&access, &slice, None).await.unwrap().next_page_token.unwrap();
    google.fake.admin.lose_page_tokens(ADA).unwrap();
    assert!(matches!(
        google.gmail.changes(&access, start, Some(&page)).await,
        Err(ProviderError::PageLost)
    ));
    assert!(matches!(
        google.gmail.list(&access, &slice, Some(&list_page)).await,
        Err(ProviderError::PageLost)
    ));
    google.fail("messages.list", 1, 400);
    assert!(matches!(
        google.gmail.list(&access, &slice, None).await,
        Err(ProviderError::Refused { status: 400, .. })
    ));
    google.conforms();
}

#[tokio::test]
async fn a_slice_of_time_is_listed_page_by_page_without_a_hole() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let arrived = |millis: i64, label: &str| {
        let new = NewMessage {
            internal_date: Some(millis),
            label_ids: Some(vec![label.into()]),
            ..NewMessage::default()
        };
        MessageId::new(google.fake.admin.deliver(ADA, new).unwrap().id)
    };
    let noon = 1_800_000_000_000;
    let inside: Vec<MessageId> =
        (0..=230).map(|second| arrived(noon + second * 1000 + 500, "INBOX")).collect();
    let outside = [
        arrived(noon - 5000, "INBOX"),
        arrived(noon + 240_000, "INBOX"),
        arrived(noon + 500, "SPAM"),
        arrived(noon + 500, "TRASH"),
    ];

    let slice = Slice {
        after: Timestamp::from_millis(noon + 500),
        before: Some(Timestamp::from_millis(noon + 230_501)),
    };
    let (mut listed, mut sizes, mut page_token) = (Vec::new(), Vec::new(), None);
    loop {
        let page = google.gmail.list(&access, &slice, page_token.as_deref()).await.unwrap();
        sizes.push(page.messages.len());
        listed.extend(page.messages);
        page_token = page.next_page_token;
        if page_token.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [100, 100, 31]);
    assert!(inside.iter().all(|id| listed.contains(id)), "not even at the slice's very ends");
    assert!(!outside.iter().any(|id| listed.contains(id)));
    let open = Slice { before: None, ..slice };
    assert_eq!(
        google.gmail.list(&access, &open, None).await.unwrap().messages[0],
        outside[1],
        "without an end up to the newest"
    );
    let nothing = Slice { after: Timestamp::from_millis(noon * 2), before: None };
    assert_eq!(google.gmail.list(&access, &nothing, None).await.unwrap().messages, []);
    google.conforms();
}

#[tokio::test]
async fn messages_come_whole_by_one_call_or_in_batches() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let attachment = NewAttachment {
        filename: "bill.pdf".into(),
        mime_type: "application/pdf".into(),
        size: 10_000,
    };
    let with_attachment = NewMessage {
        subject: Some("Bill".into()),
        attachment: Some(attachment),
        ..NewMessage::default()
    };
    let bill = MessageId::new(google.fake.admin.deliver(ADA, with_attachment).unwrap().id);
    let rest: Vec<MessageId> = (0..59)
        .map(|number| MessageId::new(google.deliver(&format!("mail {number}")).id))
        .collect();
    google.fake.admin.clear_calls();

    let one = google.gmail.messages(&access, std::slice::from_ref(&bill), false).await.unwrap();
    assert_eq!((one.messages[0].has_attachments, google.calls("batch")), (true, 0));
    let message = one.messages[0].clone().normalize();
    assert_eq!(message.subject.as_deref(), Some("Bill"));

    let ids: Vec<MessageId> =
        rest.iter().cloned().chain([MessageId::new("00000000deadbeef"), bill]).collect();
    let Fetched { messages, failed, unanswered, .. } =
        google.gmail.messages(&access, &ids, false).await.unwrap();
    assert_eq!(messages.len(), 60, "one of 61 is not there");
    assert!(failed.is_empty() && unanswered.is_none(), "and that is no failure");
    assert_eq!(google.calls("batch"), 3, "61 messages in batches of 25");
    let plain = messages.iter().find(|message| message.id == rest[0]).unwrap();
    assert!(!plain.has_attachments);
    assert_eq!(plain.clone().normalize().from.unwrap().address, "bo@example.com");
    google.conforms();
}

#[tokio::test]
async fn only_the_refused_parts_of_a_batch_are_requested_again() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let ids: Vec<MessageId> = (0..25)
        .map(|number| MessageId::new(google.deliver(&format!("mail {number}")).id))
        .collect();
    google.fake.admin.clear_calls();
    google.fake.admin.add_fault(Fault {
        method: "messages.get".into(),
        times: 12,
        status: 429,
        only_in_batch: true,
        ..Fault::default()
    });

    let fetched = google.gmail.messages(&access, &ids, false).await.unwrap();
    assert_eq!(fetched.messages.len(), 25);
    assert_eq!(google.calls("messages.get"), 25 + 12);
    assert_eq!(google.calls("batch"), 1 + 2, "twelve again, ten at a time");
}

/// A fault of one message, until it is cleared.
fn part_fault(status: u16, id: &MessageId) -> Fault {
    Fault {
        method: "messages.get".into(),
        times: 0,
        status,
        message_id: Some(id.to_string()),
        ..Fault::default()
    }
}

#[tokio::test]
async fn each_part_of_a_batch_is_read_failed_or_left_by_its_status() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let ids: Vec<MessageId> =
        (0..9).map(|number| MessageId::new(google.deliver(&format!("mail {number}")).id)).collect();
    google.fake.admin.delete_message(ADA, ids[1].as_str()).unwrap();
    let faults = [
        part_fault(500, &ids[2]),
        part_fault(400, &ids[3]),
        part_fault(403, &ids[4]),
        Fault { retry_after: Some(90), ..part_fault(429, &ids[5]) },
        Fault { reason: Some("userRateLimitExceeded".into()), ..part_fault(403, &ids[6]) },
        // An answer that is not a message.
        part_fault(200, &ids[7]),
    ];
    faults.into_iter().for_each(|fault| google.fake.admin.add_fault(fault));
    google.fake.admin.clear_calls();
    let fetched = google.gmail.messages(&access, &ids, false).await.unwrap();

    let found: Vec<&MessageId> = fetched.messages.iter().map(|message| &message.id).collect();
    assert_eq!(found, [&ids[0], &ids[8]], "the deleted one is skipped");
    let mut failed = fetched.failed;
    failed.sort();
    let reasons = failed
        .iter()
        .map(|(id, reason)| (id, reason.split(':').next().unwrap()))
        .collect::<Vec<_>>();
    let expected = [
        (2, "500 backendError"),
        (3, "400 failedPrecondition"),
        (4, "403 forbidden"),
        (7, "the answer cannot be read (Data error)"),
    ];
    assert_eq!(reasons, expected.map(|(index, reason): (usize, _)| (&ids[index], reason)));
    let (mut left, error) = fetched.unanswered.unwrap();
    left.sort();
    assert_eq!(left, ids[5..7]);
    let wait = Some(Duration::from_secs(90));
    assert!(
        matches!(error, ProviderError::Unavailable { retry_after, .. } if retry_after == wait),
        "{error:?}"
    );
    assert_eq!(
        google.calls("messages.get"),
        9 + 2 + 2,
        "only passing failures were tried three times"
    );

    google.fake.admin.add_fault(part_fault(401, &ids[0]));
    assert!(matches!(
        google.gmail.messages(&access, &ids, false).await,
        Err(ProviderError::Unauthorized)
    ));
}

#[tokio::test]
async fn a_single_message_is_read_failed_or_left_by_its_status() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let id = MessageId::new(google.deliver("mail").id);
    let fetch = async |fault: Option<Fault>| {
        google.fake.admin.clear_faults();
        fault.into_iter().for_each(|fault| google.fake.admin.add_fault(fault));
        google.gmail.messages(&access, std::slice::from_ref(&id), false).await
    };
    for (status, reason) in [
        (500, "500 backendError: Backend Error"),
        (400, "400 failedPrecondition: Precondition check failed."),
    ] {
        let fetched = fetch(Some(part_fault(status, &id))).await.unwrap();
        assert_eq!(
            (fetched.messages.len(), fetched.failed),
            (0, vec![(id.clone(), reason.into())])
        );
    }
    let unreadable = fetch(Some(part_fault(200, &id))).await.unwrap();
    assert_eq!(unreadable.failed, [(id.clone(), "the answer cannot be read (Data error)".into())]);
    let missing = fetch(Some(part_fault(404, &id))).await.unwrap();
    assert!(
        missing.messages.is_empty() && missing.failed.is_empty() && missing.unanswered.is_none()
    );
    assert!(matches!(fetch(Some(part_fault(401, &id))).await, Err(ProviderError::Unauthorized)));
    let limited = fetch(Some(Fault { retry_after: Some(60), ..part_fault(429, &id) })).await;
    let wait = Some(Duration::from_secs(60));
    assert!(
        matches!(limited, Err(ProviderError::Unavailable { retry_after, .. }) if retry_after == wait)
    );
    assert_eq!(fetch(None).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn a_batch_that_is_refused_keeps_what_came_before_it() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let ids: Vec<MessageId> = (0..60)
        .map(|number| MessageId::new(google.deliver(&format!("mail {number}")).id))
        .collect();
    let refuse = |after| {
        google.fake.admin.add_fault(Fault {
            method: "batch".into(),
            times: 0,
            status: 503,
            after,
            ..Fault::default()
        })
    };
    refuse(1);
    google.fake.admin.clear_calls();
    let fetched = google.gmail.messages(&access, &ids, false).await.unwrap();
    let (left, error) = fetched.unanswered.unwrap();
    assert_eq!((fetched.messages.len(), fetched.failed.len(), left.len()), (25, 0, 35));
    assert!(matches!(error, ProviderError::Unavailable { .. }));
    // Calls of 25 (three), then of ten (four), then one more: its third failure ends the retries.
    assert_eq!(google.calls("batch"), 3 + 4 + 1);

    google.fake.admin.clear_faults();
    refuse(0);
    assert!(
        matches!(
            google.gmail.messages(&access, &ids, false).await,
            Err(ProviderError::Unavailable { .. })
        ),
        "no batch was answered"
    );
    google.fake.admin.clear_faults();
    google.fake.admin.add_fault(Fault {
        method: "batch".into(),
        status: 401,
        after: 1,
        ..Fault::default()
    });
    assert!(
        matches!(
            google.gmail.messages(&access, &ids, false).await,
            Err(ProviderError::Unauthorized)
        ),
        "an expired token is an error"
    );
    google.fake.admin.clear_faults();
    google.fail("batch", 1, 503);
    assert_eq!(google.gmail.messages(&access, &ids, false).await.unwrap().messages.len(), 60);
}

#[tokio::test]
async fn the_metadata_scope_reads_headers_only() {
    let google = Google::start().await;
    let scopes = [
        "openid",
        "https://www.googleapis.com/auth/userinfo.email",
        "https://www.googleapis.com/auth/gmail.metadata",
    ];
    let new = NewCode { scopes: Some(scopes.map(String::from).into()), ..NewCode::of(ADA) };
    let code = google.fake.admin.create_code(new).unwrap();
    let access = google.exchange(&code, "postmessage").await.unwrap().access_token;
    let id = MessageId::new(google.deliver("Hello").id);
    let refused = google.gmail.messages(&access, std::slice::from_ref(&id), false).await.unwrap();
    assert!(
        refused.failed[0].1.starts_with("403 forbidden: Metadata scope"),
        "{:?}",
        refused.failed
    );
    let fetched = google.gmail.messages(&access, &[id], true).await.unwrap();
    assert_eq!(fetched.messages[0].clone().normalize().subject.as_deref(), Some("Hello"));
    google.conforms();
}

const LOGO: &str = "From: bo@example.com\r\nSubject: logo\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=m\r\n\r\n\
    --m\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:l@x\"> and a text of some length\r\n\
    --m\r\nContent-Type: image/png\r\nContent-ID: <l@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--m--\r\n";

/// A mail whose HTML has to be read before it is known what is attached.
#[tokio::test]
async fn what_may_pass_at_the_second_reading_decides_nothing() {
    let google = Google::start().await;
    let access = google.grant().await.access_token;
    let raw = Some(BASE64_STANDARD.encode(LOGO));
    let mail = NewMessage { raw, ..NewMessage::default() };
    let id = MessageId::new(google.fake.admin.deliver(ADA, mail).unwrap().id);
    let fetch = async |method: &str, after: u32, status: u16| {
        google.fake.admin.clear_faults();
        let fault = Fault { method: method.into(), status, times: 0, after, ..Fault::default() };
        google.fake.admin.add_fault(fault);
        google.gmail.messages(&access, std::slice::from_ref(&id), false).await.unwrap()
    };
    let read = fetch("labels.list", 0, 500).await;
    assert_eq!((read.messages[0].has_attachments, read.more_units), (false, price::MESSAGE));
    for (method, after) in [("messages.get", 1), ("messages.attachments.get", 0)] {
        let large = if after == 0 { 10 } else { 100_000 };
        google.fake.admin.set_shapes(Shapes {
            large_text: UnnamedText::HandedOut,
            large,
            ..Shapes::default()
        });
        let left = fetch(method, after, 429).await;
        let (ids, _) = left.unanswered.unwrap_or_else(|| panic!("{method}: {:?}", left.messages));
        assert_eq!((ids, left.messages.len()), (vec![id.clone()], 0), "{method}");
        // A refusal is final: what may be a picture counts as attached.
        let refused = fetch(method, after, 403).await;
        assert!(refused.messages[0].has_attachments && refused.failed.is_empty(), "{method}");
    }
    google.fake.admin.clear_faults();
}
