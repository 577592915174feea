//! How each provider is connected: with its own client, identities and scopes, and the same table, key
//! and queues.

use email_connectors::adapters::Production;
use email_connectors::adapters::aws::SdkConfig;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::https::Client;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::outlook::Outlook as Graph;
use email_connectors::adapters::providers::MailProviders;
use email_connectors::adapters::sqs::SqsWakeUps;
use email_connectors::config::{MicrosoftSettings, OauthConnectSettings};
use email_connectors::domain::identity::IdentityPolicy;
use email_connectors::domain::provider::Provider;
use email_connectors::domain::provider::outlook::account;
use email_connectors::flows::connect::Connect;
use oauth_connect::Outlook;

pub struct Wiring<'a> {
    pub aws: &'a SdkConfig,
    pub http: &'a Client,
    pub settings: &'a OauthConnectSettings,
}

impl Wiring<'_> {
    pub fn gmail(&self) -> Connect<Production> {
        let client_id = self.settings.google.client_id.clone();
        let scopes = self.settings.connect.scopes.clone();
        self.connect(Provider::Gmail, IdentityPolicy::Google { client_id }, scopes)
    }

    pub fn outlook(&self, microsoft: &MicrosoftSettings) -> Outlook<Production> {
        let identity = IdentityPolicy::Microsoft(account::IdentityPolicy {
            client_id: microsoft.client_id.clone(),
            login_base: microsoft.login_base.clone(),
        });
        let graph =
            Graph::as_set(self.http.clone(), microsoft.clone(), self.settings.dry_run.as_ref());
        Outlook {
            connect: self.connect(Provider::Outlook, identity, microsoft.scopes.clone()),
            scopes: microsoft.scopes.clone(),
            admin_consent: Box::new(move |callback| graph.admin_consent_url(None, callback)),
        }
    }

    fn connect(
        &self,
        kind: Provider,
        identity: IdentityPolicy,
        required_scopes: Vec<String>,
    ) -> Connect<Production> {
        let (aws, settings) = (self.aws, self.settings);
        Connect {
            kind,
            identity,
            store: DynamoStore::new(aws, settings.table.clone()),
            vault: KmsVault::new(aws, settings.key.clone()),
            provider: MailProviders::as_set(
                self.http,
                settings.google.clone(),
                settings.microsoft.clone(),
                settings.dry_run.clone(),
            ),
            wake_ups: SqsWakeUps::new(aws, settings.wake_ups.clone()),
            bus: EventBridge::new(aws, settings.bus.clone()),
            required_scopes,
            uniqueness: settings.connect.uniqueness,
        }
    }
}
