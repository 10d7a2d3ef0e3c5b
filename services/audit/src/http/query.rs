//! A search as it comes in a URL.

use axum::{extract::FromRequestParts, http::request::Parts};
use rovuma_api::{Access as _, Caller, cursors::page_limit, request::Query};
use rovuma_policy::{Context, Permit, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::AgencyCode;

use super::error::ApiError;
use crate::{auditor::Auditor, log::EventFilter};

/// A search, and how many entries of it are wanted.
#[derive(Clone, Debug)]
pub(super) struct SearchQuery {
    /// What is searched for.
    pub(super) filter: EventFilter,
    /// Entries wanted, 1 to 200.
    pub(super) limit: u32,
}

/// A search of which everything is wanted, and no page.
#[derive(Clone, Debug)]
pub(super) struct WholeQuery(pub(super) EventFilter);

impl<S: Send + Sync> FromRequestParts<S> for WholeQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let SearchQuery { filter, .. } = SearchQuery::from_request_parts(parts, state).await?;
        if filter.limit.is_some() || filter.cursor.is_some() {
            return Err(Problem::bad_request("query")
                .detail("limit and cursor belong to pages of /v1/events.")
                .into());
        }
        Ok(Self(filter))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SearchQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(filter) = Query::<EventFilter>::from_request_parts(parts, state).await?;
        let limit = page_limit(filter.limit)?;
        Ok(Self { filter, limit })
    }
}

/// The proof that `caller` may search the log of `agency`, or of the own agency when none is named.
///
/// # Errors
/// 403 with the policy's code, after the refusal was written to the log.
pub(super) async fn permit_search(
    auditor: &Auditor,
    caller: &Caller,
    agency: Option<&AgencyCode>,
) -> Result<Permit<act::AuditSearch>, ApiError> {
    let log = Resource::audit_log(agency.unwrap_or(caller.agency()));
    auditor.permit(caller, act::AuditSearch, &log, &Context::NONE).await
}
