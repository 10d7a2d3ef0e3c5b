//! A list of hashes as a tree in memory: its root commits to all of them, and each can be proved alone.

use tlog_tiles::Hash;

use crate::{
    Edge, Head, ProofFault,
    proof::LoadedTiles,
    tile::{TILE_HEIGHT, TILE_WIDTH, Tile, TileKind},
};

/// A tree (RFC 6962, section 2.1) whose leaf hashes are all in memory. It is no log: nobody signs its root, and whoever
/// states the root elsewhere vouches for the list.
#[derive(Debug)]
pub struct HashList {
    root: Hash,
    tiles: LoadedTiles,
}

impl HashList {
    /// The tree of these leaf hashes, in their order.
    pub fn of(leaves: &[Hash]) -> Self {
        let (mut edge, mut levels) = (Edge::default(), Vec::<Vec<u8>>::new());
        for leaf in leaves {
            for node in edge.append(*leaf) {
                // A node at a multiple of the tile height is one of a tile's hashes.
                if node.level % TILE_HEIGHT != 0 {
                    continue;
                }
                let level = usize::from(node.level / TILE_HEIGHT);
                levels.resize_with(levels.len().max(level + 1), Vec::new);
                levels[level].extend_from_slice(&node.hash.0);
            }
        }
        let mut tiles = LoadedTiles::of(edge.size());
        for (level, hashes) in (0..).zip(levels) {
            for (index, bytes) in (0..).zip(hashes.chunks(TILE_WIDTH as usize * size_of::<Hash>())) {
                let kind = TileKind::Hashes { level };
                if let Some(width) = Tile::width_at(kind, index, edge.size()) {
                    tiles.add(Tile { kind, index, width }, bytes.to_vec());
                }
            }
        }
        Self { root: edge.root(), tiles }
    }

    /// The root hash, which commits to the whole list.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The proof that the hash at `index` is in the list: the hashes from the leaf's sibling upwards.
    ///
    /// # Errors
    /// [`ProofFault::NoSuchLeaf`].
    pub fn inclusion(&self, index: u64) -> Result<Vec<Hash>, ProofFault> {
        self.tiles.inclusion(index)
    }

    /// Checks that the list of `size` hashes with this root has `leaf` at `index`.
    ///
    /// # Errors
    /// [`ProofFault`].
    pub fn includes(
        root: Hash,
        (index, size): (u64, u64),
        leaf: Hash,
        proof: &[Hash],
    ) -> Result<(), ProofFault> {
        Head { origin: String::new(), size, root }.includes(index, leaf, proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;

    #[test]
    fn each_hash_of_a_list_is_proved_and_no_other() {
        for size in [1_u64, 2, 3, 255, 256, 257, 70_000] {
            let leaves: Vec<Hash> = (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
            let list = HashList::of(&leaves);
            for index in [0, size / 2, size - 1] {
                let leaf = leaves[usize::try_from(index).expect("small")];
                let proof = list.inclusion(index).expect("proved");
                let place = (index, size);
                HashList::includes(list.root(), place, leaf, &proof).expect("it is in the list");
                let other = leaf_hash(b"another");
                assert_eq!(
                    HashList::includes(list.root(), place, other, &proof),
                    Err(ProofFault::Wrong),
                    "{size} {index}"
                );
                let shorter = HashList::of(&leaves[1..]);
                assert!(HashList::includes(shorter.root(), place, leaf, &proof).is_err(), "{size} {index}");
            }
            assert!(list.inclusion(size).is_err());
        }
    }
}
