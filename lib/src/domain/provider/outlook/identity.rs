//! What stays the same of a message when it is moved, dragged, restored or imported anew: its
//! Message-ID and the moment of its arrival. Graph's id does not: a drag in Outlook's desktop program
//! changes even an immutable one
//! (<https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/1208>).

use crate::domain::id::fingerprint;
use crate::domain::timestamp::Timestamp;

/// The identity of a message for the ledger, in 32 hexadecimal digits; its id where it has no
/// Message-ID.
pub fn identity(id: &str, internet_message_id: Option<&str>, received: Timestamp) -> String {
    match internet_message_id.map(str::trim).filter(|text| !text.is_empty()) {
        Some(message_id) => {
            let received = received.seconds().to_string();
            fingerprint(&["outlook message", message_id, &received]).simple().to_string()
        }
        None => id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_same_wherever_it_lies() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let of = |id, message_id, received| identity(id, message_id, received);
        let own = of("A", Some("<1@x>"), now);
        assert_eq!(own, of("B", Some(" <1@x> "), now));
        assert_eq!(own, of("A", Some("<1@x>"), Timestamp::from_millis(1_700_000_000_900)));
        assert_ne!(own, of("A", Some("<2@x>"), now));
        assert_ne!(own, of("A", Some("<1@x>"), Timestamp::from_seconds(1_700_000_001)));
        assert_eq!(of("A", None, now), "A");
        assert_eq!(of("A", Some(" "), now), "A");
    }
}
