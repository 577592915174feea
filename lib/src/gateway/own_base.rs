//! Where the API stands, as a handler asks for it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::domain::public_base::PublicBase;

/// Where the API stands as this request's caller sees it, if the gateway says so.
pub struct OwnBase(pub Option<PublicBase>);

impl<S: Send + Sync> FromRequestParts<S> for OwnBase {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<PublicBase>().cloned()))
    }
}
