//! Mail with forged senders: what a trigger believes of addresses, domains and authentication
//! results.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read};

use crate::security::case::Case;
use crate::security::target::{Target, summary};

const PASSED: &str = "mx.google.com; dkim=pass header.i=@trusted.example header.s=s header.b=b; \
    spf=pass (google.com: domain of pay@trusted.example designates 192.0.2.1 as permitted sender) smtp.mailfrom=pay@trusted.example; \
    dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=trusted.example";
const FAILED: &str = "mx.google.com; spf=pass smtp.mailfrom=evil.example; dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=trusted.example";
const TRUSTED: &str = "Billing <pay@trusted.example>";

/// A user with a trigger that has these filters; no other trigger fires for these mails.
async fn guarded(target: &Target, filters: Value) -> User {
    let user = User::connected(&target.stack, "guarded").await;
    let trigger = user.subscribe(&target.stack, filters).await;
    target.idle().await;
    User { trigger, ..user }
}

/// Delivers each mail and checks whether it fires; returns the published events.
async fn check(
    case: &mut Case,
    target: &Target,
    user: &User,
    mails: &[(&str, Value, bool)],
) -> Vec<Value> {
    let mut delivered = Vec::new();
    for (_, mail, _) in mails {
        delivered.push(user.receive(&target.stack, mail.clone()).await);
    }
    let fired =
        target.fired(&user.owner, mails.iter().filter(|(_, _, fires)| *fires).count()).await;
    for ((what, _, fires), id) in mails.iter().zip(&delivered) {
        let happened = fired.iter().any(|event| event["message"]["id"] == id.as_str());
        case.check(format!("{}: {what}, fires", target.name), *fires, happened);
    }
    fired
}

fn from(from: &str) -> Value {
    json!({"from": from})
}

fn said(authentication_results: &str, from: &str) -> Value {
    json!({"from": from, "authentication_results": authentication_results})
}

#[tokio::test]
async fn case_60_another_address_in_a_name() {
    let mut case =
        Case::new(60, "sender: another's address in a name, a comment or a quoted local part");
    for target in Target::all().await {
        let user = guarded(&target, json!({"from_contains": ["@trusted.example"]})).await;
        let mails = [
            ("a quoted name", from(r#""pay@trusted.example" <evil@x.example>"#), false),
            ("a name without quotes", from("pay@trusted.example <evil@x.example>"), false),
            (
                "a name with brackets in it",
                from(r#""<pay@trusted.example>," <evil@x.example>"#),
                false,
            ),
            ("an encoded name", from("=?utf-8?q?pay=40trusted.example?= <evil@x.example>"), false),
            (
                "a name that is cut by a comment",
                from(r#""a" pay@trusted.example (b) <evil@x.example>"#),
                false,
            ),
            ("a comment", from("evil@x.example (pay@trusted.example)"), false),
            ("a comment in front", from("(pay@trusted.example) evil@x.example"), false),
            ("a quoted local part", from(r#""pay@trusted.example"@x.example"#), false),
            ("a name and no address", from(r#""pay@trusted.example" (hello)"#), false),
            // Gmail decodes it, and then it is two mailboxes.
            (
                "an encoded name that ends in an address and a comma",
                from("=?utf-8?q?Pay_<pay=40trusted.example>,?= <evil@x.example>"),
                false,
            ),
            ("the first of two addresses", from("pay@trusted.example, evil@x.example"), false),
            ("the second address", from("evil@x.example, pay@trusted.example"), false),
            ("the name of a group", from("pay@trusted.example: evil@x.example;"), false),
            ("the address itself", from("Billing <PAY@Trusted.example>"), true),
        ];
        check(&mut case, &target, &user, &mails).await;
        let filters = json!({"from_contains": ["@trusted.example"], "authenticated": true});
        let user = guarded(&target, filters).await;
        // Gmail decodes it, and then it is an address; but Gmail found no sender that passed.
        let mails = [(
            "an encoded name and no address, where authentication is wanted",
            said(
                "mx.google.com; spf=pass smtp.mailfrom=x.example; dmarc=none",
                "=?utf-8?q?pay=40trusted.example?=",
            ),
            false,
        )];
        check(&mut case, &target, &user, &mails).await;
        let user = guarded(&target, json!({"to_contains": ["@trusted.example"]})).await;
        let mails = [
            ("a name in To", json!({"to": r#""pay@trusted.example" <ada@x.example>"#}), false),
            ("an address in To", json!({"to": "ada@x.example, pay@trusted.example"}), true),
        ];
        check(&mut case, &target, &user, &mails).await;
    }
}

#[tokio::test]
async fn case_61_a_domain_that_looks_like_it() {
    let mut case = Case::new(61, "sender: a domain that only looks like the wanted one");
    for target in Target::all().await {
        let user =
            guarded(&target, json!({"from_domain": ["trusted.example", "bücher.example"]})).await;
        let mails = [
            ("a subdomain", from("pay@mail.trusted.example"), false),
            ("a domain that ends like it", from("pay@untrusted.example"), false),
            ("a domain that begins like it", from("pay@trusted.example.evil.example"), false),
            ("a letter that looks like it", from("pay@trustеd.example"), false),
            ("a quoted local part", from(r#""pay@trusted.example"@x.example"#), false),
            ("a name", from(r#""pay@trusted.example" <evil@x.example>"#), false),
            ("without its mark", from("a@bucher.example"), false),
            ("the domain", from("pay@Trusted.EXAMPLE"), true),
            ("a domain in its ASCII form", from("a@xn--bcher-kva.example"), true),
        ];
        check(&mut case, &target, &user, &mails).await;
        for (what, value) in [
            ("an address", "pay@trusted.example"),
            ("an address without its name", "@trusted.example"),
            ("a pattern", "*.example"),
        ] {
            let config =
                json!({"connector_id": user.connector, "filters": {"from_domain": [value]}});
            let body = json!({"type": "email", "config": config});
            let answer = target
                .stack
                .api(Method::POST, "/api/triggers", Some(&user.token), Some(body))
                .await;
            case.check(
                format!("{}: {what} in from_domain", target.name),
                "400 invalid_trigger".to_string(),
                summary(answer).await,
            );
        }
    }
}

#[tokio::test]
async fn case_62_a_forged_authentication_header() {
    let mut case = Case::new(62, "sender: an Authentication-Results header of its own");
    for target in Target::all().await {
        let user =
            guarded(&target, json!({"from_domain": ["trusted.example"], "authenticated": true}))
                .await;
        let with = |said: &str, name: &str, value: &str| json!({"from": TRUSTED, "authentication_results": said, "headers": {name: value}});
        let mails = [
            ("below the receiving server's", with(FAILED, "Authentication-Results", PASSED), false),
            (
                "below another server's",
                with("mx.evil.example; spf=fail", "Authentication-Results", PASSED),
                false,
            ),
            (
                "of another server",
                said(&PASSED.replace("mx.google.com", "mx.evil.example"), TRUSTED),
                false,
            ),
            (
                "of a server whose name begins like it",
                said(&PASSED.replace("mx.google.com", "mx.google.com.evil.example"), TRUSTED),
                false,
            ),
            (
                "of a chain of forwarders",
                with("", "ARC-Authentication-Results", &format!("i=1; {PASSED}")),
                false,
            ),
            (
                "in mail that Gmail fetched elsewhere",
                with(PASSED, "X-Gmail-Fetch-Info", "ada@x.example 1 pop.x.example 995 ada"),
                false,
            ),
            (
                "SPF and DKIM of the sender's own domain",
                said("mx.google.com; dkim=pass header.i=@evil.example; spf=pass", TRUSTED),
                false,
            ),
            ("none at all", said("", TRUSTED), false),
            (
                "the receiving server's, above a forged one",
                with(PASSED, "Authentication-Results", FAILED),
                true,
            ),
        ];
        let fired = check(&mut case, &target, &user, &mails).await;
        let passed = json!({"spf": "pass", "dkim": "pass", "dmarc": "pass"});
        let shown =
            fired.first().map_or(Value::Null, |event| event["message"]["authentication"].clone());
        case.check(format!("{}: as the event shows it", target.name), passed, shown);
    }
}

#[tokio::test]
async fn case_63_what_passed_for_another_sender() {
    let mut case = Case::new(
        63,
        "sender: an authentication result about another sender, or written into the envelope address",
    );
    for target in Target::all().await {
        let user =
            guarded(&target, json!({"from_domain": ["trusted.example"], "authenticated": true}))
                .await;
        let evil = "mx.google.com; spf=pass; dmarc=pass (p=NONE) header.from=evil.example";
        let enveloped = |local: &str| {
            let found = format!(
                "mx.google.com; spf=pass (google.com: domain of {local}@evil.example designates 192.0.2.1)"
            );
            said(&format!("{found} smtp.mailfrom={local}@evil.example"), TRUSTED)
        };
        let hidden = "dmarc=pass header.from=trusted.example";
        let mails = [
            (
                "of two addresses the other",
                said(evil, "pay@trusted.example, evil@evil.example"),
                false,
            ),
            ("about another domain", said(evil, TRUSTED), false),
            (
                "about a subdomain",
                said(&evil.replace("evil.example", "mail.trusted.example"), TRUSTED),
                false,
            ),
            ("about nobody", said("mx.google.com; dmarc=pass", TRUSTED), false),
            (
                "two results",
                said(
                    &format!("mx.google.com; {hidden}; dmarc=fail header.from=trusted.example"),
                    TRUSTED,
                ),
                false,
            ),
            ("a result in the envelope's address", enveloped(&format!("a); {hidden} (b")), false),
            ("the same, quoted", enveloped(&format!("\"a); {hidden} (b\"")), false),
            (
                "a result in a comment",
                said(&format!("mx.google.com; spf=pass (a; {hidden})"), TRUSTED),
                false,
            ),
            (
                "a comment without an end",
                said(&format!("mx.google.com; {hidden}; spf=pass (a"), TRUSTED),
                false,
            ),
            ("about the sender", said(PASSED, TRUSTED), true),
        ];
        check(&mut case, &target, &user, &mails).await;
    }
}

#[tokio::test]
async fn case_64_a_mail_without_a_sender() {
    let mut case =
        Case::new(64, "sender: mail without a readable sender; what the API shows of a forged one");
    for target in Target::all().await {
        let name = target.name;
        let nobody = || json!({"raw_no_from": true, "authentication_results": PASSED});
        for filters in [
            json!({"from_domain": ["trusted.example"]}),
            json!({"from_contains": ["e"]}),
            json!({"authenticated": true}),
        ] {
            let user = guarded(&target, filters.clone()).await;
            let mails = [
                ("no From", nobody(), false),
                ("a From that names nobody", said(PASSED, "trusted.example"), false),
                (
                    "a From that names two at once",
                    said(PASSED, "<pay@trusted.example> <evil@x.example>"),
                    false,
                ),
                ("a From that names somebody", said(PASSED, TRUSTED), true),
            ];
            let shown = filters
                .as_object()
                .and_then(|filters| filters.keys().next().cloned())
                .unwrap_or_default();
            let mails = mails.map(|(what, mail, fires)| (format!("{shown}: {what}"), mail, fires));
            let mails: Vec<(&str, Value, bool)> = mails
                .iter()
                .map(|(what, mail, fires)| (what.as_str(), mail.clone(), *fires))
                .collect();
            check(&mut case, &target, &user, &mails).await;
        }
        forged_as_shown(&mut case, &target, name).await;
    }
}

/// What the API shows of a forged mail, and the reasons why it does not fire.
async fn forged_as_shown(case: &mut Case, target: &Target, name: &str) {
    let user = guarded(target, json!({"from_domain": ["x.example"], "authenticated": true})).await;
    let mail = json!({"from": TRUSTED, "authentication_results": FAILED, "headers": {"Authentication-Results": PASSED}});
    let id = user.receive(&target.stack, mail).await;
    let failed = json!({"spf": "pass", "dmarc": "fail"});
    let path = format!("/api/connectors/{}/messages/{id}", user.connector);
    for format in ["full", "metadata"] {
        let answer = target
            .stack
            .api(Method::GET, &format!("{path}?format={format}"), Some(&user.token), None)
            .await;
        let message = read(answer, StatusCode::OK).await;
        case.check(
            format!("{name}: a forged mail, read with format={format}"),
            failed.clone(),
            message["authentication"].clone(),
        );
    }
    let path = format!("/api/triggers/{}/test", user.trigger);
    let answer =
        target.stack.api(Method::POST, &path, Some(&user.token), Some(json!({"days": 1}))).await;
    let rehearsed = read(answer, StatusCode::OK).await;
    let reasons = rehearsed["would_not"][0]["reasons"].as_array().cloned().unwrap_or_default();
    let saw: Vec<Value> = reasons
        .iter()
        .map(|reason| json!([reason["detail"]["filter"], reason["detail"]["saw"]]))
        .collect();
    let expected = json!([["from_domain", "trusted.example"], ["authenticated", failed]]);
    case.check(format!("{name}: why it does not fire"), expected, Value::Array(saw));
}
