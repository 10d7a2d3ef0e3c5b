//! Checks a whole log from its raw bytes.

use std::collections::BTreeMap;

use tlog_tiles::Hash;

use crate::{
    BundleFault, Checkpoint, Edge, HeadFault, LogPolicy, PRUNED_PATH, PolicyVerdict, Pruned, PrunedFault,
    Tile, TileKind, UnverifiedCheckpoint, entries_of, leaf_hash, tile::TILE_HEIGHT,
};

/// Path of the checkpoint beneath a log's prefix.
pub const CHECKPOINT_PATH: &str = "checkpoint";

/// Access to the files of a log, wherever they are.
pub trait LogFiles {
    /// The error of a file that cannot be read.
    type Fault: std::error::Error;

    /// The paths of all files beneath the log's prefix.
    ///
    /// # Errors
    /// [`LogFiles::Fault`] when the files cannot be listed.
    fn paths(&self) -> Result<Vec<String>, Self::Fault>;

    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// [`LogFiles::Fault`] when it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, Self::Fault>;
}

/// The first fault found in a log.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum LogFault<F: std::error::Error, L: std::error::Error> {
    /// Its files could not be read, so the log was not checked.
    #[error(transparent)]
    Files(F),
    /// There is no checkpoint.
    #[error("no {CHECKPOINT_PATH}: no head is signed")]
    NoCheckpoint,
    /// The checkpoint is malformed.
    #[error("{CHECKPOINT_PATH}: {0}")]
    Checkpoint(HeadFault),
    /// No pinned log signed the checkpoint.
    #[error("{CHECKPOINT_PATH}: not signed by a log that is pinned")]
    NotSigned,
    /// A signature names a pinned key that did not sign.
    #[error("{CHECKPOINT_PATH}: the signature in the name of {name} is not by its key")]
    Forged {
        /// The key's name.
        name: String,
    },
    /// Too few witnesses cosigned it.
    #[error("{CHECKPOINT_PATH}: not cosigned by {}", .missing.join(", "))]
    Unwitnessed {
        /// The policy's witnesses that did not cosign.
        missing: Vec<String>,
    },
    /// The note about entries that were taken out does not hold.
    #[error("{PRUNED_PATH}: {0}")]
    Pruned(PrunedFault),
    /// There is a file that a log does not have.
    #[error("{path}: not a file of a log")]
    Strange {
        /// Its path.
        path: String,
    },
    /// A file is missing that a log of that size has.
    #[error("{path}: not there, and a log of {size} leaves has it")]
    Missing {
        /// Its path.
        path: String,
        /// Number of leaves in the signed head.
        size: u64,
    },
    /// The bytes of a bundle are not whole entries.
    #[error("{path}: {fault}")]
    Bundle {
        /// Its path.
        path: String,
        /// What is wrong with the bundle.
        fault: BundleFault,
    },
    /// A file does not hold as many hashes or entries as its path states.
    #[error("{path}: holds {got} where its path states {expected}")]
    Width {
        /// Its path.
        path: String,
        /// Number that the path states.
        expected: u32,
        /// Number in the file.
        got: usize,
    },
    /// The hashes in a file differ from those of the entries.
    #[error("{path}: differs from what the log's entries make")]
    Differs {
        /// Its path.
        path: String,
    },
    /// The entries do not make the signed root.
    #[error("the entries make another root than the one that was signed: {got}, not {expected}")]
    Root {
        /// The signed root.
        expected: Hash,
        /// The root of the entries.
        got: Hash,
    },
    /// The caller refused an entry.
    #[error("entry {index}: {fault}")]
    Entry {
        /// Index of the entry, from 0.
        index: u64,
        /// Why the caller refused it.
        fault: L,
    },
}

/// A log that was checked and holds.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeLog {
    /// Its head.
    pub checkpoint: Checkpoint,
    /// The note about entries that the log has taken out. Their hashes are proven: they are part of the signed root.
    pub pruned: Option<Pruned>,
}

/// Checks a log from its raw bytes: that a pinned key signed its head and enough witnesses cosigned it, that its
/// entries make exactly that head, and that all its other files agree. For bundles below the minimum index that the
/// log's key has signed, the hashes stand for the entries. `inspect` gets each entry, in order, before it is known
/// whether the log holds.
///
/// # Errors
/// The first [`LogFault`] found.
pub fn check_log<S, L, K>(
    files: &S,
    policy: &LogPolicy,
    mut inspect: K,
) -> Result<WholeLog, LogFault<S::Fault, L>>
where
    S: LogFiles,
    L: std::error::Error,
    K: FnMut(u64, &[u8]) -> Result<(), L>,
{
    let (notes, present) = PresentTiles::of(files)?;
    let checkpoint = if notes.checkpoint {
        verified_checkpoint(files, policy)?
    } else {
        return Err(LogFault::NoCheckpoint);
    };
    let pruned = if notes.pruned { Some(pruning_note(files, policy, &checkpoint)?) } else { None };
    let minimum_index = pruned.as_ref().map_or(0, |pruned| pruned.minimum_index);
    let size = checkpoint.head().size;
    let mut edge = Edge::default();
    // The hashes of tiles above level 0: each of 256 leaves, of 65,536, and so on.
    let mut above: BTreeMap<u8, Vec<Hash>> = BTreeMap::new();
    let bundles =
        (0..).map_while(|index| Tile::width_at(TileKind::Entries, index, size).map(|width| (index, width)));
    for (index, width) in bundles {
        let tile = Tile { kind: TileKind::Entries, index, width };
        let is_pruned = tile.end().min(size) <= minimum_index && !present.has(&tile);
        let hashes = if is_pruned {
            tile_hashes(files, &present, tile, size)?
        } else {
            leaves(files, &present, tile, size, &mut inspect)?
        };
        for leaf in &hashes {
            for node in edge.append(*leaf) {
                if node.level > 0 && node.level % TILE_HEIGHT == 0 {
                    above.entry(node.level / TILE_HEIGHT).or_default().push(node.hash);
                }
            }
        }
        let kind = TileKind::Hashes { level: 0 };
        check_hashes(files, &present, Tile { kind, ..tile }, size, &hashes)?;
    }
    for (level, hashes) in above {
        for (index, hashes) in (0..).zip(hashes.chunks(1 << TILE_HEIGHT)) {
            let kind = TileKind::Hashes { level };
            let width = Tile::width_at(kind, index, size).unwrap_or_default();
            check_hashes(files, &present, Tile { kind, index, width }, size, hashes)?;
        }
    }
    present.check_nothing_beyond(size)?;
    let (expected, got) = (checkpoint.head().root, edge.root());
    if got == expected { Ok(WholeLog { checkpoint, pruned }) } else { Err(LogFault::Root { expected, got }) }
}

fn verified_checkpoint<S: LogFiles, L: std::error::Error>(
    files: &S,
    policy: &LogPolicy,
) -> Result<Checkpoint, LogFault<S::Fault, L>> {
    let note = files.read(CHECKPOINT_PATH).map_err(LogFault::Files)?;
    let read = UnverifiedCheckpoint::read(&note).map_err(LogFault::Checkpoint)?;
    match policy.judge(read) {
        PolicyVerdict::Good(checkpoint) => Ok(checkpoint),
        PolicyVerdict::Unwitnessed { missing, .. } => Err(LogFault::Unwitnessed { missing }),
        PolicyVerdict::NotSigned => Err(LogFault::NotSigned),
        PolicyVerdict::Forged { name } => Err(LogFault::Forged { name }),
    }
}

/// Reads and verifies the note about entries that the log has taken out.
fn pruning_note<S: LogFiles, L: std::error::Error>(
    files: &S,
    policy: &LogPolicy,
    checkpoint: &Checkpoint,
) -> Result<Pruned, LogFault<S::Fault, L>> {
    let note = files.read(PRUNED_PATH).map_err(LogFault::Files)?;
    let pruned = Pruned::verify(&note, policy).map_err(LogFault::Pruned)?;
    let is_of_this = pruned.origin == checkpoint.head().origin;
    if is_of_this { Ok(pruned) } else { Err(LogFault::Pruned(PrunedFault::NotSigned)) }
}

/// The leaf hashes of a bundle whose entries were taken out, from the tile of level 0.
fn tile_hashes<S: LogFiles, L: std::error::Error>(
    files: &S,
    present: &PresentTiles,
    bundle: Tile,
    size: u64,
) -> Result<Vec<Hash>, LogFault<S::Fault, L>> {
    let tile = Tile { kind: TileKind::Hashes { level: 0 }, ..bundle };
    present.widths(tile, size)?;
    let path = tile.to_string();
    let bytes = files.read(&path).map_err(LogFault::Files)?;
    let got = bytes.len() / tlog_tiles::HASH_SIZE;
    let hashes = bytes.chunks(tlog_tiles::HASH_SIZE).map(|hash| hash.try_into().map(Hash));
    let hashes = hashes.collect::<Result<Vec<Hash>, _>>().ok();
    let hashes = hashes.filter(|hashes| u32::try_from(hashes.len()) == Ok(tile.width));
    hashes.ok_or(LogFault::Width { path, expected: tile.width, got })
}

/// The notes that a log has beside its tiles.
#[derive(Debug, Default)]
struct PresentNotes {
    checkpoint: bool,
    pruned: bool,
}

/// The tiles and bundles that the log has: the widths of each, widest first. A log keeps partial ones of former
/// heads.
#[derive(Debug)]
struct PresentTiles(BTreeMap<(TileKind, u64), Vec<u32>>);

impl PresentTiles {
    fn of<S: LogFiles, L: std::error::Error>(
        files: &S,
    ) -> Result<(PresentNotes, Self), LogFault<S::Fault, L>> {
        let mut notes = PresentNotes::default();
        let mut present: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for path in files.paths().map_err(LogFault::Files)? {
            match path.as_str() {
                CHECKPOINT_PATH => {
                    notes.checkpoint = true;
                    continue;
                }
                PRUNED_PATH => {
                    notes.pruned = true;
                    continue;
                }
                _ => {}
            }
            let Some(tile) = Tile::from_path(&path) else { return Err(LogFault::Strange { path }) };
            present.entry((tile.kind, tile.index)).or_default().push(tile.width);
        }
        present.values_mut().for_each(|widths| widths.sort_unstable_by(|one, other| other.cmp(one)));
        Ok((notes, Self(present)))
    }

    /// Whether the log has a tile or bundle at this position, of any width.
    fn has(&self, tile: &Tile) -> bool {
        self.0.contains_key(&(tile.kind, tile.index))
    }

    /// All files at a tile's position, the one of the signed head first. A wider one is refused: it has leaves that
    /// nobody signed.
    fn widths<F, L>(&self, tile: Tile, size: u64) -> Result<Vec<Tile>, LogFault<F, L>>
    where
        F: std::error::Error,
        L: std::error::Error,
    {
        let widths = self.0.get(&(tile.kind, tile.index)).map_or(&[][..], Vec::as_slice);
        match widths.first() {
            Some(first) if *first == tile.width => {
                Ok(widths.iter().map(|width| Tile { width: *width, ..tile }).collect())
            }
            Some(first) if *first > tile.width => {
                Err(LogFault::Strange { path: Tile { width: *first, ..tile }.to_string() })
            }
            _ => Err(LogFault::Missing { path: tile.to_string(), size }),
        }
    }

    /// Refuses files of leaves beyond the signed head.
    fn check_nothing_beyond<F, L>(&self, size: u64) -> Result<(), LogFault<F, L>>
    where
        F: std::error::Error,
        L: std::error::Error,
    {
        let beyond = self.0.iter().find(|((kind, index), _)| Tile::width_at(*kind, *index, size).is_none());
        match beyond {
            Some(((kind, index), widths)) => {
                let width = widths.first().copied().unwrap_or_default();
                Err(LogFault::Strange { path: Tile { kind: *kind, index: *index, width }.to_string() })
            }
            None => Ok(()),
        }
    }
}

/// Reads a bundle, and returns the leaf hashes of its entries.
fn leaves<S, L, K>(
    files: &S,
    present: &PresentTiles,
    tile: Tile,
    size: u64,
    inspect: &mut K,
) -> Result<Vec<Hash>, LogFault<S::Fault, L>>
where
    S: LogFiles,
    L: std::error::Error,
    K: FnMut(u64, &[u8]) -> Result<(), L>,
{
    let mut hashes = Vec::new();
    let mut whole = Vec::new();
    for there in present.widths(tile, size)? {
        let path = there.to_string();
        let bytes = files.read(&path).map_err(LogFault::Files)?;
        if there.width < tile.width {
            // A bundle of a former head must be a beginning of the present one.
            exact_entries(&path, there.width, &bytes)?;
            if !whole.starts_with(&bytes) {
                return Err(LogFault::Differs { path });
            }
            continue;
        }
        let first = tile.index << TILE_HEIGHT;
        for (index, entry) in (first..).zip(exact_entries(&path, there.width, &bytes)?) {
            inspect(index, entry).map_err(|fault| LogFault::Entry { index, fault })?;
            hashes.push(leaf_hash(entry));
        }
        whole = bytes;
    }
    Ok(hashes)
}

fn exact_entries<'b, F, L>(
    path: &str,
    expected: u32,
    bytes: &'b [u8],
) -> Result<Vec<&'b [u8]>, LogFault<F, L>>
where
    F: std::error::Error,
    L: std::error::Error,
{
    let entries = entries_of(bytes).map_err(|fault| LogFault::Bundle { path: path.to_owned(), fault })?;
    if u32::try_from(entries.len()) == Ok(expected) {
        Ok(entries)
    } else {
        Err(LogFault::Width { path: path.to_owned(), expected, got: entries.len() })
    }
}

/// Checks that a tile, and those of former heads at its position, hold these hashes.
fn check_hashes<S: LogFiles, L: std::error::Error>(
    files: &S,
    present: &PresentTiles,
    tile: Tile,
    size: u64,
    hashes: &[Hash],
) -> Result<(), LogFault<S::Fault, L>> {
    let expected: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
    for there in present.widths(tile, size)? {
        let path = there.to_string();
        let bytes = files.read(&path).map_err(LogFault::Files)?;
        let hash_bytes = tlog_tiles::HASH_SIZE;
        if bytes.len() != hash_bytes * usize::try_from(there.width).unwrap_or_default() {
            return Err(LogFault::Width { path, expected: there.width, got: bytes.len() / hash_bytes });
        }
        if !expected.starts_with(&bytes) {
            return Err(LogFault::Differs { path });
        }
    }
    Ok(())
}
