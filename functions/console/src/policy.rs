//! What the page may do in a browser: the headers of the page, of its files, and of the frames that
//! it shows mail in.

use axum::http::header::{CONTENT_SECURITY_POLICY, InvalidHeaderValue, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use email_connectors::config::ConsoleSettings;

use crate::assets::SILENT;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const DNS_PREFETCH: HeaderName = HeaderName::from_static("x-dns-prefetch-control");
const NO_DEVICES: HeaderValue = HeaderValue::from_static(
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()",
);

/// The documents that the page shows mail in, and where their pictures may come from. They are
/// empty, and nothing in them runs; the page puts what it has sanitised into them.
const MAIL_FRAMES: [(&str, &str); 2] =
    [("mail-frame.html", "data: blob:"), ("mail-frame-pictures.html", "data: blob: https:")];
/// Views that another origin's page opens or returns to, and that must reach who opened them.
const OPENED_FROM_ELSEWHERE: [&str; 2] = ["auth", "connect"];

pub struct Policy {
    page: HeaderValue,
    silent: HeaderValue,
    mail: [(&'static str, HeaderValue); 2],
}

impl Policy {
    pub fn new(settings: &ConsoleSettings) -> Result<Self, InvalidHeaderValue> {
        let page = |ancestors| HeaderValue::try_from(of_page(settings, ancestors));
        let [mail, pictures] =
            MAIL_FRAMES.map(|(name, images)| Ok((name, HeaderValue::try_from(of_mail(images))?)));
        Ok(Self { page: page("'none'")?, silent: page("'self'")?, mail: [mail?, pictures?] })
    }

    pub fn of_page(&self, path: &str, headers: &mut HeaderMap) {
        let is_silent = path.trim_end_matches('/') == SILENT;
        let first = path.split('/').next().unwrap_or_default();
        let opener = match OPENED_FROM_ELSEWHERE.contains(&first) {
            true => "unsafe-none",
            false => "same-origin-allow-popups",
        };
        let policy = if is_silent { &self.silent } else { &self.page };
        headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
        headers.insert(OPENER_POLICY, HeaderValue::from_static(opener));
        self.of_file(headers);
    }

    pub fn of_asset(&self, path: &str, headers: &mut HeaderMap) {
        if let Some((_, policy)) = self.mail.iter().find(|(name, _)| *name == path) {
            headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
            headers.insert(DNS_PREFETCH, HeaderValue::from_static("off"));
        } else {
            // A picture or another document, opened by itself, runs nothing.
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING));
        }
        self.of_file(headers);
    }

    /// What holds for everything that is served here.
    pub fn of_file(&self, headers: &mut HeaderMap) {
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(PERMISSIONS_POLICY, NO_DEVICES);
    }
}

const NOTHING: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

fn of_page(settings: &ConsoleSettings, ancestors: &str) -> String {
    let issuer = [&[settings.issuer_origin.clone()][..], &settings.connect_origins[..]].concat();
    let issuer = issuer.join(" ");
    let directives = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        &format!("connect-src 'self' {issuer} {}", settings.files_origin),
        &format!("frame-src 'self' {issuer}"),
        "form-action 'none'",
        "base-uri 'none'",
        "object-src 'none'",
        &format!("frame-ancestors {ancestors}"),
        // React and the page's own code write no markup; the sanitiser makes its own policy.
        "require-trusted-types-for 'script'",
    ];
    directives.join("; ")
}

/// Without `allow-scripts`; of the same origin only so that the page can fill it.
fn of_mail(images: &str) -> String {
    format!(
        "default-src 'none'; img-src {images}; style-src 'unsafe-inline'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'self'; \
         sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    )
}
