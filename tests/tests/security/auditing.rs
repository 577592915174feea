//! The audit log: one line for each request says who did what and from where, without secrets or
//! the mail's content.

use std::collections::BTreeSet;

use email_connectors::domain::audit::{AUDITED, LONGEST_TEXT, REPLACE};
use email_connectors::domain::operation::{BodyShape, OPERATIONS};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tests::deployed::{ORIGIN, User, token_with};
use tests::inside::Options;

use crate::security::case::Case;
use crate::security::connecting::{CONNECT, OUTLOOK, issued_code};
use crate::security::forge::unique;
use crate::security::signing::Hook;
use crate::security::target::{Target, status, summary};

/// A client with its own user agent, by which its audit lines are found.
struct AuditedClient<'a> {
    target: &'a Target,
    agent: String,
}

impl<'a> AuditedClient<'a> {
    fn by(target: &'a Target, agent: &str) -> Self {
        Self { target, agent: format!("{agent}-{}", unique()) }
    }

    async fn api(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Response {
        let request = self
            .target
            .stack
            .request(method, path)
            .header("origin", ORIGIN)
            .header("x-requested-with", "XMLHttpRequest");
        let request =
            token.iter().fold(request.header("user-agent", &self.agent), |request, token| {
                request.bearer_auth(token)
            });
        self.target
            .stack
            .answer(body.iter().fold(request, |request, body| request.json(body)))
            .await
    }

    /// How many lines the client left, and the line if there is exactly one.
    async fn line(&self) -> (usize, Value) {
        let mut lines = self.target.audited(&self.agent, 1).await;
        (lines.len(), if lines.len() == 1 { lines.remove(0) } else { Value::Null })
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

/// A request, the action that its audit line must name, and the line's target: the id of the
/// connector or trigger.
type Deed = (Method, String, Option<Value>, &'static str, String);

/// Every audited request that does not end the connector, in an order in which all succeed.
fn deeds(user: &User, hook: &Hook, code: &str) -> Vec<Deed> {
    let (connector, trigger) = (&user.connector, &user.trigger);
    let of_connector = |end: &str| format!("/api/connectors/{connector}{end}");
    let of_trigger = |end: &str| format!("/api/triggers/{trigger}{end}");
    let new = json!({"type": "email", "config": {"connector_id": connector, "filters": {"subject_contains": ["planted-subject"]}}});
    let mut deeds: Vec<Deed> = vec![
        (Method::GET, format!("{OUTLOOK}/start"), None, "consent.start_outlook", "null".into()),
        (
            Method::GET,
            format!("{OUTLOOK}/admin-consent"),
            None,
            "consent.start_admin",
            "null".into(),
        ),
        (
            Method::POST,
            OUTLOOK.into(),
            Some(json!({"auth_code": "planted-code"})),
            "connector.connect_outlook",
            "null".into(),
        ),
        (
            Method::GET,
            format!("{CONNECT}/start?login_hint={}", user.email),
            None,
            "consent.start",
            "null".into(),
        ),
        (
            Method::POST,
            "/api/connect-sessions".into(),
            Some(json!({"origin": ORIGIN})),
            "connect_session.open",
            "null".into(),
        ),
        (
            Method::POST,
            CONNECT.into(),
            Some(json!({"auth_code": code})),
            "connector.connect",
            connector.clone(),
        ),
        (
            Method::PATCH,
            of_connector(""),
            Some(json!({"label": "planted-label"})),
            "connector.change",
            connector.clone(),
        ),
        (Method::POST, of_connector("/sync"), None, "connector.sync", connector.clone()),
        (Method::POST, "/api/triggers".into(), Some(new), "trigger.create", "trg_".into()),
        (
            Method::PATCH,
            of_trigger(""),
            Some(json!({"agent_id": "other"})),
            "trigger.change",
            trigger.clone(),
        ),
        (
            Method::POST,
            of_trigger("/test"),
            Some(json!({"days": 1})),
            "trigger.rehearse",
            trigger.clone(),
        ),
        (
            Method::POST,
            of_connector("/rehearsals"),
            Some(json!({"days": 1})),
            "connector.rehearse",
            connector.clone(),
        ),
        (Method::GET, of_trigger("/firings"), None, "trigger.firings", trigger.clone()),
        (
            Method::POST,
            format!("/api/triggers/{}/secret", hook.trigger),
            None,
            "trigger.rotate_secret",
            hook.trigger.clone(),
        ),
        (
            Method::POST,
            hook.path(),
            Some(json!({"event_type": "planted-event"})),
            "trigger.fire",
            hook.trigger.clone(),
        ),
        (Method::GET, "/api/owner/data".into(), None, "owner.export", "null".into()),
    ];
    for entry in &OPERATIONS {
        let ids = entry.path_parameters().fold(entry.path.to_string(), |path, name| {
            path.replace(&format!("{{{name}}}"), "unknown1")
        });
        let body = (entry.body != BodyShape::None)
            .then(|| json!({"subject": "planted-subject", "name": "planted-label"}));
        let method = Method::from_bytes(entry.verb.as_str().as_bytes()).unwrap();
        let query = if ids == "/messages" && body.is_none() { "?q=planted-query" } else { "" };
        deeds.push((
            method,
            of_connector(&format!("{ids}{query}")),
            body,
            entry.name,
            connector.clone(),
        ));
    }
    deeds.push((Method::DELETE, of_trigger(""), None, "trigger.delete", trigger.clone()));
    deeds
}

async fn security_event(client: &AuditedClient<'_>, user: &User) -> Response {
    let order = json!({"event": "tokens-revoked", "email": user.email});
    let token =
        client.target.stack.google(Method::POST, "/admin/security-events", order).await["token"]
            .as_str()
            .unwrap()
            .to_string();
    let request = client
        .target
        .stack
        .request(Method::POST, "/api/auth/google/risc")
        .header("user-agent", &client.agent);
    client.target.stack.answer(request.body(token)).await
}

/// Outcome, status and problem code, as a line records them.
fn recorded_outcome(line: &Value) -> String {
    format!("{} {} {}", word(&line["outcome"]), line["status"], word(&line["problem"]))
}

/// Outcome, status and problem code that an answer must leave in its line.
async fn expected_outcome(answer: Response) -> String {
    let summary = summary(answer).await;
    let (status, code) = summary.split_once(' ').unwrap_or((&summary, "null"));
    let outcome = if status.starts_with(['2', '3']) {
        "done"
    } else if status.starts_with('4') {
        "refused"
    } else {
        "failed"
    };
    format!("{outcome} {status} {code}")
}

#[tokio::test]
async fn case_50_everything_leaves_one_line() {
    let mut case = Case::new(
        50,
        "audit: one line for each change, each reading of mail and each export, whatever its outcome",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "audited").await);
        let hook = Hook::of(&target, &user).await;
        let mut seen = BTreeSet::new();
        let mut attempts = Vec::new();
        let code = user.code(&target.stack).await;
        for (method, path, body, action, resource) in deeds(&user, &hook, &code) {
            let client = AuditedClient::by(&target, action);
            let answer = client.api(method, &path, Some(&user.token), body).await;
            attempts.push((
                client,
                action,
                resource,
                user.owner.clone(),
                expected_outcome(answer).await,
            ));
        }
        let second = User::new(&target.stack, "second").await;
        let client = AuditedClient::by(&target, REPLACE);
        let code = issued_code(&target, json!({}), &second.email).await;
        let answer = client
            .api(
                Method::POST,
                CONNECT,
                Some(&user.token),
                Some(json!({"auth_code": code, "replace": true})),
            )
            .await;
        attempts.push((
            client,
            REPLACE,
            "con_".into(),
            user.owner.clone(),
            expected_outcome(answer).await,
        ));
        let risc = User::connected(&target.stack, "risc").await;
        let client = AuditedClient::by(&target, "access.end");
        let answer = security_event(&client, &risc).await;
        attempts.push((
            client,
            "access.end",
            risc.connector.clone(),
            "null".into(),
            expected_outcome(answer).await,
        ));
        for (path, action, resource) in [
            (
                format!("/api/connectors/{}", risc.connector),
                "connector.disconnect",
                risc.connector.clone(),
            ),
            ("/api/owner/data".to_string(), "owner.erase", "null".into()),
        ] {
            let client = AuditedClient::by(&target, action);
            let answer = client.api(Method::DELETE, &path, Some(&risc.token), None).await;
            attempts.push((
                client,
                action,
                resource,
                risc.owner.clone(),
                expected_outcome(answer).await,
            ));
        }
        for (client, action, resource, owner, expected) in attempts {
            let what = format!("{name}: {action}");
            let (lines, line) = client.line().await;
            case.check(format!("{what}: lines"), 1, lines);
            case.check(format!("{what}: action"), action.to_string(), word(&line["action"]));
            case.check(
                format!("{what}: outcome, status and problem"),
                expected,
                recorded_outcome(&line),
            );
            let named = word(&line["target"]);
            case.note(
                format!("{what}: target"),
                &resource,
                &named,
                if resource.ends_with('_') {
                    named.starts_with(&resource)
                } else {
                    named == resource
                },
            );
            case.check(
                format!("{what}: owner and user"),
                format!("{owner} {owner}"),
                format!("{} {}", word(&line["owner"]), word(&line["user"])),
            );
            let from = ["source_ip", "request_id", "token_id", "at"]
                .map(|field| line[field].as_str().is_some_and(|value| !value.is_empty()));
            case.check(
                format!("{what}: source IP, request id, token id and time are there"),
                true,
                from.iter().all(|present| *present),
            );
            seen.insert(action);
        }
        let all: BTreeSet<&str> = AUDITED
            .iter()
            .map(|known| known.action)
            .chain(OPERATIONS.iter().map(|entry| entry.name))
            .chain([REPLACE])
            .collect();
        case.check(
            format!("{name}: actions that this case does not try"),
            0,
            all.difference(&seen).count(),
        );
        let quiet = AuditedClient::by(&target, "quiet");
        for path in ["/api/connectors", "/api/triggers", "/api/system/info", "/api/nothing"] {
            quiet.api(Method::GET, path, Some(&user.token), None).await;
        }
        case.check(
            format!("{name}: lines of requests that change nothing and show no mail"),
            0,
            target.audited(&quiet.agent, 0).await.len(),
        );
    }
}

#[tokio::test]
async fn case_51_who_acts() {
    let mut case = Case::new(
        51,
        "audit: the acting user, also when the owner is a tenant; and who was refused",
    );
    let tenant =
        Target::inside_with(Options { owner_claim: Some("tenant".into()), ..Options::default() })
            .await;
    let of = async |user: &str, claims: Value| {
        let mut all = json!({"role": "admin", "tenant": "tenant-1"});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        token_with(&tenant.stack, json!({"sub": user, "claims": all})).await
    };
    for user in ["ada", "bob"] {
        let (client, token) = (
            AuditedClient::by(&tenant, user),
            of(user, json!({"jti": format!("jti-{user}")})).await,
        );
        let answer = client.api(Method::DELETE, "/api/owner/data", Some(&token), None).await;
        case.check(format!("in process: {user} erases the tenant's data"), 200, status(&answer));
        let (_, line) = client.line().await;
        let ids = ["owner", "user", "token_id"].map(|field| word(&line[field])).join(" ");
        case.check(
            format!("in process: owner, user and token of {user}"),
            format!("tenant-1 {user} jti-{user}"),
            ids,
        );
    }
    let mut targets = vec![tenant];
    targets.extend(Target::deployed().await);
    for target in &targets {
        let name = target.name;
        let claims = json!({"role": "operator", "tenant": "tenant-1", "jti": null});
        let limited = token_with(&target.stack, json!({"sub": "limited", "claims": claims})).await;
        let client = AuditedClient::by(target, "limited");
        client.api(Method::DELETE, "/api/owner/data", Some(&limited), None).await;
        let (_, line) = client.line().await;
        case.check(
            format!("{name}: a role without the right"),
            "refused 403 role_not_allowed".to_string(),
            recorded_outcome(&line),
        );
        case.check(
            format!("{name}: the user of that line"),
            "limited".to_string(),
            word(&line["user"]),
        );
        case.check(
            format!("{name}: a token without an id is named by its hash"),
            true,
            word(&line["token_id"]).starts_with("hash:"),
        );
        let client = AuditedClient::by(target, "unsigned");
        client
            .api(
                Method::POST,
                &format!("/api/triggers/trg_{}/events", unique()),
                None,
                Some(json!({})),
            )
            .await;
        let (_, line) = client.line().await;
        case.check(
            format!("{name}: a signature that is missing"),
            "refused 401 unauthorized".to_string(),
            recorded_outcome(&line),
        );
        let client = AuditedClient::by(target, "stranger");
        client.api(Method::DELETE, "/api/owner/data", Some("no.token.atall"), None).await;
        let (_, line) = client.line().await;
        case.check(
            format!("{name}: an invalid token"),
            "refused 401 unauthorized".to_string(),
            recorded_outcome(&line),
        );
        case.check(
            format!("{name}: owner and user of an invalid token"),
            "null null".into(),
            format!("{} {}", line["owner"], line["user"]),
        );
    }
}

#[tokio::test]
async fn case_52_a_hostile_user_agent() {
    let mut case = Case::new(52, "audit: a hostile user agent stays one line, and forges nothing");
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "agent").await);
        let forged = r#"{"level":"INFO","fields":{"message":"request audited","action":"owner.erase","owner":"forged"}}"#;
        for (what, rest) in [
            ("that ends the line", format!("\u{a0}\t{forged}\t")),
            ("that ends the text", format!("\",\"owner\":\"forged\",\"x\":\"{forged}")),
            ("with terminal escapes", "\u{202e}\u{85}\u{2028}[2Jforged".to_string()),
            ("of 8 KB", "a".repeat(8_000)),
        ] {
            let client = AuditedClient { agent: format!("hostile-{}", unique()), target: &target };
            let request =
                target.stack.request(Method::DELETE, "/api/owner/data").bearer_auth(&user.token);
            let agent = reqwest::header::HeaderValue::from_bytes(
                format!("{}{rest}", client.agent).as_bytes(),
            )
            .unwrap();
            let answer = target.stack.answer(request.header("user-agent", agent)).await;
            case.check(format!("{name}: {what}: the answer"), 200, status(&answer));
            let (lines, line) = client.line().await;
            let (owner, user_agent) = (word(&line["owner"]), word(&line["user_agent"]));
            case.check(format!("{name}: {what}: lines"), 1, lines);
            case.check(format!("{name}: {what}: owner"), user.owner.clone(), owner);
            let short = user_agent.chars().count() <= LONGEST_TEXT
                && !user_agent.contains(|sign: char| sign.is_control() || sign == '\u{202e}');
            case.check(format!("{name}: {what}: bounded, without control characters"), true, short);
        }
        let forgeries = match target.inside {
            Some(_) => crate::security::audits::heard(),
            None => target.audit_log().await,
        };
        let by_forged =
            forgeries.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        case.check(
            format!("{name}: lines of the forged owner"),
            0,
            by_forged.filter(|line| line["fields"]["owner"] == "forged").count(),
        );
    }
}

#[tokio::test]
async fn case_53_what_no_line_tells() {
    let mut case = Case::new(
        53,
        "audit: no token, secret, code, subject, address, label or query in any line",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "silent").await);
        let hook = Hook::of(&target, &user).await;
        let code = user.code(&target.stack).await;
        let client = AuditedClient::by(&target, "silent");
        for (method, path, body, ..) in deeds(&user, &hook, &code) {
            client.api(method, &path, Some(&user.token), body).await;
        }
        let sent = json!({"to": ["planted-to@example.com"], "subject": "planted-subject", "text": "planted-text"});
        let answer = client
            .api(
                Method::POST,
                &format!("/api/connectors/{}/messages", user.connector),
                Some(&user.token),
                Some(sent),
            )
            .await;
        case.check(format!("{name}: a mail is sent"), 200, status(&answer));
        let signed =
            target.stack.request(Method::POST, &hook.path()).header("user-agent", &client.agent);
        let signed = signed.header("x-signature", hook.signature(&target, "{}")).body("{}");
        case.check(
            format!("{name}: a signature is accepted"),
            202,
            status(&target.stack.answer(signed).await),
        );
        let expected = deeds(&user, &hook, &code).len() + 2;
        let lines = target.audited(&client.agent, expected).await;
        case.check(format!("{name}: lines"), expected, lines.len());
        let all = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let signature = user.token.rsplit('.').next().unwrap();
        for (what, secret) in [
            ("the token", user.token.as_str()),
            ("the token's signature", signature),
            ("the code", &code),
            ("the trigger's secret", hook.secret()),
            ("the mailbox's address", &user.email),
            ("planted text", "planted-"),
            ("a secret of the stack", "canary-"),
        ] {
            case.check(format!("{name}: lines with {what}"), 0, all.matches(secret).count());
        }
        let fields = lines
            .iter()
            .flat_map(|line| line.as_object().unwrap().keys().cloned())
            .collect::<BTreeSet<_>>();
        let known = "action at message outcome owner problem request_id source_ip status target token_id user user_agent";
        case.check(
            format!("{name}: fields"),
            known.to_string(),
            fields.into_iter().collect::<Vec<_>>().join(" "),
        );
        let signed: Vec<&Value> = lines.iter().filter(|line| line["user"].is_null()).collect();
        case.check(
            format!("{name}: the owner of the trigger that a signature fired"),
            user.owner.clone(),
            word(&signed[0]["owner"]),
        );
    }
}
