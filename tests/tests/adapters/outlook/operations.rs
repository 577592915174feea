//! Operations of an owner, in the shape that all providers share.

use email_connectors::domain::id::MessageId;
use email_connectors::domain::message::Message;
use email_connectors::domain::operation::answer::{MailAnswer, MessageView};
use email_connectors::domain::operation::request::{
    Conversation, Format, LabelChange, LabelSpec, Listing, MailRequest,
};
use email_connectors::domain::outgoing::Outgoing;
use email_connectors::ports::{Grant, ProviderError};
use fake_microsoft::{NewAttachment, NewMessage};
use serde_json::json;

use super::{ADA, Microsoft};

pub fn mail(subject: &str) -> MailRequest {
    let mail = json!({"to": ["cy@fabrikam.example"], "subject": subject, "text": "Hello"});
    MailRequest::Send(Box::new(Outgoing { complete: true, ..Outgoing::parse(mail).unwrap() }))
}

fn listing(query: Option<&str>, label_ids: &[&str], page_size: u32) -> Listing {
    Listing {
        query: query.map(String::from),
        label_ids: label_ids.iter().map(|id| id.to_string()).collect(),
        include_spam_trash: false,
        page_size,
        page_token: None,
    }
}

fn change(add: &[&str], remove: &[&str]) -> LabelChange {
    let list = |ids: &[&str]| ids.iter().map(|id| id.to_string()).collect();
    LabelChange { add_label_ids: list(add), remove_label_ids: list(remove) }
}

fn whole(view: MessageView) -> Message {
    match view {
        MessageView::Whole(message) => *message,
        other => panic!("{other:?}"),
    }
}

async fn read(microsoft: &Microsoft, grant: &Grant, id: &str) -> Message {
    let request = MailRequest::GetMessage(MessageId::new(id), Format::Full);
    match microsoft.perform(grant, request).await.unwrap() {
        MailAnswer::Message(view) => whole(*view),
        other => panic!("{other:?}"),
    }
}

async fn placed(microsoft: &Microsoft, grant: &Grant, request: MailRequest) -> Vec<String> {
    match microsoft.perform(grant, request).await.unwrap() {
        MailAnswer::Placed(placed) => placed.label_ids,
        other => panic!("{other:?}"),
    }
}

async fn subjects(
    microsoft: &Microsoft,
    grant: &Grant,
    listing: Listing,
) -> (Vec<String>, Option<String>) {
    let request = MailRequest::ListMessages(listing, Some(Format::Metadata));
    match microsoft.perform(grant, request).await.unwrap() {
        MailAnswer::Messages(list) => {
            assert_eq!(list.failed_ids, vec![]);
            let subject = |view| whole(view).subject.unwrap_or_default();
            (list.messages.into_iter().map(subject).collect(), list.next_page_token)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_is_read_with_its_body_and_its_attachments() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let attachment = NewAttachment {
        filename: "may.txt".into(),
        mime_type: Some("text/plain".into()),
        content: Some("VG90YWw=".into()),
        ..NewAttachment::default()
    };
    let delivered = microsoft.deliver(NewMessage {
        text: Some("Hello".into()),
        attachments: vec![attachment],
        ..NewMessage::of("Invoice")
    });
    let message = read(&microsoft, &grant, &delivered.id).await;
    assert_eq!(message.body.unwrap().text.unwrap().trim(), "Hello");
    let attachments = message.attachments.unwrap();
    assert_eq!(attachments[0].filename, "may.txt");
    let id = || MessageId::new(delivered.id.as_str());
    let part = attachments[0].part_id.clone();
    match microsoft.perform(&grant, MailRequest::GetAttachment(id(), part, None)).await.unwrap() {
        MailAnswer::Bytes(bytes) => assert_eq!(bytes.bytes.unwrap(), b"Total"),
        other => panic!("{other:?}"),
    }
    let raw = microsoft.perform(&grant, MailRequest::GetMessage(id(), Format::Raw)).await.unwrap();
    let MailAnswer::Message(view) = raw else { panic!() };
    let MessageView::Minimal(minimal) = *view else { panic!() };
    assert!(String::from_utf8_lossy(&minimal.bytes().unwrap()).contains("Subject: Invoice"));
    for missing in ["gone", "AAMk-_gone="] {
        let request = MailRequest::GetMessage(MessageId::new(missing), Format::Metadata);
        let refused = microsoft.perform(&grant, request).await.unwrap_err();
        assert!(matches!(refused, ProviderError::Refused { status: 404, .. }), "{refused}");
    }
    microsoft.end();
}

#[tokio::test]
async fn messages_are_listed_by_folder_flag_and_word_page_by_page() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    for (subject, day) in [("one", 1), ("two", 2), ("three", 3)] {
        microsoft.deliver(NewMessage {
            received: Some(format!("2026-05-0{day}T10:00:00Z")),
            is_read: day == 2,
            ..NewMessage::of(subject)
        });
    }
    let junk = NewMessage { folder: Some("junkemail".into()), ..NewMessage::of("junk") };
    microsoft.deliver(junk);
    let list = |listing| subjects(&microsoft, &grant, listing);
    assert_eq!(list(listing(None, &[], 10)).await.0, ["three", "two", "one"]);
    assert_eq!(list(listing(None, &["SPAM"], 10)).await.0, ["junk"]);
    assert_eq!(list(listing(Some("is:unread in:inbox"), &[], 10)).await.0, ["three", "one"]);
    assert_eq!(list(listing(Some("after:2026-05-02 before:2026-05-03"), &[], 10)).await.0, ["two"]);
    assert_eq!(list(listing(Some("subject:two"), &[], 10)).await.0, ["two"]);
    let (first, token) = list(listing(None, &["INBOX"], 2)).await;
    assert_eq!(first, ["three", "two"]);
    let rest = Listing { page_token: token, ..listing(None, &["INBOX"], 2) };
    assert_eq!(list(rest).await, (vec!["one".to_string()], None));
    let refused = MailRequest::ListMessages(listing(Some("two is:unread"), &[], 10), None);
    let refused = microsoft.perform(&grant, refused).await.unwrap_err();
    assert!(matches!(refused, ProviderError::Invalid(_)), "{refused}");
    microsoft.end();
}

#[tokio::test]
async fn a_message_is_marked_moved_thrown_away_and_taken_back() {
    use Conversation::Message;
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let id = microsoft.deliver(NewMessage::of("Hello")).id;
    let modify = |add: &[&str], remove: &[&str]| {
        placed(&microsoft, &grant, MailRequest::Modify(Message, id.clone(), change(add, remove)))
    };
    assert_eq!(
        modify(&["STARRED", "category:Red"], &["UNREAD"]).await,
        ["INBOX", "STARRED", "category:Red"]
    );
    let archived = modify(&["IMPORTANT"], &["INBOX", "STARRED", "category:red"]).await;
    assert!(archived[0].starts_with("folder:"), "{archived:?}");
    assert_eq!(archived[1..], ["IMPORTANT"]);
    assert_eq!(modify(&["INBOX"], &["IMPORTANT"]).await, ["INBOX"]);
    let trash = MailRequest::Trash(Message, id.clone());
    assert_eq!(placed(&microsoft, &grant, trash).await, ["TRASH"]);
    let untrash = MailRequest::Untrash(Message, id.clone());
    assert_eq!(placed(&microsoft, &grant, untrash.clone()).await, ["INBOX"]);
    assert_eq!(placed(&microsoft, &grant, untrash).await, ["INBOX"]);
    let done = microsoft.perform(&grant, MailRequest::Delete(Message, id.clone())).await.unwrap();
    assert_eq!(done, MailAnswer::Done);
    let gone = microsoft.perform(&grant, MailRequest::Trash(Message, id)).await.unwrap_err();
    assert!(matches!(gone, ProviderError::Refused { status: 404, .. }), "{gone}");
    microsoft.end();
}

#[tokio::test]
async fn many_messages_are_changed_at_once_and_what_is_not_there_is_passed_over() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let mut ids: Vec<String> =
        (0..25).map(|at| microsoft.deliver(NewMessage::of(&at.to_string())).id).collect();
    ids.push("gone".into());
    let request =
        MailRequest::BatchModify(ids.clone(), change(&["category:Blue"], &["INBOX", "UNREAD"]));
    assert_eq!(microsoft.perform(&grant, request).await.unwrap(), MailAnswer::Done);
    let view = microsoft.fake.admin.mailbox(ADA).unwrap();
    assert!(view.messages.iter().all(|one| one.is_read && one.categories == ["Blue"]));
    assert_eq!(
        microsoft.perform(&grant, MailRequest::BatchTrash(ids.clone())).await.unwrap(),
        MailAnswer::Done
    );
    assert_eq!(
        microsoft.perform(&grant, MailRequest::BatchDelete(ids)).await.unwrap(),
        MailAnswer::Done
    );
    assert!(microsoft.fake.admin.mailbox(ADA).unwrap().messages.is_empty());
    microsoft.end();
}

#[tokio::test]
async fn a_mail_is_drafted_changed_and_sent() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let MailRequest::Send(outgoing) = mail("Draft") else { panic!() };
    let draft = |answer| match answer {
        MailAnswer::Draft(draft) => draft.id,
        other => panic!("{other:?}"),
    };
    let first =
        draft(microsoft.perform(&grant, MailRequest::CreateDraft(outgoing.clone())).await.unwrap());
    let changed = Outgoing { subject: Some("Changed".into()), ..*outgoing };
    let update = MailRequest::UpdateDraft(first.clone(), Box::new(changed));
    let second = draft(microsoft.perform(&grant, update).await.unwrap());
    assert_eq!(read(&microsoft, &grant, &second).await.subject.as_deref(), Some("Changed"));
    let drafts = microsoft.perform(&grant, MailRequest::ListDrafts(listing(None, &[], 10))).await;
    let MailAnswer::Drafts(drafts) = drafts.unwrap() else { panic!() };
    let ids: Vec<&str> = drafts.drafts.iter().map(|draft| draft.id.as_str()).collect();
    assert_eq!(ids, [second.as_str()], "the first one is gone");
    let sent = placed(&microsoft, &grant, MailRequest::SendDraft(second.clone())).await;
    assert_eq!(sent, ["SENT"]);
    let sent = read(&microsoft, &grant, &second).await;
    assert!(sent.label_ids.contains(&"SENT".to_string()), "{:?}", sent.label_ids);
    let again = microsoft.perform(&grant, MailRequest::SendDraft(second)).await.unwrap_err();
    assert!(matches!(again, ProviderError::Refused { status: 404, .. }), "{again}");
    microsoft.end();
}

#[tokio::test]
async fn a_sent_mail_has_an_id_where_drafts_are_allowed() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let sent = microsoft.perform(&grant, mail("Hello")).await.unwrap();
    let MailAnswer::Placed(sent) = sent else { panic!("{sent:?}") };
    let message = read(&microsoft, &grant, sent.id.as_str()).await;
    assert_eq!(message.to[0].address, "cy@fabrikam.example");
    let grant = microsoft.grant_of("openid offline_access Mail.Send").await;
    let shapes = fake_microsoft::Shapes { scopes_do_not_add_up: true, ..Default::default() };
    microsoft.fake.admin.set_shapes(shapes);
    let least = microsoft.grant_of("openid offline_access Mail.Send").await;
    drop(grant);
    assert_eq!(microsoft.perform(&least, mail("Unnamed")).await.unwrap(), MailAnswer::Done);
    assert_eq!(microsoft.calls("sendMail"), 1);
}

#[tokio::test]
async fn a_large_mail_goes_out_with_its_files_one_by_one() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let MailRequest::Send(mut outgoing) = mail("Large") else { panic!() };
    let file = |name: &str, size: usize| {
        serde_json::from_value(
            json!({"filename": name, "mime_type": "application/pdf", "content": ""}),
        )
        .map(|file: email_connectors::domain::outgoing::attachment::OutgoingAttachment| {
            email_connectors::domain::outgoing::attachment::OutgoingAttachment {
                content: Some(vec![7; size]),
                ..file
            }
        })
        .unwrap()
    };
    outgoing.attachments = vec![file("small.pdf", 1000), file("large.pdf", 7_000_000)];
    let sent = microsoft.perform(&grant, MailRequest::Send(outgoing)).await.unwrap();
    let MailAnswer::Placed(sent) = sent else { panic!("{sent:?}") };
    let message = read(&microsoft, &grant, sent.id.as_str()).await;
    let mut sizes: Vec<(String, Option<u64>)> =
        message.attachments.unwrap().into_iter().map(|one| (one.filename, one.size)).collect();
    sizes.sort();
    assert_eq!(sizes, [("large.pdf".into(), Some(7_000_000)), ("small.pdf".into(), Some(1000))]);
    microsoft.end();
}

#[tokio::test]
async fn folders_and_categories_are_labels() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let perform = |request| microsoft.perform(&grant, request);
    let named = |name: &str| LabelSpec { name: Some(name.into()), ..LabelSpec::default() };
    let label = |answer| match answer {
        MailAnswer::Label(label) => label,
        other => panic!("{other:?}"),
    };
    let made = label(perform(MailRequest::CreateLabel(named("Invoices"))).await.unwrap());
    let below = label(perform(MailRequest::CreateLabel(named("Invoices/2026"))).await.unwrap());
    let all = perform(MailRequest::ListLabels(listing(None, &[], 100))).await.unwrap();
    let MailAnswer::Labels(all) = all else { panic!() };
    let names: Vec<(&str, &str)> =
        all.labels.iter().map(|label| (label.id.as_str(), label.name.as_str())).collect();
    for expected in
        [("UNREAD", "UNREAD"), (made.id.as_str(), "Invoices"), (below.id.as_str(), "Invoices/2026")]
    {
        assert!(names.contains(&expected), "{expected:?} in {names:?}");
    }
    assert!(names.iter().any(|(id, _)| *id == "INBOX"), "{names:?}");
    let renamed = MailRequest::UpdateLabel(below.id.clone(), named("2027"));
    assert_eq!(label(perform(renamed).await.unwrap()).name, "2027");
    let full = perform(MailRequest::DeleteLabel(made.id.clone())).await.unwrap_err();
    assert!(matches!(full, ProviderError::Invalid(_)), "{full}");
    assert_eq!(perform(MailRequest::DeleteLabel(below.id)).await.unwrap(), MailAnswer::Done);
    assert_eq!(perform(MailRequest::DeleteLabel(made.id)).await.unwrap(), MailAnswer::Done);
    microsoft.deliver(NewMessage::of("Hello"));
    let inbox = label(perform(MailRequest::GetLabel("INBOX".into())).await.unwrap());
    assert_eq!((inbox.messages_total, inbox.messages_unread), (Some(1), Some(1)));
    let own = perform(MailRequest::DeleteLabel("INBOX".into())).await.unwrap_err();
    assert!(matches!(own, ProviderError::Invalid(_)), "{own}");
    microsoft.end();
}

#[tokio::test]
async fn a_conversation_is_a_thread() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let first = microsoft.deliver(NewMessage::of("Hello"));
    let answer = [("In-Reply-To".to_string(), first.internet_message_id.clone().unwrap())];
    microsoft.deliver(NewMessage { headers: answer.into(), ..NewMessage::of("RE: Hello") });
    let thread = read(&microsoft, &grant, &first.id).await.thread_id;
    let threads = microsoft.perform(&grant, MailRequest::ListThreads(listing(None, &[], 10))).await;
    let MailAnswer::Threads(threads) = threads.unwrap() else { panic!() };
    assert!(threads.threads.iter().any(|one| one.id == thread));
    let request = MailRequest::GetThread(thread.clone(), Format::Metadata);
    let MailAnswer::Thread(read) = microsoft.perform(&grant, request).await.unwrap() else {
        panic!()
    };
    assert_eq!(read.messages.len(), 2);
    let trash = MailRequest::Trash(Conversation::Thread, thread.clone());
    assert_eq!(microsoft.perform(&grant, trash).await.unwrap(), MailAnswer::Done);
    let view = microsoft.fake.admin.mailbox(ADA).unwrap();
    let trashed = view.messages.iter().all(|one| one.folder == view.messages[0].folder);
    assert!(trashed);
    let request = MailRequest::GetThread("none".into(), Format::Metadata);
    let missing = microsoft.perform(&grant, request).await.unwrap_err();
    assert!(matches!(missing, ProviderError::Refused { status: 404, .. }), "{missing}");
    microsoft.end();
}

#[tokio::test]
async fn an_answer_joins_its_thread_by_its_headers() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let first = microsoft.deliver(NewMessage::of("Hello"));
    let message_id = first.internet_message_id.clone().unwrap();
    let answer = json!({
        "to": ["bo@fabrikam.example"], "subject": "Re: Hello", "text": "Yes",
        "in_reply_to": message_id, "references": message_id,
    });
    let answer = Outgoing { complete: true, ..Outgoing::parse(answer).unwrap() };
    let sent = microsoft.perform(&grant, MailRequest::Send(Box::new(answer))).await.unwrap();
    let MailAnswer::Placed(sent) = sent else { panic!("{sent:?}") };
    let message = read(&microsoft, &grant, sent.id.as_str()).await;
    assert_eq!(message.headers.in_reply_to.as_deref(), Some(message_id.as_str()));
    assert_eq!(message.thread_id, read(&microsoft, &grant, &first.id).await.thread_id);
    assert_eq!(message.authentication, None);
    microsoft.end();
}
