//! The console's page through the gateway: it finds its files from every address, is bound by its
//! headers, and a strange path is no page.

use std::collections::BTreeMap;
use std::path::Path;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use reqwest::Url;
use serde_json::{Value, json};
use tests::gateway::{Functions, Gateway, Matches, invoke};
use tests::inside::console_page;

/// Where the API stands for a browser: not always at the root.
const MOUNT: &str = "https://api.example.com/some/base";
const PAGES: [&str; 7] = [
    "/console",
    "/console/",
    "/console/connectors",
    "/console/connectors/",
    "/console/connectors/con_1",
    "/console/connectors/con_1/mail/19b0f/1.0",
    "/console/a/b/c/d/e/f",
];

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn directive(&self, name: &str) -> Option<&str> {
        let policy = self.header("content-security-policy");
        policy.split("; ").find_map(|directive| {
            directive.strip_prefix(name).and_then(|rest| match rest {
                "" => Some(""),
                rest => rest.strip_prefix(' '),
            })
        })
    }
}

async fn ask(method: &str, path: &str, headers: &[(&str, &str)], matches: Matches) -> Answer {
    let functions = Functions::from([("console", console_page())]);
    let gateway = Gateway::before(functions, matches, "api.example");
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = gateway.answer(request.body(Body::empty()).unwrap()).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

async fn get(path: &str) -> Answer {
    ask("GET", path, &[], Matches::Decoded).await
}

/// The files of the build, as they lie in the folder.
fn files() -> BTreeMap<String, Vec<u8>> {
    fn collect(folder: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => collect(&path, root, found),
                false => {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_string();
                    found.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
    }
    let (root, mut found) = (
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions/console/assets"),
        BTreeMap::new(),
    );
    collect(&root, &root, &mut found);
    found
}

/// The relative URLs in a page.
fn urls(page: &str) -> Vec<&str> {
    let values = page.split("=\"").skip(1).filter_map(|rest| rest.split('"').next());
    values.filter(|value| value.starts_with('.')).collect()
}

#[tokio::test]
async fn the_page_finds_its_files_from_every_address_and_below_any_path() {
    for address in PAGES {
        let page = get(address).await;
        assert_eq!(page.status, 200, "{address}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let (shown, urls) = (Url::parse(&format!("{MOUNT}{address}")).unwrap(), urls(page.text()));
        assert!(!urls.is_empty(), "{}", page.text());
        for url in urls {
            let found = shown.join(url).unwrap();
            let path = found.as_str().strip_prefix(MOUNT).unwrap_or_else(|| panic!("{found}"));
            assert_eq!(get(path).await.status, 200, "{address} refers to {path}");
        }
    }
}

#[tokio::test]
async fn every_file_arrives_as_it_was_built_and_compressed_for_who_takes_it() {
    let mut files = files();
    // They have the addresses of their views.
    assert!(["index.html", "answer.html"].into_iter().all(|page| files.remove(page).is_some()));
    for (name, content) in &files {
        let path = format!("/console/{name}");
        if name.ends_with(".br") {
            assert_eq!(get(&path).await.status, 404, "{name}: a variant has no address");
            continue;
        }
        let plain = get(&path).await;
        assert_eq!((plain.status, &plain.body[..]), (200, &content[..]), "{name}");
        assert_eq!(plain.header("x-content-type-options"), "nosniff");
        assert_eq!(plain.header("content-encoding"), "");
        let immutable = plain.header("cache-control").contains("immutable");
        assert_eq!(immutable, name.starts_with("assets/"), "{name}");
        let packed = ask("GET", &path, &[("accept-encoding", "gzip, br")], Matches::Decoded).await;
        match files.get(&format!("{name}.br")) {
            Some(variant) => {
                assert_eq!(packed.header("content-encoding"), "br", "{name}");
                assert_eq!(&packed.body[..], &variant[..], "{name}");
                assert!([&plain, &packed].iter().all(|it| it.header("vary") == "accept-encoding"));
                assert_ne!(packed.header("etag"), plain.header("etag"), "{name}");
            }
            None => assert_eq!(&packed.body[..], &content[..], "{name}"),
        }
    }
}

/// What a first visit loads comes compressed: at least scripts and styles.
#[test]
fn scripts_and_styles_have_a_compressed_variant() {
    let files = files();
    for (name, content) in &files {
        let is_text = name.ends_with(".js") || name.ends_with(".css");
        if is_text && content.len() > 1_024 {
            let variant = files.get(&format!("{name}.br"));
            assert!(variant.is_some_and(|packed| packed.len() < content.len()), "{name}");
        }
    }
}

#[tokio::test]
async fn what_a_caller_has_is_not_sent_again_and_a_head_has_no_body() {
    for path in ["/console", "/console/connectors/con_1", "/console/mail-frame.html"] {
        let whole = get(path).await;
        let tag = whole.header("etag");
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{path}: {tag}");
        for known in [tag, &format!("W/{tag}"), "*", &format!("\"other\", {tag}")] {
            let again = ask("GET", path, &[("if-none-match", known)], Matches::Decoded).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {known}");
            assert_eq!(again.header("etag"), tag);
        }
        let other = ask("GET", path, &[("if-none-match", "\"other\"")], Matches::Decoded).await;
        assert_eq!((other.status, &other.body), (200, &whole.body), "{path}");
        let head = ask("HEAD", path, &[], Matches::Decoded).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("etag"), tag);
    }
    // The URLs in it differ.
    assert_ne!(get("/console").await.header("etag"), get("/console/a/b").await.header("etag"));
}

#[tokio::test]
async fn the_page_is_bound_by_its_policy() {
    for address in PAGES {
        let page = get(address).await;
        for (name, sources) in [
            ("default-src", "'none'"),
            ("script-src", "'self'"),
            ("style-src", "'self'"),
            ("object-src", "'none'"),
            ("base-uri", "'none'"),
            ("form-action", "'none'"),
            ("frame-ancestors", "'none'"),
            ("img-src", "'self' data:"),
            ("frame-src", "'self' https://login.example.com https://tokens.example.com"),
            (
                "connect-src",
                "'self' https://login.example.com https://tokens.example.com https://mail.s3.eu-central-1.amazonaws.com",
            ),
            ("require-trusted-types-for", "'script'"),
        ] {
            assert_eq!(page.directive(name), Some(sources), "{address}: {name}");
        }
        assert!(!page.header("content-security-policy").contains("unsafe"));
        for (name, value) in [
            ("cache-control", "no-cache"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-opener-policy", "same-origin-allow-popups"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), value, "{address}");
        }
        assert!(page.header("permissions-policy").contains("camera=()"));
    }
}

#[tokio::test]
async fn a_view_that_another_origin_opens_or_returns_to_keeps_its_opener() {
    for address in [
        "/console/connect",
        "/console/connect/",
        "/console/auth/callback",
        "/console/auth/google/callback",
    ] {
        let page = get(address).await;
        assert_eq!(page.header("cross-origin-opener-policy"), "unsafe-none", "{address}");
        assert_eq!(page.directive("frame-ancestors"), Some("'none'"), "{address}");
    }
    // In a hidden frame of the page itself.
    let silent = get("/console/auth/silent?code=1&state=2").await;
    assert_eq!(silent.directive("frame-ancestors"), Some("'self'"));
    assert_eq!(get("/console/connectors").await.directive("frame-ancestors"), Some("'none'"));
    assert_eq!(get("/console/auth/popup").await.directive("frame-ancestors"), Some("'none'"));
}

/// Each visit begins with such a frame: nothing of the views is loaded in it.
#[tokio::test]
async fn where_the_issuer_returns_to_in_a_frame_or_a_window_is_a_small_page_of_its_own() {
    let views = get("/console/auth/callback").await;
    for address in ["/console/auth/silent?code=1", "/console/auth/silent/", "/console/auth/popup"] {
        let answer = get(address).await;
        assert_eq!(answer.status, 200, "{address}");
        assert_eq!(answer.text().matches("<script").count(), 1, "{address}");
        assert!(answer.text().contains("/assets/answer-"), "{address}: {}", answer.text());
        assert!(!answer.text().contains("stylesheet"), "{address}");
        assert_ne!(answer.header("etag"), views.header("etag"), "{address}");
    }
}

#[tokio::test]
async fn mail_is_shown_in_a_document_in_which_nothing_runs() {
    for (name, images) in
        [("mail-frame.html", "data: blob:"), ("mail-frame-pictures.html", "data: blob: https:")]
    {
        let frame = get(&format!("/console/{name}")).await;
        assert_eq!(frame.status, 200, "{name}");
        assert_eq!(frame.header("content-type"), "text/html; charset=utf-8");
        for (directive, value) in [
            ("default-src", "'none'"),
            ("img-src", images),
            ("frame-ancestors", "'self'"),
            ("form-action", "'none'"),
            ("base-uri", "'none'"),
            ("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox"),
        ] {
            assert_eq!(frame.directive(directive), Some(value), "{name}: {directive}");
        }
        assert!(frame.directive("script-src").is_none(), "{name}");
        assert_eq!(frame.header("x-dns-prefetch-control"), "off");
        assert_eq!(frame.header("referrer-policy"), "no-referrer");
        assert!(!frame.text().contains("<script"), "{name}");
    }
    // Whatever else is opened by itself.
    assert_eq!(get("/console/icon.svg").await.directive("sandbox"), Some(""));
}

#[tokio::test]
async fn the_page_is_told_its_issuer_and_nothing_that_is_secret() {
    let config = get("/console/config.json").await;
    assert_eq!(config.header("cache-control"), "no-store");
    let mut told: Value = serde_json::from_slice(&config.body).unwrap();
    let version = told.as_object_mut().unwrap().remove("version").unwrap();
    assert!(version.as_str().is_some_and(|version| !version.is_empty()));
    assert_eq!(
        told,
        json!({"issuer": "https://login.example.com/tenant", "client_id": "console",
            "scope": "openid email", "audience": "email-connectors", "resource": null})
    );
}

#[tokio::test]
async fn a_path_that_is_no_view_and_no_file_is_neither() {
    for path in [
        "/console/assets/index-older123.js",
        "/console/assets",
        "/console/assets/",
        "/console/index.html",
        "/console/answer.html",
        "/console/assets/../index.html",
        "/console/assets/..%2findex.html",
        "/console/..%2f..%2fetc%2fpasswd",
        "/console/%2e%2e/%2e%2e/etc/passwd",
        "/console/..\\..\\main.rs",
        "/console/%00",
        "/console/a%0d%0aset-cookie:%20x=1",
        "/console/%ff%fe",
        "/console/<script>",
        "/console/%3cscript%3e",
        "/console//",
        "/console//a",
        "/console/a//",
        "/console/.env",
        "/console/.git/config.txt",
        "/console/wp-login.php",
        "/console/a/b/c/d/e/f/g",
        "/console/%",
        "/console/{first}",
        "/consolefoo",
        "/Console",
    ] {
        for matches in [Matches::Decoded, Matches::Sent] {
            let Ok(uri) = axum::http::Uri::try_from(path) else { continue };
            let answer = ask("GET", &uri.to_string(), &[], matches).await;
            assert!(matches!(answer.status, 400 | 404), "{path} {matches:?}: {}", answer.status);
            assert!(!answer.header("content-type").contains("html"), "{path}");
        }
    }
    let endless = format!("/console/{}", "a".repeat(9_000));
    assert!(matches!(get(&endless).await.status, 404 | 431));
}

#[tokio::test]
async fn the_function_itself_takes_any_event_without_a_fault() {
    let event = |method: &str, path: Value, sent: Value| {
        json!({"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "a=%zz&&",
            "headers": {"accept-encoding": "br;q=x, ,;", "if-none-match": "W/\"\",,*x"}, "isBase64Encoded": false,
            "requestContext": {"http": {"method": method, "path": sent}}})
        .to_string()
    };
    for (method, path, sent, status) in [
        ("GET", json!("/console"), json!("/console"), 200),
        ("GET", json!("/console"), json!(null), 200),
        ("GET", json!("/console"), json!("/".repeat(9_000)), 404),
        ("GET", json!("/console/a"), json!("/console/a//"), 404),
        ("GET", json!("/console/../x"), json!("/"), 404),
        ("GET", json!(null), json!("/"), 404),
        ("POST", json!("/console"), json!("/console"), 405),
        ("DELETE", json!("/console/config.json"), json!(""), 405),
        ("GET", json!("/api/connectors"), json!("/api/connectors"), 404),
    ] {
        let answered = invoke(console_page(), event(method, path.clone(), sent)).await.unwrap();
        let answered: Value = serde_json::from_str(answered.get()).unwrap();
        assert_eq!(answered["statusCode"], status, "{method} {path}: {answered}");
    }
}
