//! What the boundaries of a mail's parts are made of.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;

use crate::domain::id::fingerprint;
use crate::domain::outgoing::Outgoing;
use crate::ports::Sender;

/// What boundaries are made of. It follows from the whole mail, so that the same mail is the same
/// bytes, another has another Message-ID, and no part can hold it.
pub fn boundary(mail: &Outgoing, sender: Sender<'_>) -> String {
    let mut sum = Context::new(&SHA256);
    sum.update(sender.now.millis().to_string().as_bytes());
    sum.update(&mail.to_rfc5322(sender.address, sender.now, ""));
    for upload in mail.attachments.iter().filter_map(|attachment| attachment.upload_id.as_ref()) {
        sum.update(upload.0.as_bytes());
    }
    fingerprint(&[&BASE64_URL_SAFE.encode(sum.finish())]).simple().to_string()
}
