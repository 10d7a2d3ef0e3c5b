//! A machine client as the API shows one.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use rovuma_api::{Access as _, answers::identity::Client};
use rovuma_policy::Resource;
use rovuma_runtime::Problem;

use super::error::ApiError;
use crate::{
    app::App,
    machines::{self, Machine},
};

impl From<&Machine> for Client {
    fn from(machine: &Machine) -> Self {
        let secret = machine.secret.map(|_| "client_secret");
        let keys = machine.jwks.as_ref().map(|_| "private_key_jwt");
        Self {
            id: machine.id.to_string(),
            agency: machine.agency().clone(),
            name: machine.name.clone(),
            roles: machine.roles.iter().map(ToString::to_string).collect(),
            authentication: secret.into_iter().chain(keys).map(str::to_owned).collect(),
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
        let machine = machine.ok_or_else(|| app.no_such("account", &id))?;
        let resource = Resource::account(machine.id.as_str(), machine.agency());
        Ok(Self { machine, resource })
    }
}
