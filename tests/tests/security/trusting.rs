//! Headers that proxies and frameworks trust: forwarded hosts, overridden methods, rewritten paths,
//! other users.

use reqwest::Method;
use serde_json::Value;
use tests::deployed::{User, token};

use crate::security::case::Case;
use crate::security::connecting::{CONNECT, callback_url};
use crate::security::forge::unique;
use crate::security::target::{Target, header, status, summary};

const EVIL: &str = "evil.example";
/// Headers that a proxy or a framework might trust.
const REWRITTEN: [(&str, &str); 17] = [
    ("x-forwarded-host", EVIL),
    ("x-forwarded-server", EVIL),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-port", "8080"),
    ("x-forwarded-prefix", "/evil.example"),
    ("x-forwarded-for", "192.0.2.66"),
    ("forwarded", "for=192.0.2.66;host=evil.example;proto=http"),
    ("x-host", EVIL),
    ("x-http-method-override", "DELETE"),
    ("x-http-method", "DELETE"),
    ("x-method-override", "DELETE"),
    ("x-original-url", "/api/owner/data"),
    ("x-rewrite-url", "/api/owner/data"),
    ("x-original-host", EVIL),
    ("x-user", "another-owner"),
    ("x-authenticated-user", "another-owner"),
    ("host", EVIL),
];

/// The parts of an answer that are equal for two equal requests.
async fn shown(target: &Target, path: &str, token: &str, with: Option<(&str, &str)>) -> String {
    let request = target.stack.request(Method::GET, path).bearer_auth(token);
    let answer = target
        .stack
        .answer(with.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
        .await;
    let (came, location, text) =
        (status(&answer), header(&answer, "location"), answer.text().await.unwrap());
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let what = match document["authorization_url"].as_str() {
        Some(url) => {
            let url = reqwest::Url::parse(url).unwrap();
            let back = url
                .query_pairs()
                .find(|(name, _)| name == "redirect_uri")
                .map(|(_, value)| value.into_owned());
            format!("{} {}", url.path(), back.unwrap_or_default())
        }
        None => ["app_public_url", "callback_url", "id", "email_address", "code"]
            .map(|name| document[name].to_string())
            .join(" "),
    };
    format!("{came} {location} {what}{}", if text.contains(EVIL) { " evil" } else { "" })
}

#[tokio::test]
async fn case_84_headers_that_rewrite_a_request() {
    let mut case =
        Case::new(84, "all: headers that name another host, method, path or user change nothing");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "rewritten").await);
        let paths = [
            "/api/system/info".to_string(),
            format!("{CONNECT}/callback?code=4&state=s"),
            format!("{CONNECT}/start"),
            format!("/api/connectors/{}", user.connector),
            "/api/nothing".into(),
        ];
        for path in &paths {
            let masked = path.replace(&user.connector, "{id}");
            let plain = shown(&target, path, &user.token, None).await;
            // The emulator routes by the host header.
            for (header, value) in REWRITTEN
                .into_iter()
                .filter(|(header, _)| target.inside.is_some() || *header != "host")
            {
                let with = shown(&target, path, &user.token, Some((header, value))).await;
                case.check(format!("{name}: {masked} with {header}: {value}"), plain.clone(), with);
            }
        }
        let sync = target
            .stack
            .request(Method::POST, &format!("/api/connectors/{}/sync", user.connector))
            .bearer_auth(&user.token);
        let sync = REWRITTEN
            .iter()
            .filter(|(name, _)| *name != "host")
            .fold(sync, |request, (name, value)| request.header(*name, *value));
        case.check(
            format!("{name}: a sync with all of them"),
            202,
            status(&target.stack.answer(sync).await),
        );
        let kept = user.connector(&target.stack).await;
        case.check(
            format!("{name}: whose connector it is afterwards"),
            user.owner.clone(),
            kept["owner_id"].as_str().unwrap().to_string(),
        );
        let answer = target.stack.answer(target.stack.request(Method::GET, &paths[1])).await;
        case.check(
            format!("{name}: the callback redirects to"),
            format!("{}?code=4&state=s", callback_url()),
            header(&answer, "location"),
        );
    }
}

#[tokio::test]
async fn case_85_other_forms_of_a_token() {
    let mut case = Case::new(
        85,
        "users: a good token in another form, in another part of the request, or beside a second one",
    );
    for target in Target::all().await {
        let (name, good) =
            (target.name, token(&target.stack, &format!("forms-{}", unique())).await);
        let other = token(&target.stack, &format!("other-{}", unique())).await;
        let bearer = format!("Bearer {good}");
        let (in_, out) = ("200", "401 unauthorized");
        let list = async |query: &str, headers: &[(&str, String)]| {
            let request = target.stack.request(Method::GET, &format!("/api/connectors{query}"));
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
            summary(target.stack.answer(request).await).await
        };
        for (what, value, expected) in [
            ("as it should be", bearer.clone(), in_),
            ("the scheme in small letters", format!("bearer {good}"), in_),
            ("the scheme in capitals", format!("BEARER {good}"), in_),
            ("a tab instead of the blank", format!("Bearer\t{good}"), out),
            ("no scheme", good.clone(), out),
            ("no blank", format!("Bearer{good}"), out),
            ("the scheme Basic", format!("Basic {good}"), out),
            ("the scheme Token", format!("Token {good}"), out),
            ("the scheme DPoP", format!("DPoP {good}"), out),
            ("a parameter", format!("Bearer token={good}"), out),
            ("quotes", format!("Bearer \"{good}\""), out),
            ("a word behind it", format!("{bearer} x"), out),
            ("a comma behind it", format!("{bearer},"), out),
            ("padding behind it", format!("{bearer}="), out),
            ("a point behind it", format!("{bearer}."), out),
            ("twice in one header", format!("{bearer}, {bearer}"), out),
            ("beside another owner's in one header", format!("{bearer},Bearer {other}"), out),
            ("beside Basic in one header", format!("Basic YTpi, {bearer}"), out),
            ("nothing but the scheme", "Bearer".into(), out),
        ] {
            case.check(
                format!("{name}: {what}"),
                expected.to_string(),
                list("", &[("authorization", value)]).await,
            );
        }
        for (what, first, second) in [
            ("the same in two headers", bearer.clone(), bearer.clone()),
            ("two owners' in two headers", bearer.clone(), format!("Bearer {other}")),
            ("Basic in the first header", "Basic YTpi".into(), bearer.clone()),
        ] {
            let came = list("", &[("authorization", first), ("authorization", second)]).await;
            case.check(format!("{name}: {what}"), out.to_string(), came);
        }
        for (what, header, value) in [
            ("a cookie", "cookie", format!("access_token={good}; authorization={bearer}")),
            ("the header of a proxy", "proxy-authorization", bearer.clone()),
            ("a header of another's", "x-access-token", good.clone()),
            ("a header that somebody forwarded", "x-forwarded-authorization", bearer.clone()),
            ("a protocol of WebSockets", "sec-websocket-protocol", format!("bearer, {good}")),
        ] {
            case.check(
                format!("{name}: in {what}"),
                out.to_string(),
                list("", &[(header, value)]).await,
            );
        }
        for query in [
            format!("?access_token={good}"),
            format!("?authorization=Bearer+{good}"),
            format!("?token={good}"),
        ] {
            let named = query.split('=').next().unwrap().to_string();
            case.check(
                format!("{name}: in the query as {named}"),
                out.to_string(),
                list(&query, &[]).await,
            );
        }
    }
}
