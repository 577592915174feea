//! Files in a bucket, which go there and come from there without passing through a function.

use std::ops::Range;

use super::{Cause, Unavailable};
use crate::domain::timestamp::Timestamp;
use crate::domain::upload::{ObjectKey, UploadSpec};

/// What whoever has it may do once or more often, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUrl {
    pub url: String,
    /// Headers that belong to the request, by their lower-case names.
    pub headers: Vec<(&'static str, String)>,
    pub expires_at: Timestamp,
}

/// How a browser is to take a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The value of `Content-Disposition`.
    pub disposition: String,
    pub mime_type: String,
}

/// Objects of at most 35 MB that live for a day.
#[trait_variant::make(Send)]
pub trait Objects: Send + Sync {
    /// A URL to put an object of exactly this size, and of these bytes if their checksum is given,
    /// for `URL_LIFE`.
    async fn put_url(
        &self,
        key: &ObjectKey,
        spec: &UploadSpec,
        now: Timestamp,
    ) -> Result<SignedUrl, Unavailable>;
    /// A URL to get an object for `URL_LIFE`. Whether there is one is not checked.
    async fn get_url(
        &self,
        key: &ObjectKey,
        shown: &Shown,
        now: Timestamp,
    ) -> Result<SignedUrl, Unavailable>;
    /// An object's size in bytes; `None` if there is none.
    async fn size(&self, key: &ObjectKey, now: Timestamp) -> Result<Option<u64>, Unavailable>;
    /// A range of an object. MUST be an error if there is less.
    async fn read(
        &self,
        key: &ObjectKey,
        range: Range<u64>,
        now: Timestamp,
    ) -> Result<Vec<u8>, Unavailable>;
    async fn write(
        &self,
        key: &ObjectKey,
        bytes: Vec<u8>,
        now: Timestamp,
    ) -> Result<(), Unavailable>;
}

impl Unavailable {
    pub fn bucket(cause: impl Into<Cause>) -> Self {
        Self { what: "the bucket", cause: cause.into() }
    }
}
