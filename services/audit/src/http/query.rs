//! A search as it comes in a URL.

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use rovuma_runtime::Problem;

use super::error::ApiError;
use crate::log::Filter;

/// Entries of one page at most.
const PAGE_MAX: u32 = 200;

/// Entries of one page when the caller does not say.
const PAGE_DEFAULT: u32 = 50;

/// A search, and how many entries of it are wanted.
#[derive(Clone, Debug)]
pub(super) struct SearchQuery {
    /// What is searched for.
    pub(super) filter: Filter,
    /// How many entries, 1 to [`PAGE_MAX`].
    pub(super) limit: u32,
}

/// A search of which everything is wanted, and no page.
#[derive(Clone, Debug)]
pub(super) struct WholeQuery(pub(super) Filter);

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
        let Query(filter) = Query::<Filter>::from_request_parts(parts, state)
            .await
            .map_err(|fault| Problem::bad_request("query").detail(fault.body_text()))?;
        let limit = filter.limit.unwrap_or(PAGE_DEFAULT).min(PAGE_MAX);
        if limit == 0 {
            return Err(Problem::bad_request("limit").detail("limit must be 1 to 200.").into());
        }
        Ok(Self { filter, limit })
    }
}
