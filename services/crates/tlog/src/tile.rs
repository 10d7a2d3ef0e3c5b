//! Positions and paths of a log's hashes and entries (C2SP tlog-tiles).

use std::fmt;

use tlog_tiles::{HASH_SIZE, Hash};

use crate::LEAVES_MAX;

/// Number of hashes in a full tile, and of entries in a full bundle.
pub const TILE_WIDTH: u32 = 256;

/// Number of tree levels in one level of tiles.
pub(crate) const TILE_HEIGHT: u8 = 8;

/// The highest level in a path (C2SP tlog-tiles, "Merkle Tree").
const LEVEL_MAX: u8 = 63;

/// The content of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes: at level 0 of leaves; at level 1 and above, of full tiles of the level below.
    Hashes {
        /// The level of tiles.
        level: u8,
    },
    /// The log's entries.
    Entries,
}

/// A tile or a bundle of entries, full or partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Its content.
    pub kind: TileKind,
    /// Its index among those of its kind and level, from 0.
    pub index: u64,
    /// Number of hashes or entries in it: 1 to [`TILE_WIDTH`].
    pub width: u32,
}

impl Tile {
    /// The tile that holds the tree node (`level`, `index`) in a log of `size` leaves, and the first and last of the
    /// tile's hashes that the node is computed from.
    pub(crate) fn holding(
        level: u8,
        index: u64,
        size: u64,
    ) -> Option<(Self, std::ops::RangeInclusive<usize>)> {
        let tiles_level = level / TILE_HEIGHT;
        let within = level % TILE_HEIGHT;
        let first = index << within;
        let tile_index = first >> TILE_HEIGHT;
        let kind = TileKind::Hashes { level: tiles_level };
        let width = Self::width_at(kind, tile_index, size)?;
        let start = usize::try_from(first - (tile_index << TILE_HEIGHT)).ok()?;
        let end = start + (1 << within) - 1;
        (end < usize::try_from(width).ok()?).then_some((Self { kind, index: tile_index, width }, start..=end))
    }

    /// The width of a tile in a log of `size` leaves. None when the log does not reach the tile.
    pub fn width_at(kind: TileKind, index: u64, size: u64) -> Option<u32> {
        let level = match kind {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        let there = size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(level)).unwrap_or(0);
        let before = index.checked_mul(u64::from(TILE_WIDTH))?;
        let left = there.checked_sub(before).filter(|left| *left > 0)?;
        Some(u32::try_from(left).unwrap_or(TILE_WIDTH).min(TILE_WIDTH))
    }

    /// Every tile and bundle of a log of `size` leaves, with the partial ones at its right edge.
    pub fn all_of(size: u64) -> impl Iterator<Item = Self> {
        let levels = (0..).take_while(move |level| size >> (TILE_HEIGHT * level) > 0);
        let hashes = levels.map(|level| TileKind::Hashes { level });
        hashes.chain((size > 0).then_some(TileKind::Entries)).flat_map(move |kind| {
            (0..)
                .map_while(move |index| Some(Self { kind, index, width: Self::width_at(kind, index, size)? }))
        })
    }

    /// Whether it is as wide as it can be.
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The full tile at the same position.
    #[must_use]
    pub fn full(mut self) -> Self {
        self.width = TILE_WIDTH;
        self
    }

    /// The index after the last leaf beneath the full tile. A log may prune the tile when this is not above the
    /// minimum index.
    pub fn end(&self) -> u64 {
        let level = match self.kind {
            TileKind::Hashes { level } => u32::from(level),
            TileKind::Entries => 0,
        };
        let leaves = 1_u64.checked_shl(u32::from(TILE_HEIGHT) * (level + 1));
        leaves.and_then(|leaves| self.index.checked_add(1)?.checked_mul(leaves)).unwrap_or(u64::MAX)
    }

    /// Reads a path that [`Tile`] writes: `tile/0/x001/x234/067.p/8`.
    pub fn from_path(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let kind = match level {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes { level: level.parse().ok().filter(|level| *level <= LEVEL_MAX)? },
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, TILE_WIDTH),
        };
        let index = number.split('/').try_fold(0_u64, |index, part| {
            let digits = part.strip_prefix('x').unwrap_or(part);
            index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
        })?;
        let tile = Self { kind, index, width };
        let is_possible = (1..=TILE_WIDTH).contains(&width) && index <= LEAVES_MAX;
        // Require the only way to write it.
        (is_possible && tile.to_string() == path).then_some(tile)
    }
}

/// The path beneath the log's prefix.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}")?,
            TileKind::Entries => f.write_str("tile/entries")?,
        }
        let thousands = |power: u32| self.index / 1000_u64.pow(power) % 1000;
        let highest = (1..=5).rev().find(|power| self.index / 1000_u64.pow(*power) > 0).unwrap_or(0);
        for power in (1..=highest).rev() {
            write!(f, "/x{:03}", thousands(power))?;
        }
        write!(f, "/{:03}", thousands(0))?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// The hash at position `place` of a tile's bytes.
pub(crate) fn hash_at(bytes: &[u8], place: usize) -> Option<Hash> {
    let start = place.checked_mul(HASH_SIZE)?;
    let hash = bytes.get(start..start.checked_add(HASH_SIZE)?)?;
    Some(Hash(hash.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = Tile { kind: TileKind::Hashes { level: 2 }, index: 1_234_067, width: TILE_WIDTH };
        assert_eq!(tile.to_string(), "tile/2/x001/x234/067");
        let partial = Tile { kind: TileKind::Entries, index: 5, width: 8 };
        assert_eq!(partial.to_string(), "tile/entries/005.p/8");
        for tile in [tile, partial, Tile { index: 1000, ..tile }, Tile { index: LEAVES_MAX, ..tile }] {
            assert_eq!(Tile::from_path(&tile.to_string()), Some(tile));
        }
    }

    #[test]
    fn a_path_is_written_in_one_way_only() {
        for path in [
            "tile/0/1",
            "tile/0/0001",
            "tile/00/001",
            "tile/0/x000/001",
            "tile/0/001.p/256",
            "tile/0/001.p/0",
            "tile/0/001.p/257",
            "tile/0/001.p/08",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/data/001",
            "tile/8/0/001",
            "/tile/0/001",
            "tile/0/+01",
            "tile/0/999/x999",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/entries/",
            "tile/64/000",
            "tile/255/000",
            "",
        ] {
            assert_eq!(Tile::from_path(path), None, "{path} was taken");
        }
    }

    /// The example of C2SP tlog-tiles, section "Partial Tiles".
    #[test]
    fn a_log_of_70_000_leaves_has_the_tiles_of_the_specification() {
        let count = |level, full| {
            let kind = TileKind::Hashes { level };
            Tile::all_of(70_000).filter(|tile| tile.kind == kind && tile.is_full() == full).count()
        };
        let partial = |level| {
            let kind = TileKind::Hashes { level };
            Tile::all_of(70_000).find(|tile| tile.kind == kind && !tile.is_full()).map(|tile| tile.width)
        };
        assert_eq!((count(0, true), count(1, true), count(2, true)), (273, 1, 0));
        assert_eq!((partial(0), partial(1), partial(2)), (Some(112), Some(17), Some(1)));
        assert_eq!(
            Tile::all_of(256).map(|tile| tile.to_string()).collect::<Vec<_>>(),
            ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]
        );
        assert_eq!(Tile::all_of(0).count(), 0);
    }
}
