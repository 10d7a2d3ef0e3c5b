//! Pages of a list: at most 200 rows each.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Maximum rows of one page: about 50 KB, which a slow line takes in seconds.
pub const PAGE_MAX: u32 = 200;

/// Rows of one page when the caller names no limit.
pub const PAGE_DEFAULT: u32 = 50;

/// The query of a list without filters: the page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows wanted, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// Keeps `limit` and `cursor` out of the filters to which a cursor is bound: `skip_serializing_if` of those two members.
/// `skip_serializing` would keep them out of the OpenAPI document, too.
pub fn left_out<T>(_: &T) -> bool {
    true
}

/// A page of a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// The `cursor` of the next request; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The part of a list that a page shows: how many rows, after which row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<K> {
    /// Rows wanted.
    pub limit: u32,
    /// The key of the last row that the caller has.
    pub after: Option<K>,
}

impl<K> Window<K> {
    /// Rows to ask the store for: one more than wanted, which shows whether there is a next page.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Removes the row that [`fetch`](Self::fetch) asked for beyond the page. Returns whether there was one.
    pub fn cut<R>(&self, rows: &mut Vec<R>) -> bool {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        more
    }
}
