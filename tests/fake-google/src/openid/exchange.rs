//! The token endpoint's decisions: a code and its verifier for an id token and an access token.

use serde_json::{Map, Value, json};

use super::{SignIn, User, issuer};
use crate::admin::identity::KeyName;
use crate::app::App;
use crate::keys::Signing;
use crate::oauth::Denied;
use crate::query::Query;
use crate::values::{base64url, sha256, unguessable};

/// Seconds in which a code must be exchanged.
const CODE_LIFE: i64 = 60;

pub(super) fn exchange(app: &App, form: &Query) -> Result<Value, Denied> {
    let invalid_grant = |description| Denied::new(400, "invalid_grant", description);
    let required = |name: &str| {
        form.first(name).ok_or_else(|| {
            Denied::new(400, "invalid_request", &format!("Missing required parameter: {name}"))
        })
    };
    // A public client has no secret: the code's verifier proves that it is the one that asked.
    if required("client_id")? != app.config.user_client_id {
        return Err(Denied::new(401, "invalid_client", "client_id is not the console's"));
    }
    if required("grant_type")? != "authorization_code" {
        return Err(Denied::new(400, "unsupported_grant_type", "Only authorization_code"));
    }
    let (given, verifier) = (required("code")?, required("code_verifier")?);
    let redirect_uri = required("redirect_uri")?;
    // Gone whatever follows: a code that is tried in vain is good for nothing.
    let code = app.state().openid.codes.remove(given);
    let code = code.ok_or_else(|| invalid_grant("The code is unknown or was used"))?;
    if app.now().unix_timestamp() - code.issued_at > CODE_LIFE {
        return Err(invalid_grant("The code is too old"));
    }
    if code.redirect_uri != redirect_uri {
        return Err(invalid_grant("redirect_uri is not that of the code"));
    }
    if base64url(&sha256(verifier.as_bytes())) != code.challenge {
        return Err(invalid_grant("code_verifier is not that of the code"));
    }
    Ok(tokens(app, &code))
}

fn tokens(app: &App, code: &SignIn) -> Value {
    let now = app.now().unix_timestamp();
    let mut state = app.state();
    let expires_in = state.openid.expires_in;
    let of_both = |audience: &str| {
        let mut claims = code.user.claims();
        claims.insert("iss".into(), issuer(app).into());
        claims.insert("aud".into(), audience.into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), (now + expires_in).into());
        claims.insert("auth_time".into(), code.auth_time.into());
        claims
    };
    let key = state.keys.current(KeyName::Users);
    let mut access = of_both(&app.config.user_audience);
    access.insert("jti".into(), unguessable("", 16).into());
    access.insert("client_id".into(), app.config.user_client_id.as_str().into());
    access.insert("scope".into(), code.scope.as_str().into());
    // RFC 9068, section 2.1.
    let header = Map::from_iter([("typ".to_owned(), json!("at+jwt"))]);
    let access_token = key.sign(Signing::Rs256, &header, &access);
    let mut identity = of_both(&app.config.user_client_id);
    identity.insert("at_hash".into(), base64url(&sha256(access_token.as_bytes())[..16]).into());
    identity.extend(code.nonce.clone().map(|nonce| ("nonce".to_owned(), nonce.into())));
    let id_token = key.sign(Signing::Rs256, &Map::new(), &identity);
    let known = (code.user.clone(), now + expires_in);
    state.openid.access_tokens.insert(access_token.clone(), known);
    json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": expires_in,
        "scope": code.scope,
        "id_token": id_token,
    })
}

/// What userinfo says to a live access token.
pub(super) fn userinfo(app: &App, access_token: Option<&str>) -> Result<Value, Denied> {
    let now = app.now().unix_timestamp();
    let state = app.state();
    let known = access_token.and_then(|token| state.openid.access_tokens.get(token));
    let user: Option<&User> = known.filter(|(_, until)| *until > now).map(|(user, _)| user);
    let user = user.ok_or_else(|| Denied::new(401, "invalid_token", "Unknown or expired"))?;
    Ok(Value::Object(user.claims()))
}
