//! The list of changes by time, and messages by id.

use std::collections::BTreeSet;

use email_connectors::domain::changes::{Change, Record};
use email_connectors::domain::id::MessageId;
use email_connectors::domain::mark::{Mark, RecordKey};
use email_connectors::domain::message::ProviderMessage;
use email_connectors::ports::{EmailProvider, Grant};
use fake_microsoft::{MarkChange, Move, NewMessage};

use super::{ADA, Microsoft};

/// A whole listing.
struct Listing {
    records: Vec<Record>,
    contents: Vec<ProviderMessage>,
    mark: Option<Mark>,
    pages: usize,
}

impl Listing {
    fn received(&self) -> Vec<&MessageId> {
        let of = |change: &'_ Change| match change {
            Change::Added { .. } => true,
            Change::Labelled { .. } => false,
        };
        let changes = self.records.iter().flat_map(|record| &record.changes);
        changes
            .filter(|change| of(change))
            .map(|change| match change {
                Change::Added { message, .. } | Change::Labelled { message, .. } => message,
            })
            .collect()
    }

    fn keys(&self) -> BTreeSet<RecordKey> {
        self.records.iter().map(|record| record.key).collect()
    }
}

async fn list(microsoft: &Microsoft, grant: &Grant, after: Mark) -> Listing {
    let mut listing = Listing { records: vec![], contents: vec![], mark: None, pages: 0 };
    let mut token: Option<String> = None;
    loop {
        let page =
            microsoft.outlook.changes(&grant.access_token, after, token.as_deref()).await.unwrap();
        listing.records.extend(page.records);
        listing.contents.extend(page.contents);
        listing.mark = listing.mark.max(page.mark);
        listing.pages += 1;
        token = page.next_page_token;
        if token.is_none() {
            return listing;
        }
    }
}

#[tokio::test]
async fn what_arrived_is_listed_whole_and_no_message_is_read_by_itself() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let start = microsoft.outlook.profile(&grant.access_token).await.unwrap().mark;
    let arrived = microsoft.deliver(NewMessage {
        text: Some("Total: 7 EUR".into()),
        categories: vec!["Red category".into()],
        headers: [("Auto-Submitted".to_string(), "auto-generated".to_string())].into(),
        ..NewMessage::of("Invoice")
    });
    for folder in ["junkemail", "deleteditems", "sentitems"] {
        microsoft.deliver(NewMessage { folder: Some(folder.into()), ..NewMessage::of(folder) });
    }
    let listing = list(&microsoft, &grant, start).await;
    assert_eq!(listing.records.len(), 4);
    assert_eq!(listing.received(), [&MessageId::new(arrived.id.as_str())]);
    assert_eq!(listing.mark, listing.records.iter().map(|record| record.key.mark).max());
    let message =
        listing.contents.iter().find(|one| one.id.as_str() == arrived.id).unwrap().clone();
    assert_ne!(message.identity().as_str(), arrived.id);
    let message = message.normalize();
    assert_eq!(message.subject.as_deref(), Some("Invoice"));
    assert_eq!(message.from.unwrap().address, "bo@fabrikam.example");
    assert_eq!(message.snippet, "Total: 7 EUR");
    assert_eq!(message.label_ids, ["INBOX", "UNREAD", "category:Red category"]);
    assert!(message.automatic.is_some());
    assert_eq!(microsoft.calls("messages.get"), 0);
    microsoft.end();
}

#[tokio::test]
async fn a_change_has_another_key_and_a_move_the_same_identity() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let start = microsoft.outlook.profile(&grant.access_token).await.unwrap().mark;
    let arrived = microsoft
        .deliver(NewMessage { folder: Some("junkemail".into()), ..NewMessage::of("Rescued") });
    let before = list(&microsoft, &grant, start).await;
    assert_eq!(before.received(), Vec::<&MessageId>::new());
    let to = Move { folder: "inbox".into(), ..Move::default() };
    let dragged = microsoft.fake.admin.drag_message(ADA, &arrived.id, &to).unwrap();
    let after = list(&microsoft, &grant, start).await;
    assert_eq!(after.received(), [&MessageId::new(dragged.id.as_str())]);
    assert_ne!(before.keys(), after.keys());
    let identity = |listing: &Listing| listing.contents[0].identity();
    assert_eq!(identity(&before), identity(&after));
    let marked = MarkChange { is_read: Some(true), ..MarkChange::default() };
    microsoft.fake.admin.mark_message(ADA, &dragged.id, &marked).unwrap();
    let read = list(&microsoft, &grant, start).await;
    assert_ne!(read.keys(), after.keys());
    assert_eq!(identity(&read), identity(&after));
    microsoft.end();
}

#[tokio::test]
async fn many_messages_of_one_second_are_listed_until_two_passes_agree() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let start = microsoft.outlook.profile(&grant.access_token).await.unwrap().mark;
    let many = NewMessage { text: Some("x".into()), ..NewMessage::of("Import {n}") };
    microsoft.fake.admin.deliver_many(ADA, &many, 250).unwrap();
    let listing = list(&microsoft, &grant, start).await;
    let ids: BTreeSet<&MessageId> = listing.received().into_iter().collect();
    assert_eq!(ids.len(), 250);
    assert!(listing.pages >= 3, "{} pages", listing.pages);
    microsoft.end();
}

#[tokio::test]
async fn messages_are_fetched_in_batches_of_twenty() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let delivered: Vec<MessageId> = (0..30)
        .map(|at| MessageId::new(microsoft.deliver(NewMessage::of(&at.to_string())).id))
        .collect();
    let ids: Vec<MessageId> = delivered.iter().cloned().chain([MessageId::new("gone")]).collect();
    let fetched = microsoft.outlook.messages(&grant.access_token, &ids, false).await.unwrap();
    assert_eq!((fetched.messages.len(), fetched.failed.len()), (30, 0));
    assert!(fetched.unanswered.is_none());
    // Two for the messages, one for the folders.
    assert_eq!(microsoft.calls("batch"), 3);
    microsoft.end();
}

#[tokio::test]
async fn a_folder_below_the_deleted_ones_is_looked_up() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let start = microsoft.outlook.profile(&grant.access_token).await.unwrap().mark;
    let admin = &microsoft.fake.admin;
    admin.create_folder(ADA, "old", Some("deleteditems")).unwrap();
    admin.create_folder(ADA, "project", None).unwrap();
    for folder in ["old", "project"] {
        microsoft.deliver(NewMessage { folder: Some(folder.into()), ..NewMessage::of(folder) });
    }
    let listing = list(&microsoft, &grant, start).await;
    let shown = |at: &str| {
        let mut contents = listing.contents.iter().cloned().map(ProviderMessage::normalize);
        contents.find(|message| message.subject.as_deref() == Some(at)).unwrap().label_ids
    };
    assert!(shown("old").contains(&"TRASH".to_string()), "{:?}", shown("old"));
    assert!(shown("project")[0].starts_with("folder:"));
    assert_eq!(listing.received().len(), 1);
    microsoft.end();
}
