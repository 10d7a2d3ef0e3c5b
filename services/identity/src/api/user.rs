//! A user as the API shows one.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use rovuma_api::{Access as _, answers::identity::User};
use rovuma_policy::Resource;
use rovuma_runtime::Problem;

use super::error::ApiError;
use crate::{
    AccountId,
    accounts::{self, Account},
    app::App,
};

impl From<&Account> for User {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            agency: account.agency.clone(),
            login: account.login.clone(),
            name: account.name.clone(),
            roles: account.roles.iter().map(ToString::to_string).collect(),
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
        let no_such = || app.no_such("account", &id);
        let id: AccountId = id.parse().map_err(|_| no_such())?;
        let mut conn = app.store.read().acquire().await?;
        let account = accounts::by_id(&mut conn, id).await?;
        let account = account.ok_or_else(no_such)?;
        let resource = Resource::account(&id.to_string(), &account.agency);
        Ok(Self { account, resource })
    }
}
