//! The API from outside: what its users see, and what strangers do not.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use tests::deployed::{Stack, User, read, token};

#[tokio::test]
async fn a_second_connect_keeps_the_connector_its_cursor_and_its_triggers() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let message = user.receive(&stack, json!({"subject": "invoice"})).await;
    assert_eq!(stack.events(&user.owner, 1).await[0]["message"]["id"], message);
    let before = user.connector(&stack).await;

    let again = user.connect(&stack).await;

    assert_eq!(again["connector_id"], user.connector);
    assert_eq!(again["status"], "connected");
    assert_eq!(again["watch"]["status"], "active", "{again}");
    let after = user.connector(&stack).await;
    assert_eq!(after["history_id"], before["history_id"]);
    assert_eq!(after["created_at"], before["created_at"]);
    let listed = read(
        stack.api(Method::GET, "/api/triggers", Some(&user.token), None).await,
        StatusCode::OK,
    )
    .await;
    assert_eq!(listed["triggers"].as_array().unwrap().len(), 1);
    let message = user.receive(&stack, json!({"subject": "another invoice"})).await;
    assert_eq!(stack.events(&user.owner, 1).await[0]["message"]["id"], message);
}

#[tokio::test]
async fn the_same_connect_request_gets_the_same_answer() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let body = json!({"auth_code": user.code(&stack).await});
    let connect = async || {
        stack
            .api(Method::POST, "/api/auth/google/gmail", Some(&user.token), Some(body.clone()))
            .await
    };
    let first = read(connect().await, StatusCode::OK).await;
    assert_eq!(read(connect().await, StatusCode::OK).await, first);
    let stranger = token(&stack, "stranger").await;
    let refused = stack
        .api(Method::POST, "/api/auth/google/gmail", Some(&stranger), Some(body.clone()))
        .await;
    assert_eq!(read(refused, StatusCode::BAD_REQUEST).await["code"], "invalid_grant");
}

#[tokio::test]
async fn another_owner_gets_the_same_answers_as_for_unknown_ids() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let stranger = token(&stack, "stranger").await;
    let routes = [
        (Method::GET, "/api/connectors/", &user.connector, None),
        (Method::DELETE, "/api/connectors/", &user.connector, None),
        (Method::PATCH, "/api/connectors/", &user.connector, Some(json!({"label": "mine"}))),
        (Method::GET, "/api/triggers/", &user.trigger, None),
        (Method::PATCH, "/api/triggers/", &user.trigger, Some(json!({"agent_id": "mine"}))),
        (Method::DELETE, "/api/triggers/", &user.trigger, None),
    ];
    for (method, path, id, body) in routes {
        let theirs =
            stack.api(method.clone(), &format!("{path}{id}"), Some(&stranger), body.clone()).await;
        let theirs = read(theirs, StatusCode::NOT_FOUND).await;
        let unknown =
            stack.api(method.clone(), &format!("{path}unknown"), Some(&stranger), body).await;
        assert_eq!(theirs, read(unknown, StatusCode::NOT_FOUND).await, "{method} {path}");
    }
    let body = json!({"type": "email", "config": {"connector_id": user.connector}});
    let refused = stack.api(Method::POST, "/api/triggers", Some(&stranger), Some(body)).await;
    assert_eq!(read(refused, StatusCode::NOT_FOUND).await["field"], "config.connector_id");
    for path in ["/api/connectors", "/api/triggers"] {
        let listed =
            read(stack.api(Method::GET, path, Some(&stranger), None).await, StatusCode::OK).await;
        assert_eq!(listed.as_object().unwrap().values().next().unwrap(), &json!([]));
    }
    user.connector(&stack).await;
}

#[tokio::test]
async fn mail_that_arrives_during_a_pause_never_fires() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let path = format!("/api/connectors/{}", user.connector);
    let refused =
        stack.api(Method::PATCH, &path, Some(&user.token), Some(json!({"status": "paused"}))).await;
    let problem = read(refused, StatusCode::BAD_REQUEST).await;
    assert_eq!(
        (&problem["code"], &problem["field"]),
        (&json!("invalid_connector"), &json!("status"))
    );

    for (paused, subject) in [(true, "invoice inside the pause"), (false, "invoice after it")] {
        let changed = stack
            .api(Method::PATCH, &path, Some(&user.token), Some(json!({"paused": paused})))
            .await;
        assert_eq!(read(changed, StatusCode::OK).await["paused"], paused);
        // Pauses begin and end at whole seconds of arrival.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        user.receive(&stack, json!({"subject": subject})).await;
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    }
    let mut events = stack.events(&user.owner, 1).await;
    events.extend(user.rest(&stack).await);
    let subjects: Vec<_> = events.iter().map(|event| &event["message"]["subject"]).collect();
    assert_eq!(subjects, ["invoice after it"]);
}

#[tokio::test]
async fn a_trigger_is_rehearsed_on_real_mail_and_lists_what_it_fired() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let trigger = user.subscribe(&stack, json!({"subject_contains": ["receipt"]})).await;
    let (first, second) = (
        user.receive(&stack, json!({"subject": "receipt one"})).await,
        user.receive(&stack, json!({"subject": "receipt two"})).await,
    );
    let other = user.receive(&stack, json!({"subject": "holidays"})).await;
    let path = format!("/api/triggers/{trigger}/firings");
    let record = async |query: &str| {
        read(
            stack.api(Method::GET, &format!("{path}{query}"), Some(&user.token), None).await,
            StatusCode::OK,
        )
        .await
    };
    let published = async || {
        let record = record("").await;
        let firings = record["firings"].as_array().unwrap();
        (firings.len() == 2 && firings.iter().all(|firing| firing["published"] == true))
            .then(|| record["firings"].clone())
    };
    let firings = stack.until("a record of both", published).await;
    let messages: std::collections::BTreeSet<&str> = firings
        .as_array()
        .unwrap()
        .iter()
        .map(|firing| firing["message_id"].as_str().unwrap())
        .collect();
    assert_eq!(messages, [first.as_str(), second.as_str()].into());
    assert!(
        firings[0]["decided_at"].as_str() >= firings[1]["decided_at"].as_str(),
        "newest first: {firings}"
    );
    assert_eq!(firings[0]["detail"]["trigger"]["id"], trigger, "as it was published: {firings}");
    let page = record("?page_size=1").await;
    assert_eq!(page["firings"], json!([firings[0]]));
    let rest =
        record(&format!("?page_size=1&page_token={}", page["next_page_token"].as_str().unwrap()))
            .await;
    assert_eq!(rest, json!({"firings": [firings[1]]}));

    let test = stack
        .api(
            Method::POST,
            &format!("/api/triggers/{trigger}/test"),
            Some(&user.token),
            Some(json!({"days": 1})),
        )
        .await;
    assert_eq!(test.headers()["x-quota-units"], "65", "one list and three messages");
    let rehearsal = read(test, StatusCode::OK).await;
    assert_eq!(
        (&rehearsal["looked_at"], &rehearsal["truncated"], &rehearsal["would_fire"]),
        (&json!(3), &json!(false), &json!([]))
    );
    let reason = |message: &str| {
        let found = rehearsal["would_not"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["message_id"] == message);
        found.unwrap_or_else(|| panic!("{message} is not in {rehearsal}"))["reasons"][0].clone()
    };
    assert_eq!(
        (&reason(&first)["reason"], &reason(&second)["reason"]),
        (&json!("already_decided"), &json!("already_decided"))
    );
    let wanted = json!({"filter": "subject_contains", "wanted": ["receipt"], "saw": "holidays"});
    assert_eq!(reason(&other), json!({"reason": "filter", "detail": wanted}));
}

#[tokio::test]
async fn a_connector_is_labelled_and_synced_and_lists_come_in_pages() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let path = format!("/api/connectors/{}", user.connector);
    let labelled =
        stack.api(Method::PATCH, &path, Some(&user.token), Some(json!({"label": "Büro 📬"}))).await;
    assert_eq!(read(labelled, StatusCode::OK).await["label"], "Büro 📬");
    assert_eq!(user.connector(&stack).await["label"], "Büro 📬");

    // Waits until the connect's own wake-ups were handled.
    assert_eq!(user.rest(&stack).await, Vec::<Value>::new());
    stack.forget_calls_for(&user.email).await;
    let queued = stack.api(Method::POST, &format!("{path}/sync"), Some(&user.token), None).await;
    assert_eq!(read(queued, StatusCode::ACCEPTED).await, json!({"status": "queued"}));
    let listed = async || {
        stack
            .calls_for(&user.email)
            .await
            .iter()
            .any(|call| call["method"] == "history.list")
            .then_some(())
    };
    stack.until("a listing without a push", listed).await;

    user.subscribe(&stack, json!({})).await;
    let page = async |query: &str| {
        read(
            stack.api(Method::GET, &format!("/api/triggers{query}"), Some(&user.token), None).await,
            StatusCode::OK,
        )
        .await
    };
    let all = page("").await;
    let first = page("?page_size=1").await;
    assert_eq!(first["triggers"], json!([all["triggers"][0]]));
    let second =
        page(&format!("?page_size=1&page_token={}", first["next_page_token"].as_str().unwrap()))
            .await;
    assert_eq!(second, json!({"triggers": [all["triggers"][1]]}));
    let refused =
        stack.api(Method::GET, "/api/connectors?page_token=trg_1", Some(&user.token), None).await;
    assert_eq!(read(refused, StatusCode::BAD_REQUEST).await["code"], "invalid_page_token");
}

#[tokio::test]
async fn an_answer_shows_exactly_the_public_fields() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    // Until then the connect's wake-up and the watch's first push change the connector.
    let verified =
        async || user.connector(&stack).await["watch"]["verified_at"].is_string().then_some(());
    stack.until("a watch that its notification proves", verified).await;
    let same = async || {
        let one = user.connector(&stack).await;
        let all = read(
            stack.api(Method::GET, "/api/connectors", Some(&user.token), None).await,
            StatusCode::OK,
        )
        .await;
        (all["connectors"] == json!([one])).then_some(one)
    };
    let one = stack.until("a list that shows what the connector itself does", same).await;
    assert_eq!(one["credentials"], "[redacted]");
    let known = [
        "id",
        "owner_id",
        "type",
        "provider",
        "email_address",
        "label",
        "status",
        "granted_scopes",
        "capabilities",
        "paused",
        "history_id",
        "watch",
        "circuit",
        "parked_messages",
        "credentials",
        "last_event_at",
        "last_error",
        "created_at",
        "updated_at",
    ];
    let shown: Vec<&String> =
        one.as_object().unwrap().keys().filter(|key| !known.contains(&key.as_str())).collect();
    assert_eq!(shown, Vec::<&String>::new(), "a field that nobody decided to show");
}

#[tokio::test]
async fn a_refusal_is_a_problem_document_that_names_the_field() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let connector = json!({"connector_id": user.connector});
    let table = [
        (
            Method::POST,
            "/api/triggers",
            json!({"type": "email:gmail", "config": connector}),
            "invalid_trigger",
            "type",
        ),
        (
            Method::POST,
            "/api/triggers",
            json!({"type": "sms", "config": connector}),
            "invalid_trigger",
            "type",
        ),
        (
            Method::POST,
            "/api/triggers",
            json!({"type": "email", "config": {}}),
            "invalid_trigger",
            "config",
        ),
        (Method::POST, "/api/triggers", json!([]), "invalid_json", "body"),
        (Method::POST, "/api/auth/google/gmail", json!({"code": "a"}), "invalid_request", "body"),
        (
            Method::POST,
            "/api/auth/google/gmail",
            json!({"auth_code": "a", "callback_url": "https://evil.example"}),
            "invalid_request",
            "callback_url",
        ),
        (
            Method::POST,
            "/api/auth/google/gmail",
            json!({"auth_code": "unknown"}),
            "invalid_grant",
            "auth_code",
        ),
    ];
    for (method, path, body, code, field) in table {
        let response = stack.api(method, path, Some(&user.token), Some(body.clone())).await;
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{body}");
        let problem = read(response, StatusCode::BAD_REQUEST).await;
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!(code), &json!(field)),
            "{body}: {problem}"
        );
    }
    for path in ["/api/connectors", "/api/triggers", "/api/connectors/x"] {
        for token in [None, Some("not-a-token"), Some(stack.push_token(json!({})).await.as_str())] {
            assert_eq!(
                read(stack.api(Method::GET, path, token, None).await, StatusCode::UNAUTHORIZED)
                    .await["code"],
                "unauthorized"
            );
        }
    }
    let info =
        read(stack.api(Method::GET, "/api/system/info", None, None).await, StatusCode::OK).await;
    assert_eq!(info["app_public_url"], "https://app.example.com");
}

#[tokio::test]
async fn a_deleted_connector_is_stopped_revoked_and_gone() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    stack.forget_calls_for(&user.email).await;
    let path = format!("/api/connectors/{}", user.connector);
    let receipt =
        read(stack.api(Method::DELETE, &path, Some(&user.token), None).await, StatusCode::OK).await;
    assert_eq!(receipt, json!({"watch_stopped": true, "grant_revoked": true, "data_purged": true}));
    let calls = stack.calls_for(&user.email).await;
    let methods: Vec<&str> = calls.iter().map(|call| call["method"].as_str().unwrap()).collect();
    let stop = methods.iter().position(|method| *method == "stop").unwrap();
    assert!(methods[stop..].contains(&"revoke"), "{methods:?}");
    assert_eq!(
        stack.api(Method::GET, &path, Some(&user.token), None).await.status(),
        StatusCode::NOT_FOUND
    );
    let listed = read(
        stack.api(Method::GET, "/api/triggers", Some(&user.token), None).await,
        StatusCode::OK,
    )
    .await;
    assert_eq!(listed["triggers"], json!([]), "triggers go with their connector");
}

#[tokio::test]
async fn browsers_of_other_origins_get_no_permission() {
    let stack = Stack::running();
    for (origin, allowed) in
        [("https://app.example.com", true), ("https://evil.example", false), ("null", false)]
    {
        let headers = stack.preflight("/api/connectors", origin).await;
        let permission = headers
            .get("access-control-allow-origin")
            .map(|value| value.to_str().unwrap().to_string());
        assert_eq!(permission.as_deref() == Some(origin), allowed, "{origin}: {permission:?}");
        assert!(permission.as_deref() != Some("*"), "anybody may call from a browser");
        assert!(headers.get("access-control-allow-credentials").is_none());
    }
}
