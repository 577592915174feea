//! Hostile answers of Gmail: redirects, endless and inflating bodies, repeated or foreign messages.

use std::time::{Duration, Instant};

use email_connectors::domain::id::MessageId;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::message::ProviderMessage;
use email_connectors::domain::secret::AccessToken;
use email_connectors::ports::{AuthorizationCode, EmailProvider};
use fake_google::{Config, FakeGoogle};
use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::User;

use crate::security::case::Case;
use crate::security::granting::ids;
use crate::security::pushing::resident_kb;
use crate::security::target::Target;

/// Longer than the timeout of any call.
const LONGER_THAN_ANY_CALL: Duration = Duration::from_secs(40);
/// The most memory that one answer may take, including what the allocator retains.
const MOST_KB: u64 = 128 * 1024;

struct Hostile {
    target: Target,
    access: AccessToken,
    start: Mark,
    messages: Vec<MessageId>,
    /// The messages as read before any fault.
    honest: Vec<ProviderMessage>,
}

impl Hostile {
    /// A mailbox with five messages, read by an adapter of its own.
    async fn mailbox() -> Self {
        let target = Target::inside().await;
        let user = User::new(&target.stack, "hostile").await;
        let gmail = target.inside.as_ref().unwrap().gmail();
        let code = AuthorizationCode {
            code: user.code(&target.stack).await.into(),
            redirect_uri: "postmessage".into(),
            code_verifier: None,
        };
        let now = email_connectors::ports::Clock::now(&target.inside.as_ref().unwrap().machine);
        let access = gmail.exchange(&code, now).await.unwrap().access_token;
        let start = gmail.profile(&access).await.unwrap().mark;
        let mail = json!({"subject": "mail {n}", "silent": true});
        let messages: Vec<_> = user
            .receive_many(&target.stack, 5, mail)
            .await
            .into_iter()
            .map(MessageId::new)
            .collect();
        let honest = gmail.messages(&access, &messages, false).await.unwrap().messages;
        assert_eq!(honest.len(), messages.len());
        Self { target, access, start, messages, honest }
    }

    async fn history(&self) -> String {
        let gmail = self.target.inside.as_ref().unwrap().gmail();
        match tokio::time::timeout(
            LONGER_THAN_ANY_CALL,
            gmail.changes(&self.access, self.start, None),
        )
        .await
        {
            Ok(Ok(page)) => format!("{} records", page.records.len()),
            Ok(Err(_)) => "refused".into(),
            Err(_) => "no end".into(),
        }
    }

    /// How many messages were read, or whether any is foreign, altered or repeated.
    async fn messages(&self) -> String {
        let gmail = self.target.inside.as_ref().unwrap().gmail();
        match tokio::time::timeout(
            LONGER_THAN_ANY_CALL,
            gmail.messages(&self.access, &self.messages, false),
        )
        .await
        {
            Ok(Ok(fetched)) => {
                let own = |message: &ProviderMessage| self.honest.contains(message);
                let mut read: Vec<_> =
                    fetched.messages.iter().map(|message| message.id.to_string()).collect();
                read.sort();
                read.dedup();
                let true_ones =
                    read.len() == fetched.messages.len() && fetched.messages.iter().all(own);
                if true_ones {
                    format!("{} read", read.len())
                } else {
                    "foreign, altered or repeated".into()
                }
            }
            Ok(Err(_)) => "refused".into(),
            Err(_) => "no end".into(),
        }
    }
}

/// A host that no redirect may reach: its log would show a visit.
async fn elsewhere() -> fake_google::Running {
    FakeGoogle::start(Config::default()).await.unwrap()
}

#[tokio::test]
async fn case_32_hostile_answers_of_gmail() {
    let mut case = Case::new(
        32,
        "processor: redirects, endless and inflating bodies, endless pages, wrong parts",
    );
    let hostile = Hostile::mailbox().await;
    let elsewhere = elsewhere().await;
    let address = format!("{}/gmail/v1/users/me/profile", elsewhere.url);
    for (what, method, fault) in [
        ("history redirects to another host", "history.list", json!({"redirect": address})),
        (
            "history redirects to another host by 307",
            "history.list",
            json!({"redirect": address, "status": 307}),
        ),
        (
            "the batch redirects to another host by 308",
            "batch",
            json!({"redirect": address, "status": 308}),
        ),
        ("a history of 10 GB", "history.list", json!({"endless": true})),
        ("a batch of 10 GB", "batch", json!({"endless": true})),
        ("a history that inflates to 1 GB", "history.list", json!({"gzip_bomb_mb": 1024})),
        ("a batch that inflates to 1 GB", "batch", json!({"gzip_bomb_mb": 1024})),
    ] {
        let (before, began) = (resident_kb(), Instant::now());
        hostile.target.fault(with(fault, json!({"method": method, "times": 0}))).await;
        let answer =
            if method == "batch" { hostile.messages().await } else { hostile.history().await };
        hostile.target.mend().await;
        // A batch is retried in halves, down to single messages, each of which is too large: none
        // is read.
        let expected = if what.starts_with("a batch") { "0 read" } else { "refused" };
        case.check(format!("adapter: {what}"), expected.to_string(), answer);
        let grown = resident_kb().saturating_sub(before);
        let shown = format!("{grown} KB more, {} ms", began.elapsed().as_millis());
        case.note(
            format!("adapter: {what}, bounded"),
            format!("less than {MOST_KB} KB more"),
            shown,
            grown < MOST_KB,
        );
    }
    case.check("adapter: requests that reached the other host", 0, elsewhere.admin.calls().len());
    case.check(
        "adapter: history once the fault is gone",
        "5 records".to_string(),
        hostile.history().await,
    );
    for (what, fault, expected) in [
        (
            "two parts for five",
            json!({"batch_parts": 2}),
            &["0 read", "1 read", "2 read", "3 read", "4 read", "refused"][..],
        ),
        ("no part for five", json!({"batch_parts": 0}), &["0 read", "refused"]),
        ("nine parts for five", json!({"batch_parts": 9}), &["5 read", "refused", "0 read"]),
        (
            "the boundary inside header values",
            json!({"boundary_in_header": true}),
            &["5 read", "refused", "0 read"],
        ),
    ] {
        hostile.target.fault(with(fault, json!({"method": "batch", "times": 0}))).await;
        let answer = hostile.messages().await;
        hostile.target.mend().await;
        case.note(
            format!("adapter: {what}, each message its own"),
            expected.join(" or "),
            &answer,
            expected.contains(&answer.as_str()),
        );
        case.check(
            format!("adapter: after {what}"),
            "5 read".to_string(),
            hostile.messages().await,
        );
    }
    recoveries(&mut case, Target::configured(Default::default()).await).await;
    if let Some(target) = Target::deployed().await {
        recoveries(&mut case, target).await;
    }
}

fn with(mut fault: Value, more: Value) -> Value {
    fault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fault
}

/// Each mailbox meets one kind of fault, all at once; no wake-up is lost, and each mail fires once.
async fn recoveries(case: &mut Case, target: Target) {
    let kinds = [
        (
            "a redirect",
            json!({"method": "history.list", "redirect": format!("{}/elsewhere", target.stack.google_url)}),
        ),
        ("a history without an end", json!({"method": "history.list", "endless": true})),
        ("a history that inflates", json!({"method": "history.list", "gzip_bomb_mb": 200})),
        (
            "pages without an end",
            json!({"method": "history.list", "endless_pages": true, "times": 20}),
        ),
        ("too few parts", json!({"method": "batch", "batch_parts": 1})),
        ("too many parts", json!({"method": "batch", "batch_parts": 9})),
        ("the boundary in headers", json!({"method": "batch", "boundary_in_header": true})),
    ];
    let mut users = Vec::new();
    for _ in &kinds {
        users.push(User::connected(&target.stack, "weather").await);
    }
    target.idle().await;
    target.forget_calls().await;
    let mut expected = Vec::new();
    for ((_, fault), user) in kinds.iter().zip(&users) {
        // Twice, so that the first retry fails too.
        target.fault(with(json!({"email": user.email, "times": 2}), fault.clone())).await;
        let mail = json!({"subject": "invoice {n}"});
        expected.push(user.receive_many(&target.stack, 3, mail).await);
    }
    let name = target.name;
    let fired = fired(&target, &users, 3 * users.len()).await;
    for ((what, _), (user, mails)) in kinds.iter().zip(users.iter().zip(expected)) {
        let of_user: Vec<Value> =
            fired.iter().filter(|event| event["owner_id"] == user.owner).cloned().collect();
        let mut seen: Vec<String> = ids(&of_user)
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap().into())
            .collect();
        seen.sort();
        let mut mails = mails;
        mails.sort();
        case.check(
            format!("{name}: mail of a mailbox that met {what}, each once"),
            mails.join(" "),
            seen.join(" "),
        );
    }
    case.check(
        format!("{name}: visits to the redirect's target"),
        0,
        target.called("unknown").await,
    );
    target.mend().await;
    target.idle().await;
    if target.inside.is_none() {
        case.check(
            format!("{name}: dead letters"),
            0,
            target.stack.messages_in(&target.stack.dead_letter_queue_url).await,
        );
        let seen = target.stack.google(Method::GET, "/admin/violations", Value::Null).await;
        case.check(
            format!("{name}: requests that violate Gmail's API description"),
            json!([]),
            seen,
        );
    }
}

async fn fired(target: &Target, users: &[User], expected: usize) -> Vec<Value> {
    let mut fired = Vec::new();
    let Some(inside) = &target.inside else {
        for user in users {
            fired.extend(target.stack.events_swept(&user.owner, expected / users.len()).await);
        }
        target.stack.quiet().await;
        fired.extend(target.stack.events_so_far(|_| true));
        return fired;
    };
    for _ in 0..120 {
        inside.machine.pass(Duration::from_secs(10));
        inside.sweep().await;
        target.idle().await;
        fired.clear();
        for user in users {
            fired.extend(target.fired_so_far(&user.owner));
        }
        if fired.len() >= expected {
            break;
        }
    }
    fired
}
