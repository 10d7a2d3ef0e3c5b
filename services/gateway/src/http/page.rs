//! Pages of a list: at most 200 rows and an opaque cursor to the next.
//!
//! A cursor names the last row given, not a count of rows, so that a list that grows at its top neither
//! repeats nor leaves out a row that was there when the first page was asked for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::digest;
use rovuma_runtime::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;

/// Rows of one page at most: about 50 KB, which a slow line takes in seconds.
pub(crate) const PAGE_MAX: u32 = 200;

/// Rows of one page when the caller does not say.
const PAGE_DEFAULT: u32 = 50;

/// Which page of a list without filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Rows wanted, 1 to 200; 50 when absent.
    pub(crate) limit: Option<u32>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows, in the list's order.
    pub(crate) items: Vec<T>,
    /// Where to go on: the `cursor` of the next request. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// How many rows, from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window<const N: usize> {
    /// Rows wanted.
    pub(crate) limit: u32,
    /// The keys of the last row that the caller has.
    pub(crate) after: Option<[u8; N]>,
}

/// A query whose cursors are `N` bytes of row key, bound to its filters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursors<const N: usize> {
    binding: [u8; BINDING],
}

/// Enough to notice that a cursor is used with other filters; it protects nothing.
const BINDING: usize = 8;

impl<const N: usize> Cursors<N> {
    /// Cursors for a list of `agency` with these filters.
    pub(crate) fn of(list: &str, agency: &str, filters: &impl Serialize) -> Self {
        // Filters are plain structs of texts: they always serialise.
        let filters = serde_json::to_string(filters).unwrap_or_default();
        let whole = digest(format!("{list}\n{agency}\n{filters}").as_bytes());
        let mut binding = [0; BINDING];
        binding.copy_from_slice(&whole.as_bytes()[..BINDING]);
        Self { binding }
    }

    /// What the caller asks for.
    ///
    /// # Errors
    /// 400 for a limit of 0, or a cursor that is not one of this query's.
    pub(crate) fn window(&self, limit: Option<u32>, cursor: Option<&str>) -> Result<Window<N>, ApiError> {
        let limit = match limit {
            Some(0) => return Err(Problem::bad_request("limit").detail("limit must be 1 to 200.").into()),
            asked => asked.unwrap_or(PAGE_DEFAULT).min(PAGE_MAX),
        };
        let after = cursor.map(|text| self.read(text).ok_or_else(bad_cursor)).transpose()?;
        Ok(Window { limit, after })
    }

    /// The page of `rows`, which were asked for with one row more than wanted.
    pub(crate) fn page<T>(&self, window: &Window<N>, mut rows: Vec<([u8; N], T)>) -> Page<T> {
        let wanted = usize::try_from(window.limit).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = rows.last().filter(|_| more).map(|(key, _)| self.write(key));
        Page { items: rows.into_iter().map(|(_, row)| row).collect(), next }
    }

    fn write(&self, key: &[u8; N]) -> String {
        let mut bytes = self.binding.to_vec();
        bytes.extend_from_slice(key);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read(&self, text: &str) -> Option<[u8; N]> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.strip_prefix(&self.binding)?.try_into().ok()
    }
}

impl<const N: usize> Window<N> {
    /// Rows to ask the store for: one more, which tells whether there is a next page.
    pub(crate) fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

fn bad_cursor() -> ApiError {
    let problem = Problem::bad_request("cursor");
    problem.detail("This cursor does not belong to this list with these filters.").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursors(filter: &str) -> Cursors<8> {
        Cursors::of("inbox", "mz.prm", &filter)
    }

    #[test]
    fn a_cursor_leads_on_from_the_last_row_given() {
        let cursors = cursors("a");
        let window = cursors.window(Some(2), None).expect("a window");
        let rows = (1..=3_u64).map(|n| (n.to_be_bytes(), n)).collect();
        let page = cursors.page(&window, rows);
        assert_eq!(page.items, [1, 2]);
        let next = cursors.window(Some(2), page.next.as_deref()).expect("a cursor");
        assert_eq!(next.after, Some(2_u64.to_be_bytes()));
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let cursors = cursors("a");
        let window = cursors.window(None, None).expect("a window");
        let page = cursors.page(&window, vec![(1_u64.to_be_bytes(), 1)]);
        assert_eq!((page.items, page.next), (vec![1], None));
    }

    #[test]
    fn foreign_cursors_and_empty_pages_are_refused() {
        let cursor = cursors("a").write(&1_u64.to_be_bytes());
        assert!(cursors("a").window(None, Some(&cursor)).is_ok());
        let longer = format!("{cursor}AA");
        for (filter, text) in [("b", cursor.as_str()), ("a", ""), ("a", "%%%"), ("a", &longer)] {
            assert!(cursors(filter).window(None, Some(text)).is_err(), "{text:?} with {filter}");
        }
        assert!(cursors("a").window(Some(0), None).is_err());
        assert_eq!(cursors("a").window(Some(9_999), None).expect("a window").limit, PAGE_MAX);
    }
}
