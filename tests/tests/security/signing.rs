//! `webhook` triggers: which signatures fire them.

use aws_lc_rs::hmac;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read, token};

use crate::security::case::Case;
use crate::security::forge::{seconds, unique};
use crate::security::target::{Target, status, summary};

/// A `webhook` trigger, with the secret that the API shows once.
pub struct Hook {
    pub trigger: String,
    secret: String,
}

impl Hook {
    pub async fn of(target: &Target, user: &User) -> Self {
        let body = json!({"type": "webhook", "config": {"connector_id": user.connector}});
        let made = read(
            target.stack.api(Method::POST, "/api/triggers", Some(&user.token), Some(body)).await,
            StatusCode::CREATED,
        )
        .await;
        Self {
            trigger: made["id"].as_str().unwrap().into(),
            secret: made["secret"].as_str().unwrap().into(),
        }
    }

    pub fn path(&self) -> String {
        format!("/api/triggers/{}/events", self.trigger)
    }

    pub fn sign(&self, at: i64, body: &str) -> String {
        signature(&self.secret, at, body)
    }

    pub fn signature(&self, target: &Target, body: &str) -> String {
        self.sign(seconds(target, 0), body)
    }

    pub fn secret(&self) -> &str {
        &self.secret
    }

    pub async fn fire(&self, target: &Target, signature: Option<&str>, body: &str) -> Response {
        let request = target.stack.request(Method::POST, &self.path()).body(body.to_string());
        target
            .stack
            .answer(
                signature
                    .iter()
                    .fold(request, |request, signature| request.header("x-signature", *signature)),
            )
            .await
    }
}

fn signature(secret: &str, at: i64, body: &str) -> String {
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        format!("{at}.{body}").as_bytes(),
    );
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

#[tokio::test]
async fn case_37_a_webhook_trigger() {
    const BODY: &str = r#"{"event_type":"paid","data":{"amount":7}}"#;
    let mut case = Case::new(
        37,
        "API: a webhook trigger fired with a wrong, missing, replayed or late signature",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "hook").await);
        let (hook, other) = (Hook::of(&target, &user).await, Hook::of(&target, &user).await);
        let now = seconds(&target, 0);
        let good = hook.sign(now, BODY);
        let (at, mac) = good.split_once(',').unwrap();
        let refusals = [
            ("missing", None),
            ("empty", Some(String::new())),
            ("by another secret", Some(signature("another secret", now, BODY))),
            ("by another trigger's secret", Some(other.sign(now, BODY))),
            ("by an empty secret", Some(signature("", now, BODY))),
            (
                "over another body",
                Some(hook.sign(now, r#"{"event_type":"paid","data":{"amount":7000}}"#)),
            ),
            ("over another time", Some(format!("t={},{mac}", now - 1))),
            ("301 s late", Some(hook.sign(now - 301, BODY))),
            ("310 s early", Some(hook.sign(now + 310, BODY))),
            ("no time", Some(mac.to_string())),
            ("no mac", Some(at.to_string())),
            ("another form", Some(format!("{mac},{at}"))),
            ("cut short", Some(good[..good.len() - 2].to_string())),
            ("two of them", Some(format!("{good},{mac}"))),
        ];
        for (what, signature) in &refusals {
            let answer = hook.fire(&target, signature.as_deref(), BODY).await;
            case.check(
                format!("{name}: {what}"),
                "401 unauthorized".to_string(),
                summary(answer).await,
            );
        }
        let unknown = Hook { trigger: format!("trg_{}", unique()), secret: hook.secret.clone() };
        let text = async |answer: Response| (status(&answer), answer.text().await.unwrap());
        let of_unknown = text(unknown.fire(&target, Some(&good), BODY).await).await;
        let of_wrong =
            text(hook.fire(&target, Some(&signature("another secret", now, BODY)), BODY).await)
                .await;
        case.check(
            format!("{name}: an unknown trigger is answered as a wrong signature"),
            true,
            of_unknown == of_wrong,
        );
        let email = Hook { trigger: user.trigger.clone(), secret: hook.secret.clone() };
        let answer = email.fire(&target, Some(&email.sign(now, BODY)), BODY).await;
        case.check(
            format!("{name}: a trigger of type email"),
            "401 unauthorized".to_string(),
            summary(answer).await,
        );

        case.check(
            format!("{name}: a good signature"),
            202,
            status(&hook.fire(&target, Some(&good), BODY).await),
        );
        case.check(
            format!("{name}: the same again"),
            "401 unauthorized".to_string(),
            summary(hook.fire(&target, Some(&good), BODY).await).await,
        );
        let upper = good.replace(mac, &format!("v1={}", mac[3..].to_uppercase()));
        case.check(
            format!("{name}: the same in capitals"),
            "401 unauthorized".to_string(),
            summary(hook.fire(&target, Some(&upper), BODY).await).await,
        );
        let stranger = token(&target.stack, &format!("stranger-{}", unique())).await;
        let request =
            target.stack.request(Method::POST, &hook.path()).bearer_auth(&stranger).body(BODY);
        case.check(
            format!("{name}: another owner's token"),
            404,
            status(&target.stack.answer(request).await),
        );
        let request = target
            .stack
            .request(Method::POST, &hook.path())
            .bearer_auth("a")
            .header("x-signature", hook.sign(now + 1, BODY))
            .body(BODY);
        case.check(
            format!("{name}: a bad token beside a good signature"),
            401,
            status(&target.stack.answer(request).await),
        );
        let fired = target.fired(&user.owner, 1).await;
        case.check(format!("{name}: events of it all"), 1, fired.len());
        let signed = fired.first().map_or(Value::Null, |event| event["event"]["data"].clone());
        case.check(format!("{name}: the event has the signed data"), json!({"amount": 7}), signed);
        let shown = target
            .stack
            .api(Method::GET, &format!("/api/triggers/{}", hook.trigger), Some(&user.token), None)
            .await;
        case.check(
            format!("{name}: the secret is shown again"),
            false,
            shown.text().await.unwrap().contains(&hook.secret),
        );
    }
}

#[tokio::test]
async fn case_68_a_secret_is_rotated() {
    let mut case = Case::new(
        68,
        "API: a webhook trigger's secret is rotated: old and new are accepted for a day, an older one is not",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "rotates").await);
        let first = Hook::of(&target, &user).await;
        let body = || format!(r#"{{"event_type":"paid","n":"{}"}}"#, unique());
        let fire = async |hook: &Hook| {
            let body = body();
            summary(hook.fire(&target, Some(&hook.signature(&target, &body)), &body).await).await
        };
        let (rotated, until) = rotate(&target, &user, &first).await;
        case.check(
            format!("{name}: the secret is another one"),
            false,
            rotated.secret == first.secret,
        );
        case.check(format!("{name}: the new secret"), "202".to_string(), fire(&rotated).await);
        case.check(format!("{name}: the one before"), "202".to_string(), fire(&first).await);
        let day = time::Duration::days(1);
        let left = parsed(&until)
            - parsed(user.connector(&target.stack).await["updated_at"].as_str().unwrap());
        case.note(
            format!("{name}: it ends"),
            "in a day",
            left,
            (left - day).abs() < time::Duration::minutes(10),
        );
        let (last, _) = rotate(&target, &user, &first).await;
        let refused = "401 unauthorized".to_string();
        case.check(
            format!("{name}: the first, after two rotations"),
            refused.clone(),
            fire(&first).await,
        );
        case.check(format!("{name}: the second"), "202".to_string(), fire(&rotated).await);
        let path = format!("/api/triggers/{}/secret", user.trigger);
        let of_email =
            summary(target.stack.api(Method::POST, &path, Some(&user.token), None).await).await;
        case.check(
            format!("{name}: rotation for a trigger of type email"),
            "409 no_secret".to_string(),
            of_email,
        );
        let shown = target
            .stack
            .api(Method::GET, &format!("/api/triggers/{}", last.trigger), Some(&user.token), None)
            .await;
        case.check(
            format!("{name}: the secret is shown again"),
            false,
            shown.text().await.unwrap().contains(&last.secret),
        );
        // The user's token has expired by then; signatures do not need it.
        if target.inside.is_some() {
            target.pass(std::time::Duration::from_secs(24 * 3600 - 1));
            case.check(
                format!("{name}: the second, a second before its end"),
                "202".to_string(),
                fire(&rotated).await,
            );
            target.pass(std::time::Duration::from_secs(1));
            case.check(format!("{name}: the second, at its end"), refused, fire(&rotated).await);
            case.check(format!("{name}: the last one, then"), "202".to_string(), fire(&last).await);
        }
    }
}

/// The trigger with its new secret, and until when the previous one is accepted.
async fn rotate(target: &Target, user: &User, hook: &Hook) -> (Hook, String) {
    let path = format!("/api/triggers/{}/secret", hook.trigger);
    let rotated =
        read(target.stack.api(Method::POST, &path, Some(&user.token), None).await, StatusCode::OK)
            .await;
    let text = |name: &str| rotated[name].as_str().unwrap().to_string();
    (Hook { trigger: hook.trigger.clone(), secret: text("secret") }, text("previous_valid_until"))
}

fn parsed(moment: &str) -> time::OffsetDateTime {
    time::OffsetDateTime::parse(moment, &time::format_description::well_known::Rfc3339).unwrap()
}
