//! Pages of a list: at most 200 rows and an opaque cursor to the next.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_runtime::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;

/// Rows of one page at most.
const PAGE_MAX: u32 = 200;

/// Rows of one page when the caller does not say.
const PAGE_DEFAULT: u32 = 50;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Rows wanted, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The rows, in the list's order.
    items: Vec<T>,
    /// Where to go on: the `cursor` of the next request. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// How many rows, from where. The key names the last row given, so that a list that grows neither
/// repeats nor leaves out a row.
pub(super) struct Window {
    limit: u32,
    pub(super) after: Option<String>,
}

impl PageQuery {
    /// What is asked for.
    ///
    /// # Errors
    /// 400 for a limit of 0 or a cursor that is not one.
    pub(super) fn window(&self) -> Result<Window, ApiError> {
        let limit = match self.limit {
            Some(0) => return Err(bad_limit()),
            asked => asked.unwrap_or(PAGE_DEFAULT).min(PAGE_MAX),
        };
        let after = self.cursor.as_ref().map(|text| read(text).ok_or_else(bad_cursor)).transpose()?;
        Ok(Window { limit, after })
    }
}

impl Window {
    /// Rows to ask the store for: one more, which tells whether there is a next page.
    pub(super) fn fetch(&self) -> u32 {
        self.limit + 1
    }

    /// The page of `rows`, of which `key` names each.
    pub(super) fn page<R, T>(
        &self,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> String,
        view: impl Fn(&R) -> T,
    ) -> Page<T> {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = rows.last().filter(|_| more).map(|row| URL_SAFE_NO_PAD.encode(key(row)));
        Page { items: rows.iter().map(view).collect(), next }
    }
}

/// A cursor that is none.
pub(super) fn bad_cursor() -> ApiError {
    Problem::bad_request("cursor").detail("This cursor does not belong to this list.").into()
}

fn bad_limit() -> ApiError {
    Problem::bad_request("limit").detail("limit must be 1 to 200.").into()
}

fn read(text: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
