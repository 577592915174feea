//! The files that the front end's build wrote, within this binary.

use axum::body::Bytes;
use axum::http::HeaderValue;
use rust_embed::{EmbeddedFile, RustEmbed};

/// The page of every view.
const PAGE: &str = "index.html";
/// The page that the issuer returns to inside a frame or a window of the page.
const ANSWER: &str = "answer.html";
/// Loaded in a hidden frame of the page itself, by which a session is renewed.
pub const SILENT: &str = "auth/silent";
/// Loaded in a window that the page opens, where a person signs in again.
const POPUP: &str = "auth/popup";
/// The build's folder of files whose names have a hash of their content.
const HASHED: &str = "assets/";
/// What the build wrote beside a file that is worth it.
const BROTLI: &str = ".br";

#[derive(RustEmbed)]
#[folder = "assets"]
struct Files;

pub struct Asset {
    pub plain: Content,
    pub brotli: Option<Content>,
    kind: &'static str,
}

pub struct Content {
    pub bytes: Bytes,
    /// Of these bytes, without quotes: the two encodings of a file have one each.
    pub tag: String,
}

impl Asset {
    pub fn find(path: &str) -> Option<Self> {
        // A variant is chosen by Accept-Encoding, and has no address.
        let plain = Files::get(path).filter(|_| !path.ends_with(BROTLI))?;
        let brotli = Files::get(&format!("{path}{BROTLI}")).map(Content::from);
        Some(Self { plain: plain.into(), brotli, kind: kind(path) })
    }

    pub fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(self.kind)
    }
}

impl From<EmbeddedFile> for Content {
    fn from(file: EmbeddedFile) -> Self {
        let hash = file.metadata.sha256_hash();
        let tag = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let bytes = match file.data {
            std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            std::borrow::Cow::Owned(bytes) => bytes.into(),
        };
        Self { bytes, tag }
    }
}

/// What a browser may take the file for, as `nosniff` has it guess nothing.
fn kind(path: &str) -> &'static str {
    match extension(path) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

fn extension(path: &str) -> &str {
    path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, end)| end)
}

/// The pages have an address for each of their views, and are no files among the others.
pub fn is_page(path: &str) -> bool {
    [PAGE, ANSWER].contains(&path)
}

/// The name of the page at an address below `/console/`.
pub fn page_of(path: &str) -> &'static str {
    match path.trim_end_matches('/') {
        SILENT | POPUP => ANSWER,
        _ => PAGE,
    }
}

pub fn is_hashed(path: &str) -> bool {
    path.starts_with(HASHED)
}

/// Whether a path that is no file was meant as one, so that the page would be a wrong answer: a
/// browser must not take the page for a script of an older build.
pub fn looks_like_asset(path: &str) -> bool {
    let extension = extension(path);
    let is_one = (1..=8).contains(&extension.len())
        && extension.starts_with(|first: char| first.is_ascii_alphabetic())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one || is_hashed(path) || path == HASHED.trim_end_matches('/')
}

/// RFC 9110, section 12.5.3, as far as one encoding needs it.
pub fn takes_brotli(accepted: Option<&HeaderValue>) -> bool {
    let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br"));
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.parse().is_ok_and(|weight: f32| weight <= 0.0))
        });
        named && !refused
    })
}

/// The weak comparison of If-None-Match (RFC 9110, section 13.1.2); our tags have no comma.
pub fn same_tag(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    known
        .split(',')
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == "*" || known == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_sent_to_who_takes_it() {
        for (accepted, takes) in [
            ("br", true),
            ("gzip, deflate, br, zstd", true),
            ("gzip;q=1.0, BR;q=0.5", true),
            ("br;q=0", false),
            ("br; Q=0.000, gzip", false),
            ("gzip", false),
            ("*", false),
            ("", false),
            ("brr", false),
            (";;,,;q=", false),
        ] {
            assert_eq!(
                takes_brotli(Some(&HeaderValue::from_static(accepted))),
                takes,
                "{accepted}"
            );
        }
        assert!(!takes_brotli(None));
    }

    #[test]
    fn a_tag_is_known_by_its_name_and_not_by_its_strength() {
        for (known, same) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(same_tag(&HeaderValue::from_static(known), "\"a\""), same, "{known}");
        }
    }

    #[test]
    fn a_view_is_no_file() {
        for path in ["assets/gone-1a2b.js", "assets", "assets/x", "wp-login.php", "a/b.map", ".env"]
        {
            assert!(looks_like_asset(path), "{path}");
        }
        for path in ["connectors", "connectors/con_1/mail/19b0", "mail/1.0", "a.", "x@1.2.3", ""] {
            assert!(!looks_like_asset(path), "{path}");
        }
    }

    #[test]
    fn every_file_of_the_build_is_of_a_known_kind_and_every_variant_has_its_file() {
        assert!(Files::get(PAGE).is_some());
        for name in Files::iter() {
            match name.strip_suffix(BROTLI) {
                Some(file) => assert!(Files::get(file).is_some(), "{name}"),
                None => assert_ne!(kind(&name), "application/octet-stream", "{name}"),
            }
            assert!(!name.ends_with(".map"), "{name}");
        }
    }
}
