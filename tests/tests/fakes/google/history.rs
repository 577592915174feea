//! History: its pages, its expiry, and records that show late.

use fake_google::{NewCode, NewMailbox, NewMessage};
use serde_json::Value;

use super::client::{Client, EMAIL, reason};

fn record_ids(answer: &Value) -> Vec<u64> {
    let records = answer["history"].as_array().into_iter().flatten();
    records.map(|record| record["id"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn pages_hold_every_later_record_once_in_order() {
    let mut client = Client::start().await;
    let huge = u64::MAX - 10_000;
    let admin = &client.google.admin;
    let new = NewMailbox {
        email: "big@example.com".into(),
        history_id: Some(huge),
        ..Default::default()
    };
    admin.create_mailbox(new).unwrap();
    let sent: Vec<u64> = (0..7)
        .map(|_| admin.deliver("big@example.com", NewMessage::default()).unwrap().history_id)
        .collect();
    let code = admin.create_code(NewCode::of("big@example.com")).unwrap();
    let (_, tokens) = client.exchange(&code, &[]).await;
    client.access_token = tokens["access_token"].as_str().unwrap().into();

    let listing = format!("history?startHistoryId={}&maxResults=2", sent[0]);
    let (_, mut page) = client.get(&listing).await;
    let mut listed = record_ids(&page);
    while let Some(token) = page["nextPageToken"].as_str() {
        page = client.get(&format!("{listing}&pageToken={token}")).await.1;
        assert_eq!(page["historyId"], sent[6].to_string());
        listed.extend(record_ids(&page));
    }
    assert_eq!(listed, sent[1..], "the start itself is not listed again");
    let (_, nothing) = client.get(&format!("history?startHistoryId={}", sent[6])).await;
    assert_eq!(nothing, serde_json::json!({ "historyId": sent[6].to_string() }));
}

#[tokio::test]
async fn expired_history_is_not_found_and_its_page_tokens_die() {
    let client = Client::start().await;
    for subject in ["one", "two", "three"] {
        client.mail(subject);
    }
    let (_, page) = client.get("history?startHistoryId=1003&maxResults=1").await;
    let token = page["nextPageToken"].as_str().unwrap();
    client.google.admin.expire_history(EMAIL, Some(1003)).unwrap();
    let (status, answer) =
        client.get(&format!("history?startHistoryId=1003&maxResults=1&pageToken={token}")).await;
    assert_eq!((status, reason(&answer)), (400, "invalidArgument"));
    assert_eq!(client.get("history?startHistoryId=1003").await.0, 200, "the start has not expired");
    client.google.admin.expire_history(EMAIL, None).unwrap();
    let (status, answer) = client.get("history?startHistoryId=1003").await;
    assert_eq!((status, reason(&answer)), (404, "notFound"));
    let (_, profile) = client.get("profile").await;
    let now = profile["historyId"].as_str().unwrap();
    assert_eq!(client.get(&format!("history?startHistoryId={now}")).await.0, 200);
}

#[tokio::test]
async fn a_record_keeps_its_id_when_only_some_fields_are_asked_for() {
    let client = Client::start().await;
    let id = client.mail("one");
    let fields = "history(id,messagesAdded(message(id,labelIds)),labelsAdded(labelIds,message(id))),historyId,nextPageToken";
    let (_, page) = client.get(&format!("history?startHistoryId=1000&fields={fields}")).await;
    let added = serde_json::json!([{ "message": { "id": id, "labelIds": ["INBOX", "UNREAD"] } }]);
    assert_eq!(
        page,
        serde_json::json!({ "history": [{ "id": "1003", "messagesAdded": added }], "historyId": "1003" })
    );
}

#[tokio::test]
async fn a_lost_page_token_is_refused_and_the_listing_can_begin_again() {
    let client = Client::start().await;
    client.google.admin.deliver_many(EMAIL, &NewMessage::default(), 3).unwrap();
    for listing in ["history?startHistoryId=1000&maxResults=1", "messages?maxResults=1"] {
        let (_, page) = client.get(listing).await;
        let next = format!("{listing}&pageToken={}", page["nextPageToken"].as_str().unwrap());
        assert_eq!(client.get(&next).await.0, 200, "{listing}");
        client.google.admin.lose_page_tokens(EMAIL).unwrap();
        let (status, answer) = client.get(&next).await;
        assert_eq!((status, reason(&answer)), (400, "invalidArgument"), "{listing}");
        let (status, page) = client.get(listing).await;
        let again = format!("{listing}&pageToken={}", page["nextPageToken"].as_str().unwrap());
        assert_eq!((status, client.get(&again).await.0), (200, 200), "{listing}");
    }
}

#[tokio::test]
async fn records_can_be_asked_for_by_type_and_label() {
    let client = Client::start().await;
    let id = client.mail("one");
    client
        .post(&format!("messages/{id}/modify"), serde_json::json!({ "addLabelIds": ["STARRED"] }))
        .await;
    let spam =
        client.deliver(NewMessage { label_ids: Some(vec!["SPAM".into()]), ..Default::default() });
    let check = async |query: &str, expected: &[(&str, &str)]| {
        let (_, answer) = client.get(&format!("history?startHistoryId=1000{query}")).await;
        let records = answer["history"].as_array().cloned().unwrap_or_default();
        let found: Vec<(&str, &str)> = records
            .iter()
            .flat_map(|record| record.as_object().unwrap())
            .filter(|(field, _)| *field != "id" && *field != "messages")
            .map(|(field, changes)| (field.as_str(), changes[0]["message"]["id"].as_str().unwrap()))
            .collect();
        assert_eq!(found, expected, "{query}");
    };
    check("", &[("messagesAdded", &id), ("labelsAdded", &id), ("messagesAdded", &spam)]).await;
    check("&historyTypes=labelAdded", &[("labelsAdded", &id)]).await;
    check(
        "&historyTypes=messageAdded&historyTypes=labelAdded&labelId=STARRED",
        &[("labelsAdded", &id)],
    )
    .await;
    check("&historyTypes=messageDeleted", &[]).await;
}

#[tokio::test]
async fn held_history_and_hidden_messages_show_late() {
    let client = Client::start().await;
    let admin = &client.google.admin;
    let hidden = client.deliver(NewMessage { hidden: true, ..Default::default() });
    let shown = client.mail("shown");
    admin.hold_history(EMAIL).unwrap();
    client.mail("held");
    let (_, early) = client.get("history?startHistoryId=1000").await;
    assert_eq!(record_ids(&early), [1003, 1020]);
    assert_eq!(early["historyId"], "1020");
    assert_eq!(client.get(&format!("messages/{hidden}")).await.0, 404);
    assert_eq!(client.get(&format!("messages/{shown}")).await.0, 200);
    admin.reveal(EMAIL).unwrap();
    let (_, late) = client.get("history?startHistoryId=1000").await;
    assert_eq!(record_ids(&late), [1003, 1020, 1025]);
    assert_eq!(client.get(&format!("messages/{hidden}")).await.0, 200);
}
