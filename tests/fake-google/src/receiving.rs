//! The header that Gmail's receiving server adds at the top of mail from outside.

use mail_parser::MessageParser;

use crate::mime::Headers;

const NAME: &str = "Authentication-Results";

/// The results of a genuine mail: all three methods pass for the domain of From.
fn found(from: &str) -> String {
    let address = address(from).unwrap_or_else(|| "nobody@example.com".into());
    let domain = address.rsplit_once('@').map_or("example.com", |(_, domain)| domain);
    format!(
        "mx.google.com;       dkim=pass header.i=@{domain} header.s=selector header.b=abcdefgh;       \
         spf=pass (google.com: domain of {address} designates 192.0.2.1 as permitted sender) smtp.mailfrom={address};       \
         dmarc=pass (p=NONE sp=NONE dis=NONE) header.from={domain}"
    )
}

fn address(from: &str) -> Option<String> {
    let header = format!("From: {from}\r\n\r\n");
    let parsed = MessageParser::default().parse_headers(header.as_bytes())?;
    parsed.from()?.first()?.address().map(String::from)
}

/// Adds the results of a genuine mail, or `said` instead; no header if `said` is empty.
pub(crate) fn stamp(headers: &mut Headers, said: Option<&str>) {
    let from = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("from"))
        .map_or("", |(_, value)| value);
    let said = said.map_or_else(|| found(from), String::from);
    if !said.is_empty() {
        headers.insert(0, (NAME.into(), said));
    }
}

/// Sent mail and drafts did not come from outside.
pub(crate) fn is_own(label_ids: &[String]) -> bool {
    label_ids.iter().any(|label| label == "SENT" || label == "DRAFT")
}

/// The bytes of a mail, with its first header prepended.
pub(crate) fn stamped(raw: Vec<u8>, headers: &Headers) -> Vec<u8> {
    let first =
        headers.first().map(|(name, value)| format!("{name}: {value}\r\n")).unwrap_or_default();
    [first.into_bytes(), raw].concat()
}
