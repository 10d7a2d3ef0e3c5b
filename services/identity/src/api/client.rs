//! A machine client as the API shows one.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use rovuma_policy::Resource;
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use crate::{
    app::App,
    machines::{self, Machine},
};

/// A machine that can get tokens for itself (client credentials).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Client {
    /// `client_id`, and the `sub` of its tokens.
    id: String,
    /// The agency it acts for.
    #[schema(value_type = String)]
    agency: AgencyCode,
    /// The name to show.
    name: String,
    /// Roles in the agency.
    roles: Vec<&'static str>,
    /// How it shows who it is: `client_secret`, `private_key_jwt`.
    authentication: Vec<&'static str>,
    /// Since when it gets no tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A machine client's secret; it is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientSecret {
    /// The secret.
    pub(super) client_secret: String,
}

impl Client {
    pub(super) fn of(machine: &Machine) -> Self {
        let secret = machine.secret.map(|_| "client_secret");
        let keys = machine.jwks.as_ref().map(|_| "private_key_jwt");
        Self {
            id: machine.id.to_string(),
            agency: machine.agency().clone(),
            name: machine.name.clone(),
            roles: machine.roles.iter().map(|role| role.as_str()).collect(),
            authentication: secret.into_iter().chain(keys).collect(),
            disabled_at: machine.disabled,
            created_at: machine.created,
        }
    }
}

/// The machine client that a path names.
pub(super) struct Target {
    pub(super) machine: Machine,
    /// The machine client as the policy sees it.
    pub(super) resource: Resource,
}

impl FromRequestParts<Arc<App>> for Target {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        app: &Arc<App>,
    ) -> Result<Self, ApiError> {
        let Path(id) =
            Path::<String>::from_request_parts(parts, app).await.map_err(|_| Problem::not_found())?;
        let mut conn = app.store.read().acquire().await?;
        let machine = machines::by_id(&mut conn, &id).await?;
        let machine = machine.ok_or_else(Problem::not_found)?;
        let resource = Resource::account(machine.id.as_str(), machine.agency());
        Ok(Self { machine, resource })
    }
}
