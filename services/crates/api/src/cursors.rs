//! Cursors: opaque texts that name the last row given.
//!
//! A cursor holds the key of that row, not a count of rows, so that a list that grows at its top neither
//! repeats nor leaves out a row that was there when the first page was asked for.

use std::marker::PhantomData;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::digest;
use rovuma_runtime::Problem;
use serde::Serialize;

use crate::page::{PAGE_DEFAULT, PAGE_MAX, Page, Window};

/// Bytes of the binding: enough to notice that a cursor is used with other filters; it protects nothing.
const BINDING: usize = 8;

/// The key that a list is ordered by, as bytes in a cursor.
pub trait RowKey: Sized {
    /// The key's bytes.
    fn bytes(&self) -> &[u8];

    /// The key with these bytes; `None` when no key has them.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl<const N: usize> RowKey for [u8; N] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

impl RowKey for String {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.to_vec()).ok()
    }
}

/// The cursors of one list of one agency with one set of filters.
#[derive(Clone, Copy, Debug)]
pub struct Cursors<K> {
    binding: [u8; BINDING],
    key: PhantomData<fn() -> K>,
}

impl<K: RowKey> Cursors<K> {
    /// Cursors for a list of `agency` with these filters.
    pub fn of(list: &str, agency: &str, filters: &impl Serialize) -> Self {
        // Filters are plain structs of texts: they always serialise.
        let filters = serde_json::to_string(filters).unwrap_or_default();
        let whole = digest(format!("{list}\n{agency}\n{filters}").as_bytes());
        let mut binding = [0; BINDING];
        binding.copy_from_slice(&whole.as_bytes()[..BINDING]);
        Self { binding, key: PhantomData }
    }

    /// The window that the caller asks for.
    ///
    /// # Errors
    /// 400 for a limit that is not documented, or a cursor that does not belong to this list with these filters.
    pub fn window(&self, limit: Option<u32>, cursor: Option<&str>) -> Result<Window<K>, Box<Problem>> {
        let limit = page_limit(limit)?;
        let after = cursor.map(|text| self.read(text).ok_or_else(bad_cursor)).transpose()?;
        Ok(Window { limit, after })
    }

    /// The page of `rows`, which were fetched with one row more than the window asks for.
    pub fn page<T>(&self, window: &Window<K>, mut rows: Vec<(K, T)>) -> Page<T> {
        let more = window.cut(&mut rows);
        let next = rows.last().filter(|_| more).map(|(key, _)| self.write(key));
        Page { items: rows.into_iter().map(|(_, row)| row).collect(), next }
    }

    /// The cursor that leads on from the row with this key.
    pub fn write(&self, key: &K) -> String {
        let mut bytes = self.binding.to_vec();
        bytes.extend_from_slice(key.bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key in a cursor; `None` when it is not one of this list with these filters.
    pub fn read(&self, text: &str) -> Option<K> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        K::from_bytes(bytes.strip_prefix(&self.binding)?)
    }
}

/// 400 for a cursor that does not belong to the list, or whose key the list does not take.
pub fn bad_cursor() -> Box<Problem> {
    let problem = Problem::bad_request("cursor");
    problem.detail("This cursor does not belong to this list with these filters.").into()
}

/// The rows of a page for which the caller asks with `limit`.
///
/// # Errors
/// 400 for 0, and for more than [`PAGE_MAX`].
pub fn page_limit(limit: Option<u32>) -> Result<u32, Box<Problem>> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::bad_request("limit").detail(format!("limit must be 1 to {PAGE_MAX}.")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursors(filter: &str) -> Cursors<[u8; 8]> {
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
    fn a_key_of_text_reads_back() {
        let cursors = Cursors::<String>::of("clients", "mz.prm", &());
        let cursor = cursors.write(&"mz.prm.cad".to_owned());
        assert_eq!(cursors.read(&cursor).as_deref(), Some("mz.prm.cad"));
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
        for limit in [0, PAGE_MAX + 1, u32::MAX] {
            assert!(cursors("a").window(Some(limit), None).is_err(), "{limit}");
        }
        assert_eq!(cursors("a").window(Some(PAGE_MAX), None).expect("a window").limit, PAGE_MAX);
    }
}
