//! Types with secrets do not show them when a value is printed: in a log, an error or a panic.

use std::fmt::{Debug, Display};

use email_connectors::config::{GoogleSettings, PushSettings};
use email_connectors::domain::callback::{Answer, Callback};
use email_connectors::domain::claims::PushPolicy;
use email_connectors::domain::connector::Connector;
use email_connectors::domain::id::OwnerId;
use email_connectors::domain::retry::RetryPolicy;
use email_connectors::domain::secret::{AccessToken, RefreshToken, Sealed, SealedAccessToken};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{AuthorizationCode, ConsentRequest, Grant, Hook, PendingConsent};
use secrecy::SecretString;
use serde::Serialize;

const CANARY: &str = "canary-Zx81";

/// Does not compile if a type has the trait: then `Choice<_>` is ambiguous.
macro_rules! none_is {
    ($trait:path: $($secret:ty),+ $(,)?) => {
        const _: () = {
            struct Has;
            trait Choice<Which> {
                fn made() {}
            }
            impl<T: ?Sized> Choice<()> for T {}
            impl<T: ?Sized + $trait> Choice<Has> for T {}
            $(let _ = <$secret as Choice<_>>::made;)+
        };
    };
}

macro_rules! neither_displayed_nor_serialized {
    ($($secret:ty),+ $(,)?) => {
        none_is!(Display: $($secret),+);
        none_is!(Serialize: $($secret),+);
    };
}

neither_displayed_nor_serialized!(
    SecretString,
    RefreshToken,
    AccessToken,
    Sealed,
    SealedAccessToken,
    Hook,
    Connector
);
neither_displayed_nor_serialized!(
    AuthorizationCode,
    Callback,
    Answer,
    PendingConsent,
    ConsentRequest<'static>,
    Grant
);
neither_displayed_nor_serialized!(GoogleSettings, PushSettings);

fn secret() -> SecretString {
    CANARY.into()
}

fn sealed() -> Sealed {
    Sealed(CANARY.into())
}

#[test]
fn no_type_that_holds_a_secret_prints_it() {
    let at = Timestamp::from_seconds(0);
    let access_token = AccessToken { secret: secret(), expires_at: at };
    let code = AuthorizationCode {
        code: secret(),
        redirect_uri: "postmessage".into(),
        code_verifier: Some(secret()),
    };
    let consent =
        PendingConsent { state: uuid::Uuid::nil(), code_verifier: secret(), asked_at: at };
    let request = ConsentRequest {
        scopes: &[],
        redirect_uri: "https://app.example.com/auth/google/callback",
        state: "state",
        nonce: "nonce",
        code_verifier: &secret(),
        login_hint: None,
    };
    let grant = Grant {
        access_token: access_token.clone(),
        refresh_token: Some(RefreshToken(secret())),
        scopes: Vec::new(),
        identity: Default::default(),
    };
    let google = GoogleSettings {
        client_id: "client".into(),
        client_secret: secret(),
        token_url: String::new(),
        revoke_url: String::new(),
        api_base: String::new(),
        batch_url: String::new(),
        auth_url: String::new(),
        pubsub_topic: String::new(),
        retry: RetryPolicy { max_attempts: 1, statuses: Vec::new() },
    };
    let push = PushSettings {
        policy: PushPolicy {
            audience: "audience".into(),
            service_account: "push@example.com".into(),
        },
        subscription: String::new(),
        certs_url: String::new(),
        legacy_token: Some(secret()),
    };
    let all: [&dyn Debug; 14] = [
        &secret(),
        &RefreshToken(secret()),
        &access_token,
        &sealed(),
        &SealedAccessToken { key: sealed(), token: sealed(), expires_at: at },
        &Hook {
            owner: OwnerId::new("ada"),
            secret: sealed(),
            previous: Some((sealed(), Timestamp::from_seconds(0))),
        },
        &code,
        &consent,
        &request,
        &grant,
        &Callback { state: "state".into(), answer: Answer::Code(secret()) },
        &Answer::Code(secret()),
        &google,
        &push,
    ];
    // A byte vector would print as numbers.
    let numbers = format!("{:?}", CANARY.as_bytes());
    let numbers = numbers.trim_matches(['[', ']']);
    for value in all {
        for printed in [format!("{value:?}"), format!("{value:#?}").replace(['\n', ' '], "")] {
            let bytes = printed.contains(numbers) || printed.contains(&numbers.replace(' ', ""));
            assert!(!printed.contains("canary") && !bytes, "{printed}");
        }
    }
}
