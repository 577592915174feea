//! How each provider is connected: with its own client, identities and scopes, and the same table, key
//! and queues.

use std::collections::BTreeMap;

use email_connectors::adapters::Production;
use email_connectors::adapters::aws::SdkConfig;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::https::Client;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::oidc::{JwksVerifier, KeySource};
use email_connectors::adapters::outlook::Outlook as Graph;
use email_connectors::adapters::providers::MailProviders;
use email_connectors::adapters::sqs::SqsWakeUps;
use email_connectors::config::OauthConnectSettings;
use email_connectors::domain::claims::SecurityEventPolicy;
use email_connectors::domain::identity::IdentityPolicy;
use email_connectors::domain::provider::Provider;
use email_connectors::domain::provider::outlook::account;
use email_connectors::flows::connect::Connect;
use oauth_connect::{AdminConsent, SecurityEvents};

pub struct Wiring<'a> {
    pub aws: &'a SdkConfig,
    pub http: &'a Client,
    pub settings: &'a OauthConnectSettings,
}

impl Wiring<'_> {
    /// Of each provider that the stack connects.
    pub fn connects(&self) -> BTreeMap<Provider, Connect<Production>> {
        let first = self.settings.google.as_ref().map(|client| {
            let identity = IdentityPolicy::Google { client_id: client.client_id.clone() };
            self.connect(Provider::Gmail, identity, self.settings.connect.scopes.clone())
        });
        let second = self.settings.microsoft.as_ref().map(|client| {
            let identity = IdentityPolicy::Microsoft(account::IdentityPolicy {
                client_id: client.client_id.clone(),
                login_base: client.login_base.clone(),
            });
            self.connect(Provider::Outlook, identity, client.scopes.clone())
        });
        first.into_iter().chain(second).map(|connect| (connect.kind, connect)).collect()
    }

    pub fn admin_consent(&self) -> Option<AdminConsent> {
        let microsoft = self.settings.microsoft.clone()?;
        let graph = Graph::as_set(self.http.clone(), microsoft, self.settings.dry_run.as_ref());
        Some(Box::new(move |callback| graph.admin_consent_url(None, callback)))
    }

    pub fn security_events(&self) -> Option<SecurityEvents<Production>> {
        let client_id = self.settings.google.as_ref()?.client_id.clone();
        let keys = KeySource::Url(self.settings.certs_url.clone());
        let verifier = JwksVerifier::new(self.http.clone(), keys);
        Some(SecurityEvents { verifier, policy: SecurityEventPolicy { client_id } })
    }

    pub fn store(&self) -> DynamoStore {
        DynamoStore::new(self.aws, self.settings.table.clone())
    }

    pub fn bus(&self) -> EventBridge {
        EventBridge::new(self.aws, self.settings.bus.clone())
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
            store: self.store(),
            vault: KmsVault::new(aws, settings.key.clone()),
            provider: MailProviders::as_set(
                self.http,
                settings.google.clone(),
                settings.microsoft.clone(),
                settings.dry_run.clone(),
            ),
            wake_ups: SqsWakeUps::new(aws, settings.wake_ups.clone()),
            bus: self.bus(),
            required_scopes,
            uniqueness: settings.connect.uniqueness,
        }
    }
}
