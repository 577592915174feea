//! The header that Gmail's receiving server adds at the top of mail from outside.

use crate::headers::{self, Field};

const NAME: &str = "Authentication-Results";

/// The results of a genuine mail: all three methods pass for the domain of From.
fn found(raw: &[u8]) -> String {
    let (fields, _) = headers::block(raw);
    let from = fields.iter().find(|field| field.is("From")).map(Field::addresses);
    let address = from
        .and_then(|addresses| addresses.into_iter().next())
        .unwrap_or_else(|| "nobody@example.com".into());
    let domain = address.rsplit_once('@').map_or("example.com", |(_, domain)| domain);
    format!(
        "mx.google.com;       dkim=pass header.i=@{domain} header.s=selector header.b=abcdefgh;       \
         spf=pass (google.com: domain of {address} designates 192.0.2.1 as permitted sender) smtp.mailfrom={address};       \
         dmarc=pass (p=NONE sp=NONE dis=NONE) header.from={domain}"
    )
}

/// The mail with the results of a genuine one, or with `said` instead; as it was if `said` is
/// empty.
pub(crate) fn stamped(raw: Vec<u8>, said: Option<&str>) -> Vec<u8> {
    let said = said.map_or_else(|| found(&raw), String::from);
    if said.is_empty() {
        return raw;
    }
    [format!("{NAME}: {said}\r\n").into_bytes(), raw].concat()
}

/// Sent mail and drafts did not come from outside.
pub(crate) fn is_own(label_ids: &[String]) -> bool {
    label_ids.iter().any(|label| label == "SENT" || label == "DRAFT")
}
