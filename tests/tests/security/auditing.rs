//! Who did what, and from where: one line for each request, which tells neither a secret nor what is in the mail.

use std::collections::BTreeSet;

use email_connectors::domain::audit::{AUDITED, LONGEST_TEXT, REPLACE};
use email_connectors::domain::operation::{BodyShape, OPERATIONS};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tests::deployed::{ORIGIN, User, token_with};
use tests::inside::Options;

use crate::security::case::Case;
use crate::security::connecting::{CONNECT, made};
use crate::security::forge::unique;
use crate::security::signing::Hook;
use crate::security::target::{Target, status, told};

/// A request of a user agent of its own, by which its line is found.
struct Agent<'a> {
    target: &'a Target,
    agent: String,
}

impl<'a> Agent<'a> {
    fn by(target: &'a Target, agent: &str) -> Self {
        Self { target, agent: format!("{agent}-{}", unique()) }
    }

    async fn api(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Response {
        let request = self.target.stack.request(method, path).header("origin", ORIGIN).header("x-requested-with", "XMLHttpRequest");
        let request = token.iter().fold(request.header("user-agent", &self.agent), |request, token| request.bearer_auth(token));
        self.target.stack.answer(body.iter().fold(request, |request, body| request.json(body))).await
    }

    /// The one line that it left; of none or several nothing.
    async fn line(&self) -> (usize, Value) {
        let mut lines = self.target.audited(&self.agent, 1).await;
        (lines.len(), if lines.len() == 1 { lines.remove(0) } else { Value::Null })
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

/// Something to be done: the action that it must be called, and the target_of_action that it must name.
type Deed = (Method, String, Option<Value>, &'static str, String);

/// All of them in an order in which they can be done, but for what ends everything.
fn deeds(user: &User, hook: &Hook, code: &str) -> Vec<Deed> {
    let (connector, trigger) = (&user.connector, &user.trigger);
    let of_connector = |end: &str| format!("/api/connectors/{connector}{end}");
    let of_trigger = |end: &str| format!("/api/triggers/{trigger}{end}");
    let new = json!({"type": "email", "config": {"connector_id": connector, "filters": {"subject_contains": ["planted-subject"]}}});
    let mut deeds: Vec<Deed> = vec![
        (Method::GET, format!("{CONNECT}/start?login_hint={}", user.email), None, "consent.start", "null".into()),
        (Method::POST, CONNECT.into(), Some(json!({"auth_code": code})), "connector.connect", connector.clone()),
        (Method::PATCH, of_connector(""), Some(json!({"label": "planted-label"})), "connector.change", connector.clone()),
        (Method::POST, of_connector("/sync"), None, "connector.sync", connector.clone()),
        (Method::POST, "/api/triggers".into(), Some(new), "trigger.create", "trg_".into()),
        (Method::PATCH, of_trigger(""), Some(json!({"agent_id": "other"})), "trigger.change", trigger.clone()),
        (Method::POST, of_trigger("/test"), Some(json!({"days": 1})), "trigger.rehearse", trigger.clone()),
        (Method::GET, of_trigger("/firings"), None, "trigger.firings", trigger.clone()),
        (Method::POST, format!("/api/triggers/{}/secret", hook.trigger), None, "trigger.rotate_secret", hook.trigger.clone()),
        (Method::POST, hook.path(), Some(json!({"event_type": "planted-event"})), "trigger.fire", hook.trigger.clone()),
        (Method::GET, "/api/owner/data".into(), None, "owner.export", "null".into()),
    ];
    for entry in &OPERATIONS {
        let ids = entry.path_parameters().fold(entry.path.to_string(), |path, name| path.replace(&format!("{{{name}}}"), "unknown1"));
        let body = (entry.body != BodyShape::None).then(|| json!({"subject": "planted-subject", "name": "planted-label"}));
        let method = Method::from_bytes(entry.verb.as_str().as_bytes()).unwrap();
        let query = if ids == "/messages" && body.is_none() { "?q=planted-query" } else { "" };
        deeds.push((method, of_connector(&format!("{ids}{query}")), body, entry.name, connector.clone()));
    }
    deeds.push((Method::DELETE, of_trigger(""), None, "trigger.delete", trigger.clone()));
    deeds
}

async fn security_event(asked: &Agent<'_>, user: &User) -> Response {
    let order = json!({"event": "tokens-revoked", "email": user.email});
    let made = asked.target.stack.google(Method::POST, "/admin/security-events", order).await["token"].as_str().unwrap().to_string();
    let request = asked.target.stack.request(Method::POST, "/api/auth/google/risc").header("user-agent", &asked.agent);
    asked.target.stack.answer(request.body(made)).await
}

/// What a line tells of an answer.
fn came(line: &Value) -> String {
    format!("{} {} {}", word(&line["outcome"]), line["status"], word(&line["problem"]))
}

/// What it should tell.
async fn coming(answer: Response) -> String {
    let told = told(answer).await;
    let (status, code) = told.split_once(' ').unwrap_or((&told, "null"));
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
    let mut case = Case::new(50, "audit: one line for each change, each reading of mail and each export, whatever came of it");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "audited").await);
        let hook = Hook::of(&target, &user).await;
        let mut seen = BTreeSet::new();
        let mut asked_of = Vec::new();
        let code = user.code(&target.stack).await;
        for (method, path, body, action, target_of_action) in deeds(&user, &hook, &code) {
            let asked = Agent::by(&target, action);
            let answer = asked.api(method, &path, Some(&user.token), body).await;
            asked_of.push((asked, action, target_of_action, user.owner.clone(), coming(answer).await));
        }
        let second = User::new(&target.stack, "second").await;
        let asked = Agent::by(&target, REPLACE);
        let code = made(&target, json!({}), &second.email).await;
        let answer = asked.api(Method::POST, CONNECT, Some(&user.token), Some(json!({"auth_code": code, "replace": true}))).await;
        asked_of.push((asked, REPLACE, "con_".into(), user.owner.clone(), coming(answer).await));
        let risc = User::connected(&target.stack, "risc").await;
        let asked = Agent::by(&target, "access.end");
        let answer = security_event(&asked, &risc).await;
        asked_of.push((asked, "access.end", risc.connector.clone(), "null".into(), coming(answer).await));
        for (path, action, target_of_action) in [
            (format!("/api/connectors/{}", risc.connector), "connector.disconnect", risc.connector.clone()),
            ("/api/owner/data".to_string(), "owner.erase", "null".into()),
        ] {
            let asked = Agent::by(&target, action);
            let answer = asked.api(Method::DELETE, &path, Some(&risc.token), None).await;
            asked_of.push((asked, action, target_of_action, risc.owner.clone(), coming(answer).await));
        }
        for (asked, action, target_of_action, owner, expected) in asked_of {
            let what = format!("{name}: {action}");
            let (lines, line) = asked.line().await;
            case.check(format!("{what}: lines"), 1, lines);
            case.check(format!("{what}: what was done"), action.to_string(), word(&line["action"]));
            case.check(format!("{what}: what came of it"), expected, came(&line));
            let named = word(&line["target"]);
            case.note(
                format!("{what}: to what"),
                &target_of_action,
                &named,
                if target_of_action.ends_with('_') { named.starts_with(&target_of_action) } else { named == target_of_action },
            );
            case.check(format!("{what}: whose"), format!("{owner} {owner}"), format!("{} {}", word(&line["owner"]), word(&line["user"])));
            let from = ["source_ip", "request_id", "token_id", "at"].map(|field| line[field].as_str().is_some_and(|told| !told.is_empty()));
            case.check(format!("{what}: from where, which request and token, when"), true, from.iter().all(|told| *told));
            seen.insert(action);
        }
        let all: BTreeSet<&str> =
            AUDITED.iter().map(|known| known.action).chain(OPERATIONS.iter().map(|entry| entry.name)).chain([REPLACE]).collect();
        case.check(format!("{name}: actions that nobody tried"), 0, all.difference(&seen).count());
        let quiet = Agent::by(&target, "quiet");
        for path in ["/api/connectors", "/api/triggers", "/api/system/info", "/api/nothing"] {
            quiet.api(Method::GET, path, Some(&user.token), None).await;
        }
        case.check(format!("{name}: lines of what changes nothing and shows no mail"), 0, target.audited(&quiet.agent, 0).await.len());
    }
}

#[tokio::test]
async fn case_51_who_acts() {
    let mut case = Case::new(51, "audit: who acts, also when a tenant owns; and who was refused");
    let tenant = Target::inside_with(Options { owner_claim: Some("tenant".into()), ..Options::default() }).await;
    let of = async |user: &str, claims: Value| {
        let mut all = json!({"role": "admin", "tenant": "tenant-1"});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        token_with(&tenant.stack, json!({"sub": user, "claims": all})).await
    };
    for user in ["ada", "bob"] {
        let (asked, token) = (Agent::by(&tenant, user), of(user, json!({"jti": format!("jti-{user}")})).await);
        let answer = asked.api(Method::DELETE, "/api/owner/data", Some(&token), None).await;
        case.check(format!("in process: {user} erases the tenant's data"), 200, status(&answer));
        let (_, line) = asked.line().await;
        let told = ["owner", "user", "token_id"].map(|field| word(&line[field])).join(" ");
        case.check(format!("in process: owner, user and token of {user}"), format!("tenant-1 {user} jti-{user}"), told);
    }
    let mut places = vec![tenant];
    places.extend(Target::deployed().await);
    for target in &places {
        let name = target.name;
        let claims = json!({"role": "operator", "tenant": "tenant-1", "jti": null});
        let limited = token_with(&target.stack, json!({"sub": "limited", "claims": claims})).await;
        let asked = Agent::by(target, "limited");
        asked.api(Method::DELETE, "/api/owner/data", Some(&limited), None).await;
        let (_, line) = asked.line().await;
        case.check(format!("{name}: a role that may not"), "refused 403 role_not_allowed".to_string(), came(&line));
        case.check(format!("{name}: who"), "limited".to_string(), word(&line["user"]));
        case.check(format!("{name}: a token without an id is told by its hash"), true, word(&line["token_id"]).starts_with("hash:"));
        let asked = Agent::by(target, "unsigned");
        asked.api(Method::POST, &format!("/api/triggers/trg_{}/events", unique()), None, Some(json!({}))).await;
        let (_, line) = asked.line().await;
        case.check(format!("{name}: a signature that is missing"), "refused 401 unauthorized".to_string(), came(&line));
        let asked = Agent::by(target, "stranger");
        asked.api(Method::DELETE, "/api/owner/data", Some("no.token.atall"), None).await;
        let (_, line) = asked.line().await;
        case.check(format!("{name}: a token that does not hold"), "refused 401 unauthorized".to_string(), came(&line));
        case.check(format!("{name}: of such a one nothing is believed"), "null null".into(), format!("{} {}", line["owner"], line["user"]));
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
            ("that steers a terminal", "\u{202e}\u{85}\u{2028}[2Jforged".to_string()),
            ("of 8 KB", "a".repeat(8_000)),
        ] {
            let asked = Agent { agent: format!("hostile-{}", unique()), target: &target };
            let request = target.stack.request(Method::DELETE, "/api/owner/data").bearer_auth(&user.token);
            let agent = reqwest::header::HeaderValue::from_bytes(format!("{}{rest}", asked.agent).as_bytes()).unwrap();
            let answer = target.stack.answer(request.header("user-agent", agent)).await;
            case.check(format!("{name}: {what}: the answer"), 200, status(&answer));
            let (lines, line) = asked.line().await;
            let (owner, told) = (word(&line["owner"]), word(&line["user_agent"]));
            case.check(format!("{name}: {what}: lines"), 1, lines);
            case.check(format!("{name}: {what}: whose"), user.owner.clone(), owner);
            let short = told.chars().count() <= LONGEST_TEXT && !told.contains(|sign: char| sign.is_control() || sign == '\u{202e}');
            case.check(format!("{name}: {what}: bounded, without signs that steer"), true, short);
        }
        let forgeries = match target.inside {
            Some(_) => crate::security::audits::heard(),
            None => target.audit_log().await,
        };
        let by_forged = forgeries.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        case.check(format!("{name}: lines of the forged owner"), 0, by_forged.filter(|line| line["fields"]["owner"] == "forged").count());
    }
}

#[tokio::test]
async fn case_53_what_no_line_tells() {
    let mut case = Case::new(53, "audit: no token, secret, code, subject, address, label or query in any line");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "silent").await);
        let hook = Hook::of(&target, &user).await;
        let code = user.code(&target.stack).await;
        let asked = Agent::by(&target, "silent");
        for (method, path, body, ..) in deeds(&user, &hook, &code) {
            asked.api(method, &path, Some(&user.token), body).await;
        }
        let sent = json!({"to": ["planted-to@example.com"], "subject": "planted-subject", "text": "planted-text"});
        let answer = asked.api(Method::POST, &format!("/api/connectors/{}/messages", user.connector), Some(&user.token), Some(sent)).await;
        case.check(format!("{name}: a mail is sent meanwhile"), 200, status(&answer));
        let signed = target.stack.request(Method::POST, &hook.path()).header("user-agent", &asked.agent);
        let signed = signed.header("x-signature", hook.signature(&target, "{}")).body("{}");
        case.check(format!("{name}: a signature is taken meanwhile"), 202, status(&target.stack.answer(signed).await));
        let expected = deeds(&user, &hook, &code).len() + 2;
        let lines = target.audited(&asked.agent, expected).await;
        case.check(format!("{name}: lines"), expected, lines.len());
        let all = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let signature = user.token.rsplit('.').next().unwrap();
        for (what, secret) in [
            ("the token", user.token.as_str()),
            ("the token's signature", signature),
            ("the code", &code),
            ("the trigger's secret", hook.secret()),
            ("the mailbox's address", &user.email),
            ("what is planted", "planted-"),
            ("a secret of the stack", "canary-"),
        ] {
            case.check(format!("{name}: lines with {what}"), 0, all.matches(secret).count());
        }
        let fields = lines.iter().flat_map(|line| line.as_object().unwrap().keys().cloned()).collect::<BTreeSet<_>>();
        let known = "action at message outcome owner problem request_id source_ip status target token_id user user_agent";
        case.check(format!("{name}: fields"), known.to_string(), fields.into_iter().collect::<Vec<_>>().join(" "));
        let signed: Vec<&Value> = lines.iter().filter(|line| line["user"].is_null()).collect();
        case.check(format!("{name}: whose trigger was fired by signature"), user.owner.clone(), word(&signed[0]["owner"]));
    }
}
