//! The key of a row in a list that is ordered by an instant and an id, the newest first: what a cursor remembers.

use rovuma_schemas::{MessageId, Timestamp};

/// The length of a key: an instant and an id.
pub(crate) const KEY: usize = 24;

/// The key of a row.
pub(crate) fn key(at: Timestamp, id: &MessageId) -> [u8; KEY] {
    let mut key = [0; KEY];
    key[..8].copy_from_slice(&at.as_micros().to_be_bytes());
    key[8..].copy_from_slice(id.as_bytes());
    key
}

/// The instant and the id before which a page begins; before all of them at the first page.
pub(crate) fn before(after: Option<[u8; KEY]>) -> (i64, Vec<u8>) {
    let Some(key) = after else { return (i64::MAX, Vec::new()) };
    let mut micros = [0; 8];
    micros.copy_from_slice(&key[..8]);
    (i64::from_be_bytes(micros), key[8..].to_vec())
}
