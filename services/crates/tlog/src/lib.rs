//! The Merkle log beneath the audit service: hashes, tiles, checkpoints, cosignatures and proofs. No I/O.
//!
//! | part | standard |
//! |---|---|
//! | hashing | RFC 6962, section 2.1, with SHA-256 |
//! | layout | [C2SP tlog-tiles](https://c2sp.org/tlog-tiles): tiles of 256 hashes, bundles of 256 entries |
//! | a signed head | [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint), a [signed note](https://c2sp.org/signed-note) |
//! | a cosignature | [C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature), `cosignature/v1` |
//! | which cosignatures a head needs | [C2SP tlog-policy](https://c2sp.org/tlog-policy) |
//! | a proof in a file | [C2SP tlog-proof](https://c2sp.org/tlog-proof) |
//! | entries taken out of a log | a minimum index (C2SP tlog-tiles), stated in a signed note of our own: [`Pruned`] |
//!
//! A log's writer keeps an [`Edge`], appends leaves to it, and stores the tiles that it completes. A prover asks
//! [`needed_for_inclusion`] or [`needed_for_consistency`] which tiles to load, and hands them over. A verifier reads
//! an [`UnverifiedCheckpoint`], gets a [`Checkpoint`] from a [`LogPolicy`] with pinned keys, and checks proofs
//! against that; or it checks a whole log with [`check_log`].

mod bundle;
mod checkpoint;
mod edge;
mod hash;
mod hash_list;
mod key;
mod note;
mod policy;
mod proof;
mod proof_file;
mod pruned;
mod tile;
mod whole;

pub use bundle::{BundleFault, ENTRY_MAX_BYTES, entries_of, write_entry};
pub use checkpoint::{Checkpoint, Cosignature, Head, HeadFault, UnverifiedCheckpoint};
pub use edge::{Edge, EdgeFault, TreeNode};
pub use hash::{leaf_hash, node_hash};
pub use hash_list::HashList;
pub use key::{KeyKind, NoteKey, NoteKeyFault};
pub use note::{CosignFault, add_cosignature, cosign, sign};
pub use policy::{LogPolicy, NotGood, PolicyFault, PolicyVerdict};
pub use proof::{LoadedTiles, ProofFault, needed_for_consistency, needed_for_inclusion};
pub use proof_file::{ProofFile, ProofFileFault};
pub use pruned::{PRUNED_PATH, PRUNING_POLICY_MAX, Pruned, PrunedFault};
pub use tile::{TILE_WIDTH, Tile, TileKind};
pub use tlog_tiles::{EMPTY_HASH, HASH_SIZE, Hash};
pub use whole::{CHECKPOINT_PATH, LogFault, LogFiles, WholeLog, check_log};

/// Maximum leaves of a log: far more than two countries write in a century, and far below where the arithmetic of
/// tiles overflows.
pub const LEAVES_MAX: u64 = 1 << 48;
