//! Refusals for rate, outages, and answers that are too large or nonsense.

use email_connectors::domain::id::MessageId;
use email_connectors::domain::operation::request::{Format, MailRequest};
use email_connectors::ports::{EmailProvider, ProviderError};
use fake_microsoft::{Fault, Limits, NewMessage, RetryAfter};

use super::Microsoft;

#[tokio::test]
async fn what_is_refused_for_its_rate_or_breaks_off_is_asked_for_again() {
    for (status, retry_after) in
        [(429, Some("1")), (429, None), (429, Some("soon")), (503, None), (504, None)]
    {
        let microsoft = Microsoft::start().await;
        let grant = microsoft.grant().await;
        microsoft.fake.admin.add_fault(Fault {
            name: "me".into(),
            status,
            retry_after: retry_after.map(String::from),
            ..Fault::default()
        });
        let profile = microsoft.outlook.profile(&grant.access_token).await;
        assert!(profile.is_ok(), "{status} {retry_after:?}: {:?}", profile.err());
        assert_eq!(microsoft.calls("me"), 2, "{status} {retry_after:?}");
    }
}

#[tokio::test]
async fn a_long_wait_is_left_to_the_caller() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    microsoft.fake.admin.add_fault(Fault {
        name: "me".into(),
        status: 429,
        retry_after: Some("60".into()),
        ..Fault::default()
    });
    let refused = microsoft.outlook.profile(&grant.access_token).await.unwrap_err();
    let wait = std::time::Duration::from_secs(60);
    assert!(
        matches!(&refused, ProviderError::Unavailable { retry_after, .. } if *retry_after == Some(wait)),
        "{refused}"
    );
    assert_eq!(microsoft.calls("me"), 1);
}

#[tokio::test]
async fn a_part_of_a_batch_that_is_refused_is_asked_for_again_alone() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let ids: Vec<MessageId> = (0..5)
        .map(|at| MessageId::new(microsoft.deliver(NewMessage::of(&at.to_string())).id))
        .collect();
    microsoft.fake.admin.add_fault(Fault {
        name: "messages.get".into(),
        status: 429,
        times: 2,
        only_in_batch: true,
        ..Fault::default()
    });
    let fetched = microsoft.outlook.messages(&grant.access_token, &ids, false).await.unwrap();
    assert_eq!(fetched.messages.len(), 5);
    assert_eq!(microsoft.calls("messages.get"), 7);
    microsoft.end();
}

#[tokio::test]
async fn no_more_than_four_calls_are_on_their_way_at_once() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    microsoft
        .fake
        .admin
        .set_limits(Limits { retry_after: RetryAfter::Missing, ..Limits::default() });
    let ids: Vec<MessageId> = (0..12)
        .map(|at| MessageId::new(microsoft.deliver(NewMessage::of(&at.to_string())).id))
        .collect();
    let fetch = ids
        .iter()
        .map(|id| microsoft.perform(&grant, MailRequest::GetMessage(id.clone(), Format::Full)));
    let read = futures_util::future::join_all(fetch).await;
    assert!(read.iter().all(Result::is_ok), "{read:?}");
    let throttled =
        microsoft.fake.admin.calls(None).iter().filter(|call| call.status == 429).count();
    assert_eq!(throttled, 0);
    microsoft.end();
}

#[tokio::test]
async fn endless_and_hostile_answers_end() {
    for body in
        ["", "<html>", "[]", "{\"value\":7}", "{\"value\":[{\"id\":7}]}", "{\"value\":[{}]}"]
    {
        let microsoft = Microsoft::start().await;
        let grant = microsoft.grant().await;
        let start = microsoft.outlook.profile(&grant.access_token).await.unwrap().mark;
        microsoft.fake.admin.add_fault(Fault {
            name: "messages.list".into(),
            times: 0,
            body: Some(body.into()),
            ..Fault::default()
        });
        let refused =
            microsoft.outlook.changes(&grant.access_token, start, None).await.unwrap_err();
        assert!(matches!(refused, ProviderError::Unavailable { .. }), "{body}: {refused}");
    }
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let start = microsoft.outlook.profile(&grant.access_token).await.unwrap().mark;
    let lost = microsoft.outlook.changes(&grant.access_token, start, Some("x")).await.unwrap_err();
    assert!(matches!(lost, ProviderError::PageLost), "{lost}");
    microsoft.fake.admin.add_fault(Fault {
        name: "messages.list".into(),
        times: 0,
        endless: true,
        ..Fault::default()
    });
    let large = microsoft.outlook.changes(&grant.access_token, start, None).await.unwrap_err();
    assert!(matches!(large, ProviderError::TooLarge { .. }), "{large}");
}

#[tokio::test]
async fn a_sending_without_an_answer_is_not_repeated() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    microsoft.fake.admin.add_fault(Fault {
        name: "messages.send".into(),
        status: 500,
        applied: true,
        ..Fault::default()
    });
    let sent = microsoft.perform(&grant, super::operations::mail("Once")).await.unwrap_err();
    assert!(matches!(sent, ProviderError::OutcomeUnknown(_)), "{sent}");
    assert_eq!(microsoft.calls("messages.send"), 1);
}
