//! A log in memory, as the audit service keeps one in its store.

use std::collections::BTreeMap;

use rovuma_tlog::{Edge, Hash, Head, LoadedTiles, Tile, TileKind, leaf_hash};

pub(crate) const ORIGIN: &str = "mz.audit.example/2026";

/// A log's leaves, and the edge after each of them.
pub(crate) struct MemoryLog {
    pub(crate) leaves: Vec<Vec<u8>>,
    nodes: BTreeMap<(u8, u64), Hash>,
    edge: Edge,
}

impl MemoryLog {
    pub(crate) fn of(size: u64) -> Self {
        let mut log = Self { leaves: Vec::new(), nodes: BTreeMap::new(), edge: Edge::default() };
        for leaf in 0..size {
            log.append(format!("leaf {leaf}").into_bytes());
        }
        log
    }

    pub(crate) fn append(&mut self, leaf: Vec<u8>) {
        for node in self.edge.append(leaf_hash(&leaf)) {
            self.nodes.insert((node.level, node.index), node.hash);
        }
        self.leaves.push(leaf);
    }

    pub(crate) fn head(&self) -> Head {
        Head { origin: ORIGIN.to_owned(), size: self.edge.size(), root: self.edge.root() }
    }

    /// The bytes of a tile of hashes.
    pub(crate) fn tile(&self, tile: &Tile) -> Vec<u8> {
        let TileKind::Hashes { level } = tile.kind else { panic!("a tile of hashes") };
        let first = tile.index * 256;
        let hashes = first..first + u64::from(tile.width);
        hashes.flat_map(|index| self.nodes[&(level * 8, index)].0).collect()
    }

    /// The needed tiles, from a log that has only `size` leaves.
    pub(crate) fn tiles(&self, size: u64, needed: &[Tile]) -> LoadedTiles {
        let mut tiles = LoadedTiles::of(size);
        for tile in needed {
            tiles.add(*tile, self.tile(tile));
        }
        tiles
    }
}
