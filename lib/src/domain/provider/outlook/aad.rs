//! What an error of Microsoft's identity platform means: whose it is to mend.
//!
//! Judged by `error` and `suberror`; the AADSTS number only explains, except where it alone tells
//! an expired secret from a grant that is gone
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>).

/// What the token endpoint, or the consent page, answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AadError {
    pub error: String,
    pub suberror: String,
    /// The AADSTS numbers.
    pub codes: Vec<u32>,
    /// A claims challenge: the consent must be asked for with it.
    pub claims: Option<String>,
}

/// Whose an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Our registration or secret: an operator's alarm, and nothing for the user to do.
    Ours,
    /// The user must consent or sign in again.
    User(Advice),
    /// An administrator of the user's organization must act.
    Admin(Advice),
    /// Nobody's: it may pass.
    Passing,
    /// A request that is wrong in another way.
    Request,
}

/// What is to be done; its text begins the reason of a refused grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    Consent,
    AdminConsent,
    SignInAgain,
    Revoked,
    Mfa,
    ConditionalAccess,
    Account,
    Claims,
}

impl Advice {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent_required",
            Self::AdminConsent => "admin_consent_required",
            Self::SignInAgain => "sign_in_again",
            Self::Revoked => "grant_revoked",
            Self::Mfa => "multi_factor_required",
            Self::ConditionalAccess => "conditional_access",
            Self::Account => "account_unusable",
            Self::Claims => "claims_required",
        }
    }

    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Consent => "the user has to consent again",
            Self::AdminConsent => "an administrator of the organization has to consent",
            Self::SignInAgain => "the grant has expired; the user has to connect again",
            Self::Revoked => "the grant was revoked; the user has to connect again",
            Self::Mfa => "the user has to connect again with a second factor",
            Self::ConditionalAccess => "a policy of the organization does not let this app in",
            Self::Account => "the account is disabled, deleted, or of another organization",
            Self::Claims => {
                "the organization wants a stronger sign-in; the user has to connect again"
            }
        }
    }
}

/// The numbers of the errors whose `error` says too little.
const OURS: [u32; 8] = [
    700_016,   // the application is not found in the directory
    7_000_215, // a wrong secret
    7_000_222, // the secret has expired
    700_025,   // a public client that presents a secret
    7_000_218, // no secret where one is wanted
    90_013,    // an invalid tenant's endpoint
    50_011,    // the redirect URI is not registered
    700_054,   // this response_type is not enabled
];
const ADMIN_CONSENT: [u32; 3] = [90_094, 90_093, 90_095];
const CONSENT: [u32; 2] = [65_001, 65_004];
const EXPIRED: [u32; 4] = [700_082, 70_008, 700_084, 50_089];
const REVOKED: [u32; 3] = [50_173, 70_000, 50_132];
const MFA: [u32; 4] = [50_076, 50_079, 50_074, 50_078];
const CONDITIONAL: [u32; 6] = [53_000, 53_001, 53_002, 53_003, 53_004, 530_002];
const ACCOUNT: [u32; 6] = [50_034, 50_057, 50_020, 50_105, 51_004, 50_053];

impl AadError {
    pub fn whose(&self) -> Whose {
        let is = |codes: &[u32]| self.codes.iter().any(|code| codes.contains(code));
        match self.error.as_str() {
            "temporarily_unavailable" | "server_error" => return Whose::Passing,
            "invalid_client" | "unauthorized_client" => return Whose::Ours,
            _ if is(&OURS) => return Whose::Ours,
            _ => {}
        }
        if is(&ADMIN_CONSENT) {
            return Whose::Admin(Advice::AdminConsent);
        }
        if self.suberror == "consent_required" || self.error == "consent_required" || is(&CONSENT) {
            return Whose::User(Advice::Consent);
        }
        if is(&CONDITIONAL) {
            return Whose::Admin(Advice::ConditionalAccess);
        }
        if is(&MFA) || self.suberror == "basic_action" {
            return Whose::User(Advice::Mfa);
        }
        if self.claims.is_some() {
            return Whose::User(Advice::Claims);
        }
        match self.error.as_str() {
            "invalid_grant" | "interaction_required" | "login_required" if is(&REVOKED) => {
                Whose::User(Advice::Revoked)
            }
            "invalid_grant" | "interaction_required" | "login_required" if is(&ACCOUNT) => {
                Whose::User(Advice::Account)
            }
            "invalid_grant" | "interaction_required" | "login_required" => {
                Whose::User(Advice::SignInAgain)
            }
            "access_denied" => Whose::User(Advice::Consent),
            _ if is(&EXPIRED) => Whose::User(Advice::SignInAgain),
            _ => Whose::Request,
        }
    }

    /// For the log and the connector's row: the code's name, its advice and the numbers. Nothing of
    /// the description: it names tenants, applications and addresses.
    pub fn reason(&self) -> String {
        let numbers: String =
            self.codes.iter().take(3).map(|code| format!(" AADSTS{code}")).collect();
        match self.whose() {
            Whose::User(advice) | Whose::Admin(advice) => {
                format!("{}: {} ({}{numbers})", advice.as_str(), advice.text(), plain(&self.error))
            }
            Whose::Ours | Whose::Passing | Whose::Request => {
                format!("{}{numbers}", plain(&self.error))
            }
        }
    }
}

/// The AADSTS numbers within a description, where `error_codes` is missing, as on the consent page.
pub fn codes_within(description: &str) -> Vec<u32> {
    let after = |part: &str| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).take(9).collect();
        digits.parse().ok()
    };
    description.split("AADSTS").skip(1).take(3).filter_map(after).collect()
}

/// An error's name as OAuth writes it; anything else is not repeated.
fn plain(error: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if !error.is_empty() && error.len() <= 64 && error.bytes().all(is_plain) {
        error
    } else {
        "error"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(error: &str, suberror: &str, codes: &[u32]) -> AadError {
        AadError {
            error: error.into(),
            suberror: suberror.into(),
            codes: codes.into(),
            claims: None,
        }
    }

    #[test]
    fn an_error_is_somebodys_to_mend() {
        use Advice::*;
        use Whose::*;
        let table: [(&str, &str, &[u32], Whose); 20] = [
            ("invalid_client", "", &[7_000_222], Ours),
            ("invalid_client", "", &[7_000_215], Ours),
            ("invalid_grant", "", &[7_000_222], Ours),
            ("unauthorized_client", "", &[700_016], Ours),
            ("invalid_request", "", &[50_011], Ours),
            ("invalid_grant", "consent_required", &[65_001], User(Consent)),
            ("invalid_grant", "", &[65_001], User(Consent)),
            ("access_denied", "", &[65_004], User(Consent)),
            ("access_denied", "", &[], User(Consent)),
            ("access_denied", "", &[90_094], Admin(AdminConsent)),
            ("invalid_grant", "", &[90_093], Admin(AdminConsent)),
            ("invalid_grant", "", &[700_082], User(SignInAgain)),
            ("invalid_grant", "bad_token", &[70_008], User(SignInAgain)),
            ("invalid_grant", "", &[50_173], User(Revoked)),
            ("interaction_required", "basic_action", &[50_076], User(Mfa)),
            ("invalid_grant", "message_only", &[53_003], Admin(ConditionalAccess)),
            ("invalid_grant", "", &[50_057], User(Account)),
            ("invalid_grant", "", &[], User(SignInAgain)),
            ("temporarily_unavailable", "", &[90_033], Passing),
            ("invalid_scope", "", &[70_011], Request),
        ];
        for (name, suberror, codes, expected) in table {
            assert_eq!(
                error(name, suberror, codes).whose(),
                expected,
                "{name} {suberror} {codes:?}"
            );
        }
        let claims =
            AadError { claims: Some("{}".into()), ..error("interaction_required", "", &[]) };
        assert_eq!(claims.whose(), User(Claims));
    }

    #[test]
    fn the_reason_names_what_to_do_and_no_tenant() {
        let reason = error("invalid_grant", "", &[700_082]).reason();
        assert_eq!(
            reason,
            "sign_in_again: the grant has expired; the user has to connect again (invalid_grant AADSTS700082)"
        );
        assert_eq!(
            error("invalid_client", "", &[7_000_222]).reason(),
            "invalid_client AADSTS7000222"
        );
        assert_eq!(error("a@example.com", "", &[]).reason(), "error");
    }

    #[test]
    fn numbers_are_read_from_a_description() {
        let table: [(&str, &[u32]); 4] = [
            ("AADSTS65004: User declined to consent.", &[65_004]),
            ("AADSTS90094: The grant requires admin permission. AADSTS1", &[90_094, 1]),
            ("AADSTS: none, AADSTSx", &[]),
            ("AADSTS99999999999999", &[999_999_999]),
        ];
        for (text, expected) in table {
            assert_eq!(codes_within(text), expected, "{text}");
        }
    }
}
