//! Bundles of entries: each entry after its length (C2SP tlog-tiles, "Log entries").

use crate::TILE_WIDTH;

/// Maximum bytes of an entry: its length is two bytes.
pub const ENTRY_MAX_BYTES: usize = u16::MAX as usize;

/// Bytes that are not a bundle of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleFault {
    /// The entry is too long for a length of two bytes.
    #[error("an entry of {size_bytes} bytes: at most {ENTRY_MAX_BYTES} fit")]
    TooLong {
        /// Size of the entry.
        size_bytes: usize,
    },
    /// The bytes end within an entry.
    #[error("the bundle ends within its entry {place}")]
    CutOff {
        /// Position of the entry in the bundle, from 0.
        place: usize,
    },
    /// There are more entries than a bundle holds.
    #[error("more than {TILE_WIDTH} entries in one bundle")]
    TooMany,
}

/// Appends an entry to the bytes of a bundle.
///
/// # Errors
/// [`BundleFault::TooLong`].
pub fn write_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleFault> {
    let length = u16::try_from(entry.len()).map_err(|_| BundleFault::TooLong { size_bytes: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Splits a bundle into its entries.
///
/// # Errors
/// [`BundleFault`] when the bytes are not whole entries, or are more than a bundle holds.
pub fn entries_of(bundle: &[u8]) -> Result<Vec<&[u8]>, BundleFault> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let cut_off = BundleFault::CutOff { place: entries.len() };
        if entries.len() == usize::try_from(TILE_WIDTH).unwrap_or(usize::MAX) {
            return Err(BundleFault::TooMany);
        }
        let (length, after) = rest.split_first_chunk::<2>().ok_or(cut_off)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(cut_off)?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let mut bundle = Vec::new();
        for entry in [b"one".as_slice(), b"", b"three"] {
            write_entry(&mut bundle, entry).expect("short");
        }
        assert_eq!(entries_of(&bundle).expect("whole"), [b"one".as_slice(), b"", b"three"]);
        for end in [1, 4, 6, bundle.len() - 1] {
            assert!(matches!(entries_of(&bundle[..end]), Err(BundleFault::CutOff { .. })), "{end} bytes");
        }
        assert_eq!(entries_of(&[0; 2 * 257]), Err(BundleFault::TooMany));
        let long = vec![0; ENTRY_MAX_BYTES + 1];
        assert!(write_entry(&mut bundle, &long).is_err());
    }
}
