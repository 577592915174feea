//! The provider that an argument names.

use email_connectors::domain::provider::{Provider, Registration, registered};

use crate::args::MailProvider;

impl From<MailProvider> for Provider {
    fn from(named: MailProvider) -> Self {
        match named {
            MailProvider::Gmail => Self::Gmail,
            MailProvider::Outlook => Self::Outlook,
        }
    }
}

pub fn registration(named: MailProvider) -> &'static Registration {
    registered(named.into())
}
