//! Listings: filters and orders that Exchange takes, pages by skip, what shows when.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use fake_microsoft::{Clock, Config, NewCode, NewMessage, Shapes};
use serde_json::json;

use super::client::{Client, EMAIL, code, read};

fn at(subject: &str, received: &str) -> NewMessage {
    NewMessage { received: Some(received.into()), ..NewMessage::of(subject) }
}

#[tokio::test]
async fn filters_and_orders_are_answered() {
    let client = Client::start().await;
    client.deliver(at("old", "2026-01-01T00:00:00Z"));
    client.deliver(NewMessage { is_read: true, ..at("middle", "2026-02-01T00:00:00Z") });
    client.deliver(NewMessage {
        from: Some("Boss <boss@example.com>".into()),
        ..at("new", "2026-03-01T00:00:00Z")
    });
    let table = [
        ("me/messages", vec!["new", "middle", "old"]),
        ("me/messages?$orderby=receivedDateTime", vec!["old", "middle", "new"]),
        (
            "me/messages?$filter=receivedDateTime gt 2026-01-01T00:00:00Z&$orderby=receivedDateTime",
            vec!["middle", "new"],
        ),
        (
            "me/messages?$filter=receivedDateTime ge 2026-01-01T00:00:00Z and receivedDateTime lt 2026-03-01T00:00:00Z and isRead eq false",
            vec!["old"],
        ),
        ("me/messages?$filter=from/emailAddress/address eq 'BOSS@example.com'", vec!["new"]),
        (
            "me/messages?$filter=startswith(subject,'mid') or subject eq 'old'",
            vec!["middle", "old"],
        ),
        ("me/messages?$filter=not(isRead eq true)&$top=1", vec!["new", "old"]),
        ("me/mailFolders/inbox/messages?$search=\"subject:new\"", vec!["new"]),
        ("me/mailFolders/Archive/messages", vec![]),
    ];
    for (path, expected) in table {
        assert_eq!(client.subjects(path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn what_exchange_does_not_take_is_refused() {
    let client = Client::start().await;
    let table = [
        ("me/messages?$filter=isRead eq false&$orderby=receivedDateTime", "InefficientFilter"),
        ("me/messages?$search=\"a\"&$orderby=receivedDateTime", "SearchWithOrderBy"),
        ("me/messages?$search=\"a\"&$filter=isRead eq false", "SearchWithFilter"),
        ("me/messages?$filter=nonsense eq 1", "BadRequest"),
        ("me/messages?$top=1001", "ErrorInvalidParameter"),
        ("me/messages/short", "ErrorInvalidIdMalformed"),
        ("me/messages/AAMkAGVmMDEzMTM4LTZmYWUtNDdk", "ErrorItemNotFound"),
        ("me/nonsense", "BadRequest"),
    ];
    for (path, expected) in table {
        let (status, answer) = client.get(path).await;
        assert_eq!((status >= 400, code(&answer)), (true, expected), "{path}: {answer}");
        assert!(answer["error"]["innerError"]["request-id"].is_string());
    }
    assert_eq!(client.microsoft.admin.violations(), ["GET /me/nonsense"]);
}

#[tokio::test]
async fn pages_by_skip_lose_what_moves_forward() {
    let client = Client::start().await;
    let ids: Vec<String> = (0..4).map(|n| client.mail(&n.to_string()).id).collect();
    let (_, first) = client.get("me/messages?$filter=isRead eq false&$top=2&$select=id").await;
    let link =
        first["@odata.nextLink"].as_str().unwrap().split_once("/v1.0/").unwrap().1.to_owned();
    let shown = first["value"][0]["id"].as_str().unwrap().to_owned();
    client.patch(&format!("me/messages/{shown}"), json!({ "isRead": true })).await;
    let (_, second) = client.get(&link).await;
    assert_eq!(second["value"].as_array().unwrap().len(), 1, "one of {ids:?} was skipped");
    assert!(second["@odata.nextLink"].is_null());
}

#[tokio::test]
async fn ids_are_of_the_preferred_kind() {
    let client = Client::start().await;
    let mail = client.mail("hello");
    let (_, preferred) = client.get("me/messages").await;
    assert_eq!(preferred["value"][0]["id"], json!(mail.id));
    let url = format!("{}/v1.0/me/messages", client.microsoft.url);
    let (_, plain) = read(client.http.get(url).bearer_auth(&client.access_token)).await;
    assert_eq!(plain["value"][0]["id"], json!(mail.changing_id));
    let calls = client.microsoft.admin.calls(Some(EMAIL));
    let kinds: Vec<bool> = calls
        .iter()
        .filter(|call| call.name == "messages.list")
        .map(|call| call.immutable_ids)
        .collect();
    assert_eq!(kinds, [true, false]);
}

#[tokio::test]
async fn a_page_has_the_wished_size_and_count() {
    let client = Client::start().await;
    client.microsoft.admin.deliver_many(EMAIL, &NewMessage::of("mail {n}"), 12).unwrap();
    let (_, page) = client.get("me/messages?$count=true").await;
    assert_eq!((page["value"].as_array().unwrap().len(), &page["@odata.count"]), (10, &json!(12)));
    let request =
        client.request(reqwest::Method::GET, "me/messages").header("Prefer", "odata.maxpagesize=3");
    let (_, page) = read(request).await;
    assert_eq!(page["value"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn ids_that_differ_in_case_are_two() {
    let client = Client::start().await;
    let id = "AAkALgAAAAAAHYQDEapmEc2byACqAC";
    let named = |id: String| NewMessage { id: Some(id.clone()), ..NewMessage::of(&id) };
    client.deliver(named(format!("{id}abc")));
    client.deliver(named(format!("{id}aBc")));
    let (_, one) = client.get(&format!("me/messages/{id}aBc")).await;
    assert_eq!(one["subject"], json!(format!("{id}aBc")));
    assert_eq!(client.get(&format!("me/messages/{id}ABC")).await.0, 404);
}

#[tokio::test]
async fn a_late_message_is_told_of_before_it_shows() {
    let client = Client::start().await;
    let mail = client.deliver(NewMessage { hidden: true, ..NewMessage::of("late") });
    assert_eq!(client.get(&format!("me/messages/{}", mail.id)).await.0, 404);
    assert!(client.subjects("me/messages").await.is_empty());
    client.microsoft.admin.show(EMAIL).unwrap();
    assert_eq!(client.subjects("me/messages").await, ["late"]);
}

#[tokio::test]
async fn the_servers_clock_dates_answers_and_changes() {
    let client = Client::start().await;
    client.microsoft.admin.shift_clock(-3_600_000);
    client.mail("early");
    let answer = client.request(reqwest::Method::GET, "me/messages").send().await.unwrap();
    let date = answer.headers()["date"].to_str().unwrap().to_owned();
    let page: serde_json::Value = answer.json().await.unwrap();
    let modified = page["value"][0]["lastModifiedDateTime"].as_str().unwrap();
    assert_eq!(modified.len(), "2026-11-30T12:00:00Z".len(), "whole seconds");
    assert!(date.contains(&modified[11..16]), "{date} and {modified}");
}

/// What the connector does: by time, and by skip only within one second.
#[tokio::test]
async fn a_mailbox_is_listed_by_key_while_it_changes() {
    let client = Client::start().await;
    let admin = client.microsoft.admin.clone();
    admin.deliver_many(EMAIL, &NewMessage::of("{n}"), 1500).unwrap();
    let late = Mutex::new(Some(NewMessage::of("while it is listed")));
    let inside = admin.clone();
    admin.before_calls(Some(Arc::new(move |name, _| {
        if name == "messages.list"
            && let Some(new) = late.lock().unwrap().take()
        {
            inside.shift_clock(60_000);
            inside.deliver(EMAIL, new).unwrap();
        }
    })));
    let (mut since, mut skip) = ("2020-01-01T00:00:00Z".to_owned(), 0);
    let mut met = BTreeSet::new();
    loop {
        let filter =
            format!("$filter=lastModifiedDateTime ge {since}&$orderby=lastModifiedDateTime");
        let path = format!(
            "me/messages?{filter}&$top=1000&$skip={skip}&$select=lastModifiedDateTime,changeKey"
        );
        let (status, page) = client.get(&path).await;
        assert_eq!(status, 200, "{page}");
        let shown = page["value"].as_array().unwrap();
        met.extend(shown.iter().map(|one| one["changeKey"].as_str().unwrap().to_owned()));
        if page["@odata.nextLink"].is_null() {
            break;
        }
        let last = shown[shown.len() - 1]["lastModifiedDateTime"].as_str().unwrap().to_owned();
        skip = if last == since { skip + shown.len() } else { 0 };
        since = last;
    }
    assert_eq!(met.len(), 1501);
}

#[tokio::test]
async fn keys_in_brackets_name_the_same() {
    let client = Client::start().await;
    let mail = client.mail("x");
    let (status, found) = client.get(&format!("me/messages('{}')", mail.id)).await;
    assert_eq!((status, &found["subject"]), (200, &json!("x")));
}

#[tokio::test]
async fn fractions_count_or_not_though_none_is_shown() {
    let clock: Clock = Arc::new(|| {
        time::OffsetDateTime::from_unix_timestamp_nanos(1_800_000_000_500_000_000).unwrap()
    });
    let config = Config { clock: Some(clock), ..Config::default() };
    let client = Client::with(config, NewCode::of(EMAIL)).await;
    let found = async |operator: &str| {
        let second = "2027-01-15T08:00:00Z";
        client
            .subjects(&format!("me/messages?$filter=lastModifiedDateTime {operator} {second}"))
            .await
            .len()
    };
    client.mail("x");
    assert_eq!((found("ge").await, found("gt").await, found("eq").await), (1, 0, 1));
    client.microsoft.admin.set_shapes(Shapes { hidden_fractions: true, ..Shapes::default() });
    client.mail("y");
    assert_eq!((found("ge").await, found("gt").await, found("eq").await), (2, 1, 1));
}
