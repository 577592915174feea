//! A grant that passed the checks joins its account: one transaction, then watch and the first
//! wake-up.

use crate::domain::connector::{Connector, Outbox, Reading, Slot, StoredGrant};
use crate::domain::event::Event;
use crate::domain::id::{AccountId, ConnectorId, OwnerId};
use crate::domain::membership::{Joining, Membership};
use crate::domain::notice;
use crate::domain::secret::RefreshToken;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::wake_up::{Kind, WakeUp};
use crate::domain::watch::{Ending, Watch, Watching};
use crate::flows::connect::{Connect, ConnectError, Connected};
use crate::flows::publishing::publish_or_log;
use crate::flows::watching::{
    Recorded, log_not_ended, make_room, record, record_failure, stop_all, watch,
};
use crate::ports::{
    EmailProvider, Exchange, Grant, Ports, Profile, ProviderError, Store, StoreError, Vault,
    WakeUps,
};

/// A connect that passed its checks.
pub(in crate::flows) struct Admitted {
    pub owner_id: OwnerId,
    /// The id of the connector, if none is there yet.
    pub new_id: ConnectorId,
    pub exchange: Exchange,
    pub grant: Grant,
    pub account: AccountId,
    pub profile: Profile,
    pub slot: Slot,
}

impl<P: Ports> Connect<P> {
    /// Creates the connector with its triggers; returns it and the events to publish.
    pub(in crate::flows) async fn create(
        &self,
        admitted: &Admitted,
        triggers: &[Trigger],
        membership: &Membership,
        now: Timestamp,
    ) -> Result<(Connector, Vec<Event>), ConnectError> {
        let Admitted { owner_id, new_id, grant, profile, .. } = admitted;
        let refresh_token = self.lasting(grant, membership, now).await?;
        let connector = Connector {
            id: new_id.clone(),
            owner_id: owner_id.clone(),
            provider: self.kind,
            slot: admitted.slot.clone(),
            email_address: profile.email_address.clone(),
            account: admitted.account.clone(),
            grant: StoredGrant {
                scopes: grant.scopes.clone(),
                generation: 1,
                refresh_token: self.vault.seal_refresh_token(refresh_token, new_id).await?,
                granted_at: now,
            },
            access_token: None,
            reading: Reading::from(profile.mark),
            watch: Watch::default(),
            checked_at: None,
            outbox: Outbox::default(),
            closing: None,
            version: 1,
            connected_at: now,
            created_at: now,
            updated_at: now,
        };
        let events = vec![notice::connected(&connector, now)];
        self.store
            .create_connector(
                &connector,
                triggers,
                &membership.joined(connector.location()),
                &admitted.exchange,
                &events,
            )
            .await?;
        Ok((connector, events))
    }

    /// The grant's refresh token, unless a revocation of the account has ended it or soon will.
    pub(in crate::flows) async fn lasting<'a>(
        &self,
        grant: &'a Grant,
        membership: &Membership,
        now: Timestamp,
    ) -> Result<&'a RefreshToken, ConnectError> {
        let refresh_token = grant.refresh_token.as_ref().ok_or(ConnectError::NoRefreshToken)?;
        match membership.joining(now) {
            Joining::Open => Ok(refresh_token),
            Joining::Closed => Err(ConnectError::Closing),
            // A revocation ends every grant of the account that was made before it landed.
            Joining::Doubtful => match self.mail_provider().refresh(refresh_token, now).await {
                Err(ProviderError::GrantRefused(_)) => Err(ConnectError::Closing),
                alive => Ok(alive.map(|_| refresh_token)?),
            },
        }
    }

    /// Publishes the events, begins the watch and sends the first wake-up. The connector is stored
    /// by now, so that nothing here can fail the connect: the renewer makes up for whatever does not
    /// come about.
    pub(in crate::flows) async fn start(
        &self,
        mut connector: Connector,
        grant: &Grant,
        events: &[Event],
        now: Timestamp,
    ) -> Connected {
        let location = connector.location();
        let publishing = publish_or_log(&self.store, &self.bus, &location, events, now);
        let (answer, ()) = tokio::join!(self.watched(&mut connector, grant), publishing);
        let recording = async {
            match answer {
                Ok(watching) => record(&self.store, &connector, watching, now).await,
                // An earlier watch may have ended with the earlier grant: the next try is due soon,
                // whenever that one was to be renewed.
                Err(error) => {
                    let id = connector.watch.id.clone();
                    let watch = Watch { id, ..Watch::default() }.failed(error.to_string(), now);
                    record_failure(&self.store, &connector, watch, now).await
                }
            }
        };
        let kick = WakeUp::own(Kind::Kick, connector.mailbox(), now);
        let (recorded, kicked) = tokio::join!(recording, self.wake_ups.send(&kick, None));
        let Recorded { watch, outcome, ending } = recorded;
        match outcome {
            // Another writer came first, and what it recorded is renewed soon.
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => tracing::warn!(%error, "the watch is not recorded: the renewer watches"),
        }
        if !ending.is_empty() {
            let ending = Ending::These(&ending);
            log_not_ended(self.mail_provider().stop(&grant.access_token, ending).await);
        }
        if let Err(error) = kicked {
            tracing::warn!(%error, "the first look is not queued: the renewer wakes the mailbox");
        }
        Connected { connector_id: connector.id, email_address: connector.email_address, watch }
    }

    async fn watched(
        &self,
        connector: &mut Connector,
        grant: &Grant,
    ) -> Result<Watching, ProviderError> {
        let (provider, access) = (self.mail_provider(), &grant.access_token);
        match watch(provider, access, connector).await {
            Err(ProviderError::WatchTaken) => {
                make_room(&self.store, connector).await.map_err(ProviderError::unavailable)?;
                stop_all(provider, access, connector).await?;
                watch(provider, access, connector).await
            }
            answer => answer,
        }
    }
}
