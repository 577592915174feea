//! A signed token as text: the key that it names, and its claims once the signature is verified.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use crate::domain::claims::Claims;
use crate::ports::TokenError;

pub const LONGEST_TOKEN: usize = 8 * 1024;

/// The id of the key that it names. Nothing of the token is verified yet.
pub fn key_id(token: &str, types: &[&str]) -> Result<String, TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenError::Invalid("it is too long"));
    }
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| TokenError::Invalid("its header cannot be read"))?;
    // The algorithm is ours to choose, and keys inside the token are ignored.
    if header.alg != Algorithm::RS256 {
        return Err(TokenError::Invalid("it is not signed with RS256"));
    }
    // RFC 7515, section 4.1.11: a token with a critical extension that is not understood must be
    // refused.
    if header.crit.is_some() {
        return Err(TokenError::Invalid("it asks for an extension"));
    }
    if !header.typ.as_deref().is_none_or(|typ| is_one_of(typ, types)) {
        return Err(TokenError::Invalid("it is another type of token"));
    }
    header.kid.ok_or(TokenError::Invalid("it names no key"))
}

/// Media types: without regard to letter case, and `application/` may be left out.
fn is_one_of(typ: &str, types: &[&str]) -> bool {
    let typ = typ.to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    types.is_empty() || types.iter().any(|known| known.eq_ignore_ascii_case(typ))
}

pub fn claims(token: &str, key: &DecodingKey) -> Result<Claims, TokenError> {
    jsonwebtoken::decode::<Claims>(token, key, &signature_only())
        .map(|decoded| decoded.claims)
        .map_err(|_| TokenError::Invalid("its signature is wrong"))
}

/// The domain's policies check the claims, at a time that they are given.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_key_is_named_by_the_header_alone() {
        let table = [
            (r#"{"alg":"RS256","kid":"k"}"#, Ok("k")),
            (
                r#"{"alg":"RS256","kid":"../k","jku":"https://evil.example","jwk":{"kty":"oct","k":"AA"}}"#,
                Ok("../k"),
            ),
            (r#"{"alg":"RS256"}"#, Err("it names no key")),
            (r#"{"alg":"HS256","kid":"k"}"#, Err("it is not signed with RS256")),
            (r#"{"alg":"none","kid":"k"}"#, Err("its header cannot be read")),
            (r#"{"alg":"RS256","kid":"k","crit":["exp"]}"#, Err("it asks for an extension")),
            ("{", Err("its header cannot be read")),
        ];
        for (header, expected) in table {
            let result = key_id(&format!("{}.e30.AA", BASE64_URL_SAFE_NO_PAD.encode(header)), &[]);
            let result = result.as_deref().map_err(|error| match error {
                TokenError::Invalid(why) => *why,
                TokenError::KeysUnavailable(_) => "keys",
            });
            assert_eq!(result, expected, "{header}");
        }
        assert!(key_id(&"a".repeat(LONGEST_TOKEN + 1), &[]).is_err());
    }
}
