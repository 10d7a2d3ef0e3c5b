//! The public files of the logs: one folder a log, as C2SP tlog-tiles lays them out.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rovuma_envelope::PublicKey;
use rovuma_files::Draft;
use rovuma_store::Readers;
use rovuma_tlog::{CHECKPOINT_PATH, TILE_WIDTH, Tile, TileKind, Tiles};

use crate::{
    error::DbError,
    failure::{Step, point},
    log::{Tree, signed_head},
};

/// The folder that holds the folders of all logs, each by its origin.
#[derive(Clone, Debug)]
pub(crate) struct LogFolder(PathBuf);

/// What is published and the store do not go together: the service must not go on from there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishedFault {
    /// The store could not be read.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A published file could not be read or written.
    #[error("{path}: {fault}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        fault: io::Error,
    },
    /// What stands as the checkpoint is not one that this log's key signed.
    #[error("{path} is not a checkpoint of {origin} that this log's key signed: who put it there?")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The log.
        origin: String,
    },
    /// More was published than the store has.
    #[error(
        "{origin} was published with {published} leaves, and the store has {stored}: the store is an older copy, and what \
         it lacks was seen by others. Put the newer store back; if it is lost, say so with `rovumactl store restored`"
    )]
    Ahead {
        /// The log.
        origin: String,
        /// The leaves that were published.
        published: u64,
        /// Those of the store.
        stored: u64,
    },
    /// The store has other leaves than were published.
    #[error(
        "{origin} was published with other leaves than the store has, within the first {size}: one of them was changed"
    )]
    Differs {
        /// The log.
        origin: String,
        /// The leaves that were published.
        size: u64,
    },
}

impl LogFolder {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder of one log.
    pub(crate) fn of(&self, origin: &str) -> PathBuf {
        self.0.join(origin)
    }

    /// How many leaves of a tree are published, after a check that the store has the same ones.
    ///
    /// # Errors
    /// [`PublishedFault`], which says exactly what does not go together.
    pub(crate) async fn check(
        &self,
        pool: &Readers,
        tree: &Tree,
        log_key: &PublicKey,
    ) -> Result<Option<u64>, PublishedFault> {
        let path = self.of(&tree.origin).join(CHECKPOINT_PATH);
        let note = match fs::read(&path) {
            Ok(note) => note,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(PublishedFault::File { path, fault }),
        };
        let origin = tree.origin.clone();
        let Some(published) = signed_head(&note, &origin, log_key) else {
            return Err(PublishedFault::Foreign { path, origin });
        };
        let stored = tree.edge.size();
        if published.size > stored {
            return Err(PublishedFault::Ahead { origin, published: published.size, stored });
        }
        let size = published.size;
        let tiles = tree.tiles(pool, size, Tiles::needed_for_edge(size)).await?;
        match tiles.edge() {
            Ok(edge) if edge.root() == published.root => Ok(Some(size)),
            _ => Err(PublishedFault::Differs { origin, size }),
        }
    }

    /// One file of a log; none when it is not there.
    pub(crate) async fn read(&self, origin: &str, path: &str) -> Option<Vec<u8>> {
        let path = self.of(origin).join(path);
        tokio::task::spawn_blocking(move || fs::read(path)).await.ok()?.ok()
    }

    /// Whether exactly this note stands as the checkpoint.
    pub(crate) fn has(&self, origin: &str, note: &[u8]) -> bool {
        fs::read(self.of(origin).join(CHECKPOINT_PATH)).is_ok_and(|stands| stands == note)
    }

    /// Brings the files of a tree from `before` leaves to those of a head: tiles first, the checkpoint last.
    pub(crate) async fn publish(
        &self,
        pool: &Readers,
        tree: &Tree,
        before: u64,
        (size, note): (u64, &[u8]),
    ) -> Result<(), PublishedFault> {
        let folder = self.of(&tree.origin);
        // Entries that were taken out are nobody's to publish.
        let is_there =
            |tile: &Tile| tile.kind != TileKind::Entries || tile.end().min(size) > tree.pruned.below;
        let tiles: Vec<Tile> = changed(before, size).filter(is_there).collect();
        // Each file's name is on the disk when `put` returns: the checkpoint never needs a tile that a power failure takes.
        for &tile in &tiles {
            let bytes = tree.read(pool, tile).await?;
            put(folder.join(tile.to_string()), bytes).await?;
        }
        point(Step::TilesPlaced);
        put(folder.join(CHECKPOINT_PATH), note.to_vec()).await?;
        point(Step::CheckpointPlaced);
        for tile in tiles.iter().filter(|tile| tile.is_full()) {
            // A reader takes the full tile in place of a partial one.
            let partial = folder.join(format!("{tile}.p"));
            match fs::remove_dir_all(&partial) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %partial.display(), %fault, "partial tiles that are of no more use stay");
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl LogFolder {
    /// Takes the entries of a log out of its files, all below the minimum index, after a note beside them says so.
    pub(crate) async fn take_out(
        &self,
        tree: &Tree,
        name: &str,
        note: Vec<u8>,
    ) -> Result<(), PublishedFault> {
        let folder = self.of(&tree.origin);
        put(folder.join(name), note).await?;
        let bundles = folder.join("tile/entries");
        let path = bundles.clone();
        let removed = tokio::task::spawn_blocking(move || match fs::remove_dir_all(&bundles) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
            _ => Ok(()),
        });
        let removed = removed.await.unwrap_or_else(|fault| Err(io::Error::other(fault)));
        removed.map_err(|fault| PublishedFault::File { path, fault })
    }
}

/// The tiles of a log of `after` leaves that it had not, or not so wide, with `before`.
fn changed(before: u64, after: u64) -> impl Iterator<Item = Tile> {
    let levels = (0..8).map(|level| TileKind::Hashes { level });
    levels.chain([TileKind::Entries]).flat_map(move |kind| {
        let shift = match kind {
            TileKind::Hashes { level } => u32::from(level) * TILE_WIDTH.ilog2(),
            TileKind::Entries => 0,
        };
        let (was, is) = (before.checked_shr(shift).unwrap_or(0), after.checked_shr(shift).unwrap_or(0));
        let first = was / u64::from(TILE_WIDTH);
        let wanted = if is > was { first..is.div_ceil(u64::from(TILE_WIDTH)) } else { 0..0 };
        wanted.filter_map(move |index| Some(Tile { kind, index, width: Tile::width_at(kind, index, after)? }))
    })
}

/// Published files are for everybody.
const EVERYBODY_READS: u32 = 0o644;

/// Writes a file whole or not at all, and to the disk, in a folder that is made when it is not there.
pub(crate) fn write_whole(target: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(target.parent().unwrap_or_else(|| Path::new(".")))?;
    let mut draft = Draft::beside(target, EVERYBODY_READS)?;
    draft.write_all(bytes)?;
    point(Step::FileWritten);
    draft.replace()?;
    point(Step::FilePlaced);
    Ok(())
}

/// The same, away from the runtime's threads.
async fn put(path: PathBuf, bytes: Vec<u8>) -> Result<(), PublishedFault> {
    let target = path.clone();
    let written = tokio::task::spawn_blocking(move || write_whole(&target, &bytes)).await;
    let written = written.unwrap_or_else(|fault| Err(io::Error::other(fault)));
    written.map_err(|fault| PublishedFault::File { path, fault })
}
