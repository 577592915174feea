//! Fuzz targets for all parsers of untrusted bytes: cargo-fuzz drives them (`make fuzz`), and the
//! tests replay the kept inputs.

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

/// By the names of their input directories in tests/fuzz/.
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
