//! `/api/me`: who the caller is here, and what the caller may do, so that a frontend offers nothing
//! else.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use email_connectors::domain::id::OwnerId;
use email_connectors::domain::role::{Action, Role};
use email_connectors::ports::{Clock, Ports};
use email_connectors::web::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Shared;

#[derive(Serialize, ToSchema)]
pub struct Me {
    /// Whose connectors the caller acts on.
    owner_id: OwnerId,
    /// null where roles are not configured: then an owner may do everything.
    #[schema(required)]
    role: Option<Role>,
    /// In the order of the role table.
    may: Vec<Action>,
}

pub async fn me<P: Ports>(State(api): Shared<P>, headers: HeaderMap) -> Result<Json<Me>, Problem> {
    // The least of all actions: each role may see.
    let caller = api.gate.admit(&headers, Action::See, api.machine.now()).await?;
    let may = Action::ALL.into_iter().filter(|action| caller.role.may(*action)).collect();
    let role = api.gate.policy.role_claim.is_some().then_some(caller.role);
    Ok(Json(Me { owner_id: caller.owner, role, may }))
}
