//! How to recognize the results of Gmail's receiving server.

use crate::domain::mail::authentication::Receiver;

/// Mail that Gmail fetched from another mailbox by POP never passed its receiving server.
pub const RECEIVER: Receiver =
    Receiver { authserv_id: "mx.google.com", unchecked: "X-Gmail-Fetch-Info" };
