//! Labels that triggers name are looked up in their mailbox: when a trigger is made or changed, and
//! when its connector's health is asked for.

use std::time::Duration;

use tokio::time::timeout;

use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, OwnerId, TriggerId};
use crate::domain::operation::answer::{Label, MailAnswer};
use crate::domain::operation::request::{Listing, MailRequest};
use crate::domain::provider::registered;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::labels::{MissingLabel, missing_labels};
use crate::domain::trigger::{Filters, NewTrigger, Trigger, TriggerChange};
use crate::flows::access::Access;
use crate::flows::preconditions::{Unusable, admit};
use crate::flows::subscribe::SubscribeError;
use crate::ports::{EmailProvider, Ports, ProviderError, Sender, Store};

/// Health is answered without the labels if Gmail takes longer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

impl<P: Ports> Access<'_, P> {
    /// The trigger with the ids of its labels. Gmail is asked only if a label is named that not
    /// every mailbox has.
    pub async fn with_label_ids(
        self,
        owner: &OwnerId,
        mut new: NewTrigger,
        now: Timestamp,
    ) -> Result<NewTrigger, SubscribeError> {
        let (connector, filters) = (&new.config.connector_id, new.config.filters.clone());
        new.config.filters = self.filters_with_label_ids(owner, connector, filters, now).await?;
        Ok(new)
    }

    /// As `with_label_ids`, for a change of a trigger.
    pub async fn change_with_label_ids(
        self,
        owner: &OwnerId,
        id: &TriggerId,
        change: TriggerChange,
        now: Timestamp,
    ) -> Result<TriggerChange, SubscribeError> {
        let Some(filters) = change.filters().cloned() else { return Ok(change) };
        let trigger = self.store.trigger(owner, id).await?.ok_or(SubscribeError::NoSuchTrigger)?;
        change.check_of(trigger.kind)?;
        let connector = &trigger.config.connector_id;
        let filters = self.filters_with_label_ids(owner, connector, filters, now).await?;
        Ok(change.with_filters(filters))
    }

    /// Labels that are named by their ids are taken as they are while the mailbox cannot be read:
    /// no outage of Gmail's stands in the way of a trigger. Health shows those that are not there.
    async fn filters_with_label_ids(
        self,
        owner: &OwnerId,
        connector: &ConnectorId,
        filters: Filters,
        now: Timestamp,
    ) -> Result<Filters, SubscribeError> {
        if !filters.name_own_labels() {
            return Ok(filters.with_label_ids(None)?);
        }
        let connector = self.store.connector(owner, connector).await?;
        let connector = connector
            .filter(|connector| connector.closing.is_none())
            .ok_or(SubscribeError::NoSuchConnector)?;
        match self.labels(&connector, now).await {
            Ok(labels) => Ok(filters.with_label_ids(Some(&labels))?),
            Err(unread) if filters.name_labels_by_id() => {
                tracing::info!(connector = %connector.id, error = %unread, "the labels of a trigger were not looked up");
                Ok(filters.with_label_ids(None)?)
            }
            Err(unread) => Err(SubscribeError::LabelsUnread(unread)),
        }
    }

    /// Labels of the triggers that the mailbox does not have; none if that cannot be found out now.
    pub async fn missing_labels(
        self,
        connector: &Connector,
        triggers: &[Trigger],
        now: Timestamp,
    ) -> Vec<MissingLabel> {
        if !triggers.iter().any(|trigger| trigger.config.filters.name_own_labels()) {
            return Vec::new();
        }
        match timeout(ANSWERS_WITHIN, self.labels(connector, now)).await {
            Ok(Ok(labels)) => missing_labels(triggers, &labels),
            Ok(Err(error)) => {
                tracing::info!(connector = %connector.id, %error, "the labels of its triggers were not looked up");
                Vec::new()
            }
            Err(_) => {
                tracing::info!(connector = %connector.id, "Gmail takes long to list the labels");
                Vec::new()
            }
        }
    }

    async fn labels(self, connector: &Connector, now: Timestamp) -> Result<Vec<Label>, Unusable> {
        // Gmail lists all of them at once.
        let request = &MailRequest::ListLabels(Listing {
            query: None,
            label_ids: Vec::new(),
            include_spam_trash: false,
            page_size: u32::MAX,
            page_token: None,
        });
        let provider = registered(connector.provider);
        admit(connector, provider.missing_scope(request, &connector.grant.scopes), now)?;
        let mut session = self.session(connector, now).await?;
        let sender = Sender { address: &connector.email_address, now, only_headers: true };
        let (gmail, units) = (session.provider(), provider.units(request));
        let performed = session
            .call(units, |token| async move { gmail.perform(&token, request, sender).await })
            .await?;
        match performed.answer {
            MailAnswer::Labels(list) => Ok(list.labels),
            _ => Err(Unusable::Access(
                ProviderError::unavailable("another answer than the labels").into(),
            )),
        }
    }
}
