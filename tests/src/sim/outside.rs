//! What users, Gmail and Pub/Sub do: requests that are repeated until they are answered well, mail
//! that comes, pushes.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::domain::claims::SecurityEventPolicy;
use email_connectors::domain::connector::Status;
use email_connectors::domain::connector_change::ConnectorChange;
use email_connectors::domain::id::{ConnectorId, TriggerId};
use email_connectors::domain::mark::Mark;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::flows::connect::{ConnectError, Connected};
use email_connectors::flows::disconnect::DisconnectError;
use email_connectors::flows::security_events::Protect;
use email_connectors::flows::{subscribe, update_connector};
use serde_json::json;

use super::{Dice, Sim};
use crate::stage::{MINUTE, PUSH_ACCOUNT, PUSH_AUDIENCE, SUBSCRIPTION, SWEEP_TIMES, owner};
use crate::world::{Account, CLIENT_ID, Consent, World};

impl Sim {
    /// The user connects, repeating the request until it is answered well, as a browser does.
    pub async fn connect(&mut self, of: &str, account: &Account) -> ConnectorId {
        for _ in 0..6 {
            let request = self.stage.request(of, &account.consent(Consent::default()));
            for _ in 0..2 {
                let connecting = self.stage.connecting_at(account.provider());
                let answer =
                    self.world.until_crash(connecting.run(&request, self.world.now())).await;
                if let Some(Ok(connected)) = answer {
                    return self.begun_by(connected);
                }
                self.world.pass(Duration::from_secs(1));
                // The closing finishes by itself, and the user tries again.
                if let Some(Err(ConnectError::Closing)) = answer {
                    Box::pin(self.minutes(2)).await;
                }
            }
        }
        self.violate("a connect never succeeds");
        self.first()
    }

    /// Records the first cursor of the connector, if this was its first connect.
    fn begun_by(&mut self, connected: Connected) -> ConnectorId {
        if let Some(connector) = self.world.store().look(&connected.connector_id) {
            self.begun
                .entry(connected.connector_id.clone())
                .or_insert(connector.reading.position.cursor);
        }
        connected.connector_id
    }

    /// The connector of the first owner.
    pub fn first(&self) -> ConnectorId {
        self.world.store().connectors_at(&self.ada.key()).first().expect("a connector").id.clone()
    }

    /// Creates a trigger, repeating the request until it is answered well; a trigger of a lost
    /// answer fires as well.
    pub async fn trigger(
        &mut self,
        connector: &ConnectorId,
        filters: serde_json::Value,
    ) -> Option<TriggerId> {
        for _ in 0..6 {
            let stored = self.world.store().look(connector)?;
            let making = self.stage.try_trigger(&stored, filters.clone());
            if let Some(Ok(trigger)) = self.world.until_crash(making).await {
                return Some(trigger.id);
            }
            self.world.pass(Duration::from_secs(1));
        }
        self.violate("a trigger is never made");
        None
    }

    /// Deletes the trigger; its undecided firings become optional.
    pub async fn delete_trigger(&mut self, id: &TriggerId, of: &str) {
        self.forgive(|trigger| trigger.id == *id);
        for _ in 0..6 {
            let store = self.world.store();
            let removed = self.world.until_crash(subscribe::remove(&store, &owner(of), id)).await;
            if matches!(removed, Some(Ok(()) | Err(subscribe::SubscribeError::NoSuchTrigger))) {
                return;
            }
        }
        self.violate("a trigger is never deleted");
    }

    /// Disconnects the connector; its undecided firings become optional.
    pub async fn disconnect(&mut self, of: &str, connector: &ConnectorId) {
        self.forgive(|trigger| trigger.config.connector_id == *connector);
        for _ in 0..12 {
            let ended = self.world.until_crash(self.stage.disconnect(of, connector)).await;
            // The renewer finishes an unfinished closing.
            if matches!(ended, Some(Ok(_) | Err(DisconnectError::NotFound))) {
                return;
            }
            // Something failed: the user tries again in a minute.
            self.world.pass(MINUTE);
            self.sweep().await;
            self.work().await;
        }
        self.violate("a disconnect never succeeds");
    }

    /// Two disconnects at once, in an order that the dice decide; both are repeated until they
    /// succeed.
    pub async fn leave_at_once(
        &mut self,
        one: (&str, &ConnectorId),
        other: (&str, &ConnectorId),
        dice: &mut Dice,
    ) {
        self.world.trace("-- two disconnects", None);
        for (_, leaving) in [one, other] {
            self.forgive(|trigger| trigger.config.connector_id == *leaving);
        }
        self.world.set_gives_way(true);
        let _ = dice
            .interleave(
                &self.world,
                self.stage.disconnect(one.0, one.1),
                self.stage.disconnect(other.0, other.1),
            )
            .await;
        self.world.set_gives_way(false);
        self.disconnect(one.0, one.1).await;
        self.disconnect(other.0, other.1).await;
    }

    /// A disconnect while the renewer is at work; it is repeated until it succeeds.
    pub async fn leave_beside_a_sweep(&mut self, leaving: (&str, &ConnectorId), dice: &mut Dice) {
        self.world.trace("-- a disconnect and a sweep", None);
        self.forgive(|trigger| trigger.config.connector_id == *leaving.1);
        self.world.set_gives_way(true);
        let disconnect = self.stage.disconnect(leaving.0, leaving.1);
        let _ = dice.interleave(&self.world, disconnect, self.stage.sweep()).await;
        self.world.set_gives_way(false);
        self.disconnect(leaving.0, leaving.1).await;
    }

    /// The last owner leaves while another one connects the same mailbox.
    pub async fn connect_beside(
        &mut self,
        leaving: (&str, &ConnectorId),
        joining: &str,
        dice: &mut Dice,
    ) -> ConnectorId {
        self.world.trace("-- a disconnect and a connect", None);
        self.forgive(|trigger| trigger.config.connector_id == *leaving.1);
        let ada = self.ada.clone();
        let request = self.stage.request(joining, &ada.consent(Consent::default()));
        let (connecting, now) = (self.stage.connecting(), self.world.now());
        self.world.set_gives_way(true);
        let (_, answer) = dice
            .interleave(
                &self.world,
                self.stage.disconnect(leaving.0, leaving.1),
                connecting.run(&request, now),
            )
            .await;
        self.world.set_gives_way(false);
        self.disconnect(leaving.0, leaving.1).await;
        match answer {
            Some(Ok(connected)) => self.begun_by(connected),
            _ => self.connect(joining, &ada).await,
        }
    }

    /// Google sends the security event `tokens-revoked` until it is answered well.
    pub async fn send_revocation(&mut self, account: &Account) {
        let (store, bus, verifier) = (self.world.store(), self.world.bus(), self.world.verifier());
        let policy = SecurityEventPolicy { client_id: CLIENT_ID.into() };
        let subject = json!({"iss": "https://accounts.google.com/", "sub": account.sub});
        let token = verifier.issue(json!({
            "iss": SecurityEventPolicy::ISSUER, "aud": CLIENT_ID, "iat": self.world.now().seconds(), "jti": "revoked",
            "events": {"https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked": {"subject": subject}},
        }));
        for _ in 0..6 {
            let protect =
                Protect::<World> { store: &store, bus: &bus, verifier: &verifier, policy: &policy };
            if let Some(Ok(_)) = self.world.until_crash(protect.run(&token, self.world.now())).await
            {
                return;
            }
            self.world.pass(Duration::from_secs(1));
        }
        // Each answer was lost, but the event was handled.
    }

    pub async fn pause(&mut self, of: &str, connector: &ConnectorId, paused: bool) {
        let change = ConnectorChange::paused(paused);
        for _ in 0..6 {
            let store = self.world.store();
            let of = owner(of);
            let set = update_connector::apply(
                &store,
                SWEEP_TIMES,
                &of,
                connector,
                &change,
                self.world.now(),
            );
            if let Some(Ok(_)) = self.world.until_crash(set).await {
                return;
            }
        }
        self.violate("a pause is never set");
    }

    /// Gmail's push of this moment arrives in the queue.
    pub fn push(&mut self, account: &Account) {
        if account.is_outlook() {
            return self.notify(account);
        }
        self.push_of(account, account.history_id());
    }

    /// Graph's notification of this moment arrives in the queue, if there is a subscription.
    pub fn notify(&mut self, account: &Account) {
        if account.subscriptions() > 0 {
            let push = self.notification(account);
            self.world.wake_ups().put(&push);
        }
    }

    /// What Graph's notification of this moment becomes: it does not say how far the mailbox is.
    pub fn notification(&self, account: &Account) -> WakeUp {
        let now = self.world.now();
        WakeUp::push(account.key(), None, Some(format!("graph-{}", now.millis())), now)
    }

    pub fn push_of(&mut self, account: &Account, history_id: Mark) {
        self.pushes += 1;
        let push = WakeUp::push(
            account.address(),
            history_id,
            Some(self.pushes.to_string()),
            self.world.now(),
        );
        self.world.wake_ups().put(&push);
    }

    /// The push goes through the webhook, and Pub/Sub repeats it until it is acknowledged.
    pub async fn push_through_webhook(&mut self, account: &Account) {
        let verifier = self.world.verifier();
        let now = self.world.now();
        let claims = json!({
            "iss": "https://accounts.google.com", "aud": PUSH_AUDIENCE, "email": PUSH_ACCOUNT, "email_verified": true,
            "iat": now.seconds(), "exp": now.after(Duration::from_secs(3600)).seconds(),
        });
        let token = verifier.issue(claims);
        let data =
            json!({"emailAddress": account.address(), "historyId": account.history_id().value()})
                .to_string();
        let data = BASE64_STANDARD.encode(data);
        self.pushes += 1;
        let message =
            json!({"messageId": format!("ps-{}", self.pushes), "data": data, "publishTime": now});
        let body = json!({"message": message, "subscription": SUBSCRIPTION}).to_string();
        let sent = self.world.wake_ups().sent();
        for _ in 0..6 {
            let receiving = self.stage.receiving();
            let answer = self
                .world
                .until_crash(receiving.push(Some(&token), body.as_bytes(), self.world.now()))
                .await;
            if let Some(Ok(_)) = answer {
                if self.world.wake_ups().sent() == sent {
                    self.violate("a push was acknowledged and the queue does not have it");
                }
                return;
            }
        }
        self.violate("a push is never acknowledged");
    }

    pub fn own(&mut self, account: &Account, kind: Kind) {
        let wake_up = WakeUp::own(kind, account.key(), self.world.now());
        self.world.wake_ups().put(&wake_up);
    }

    /// Every connector that needs reauth is connected again by its user.
    pub async fn answer_calls_for_reauth(&mut self) {
        for account in self.world.accounts() {
            for connector in self.world.store().connectors_at(&account.key()) {
                if connector.reading.status == Status::NeedsReauth {
                    self.connect(connector.owner_id.as_str(), &account).await;
                }
            }
        }
    }
}
