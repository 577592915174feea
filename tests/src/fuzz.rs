//! What reads the bytes of strangers, as plain functions that end at the first broken promise: cargo-fuzz drives them
//! (`make fuzz`), and the tests replay what is kept of their inputs.

mod batch;
mod callback;
mod claims;
mod errors;
mod history;
mod keys;
mod mail;
pub mod mutation;
mod plain;
mod push;
mod token;
mod webhook;

pub use self::batch::batch;
pub use self::callback::callback;
pub use self::claims::claims;
pub use self::errors::errors;
pub use self::history::history;
pub use self::keys::keys;
pub use self::mail::mail;
pub use self::push::push;
pub use self::token::token;
pub use self::webhook::webhook;

pub type Target = fn(&[u8]);

/// By the names that their inputs lie under in tests/fuzz/.
pub const TARGETS: [(&str, Target); 10] = [
    ("batch", batch),
    ("callback", callback),
    ("claims", claims),
    ("errors", errors),
    ("history", history),
    ("keys", keys),
    ("mail", mail),
    ("push", push),
    ("token", token),
    ("webhook", webhook),
];
