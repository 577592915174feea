//! Subscriptions to changes of mail:
//! <https://learn.microsoft.com/graph/api/resources/subscription>.

use serde_json::{Value, json};

use crate::mailbox::{EXCHANGES_TENANT, Event, Mailbox, User};
use crate::shapes::Shapes;
use crate::values::moment;

/// Where changes are subscribed to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scope {
    /// All folders.
    Mailbox,
    /// One of them, by its id.
    Folder(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub id: String,
    pub key: String,
    pub user: User,
    pub application: String,
    /// `created`, `updated` and `deleted`, by commas.
    pub change_type: String,
    pub resource: String,
    pub scope: Scope,
    pub notification_url: String,
    pub lifecycle_url: Option<String>,
    pub client_state: Option<String>,
    /// Seconds since 1970, by the server's clock.
    pub expires: i64,
    /// Ids in its notifications are those that do not change.
    pub immutable_ids: bool,
    /// It was told that it has to be authorized again; until then nothing is told.
    pub waits_for_authorization: bool,
    /// When it was last authorized again, and whether by a PATCH.
    pub authorized: Option<(i64, bool)>,
}

impl Subscription {
    pub fn wants(&self, event: &Event, now: i64) -> bool {
        let named = self.change_type.split(',').any(|kind| kind.trim() == event.kind.name());
        let within = match &self.scope {
            Scope::Mailbox => true,
            Scope::Folder(folder) => *folder == event.folder,
        };
        named && within && now < self.expires && !self.waits_for_authorization
    }

    pub fn rendered(&self) -> Value {
        json!({
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.application,
            "changeType": self.change_type,
            "clientState": self.client_state,
            "notificationUrl": self.notification_url,
            "notificationQueryOptions": null,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": moment(self.expires),
            "creatorId": self.user.oid,
            "includeResourceData": null,
            "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": null,
            "encryptionCertificateId": null,
            "notificationUrlAppId": null,
        })
    }

    /// One item of a notification:
    /// <https://learn.microsoft.com/graph/change-notifications-overview>.
    pub fn item(&self, event: &Event, shapes: Shapes) -> Value {
        let id = event.ids.one(self.immutable_ids);
        let resource = match self.user.is_personal() {
            true => format!("Users('{}')/Messages('{id}')", self.user.exchange_id()),
            false => format!("Users/{}/Messages/{id}", self.user.oid),
        };
        json!({
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": self.told_expiry(),
            "changeType": event.kind.name(),
            "resource": resource,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Message",
                "@odata.id": resource,
                "@odata.etag": event.etag,
                "id": id,
            },
            "clientState": self.client_state,
            "tenantId": self.tenant(shapes),
        })
    }

    fn tenant(&self, shapes: Shapes) -> &str {
        let exchanges = self.user.is_personal() && shapes.notifications_name_exchanges_tenant;
        if exchanges { EXCHANGES_TENANT } else { &self.user.tid }
    }

    /// In notifications a moment has seven digits of a fraction, and an offset.
    fn told_expiry(&self) -> String {
        moment(self.expires).replace('Z', ".0000000+00:00")
    }

    /// <https://learn.microsoft.com/graph/change-notifications-lifecycle-events>
    pub fn lifecycle_item(&self, event: &str, shapes: Shapes) -> Value {
        let mut item = json!({
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": self.told_expiry(),
            "clientState": self.client_state,
            "lifecycleEvent": event,
        });
        if shapes.lifecycle_names_organization {
            item["organizationId"] = self.tenant(shapes).into();
            item["resource"] = format!("Subscriptions/{}", self.id).into();
            item["resourceData"] = json!({
                "@odata.id": format!("subscriptions/{}", self.id),
                "@odata.type": "#microsoft.graph.subscription",
                "id": self.id,
            });
            item["encryptedContent"] = Value::Null;
            item["resourceChangeType"] = Value::Null;
        } else {
            item["tenantId"] = self.tenant(shapes).into();
        }
        item
    }
}

/// What a resource's path names in this mailbox: `me/messages`, `users/{id}/messages`, or those of
/// a folder.
pub(crate) fn scope(resource: &str, mailbox: &Mailbox) -> Option<Scope> {
    let plain = resource.trim_matches('/').replace("('", "/").replace("')", "");
    let parts: Vec<&str> = plain.split('/').collect();
    let lower: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let user = &mailbox.user;
    let (rest, names) = match lower.as_slice() {
        ["me", rest @ ..] => (rest, &parts[1..]),
        ["users", id, rest @ ..] if user.is(id) => (rest, &parts[2..]),
        _ => return None,
    };
    match rest {
        ["messages"] => Some(Scope::Mailbox),
        ["mailfolders", _, "messages"] => {
            mailbox.folders.find(names[1]).map(|folder| Scope::Folder(folder.id.clone()))
        }
        _ => None,
    }
}
