//! A signed token as text: which key it names, and what it says once that key has proven it.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use crate::domain::claims::Claims;
use crate::ports::TokenError;

pub const LONGEST_TOKEN: usize = 8 * 1024;

/// The id of the key that it names. Nothing of the token is proven by that.
pub fn key_id(token: &str, types: &[&str]) -> Result<String, TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenError::Invalid("it is too long"));
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid("its header cannot be read"))?;
    // The algorithm is ours to choose, and a key that the token itself brings or points to is no key.
    if header.alg != Algorithm::RS256 {
        return Err(TokenError::Invalid("it is not signed with RS256"));
    }
    // RFC 7515, section 4.1.11: who does not understand what is named there must refuse.
    if header.crit.is_some() {
        return Err(TokenError::Invalid("it asks for an extension"));
    }
    if !header.typ.as_deref().is_none_or(|told| is_one_of(told, types)) {
        return Err(TokenError::Invalid("it is another type of token"));
    }
    header.kid.ok_or(TokenError::Invalid("it names no key"))
}

/// Media types: without regard to letter case, and `application/` may be left out.
fn is_one_of(told: &str, types: &[&str]) -> bool {
    let told = told.to_ascii_lowercase();
    let told = told.strip_prefix("application/").unwrap_or(&told);
    types.is_empty() || types.iter().any(|known| known.eq_ignore_ascii_case(told))
}

pub fn claims(token: &str, key: &DecodingKey) -> Result<Claims, TokenError> {
    jsonwebtoken::decode::<Claims>(token, key, &signature_only())
        .map(|decoded| decoded.claims)
        .map_err(|_| TokenError::Invalid("its signature is wrong"))
}

/// The claims are judged by the domain's policies, with a time that is given and not read.
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
            (r#"{"alg":"RS256","kid":"../k","jku":"https://evil.example","jwk":{"kty":"oct","k":"AA"}}"#, Ok("../k")),
            (r#"{"alg":"RS256"}"#, Err("it names no key")),
            (r#"{"alg":"HS256","kid":"k"}"#, Err("it is not signed with RS256")),
            (r#"{"alg":"none","kid":"k"}"#, Err("its header cannot be read")),
            (r#"{"alg":"RS256","kid":"k","crit":["exp"]}"#, Err("it asks for an extension")),
            ("{", Err("its header cannot be read")),
        ];
        for (header, expected) in table {
            let told = key_id(&format!("{}.e30.AA", BASE64_URL_SAFE_NO_PAD.encode(header)), &[]);
            let told = told.as_deref().map_err(|error| match error {
                TokenError::Invalid(why) => *why,
                TokenError::KeysUnavailable(_) => "keys",
            });
            assert_eq!(told, expected, "{header}");
        }
        assert!(key_id(&"a".repeat(LONGEST_TOKEN + 1), &[]).is_err());
    }
}
