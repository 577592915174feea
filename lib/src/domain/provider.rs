//! The providers of mail: what each wants for an operation, in scopes and in quota units. A second
//! provider is a module of its own here, an adapter, and a line in `REGISTERED`.

pub mod gmail;
pub mod kind;
pub mod outlook;

pub use self::kind::Provider;
use crate::domain::email_address::EmailAddress;
use crate::domain::id::AccountId;
use crate::domain::mailbox_key::MailboxKey;
use crate::domain::mark::Mark;
use crate::domain::message::ProviderMessage;
use crate::domain::operation::request::MailRequest;
use crate::domain::quota::Prices;

/// A provider as other modules see it.
pub struct Registration {
    pub provider: Provider,
    /// What people call it.
    pub name: &'static str,
    /// The API's route that takes an authorization code. The consent begins at `/start` below it.
    pub connect: &'static str,
    /// The API's route that says where an administrator consents for an organization, where the
    /// vendor knows such a consent.
    pub admin_consent: Option<&'static str>,
    /// Who grants access, as users know it.
    pub vendor: &'static str,
    /// The path, below a page's origin, to which the vendor returns a browser.
    pub callback: &'static str,
    /// The setting that holds the client's id; where it is empty, the stack does not connect this
    /// provider.
    pub client_setting: &'static str,
    /// The setting that holds the scopes that a connect must bring, separated by spaces.
    pub scopes_setting: &'static str,
    /// The issuer that the vendor's answers may name (RFC 9207), or how it begins.
    pub issuer: &'static str,
    pub prices: Prices,
    /// What one mailbox may spend in a minute, if it is less than the stack's own bound.
    pub most_units_per_minute: u32,
    /// Whether an app can revoke its own grant.
    pub revokes_grants: bool,
    /// Whether a new watch sends a notification at once, so that one without is not proven.
    pub greets_watch: bool,
    /// Whether a record of a message that came proves that it came just then. Otherwise it may only
    /// have been changed, and nothing but its age tells that it fired before the ledger forgot it.
    pub proves_arrivals: bool,
    /// Whether a message came after all that listings up to this cursor have shown. A message that
    /// comes with its record is then not asked of the ledger; a wrong yes costs the wake-up a
    /// second try, since an event is only ever stored where there is none.
    pub came_after: fn(&ProviderMessage, Mark) -> bool,
    /// By what a mailbox is known in keys and in the queue.
    pub mailbox: fn(&EmailAddress, &AccountId) -> MailboxKey,
    /// The API methods that a request calls, each with the most times.
    pub calls: fn(&MailRequest) -> Vec<Use>,
    /// Lists the addresses that a mailbox may write from.
    pub aliases: &'static Method,
}

/// All providers, in the order in which they are offered.
pub const REGISTERED: [&Registration; 2] = [&gmail::REGISTRATION, &outlook::methods::REGISTRATION];

pub fn registered(provider: Provider) -> &'static Registration {
    match provider {
        Provider::Gmail => &gmail::REGISTRATION,
        Provider::Outlook => &outlook::methods::REGISTRATION,
    }
}

/// Whose mailbox this is. A key that names no provider is an address, as the first one has it.
pub fn provider_of(mailbox: &MailboxKey) -> Provider {
    let mut all = REGISTERED.iter().map(|registered| registered.provider);
    all.find(|provider| mailbox.is_account_of(provider.as_str())).unwrap_or(REGISTERED[0].provider)
}

/// One method of a provider's API.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    pub name: &'static str,
    /// Of quota.
    pub units: u32,
    /// Each of which suffices, the least first.
    pub scopes: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    pub method: &'static Method,
    pub times: u32,
    /// Left out where the granted scopes do not allow it.
    pub optional: bool,
}

impl Use {
    pub const fn of(method: &'static Method) -> Self {
        Self { method, times: 1, optional: false }
    }

    fn is_allowed(&self, granted: &[String]) -> bool {
        granted.iter().any(|scope| self.method.scopes.contains(&scope.as_str()))
    }
}

impl Registration {
    /// The units that a request costs at most.
    pub fn units(&self, request: &MailRequest) -> u32 {
        (self.calls)(request).iter().map(|used| used.method.units * used.times).sum()
    }

    pub fn may_list_aliases(&self, granted: &[String]) -> bool {
        Use::of(self.aliases).is_allowed(granted)
    }

    /// `None` if the granted scopes suffice; else the narrowest scope that would, for all calls of
    /// the request if there is one.
    pub fn missing_scope(&self, request: &MailRequest, granted: &[String]) -> Option<&'static str> {
        let mut calls = (self.calls)(request);
        calls.retain(|used| !used.optional);
        let suffices = |scope: &str| calls.iter().all(|used| used.method.scopes.contains(&scope));
        if calls.iter().all(|used| used.is_allowed(granted)) {
            return None;
        }
        let least = calls.iter().find(|used| !used.is_allowed(granted))?.method.scopes;
        least.iter().copied().find(|scope| suffices(scope)).or(least.first().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailboxs_key_tells_its_provider() {
        let address = EmailAddress::parse("ada@example.com").unwrap();
        let account = AccountId::new("tenant.object");
        for registered in REGISTERED {
            let mailbox = (registered.mailbox)(&address, &account);
            assert_eq!(provider_of(&mailbox), registered.provider, "{mailbox}");
        }
    }
}
