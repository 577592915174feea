//! What nobody knows of Microsoft comes either way.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shapes {
    /// A second subscription of the same app, resource and change types: 409, as documented, or a
    /// duplicate, as users met it (microsoftgraph/microsoft-graph-docs#11346).
    pub same_subscription_conflicts: bool,
    /// A lifecycle event has `organizationId` and `resourceData` where the documents have
    /// `tenantId` (microsoftgraph/msgraph-sdk-dotnet#3103).
    pub lifecycle_names_organization: bool,
    /// Notifications of personal accounts name Exchange's tenant, not that of the accounts.
    pub notifications_name_exchanges_tenant: bool,
    /// A renewal asks the URL for its answer as a creation does
    /// (microsoftgraph/msgraph-sdk-dotnet#2805).
    pub renewal_validates: bool,
    /// A move is told as `created` and `deleted`, not as `updated`.
    pub move_tells_created: bool,
    /// A move leaves `lastModifiedDateTime` (and the change key) as it was.
    pub move_keeps_modified: bool,
    /// A scope that was granted before is not in a later, narrower grant.
    pub scopes_do_not_add_up: bool,
    /// Filters and orders by `lastModifiedDateTime` heed milliseconds that no answer shows, so that
    /// `gt` finds what was shown already, and `eq` finds nothing.
    pub hidden_fractions: bool,
    /// A mail with plain text only is answered as `text`, not converted to HTML.
    pub text_stays_text: bool,
}
