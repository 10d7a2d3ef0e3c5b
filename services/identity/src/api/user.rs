//! A user as the API shows one.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use rovuma_policy::Resource;
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use crate::{
    AccountId,
    accounts::{self, Account},
    app::App,
};

/// A person who can log in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct User {
    /// The pseudonymous id: `sub` of tokens, actor of audit events.
    #[schema(value_type = String, format = "uuid")]
    id: String,
    /// The agency.
    #[schema(value_type = String)]
    agency: AgencyCode,
    /// What the person types to log in.
    login: String,
    /// The name to show.
    name: String,
    /// Roles in the agency.
    roles: Vec<&'static str>,
    /// Since when the person may not log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// Whether a new password must be chosen at the next log-in.
    must_change_password: bool,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A password to hand over; it is shown this once and must be changed at the first log-in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneTimePassword {
    /// The password.
    pub(super) one_time_password: String,
}

impl User {
    pub(super) fn of(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            agency: account.agency.clone(),
            login: account.login.clone(),
            name: account.name.clone(),
            roles: account.roles.iter().map(|role| role.as_str()).collect(),
            disabled_at: account.disabled,
            must_change_password: account.must_change,
            created_at: account.created,
        }
    }
}

/// The account that a path names.
pub(super) struct Target {
    pub(super) account: Account,
    /// The account as the policy sees it.
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
        let id: AccountId = id.parse().map_err(|_| Problem::not_found())?;
        let mut conn = app.store.read().acquire().await?;
        let account = accounts::by_id(&mut conn, id).await?;
        let account = account.ok_or_else(Problem::not_found)?;
        let resource = Resource::account(&id.to_string(), &account.agency);
        Ok(Self { account, resource })
    }
}
