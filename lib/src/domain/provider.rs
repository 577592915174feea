//! The providers of mail: what each wants for an operation, in scopes and in quota units. A second
//! provider is a module of its own here, an adapter, and a line in `registered`.

pub mod gmail;

use crate::domain::connector::Provider;
use crate::domain::operation::request::MailRequest;

/// A provider as other modules see it.
pub struct Registration {
    pub provider: Provider,
    /// The API methods that a request calls, each with the most times.
    pub calls: fn(&MailRequest) -> Vec<Use>,
    /// Lists the addresses that a mailbox may write from.
    pub aliases: &'static Method,
}

pub fn registered(provider: Provider) -> &'static Registration {
    match provider {
        Provider::Gmail => &gmail::REGISTRATION,
    }
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
