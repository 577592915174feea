//! What a caller may do with the owner's own connectors: three roles, one table. Whose they are is
//! decided elsewhere.

use serde::Serialize;
use serde_json::Value;

/// From the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Viewer,
    Operator,
    Admin,
}

/// What a route does, as the role table and `/api/me` name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See connectors, their health, triggers, and ids and times of firings.
    See,
    /// Connect a mailbox, or connect it again.
    Connect,
    /// Make and change triggers, pause and resume, ask for a look.
    Operate,
    /// Fire a `webhook` trigger.
    Fire,
    /// Read messages, threads, labels, drafts and attachments.
    ReadMail,
    /// Send, draft, label, move and delete mail.
    WriteMail,
    /// Delete triggers and connectors.
    Delete,
    /// Take all of the owner's data out.
    Export,
    /// Delete all of the owner's data.
    Erase,
}

impl Action {
    pub const ALL: [Self; 9] = [
        Self::See,
        Self::Connect,
        Self::Operate,
        Self::Fire,
        Self::ReadMail,
        Self::WriteMail,
        Self::Delete,
        Self::Export,
        Self::Erase,
    ];

    /// The least role that may do it.
    pub const fn needs(self) -> Role {
        match self {
            Self::See => Role::Viewer,
            Self::Connect | Self::Operate | Self::Fire | Self::ReadMail => Role::Operator,
            Self::WriteMail | Self::Delete | Self::Export | Self::Erase => Role::Admin,
        }
    }
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    pub fn may(self, action: Action) -> bool {
        self >= action.needs()
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// What a token's role claim says: a role, or a list of which the highest counts. What is
    /// absent or unknown is the lowest.
    pub fn of_claim(claim: Option<&Value>) -> Self {
        let named = |value: &Value| {
            Self::ALL.into_iter().find(|role| value.as_str() == Some(role.as_str()))
        };
        let highest = match claim {
            Some(Value::Array(several)) => several.iter().filter_map(named).max(),
            Some(one) => named(one),
            None => None,
        };
        highest.unwrap_or(Self::Viewer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_each_role_may_do() {
        let table = [
            (Action::See, [true, true, true]),
            (Action::Connect, [false, true, true]),
            (Action::Operate, [false, true, true]),
            (Action::Fire, [false, true, true]),
            (Action::ReadMail, [false, true, true]),
            (Action::WriteMail, [false, false, true]),
            (Action::Delete, [false, false, true]),
            (Action::Export, [false, false, true]),
            (Action::Erase, [false, false, true]),
        ];
        assert_eq!(table.map(|(action, _)| action), Action::ALL);
        for (action, expected) in table {
            assert_eq!(Role::ALL.map(|role| role.may(action)), expected, "{action:?}");
        }
    }

    #[test]
    fn a_claim_that_names_no_role_is_the_lowest() {
        let table = [
            (None, Role::Viewer),
            (Some(json!("admin")), Role::Admin),
            (Some(json!("operator")), Role::Operator),
            (Some(json!("viewer")), Role::Viewer),
            (Some(json!("Admin")), Role::Viewer),
            (Some(json!("root")), Role::Viewer),
            (Some(json!("")), Role::Viewer),
            (Some(json!(["viewer", "operator"])), Role::Operator),
            (Some(json!(["root", 7, null])), Role::Viewer),
            (Some(json!([["admin"]])), Role::Viewer),
            (Some(json!({"role": "admin"})), Role::Viewer),
            (Some(json!(2)), Role::Viewer),
            (Some(json!(null)), Role::Viewer),
        ];
        for (claim, expected) in table {
            assert_eq!(Role::of_claim(claim.as_ref()), expected, "{claim:?}");
        }
    }
}
