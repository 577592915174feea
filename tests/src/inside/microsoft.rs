//! Microsoft beside Google in a world of this process: a fake of its own, and Outlook as the functions
//! use it.

use email_connectors::adapters::https;
use email_connectors::adapters::outlook::Outlook;
use email_connectors::config::MicrosoftSettings;
use fake_microsoft::{Clock, Running};

use crate::deployed::GRAPH_PATH;
use crate::microsoft;
use crate::stage::NOTIFICATION_KEY;

pub struct Microsoft {
    pub fake: Running,
    pub settings: MicrosoftSettings,
}

impl Microsoft {
    /// `api` is where Graph's notifications are sent.
    pub async fn start(clock: Clock, api: &str) -> Self {
        let fake = microsoft::start(Some(clock)).await;
        let settings = MicrosoftSettings {
            notification_keys: vec![NOTIFICATION_KEY.into()],
            ..microsoft::settings_at(&fake, format!("{api}{GRAPH_PATH}"))
        };
        Self { fake, settings }
    }

    pub fn outlook(&self) -> Outlook {
        Outlook::new(https::client().unwrap(), self.settings.clone())
    }
}
