//! Inclusion and consistency proofs (RFC 6962, sections 2.1.1 and 2.1.2): makes and checks them.

use std::{cell::RefCell, collections::BTreeMap};

use tlog_tiles::{Error, Hash, HashReader, check_record, check_tree, prove_record, prove_tree};

use crate::{
    Edge, Head, LEAVES_MAX, node_hash,
    tile::{Tile, hash_at},
};

/// Maximum hashes of a proof: a tree of 2^48 leaves is no higher.
pub(crate) const PROOF_MAX: usize = 64;

/// Why a proof cannot be made, or does not prove its claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// The tree has no such leaf.
    #[error("a tree of {size} leaves has no leaf {index}")]
    NoSuchLeaf {
        /// The leaf.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// A tree cannot continue a larger one.
    #[error("a tree of {new} leaves cannot continue one of {old}")]
    Smaller {
        /// Size of the older tree.
        old: u64,
        /// Size of the newer tree.
        new: u64,
    },
    /// A tile that the proof needs is missing or too short.
    #[error("{tile} is needed, but is missing or too short")]
    NoTile {
        /// Its path.
        tile: String,
    },
    /// The heads are of different logs.
    #[error("heads of two logs: {old} and {new}")]
    OtherLog {
        /// The older head's origin.
        old: String,
        /// The newer head's.
        new: String,
    },
    /// The proof does not lead to the signed root.
    #[error("the proof does not lead to the signed root")]
    Wrong,
}

/// The tiles to load for an inclusion proof of leaf `index` in a log of `size` leaves.
///
/// # Errors
/// [`ProofFault::NoSuchLeaf`].
pub fn needed_for_inclusion(size: u64, index: u64) -> Result<Vec<Tile>, ProofFault> {
    is_leaf(size, index)?;
    Ok(needed(size, |reader| prove_record(size, index, reader)))
}

/// The tiles to load for a proof that the log of `new` leaves continues the log of `old` leaves.
///
/// # Errors
/// [`ProofFault::Smaller`].
pub fn needed_for_consistency(old: u64, new: u64) -> Result<Vec<Tile>, ProofFault> {
    is_not_smaller(old, new)?;
    // Every log continues the empty log.
    Ok(if old == 0 { Vec::new() } else { needed(new, |reader| prove_tree(new, old, reader)) })
}

/// Tiles of hashes of a log of one size, as they were loaded. They are not verified: whatever is computed from them
/// is checked against a signed root.
#[derive(Clone, Debug, Default)]
pub struct LoadedTiles {
    size: u64,
    bytes: BTreeMap<Tile, Vec<u8>>,
}

impl LoadedTiles {
    /// No tile yet, for a log of `size` leaves.
    pub fn of(size: u64) -> Self {
        Self { size, bytes: BTreeMap::new() }
    }

    /// Adds a tile.
    pub fn add(&mut self, tile: Tile, unverified_bytes: Vec<u8>) {
        self.bytes.insert(tile, unverified_bytes);
    }

    /// The inclusion proof of leaf `index`: the hashes from the leaf's sibling upwards.
    ///
    /// # Errors
    /// [`ProofFault`] when there is no such leaf or a tile is missing.
    pub fn inclusion(&self, index: u64) -> Result<Vec<Hash>, ProofFault> {
        is_leaf(self.size, index)?;
        self.prove(|reader| prove_record(self.size, index, reader))
    }

    /// The proof that the log continues the one of `old` leaves.
    ///
    /// # Errors
    /// [`ProofFault`] when `old` is larger or a tile is missing.
    pub fn consistency(&self, old: u64) -> Result<Vec<Hash>, ProofFault> {
        is_not_smaller(old, self.size)?;
        if old == 0 { Ok(Vec::new()) } else { self.prove(|reader| prove_tree(self.size, old, reader)) }
    }

    /// The log's right edge, computed from these tiles.
    ///
    /// # Errors
    /// [`ProofFault::NoTile`].
    pub fn edge(&self) -> Result<Edge, ProofFault> {
        let hashes = Edge::places(self.size).map(|(level, index)| self.node(level, index));
        let hashes = hashes.collect::<Result<_, _>>()?;
        // Cannot fail: `places` gives as many hashes as the size needs.
        Edge::from_parts(self.size, hashes).map_err(|_| ProofFault::Wrong)
    }

    /// The tiles that [`LoadedTiles::edge`] needs.
    pub fn needed_for_edge(size: u64) -> Vec<Tile> {
        let places = Edge::places(size).filter_map(|(level, index)| Tile::holding(level, index, size));
        distinct(places.map(|(tile, _)| tile))
    }

    fn prove<T>(&self, make: impl Fn(&TileReader<'_>) -> Result<T, Error>) -> Result<T, ProofFault> {
        let reader = TileReader { tiles: self, fault: RefCell::new(None) };
        make(&reader).map_err(|_| reader.fault.take().unwrap_or(ProofFault::Wrong))
    }

    fn node(&self, level: u8, index: u64) -> Result<Hash, ProofFault> {
        let (tile, places) = Tile::holding(level, index, self.size).ok_or(ProofFault::Wrong)?;
        // A log may drop a partial tile once it has the full one.
        let bytes = self.bytes.get(&tile).or_else(|| self.bytes.get(&tile.full()));
        let bytes = bytes.map_or(&[][..], Vec::as_slice);
        let hashes = places.map(|place| hash_at(bytes, place)).collect::<Option<Vec<_>>>();
        let mut row = hashes.ok_or_else(|| ProofFault::NoTile { tile: tile.to_string() })?;
        // A power of two of hashes: a complete subtree.
        while row.len() > 1 {
            row = row.chunks_exact(2).map(|pair| node_hash(pair[0], pair[1])).collect();
        }
        row.first().copied().ok_or(ProofFault::Wrong)
    }
}

struct TileReader<'a> {
    tiles: &'a LoadedTiles,
    fault: RefCell<Option<ProofFault>>,
}

impl HashReader for TileReader<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let node = |stored: &u64| {
            let (level, index) = tlog_tiles::split_stored_hash_index(*stored);
            self.tiles.node(level, index).map_err(|fault| {
                self.fault.replace(Some(fault));
                Error::InvalidTile
            })
        };
        indexes.iter().map(node).collect()
    }
}

/// Records the indexes that are read, and returns hashes that nobody uses.
struct IndexRecorder(RefCell<Vec<u64>>);

impl HashReader for IndexRecorder {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        self.0.borrow_mut().extend_from_slice(indexes);
        Ok(vec![Hash::default(); indexes.len()])
    }
}

fn needed<T>(size: u64, make: impl Fn(&IndexRecorder) -> Result<T, Error>) -> Vec<Tile> {
    let recorder = IndexRecorder(RefCell::new(Vec::new()));
    // Cannot fail: the recorder answers every read.
    let _ = make(&recorder);
    let places = recorder.0.into_inner().into_iter().map(tlog_tiles::split_stored_hash_index);
    distinct(places.filter_map(|(level, index)| Tile::holding(level, index, size)).map(|(tile, _)| tile))
}

fn distinct(tiles: impl Iterator<Item = Tile>) -> Vec<Tile> {
    let distinct: std::collections::BTreeSet<Tile> = tiles.collect();
    distinct.into_iter().collect()
}

/// Refuses a proof that is too long before it is copied: it proves nothing.
fn not_too_long(proof: &[Hash]) -> Result<(), ProofFault> {
    if proof.len() > PROOF_MAX { Err(ProofFault::Wrong) } else { Ok(()) }
}

fn is_leaf(size: u64, index: u64) -> Result<(), ProofFault> {
    if index < size && size <= LEAVES_MAX { Ok(()) } else { Err(ProofFault::NoSuchLeaf { index, size }) }
}

fn is_not_smaller(old: u64, new: u64) -> Result<(), ProofFault> {
    if old <= new && new <= LEAVES_MAX { Ok(()) } else { Err(ProofFault::Smaller { old, new }) }
}

impl Head {
    /// Checks that the leaf with this hash is the log's leaf `index`.
    ///
    /// # Errors
    /// [`ProofFault`].
    pub fn includes(&self, index: u64, leaf: Hash, proof: &[Hash]) -> Result<(), ProofFault> {
        is_leaf(self.size, index)?;
        not_too_long(proof)?;
        check_record(&proof.to_vec(), self.size, self.root, index, leaf).map_err(|_| ProofFault::Wrong)
    }

    /// Checks that this log continues `older`: no leaf was changed or removed.
    ///
    /// # Errors
    /// [`ProofFault`].
    pub fn continues(&self, older: &Self, proof: &[Hash]) -> Result<(), ProofFault> {
        if self.origin != older.origin {
            return Err(ProofFault::OtherLog { old: older.origin.clone(), new: self.origin.clone() });
        }
        is_not_smaller(older.size, self.size)?;
        if older.size == 0 {
            let is_empty = |head: &Self| head.size > 0 || head.root == tlog_tiles::EMPTY_HASH;
            let holds = proof.is_empty() && is_empty(older) && is_empty(self);
            return if holds { Ok(()) } else { Err(ProofFault::Wrong) };
        }
        not_too_long(proof)?;
        let proved = check_tree(&proof.to_vec(), self.size, self.root, older.size, older.root);
        proved.map_err(|_| ProofFault::Wrong)
    }
}
