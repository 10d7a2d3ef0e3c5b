//! The public files of the logs: a folder for each log, laid out as in C2SP tlog-tiles.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rovuma_envelope::PublicKey;
use rovuma_files::UnfinishedFile;
use rovuma_store::Readers;
use rovuma_tlog::{CHECKPOINT_PATH, LoadedTiles, TILE_WIDTH, Tile, TileKind};

use crate::{
    error::DbError,
    failure::{CrashPoint, crash_point},
    log::{Tree, signed_head},
};

/// The folder of the folders of all logs, each named by its origin.
#[derive(Clone, Debug)]
pub(crate) struct LogFolder(PathBuf);

/// A contradiction between the public files and the store, with which the service must not go on.
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
    /// This log's key did not sign the published checkpoint.
    #[error("{path} is not a checkpoint of {origin} that this log's key signed: who wrote it?")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The log.
        origin: String,
    },
    /// More leaves were published than the store has.
    #[error(
        "{origin} was published with {published} leaves, but the store has {stored}: the store is an older copy, and others \
         have seen the leaves that it lacks. Put the newer store back; if it is lost, run `rovumactl store restored`"
    )]
    Ahead {
        /// The log.
        origin: String,
        /// The number of published leaves.
        published: u64,
        /// The number of leaves in the store.
        stored: u64,
    },
    /// The store has other leaves than were published.
    #[error(
        "{origin} was published with other leaves than the store has, within the first {size}: one of them was changed"
    )]
    Differs {
        /// The log.
        origin: String,
        /// The number of published leaves.
        size: u64,
    },
}

impl LogFolder {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder of one log.
    pub(crate) fn of_log(&self, origin: &str) -> PathBuf {
        self.0.join(origin)
    }

    /// Checks that the store has the leaves of a tree that are published; gives their number, or `None` when nothing is published.
    ///
    /// # Errors
    /// [`PublishedFault`] names the contradiction.
    pub(crate) async fn check(
        &self,
        pool: &Readers,
        tree: &Tree,
        log_key: &PublicKey,
    ) -> Result<Option<u64>, PublishedFault> {
        let path = self.of_log(&tree.origin).join(CHECKPOINT_PATH);
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
        let tiles = tree.load_tiles(pool, size, LoadedTiles::needed_for_edge(size)).await?;
        match tiles.edge() {
            Ok(edge) if edge.root() == published.root => Ok(Some(size)),
            _ => Err(PublishedFault::Differs { origin, size }),
        }
    }

    /// Reads one file of a log. `None`: it cannot be read.
    pub(crate) async fn read(&self, origin: &str, path: &str) -> Option<Vec<u8>> {
        let path = self.of_log(origin).join(path);
        tokio::task::spawn_blocking(move || fs::read(path)).await.ok()?.ok()
    }

    /// Whether the published checkpoint is exactly this note.
    pub(crate) fn has_checkpoint(&self, origin: &str, note: &[u8]) -> bool {
        fs::read(self.of_log(origin).join(CHECKPOINT_PATH)).is_ok_and(|published| published == note)
    }

    /// Updates a tree's files from `before` leaves to the `size` leaves of a checkpoint: tiles first, the checkpoint last.
    pub(crate) async fn publish(
        &self,
        pool: &Readers,
        tree: &Tree,
        before: u64,
        (size, note): (u64, &[u8]),
    ) -> Result<(), PublishedFault> {
        let folder = self.of_log(&tree.origin);
        // Pruned entries are not published again.
        let is_kept =
            |tile: &Tile| tile.kind != TileKind::Entries || tile.end().min(size) > tree.pruned.below;
        let tiles: Vec<Tile> = changed_tiles(before, size).filter(is_kept).collect();
        // Each file's name is on the disk when `write_file` returns: the checkpoint never needs a tile that a power failure takes.
        for &tile in &tiles {
            let bytes = tree.read(pool, tile).await?;
            write_file(folder.join(tile.to_string()), bytes).await?;
        }
        crash_point(CrashPoint::TilesPlaced);
        write_file(folder.join(CHECKPOINT_PATH), note.to_vec()).await?;
        crash_point(CrashPoint::CheckpointPlaced);
        for tile in tiles.iter().filter(|tile| tile.is_full()) {
            // Readers fetch the full tile once there is one.
            let partial = folder.join(format!("{tile}.p"));
            match fs::remove_dir_all(&partial) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %partial.display(), %fault, "superseded partial tiles could not be removed");
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl LogFolder {
    /// Removes the entries of a pruned log from its files, after writing the signed note that announces it.
    pub(crate) async fn remove_entries(
        &self,
        tree: &Tree,
        name: &str,
        note: Vec<u8>,
    ) -> Result<(), PublishedFault> {
        let folder = self.of_log(&tree.origin);
        write_file(folder.join(name), note).await?;
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

/// The tiles that are new or wider in a log of `after` leaves than in one of `before`.
fn changed_tiles(before: u64, after: u64) -> impl Iterator<Item = Tile> {
    let levels = (0..8).map(|level| TileKind::Hashes { level });
    levels.chain([TileKind::Entries]).flat_map(move |kind| {
        let shift = match kind {
            TileKind::Hashes { level } => u32::from(level) * TILE_WIDTH.ilog2(),
            TileKind::Entries => 0,
        };
        let (was, is) = (before.checked_shr(shift).unwrap_or(0), after.checked_shr(shift).unwrap_or(0));
        let first = was / u64::from(TILE_WIDTH);
        let range = if is > was { first..is.div_ceil(u64::from(TILE_WIDTH)) } else { 0..0 };
        range.filter_map(move |index| Some(Tile { kind, index, width: Tile::width_at(kind, index, after)? }))
    })
}

/// Published files are for everybody.
const EVERYBODY_READS: u32 = 0o644;

/// Writes a file whole or not at all, and to the disk, in a folder that is made when it is not there.
pub(crate) fn write_atomically(target: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(target.parent().unwrap_or_else(|| Path::new(".")))?;
    let mut unfinished = UnfinishedFile::beside(target, EVERYBODY_READS)?;
    unfinished.write_all(bytes)?;
    crash_point(CrashPoint::FileWritten);
    unfinished.replace()?;
    crash_point(CrashPoint::FilePlaced);
    Ok(())
}

/// Calls [`write_atomically`] on a blocking thread.
async fn write_file(path: PathBuf, bytes: Vec<u8>) -> Result<(), PublishedFault> {
    let target = path.clone();
    let written = tokio::task::spawn_blocking(move || write_atomically(&target, &bytes)).await;
    let written = written.unwrap_or_else(|fault| Err(io::Error::other(fault)));
    written.map_err(|fault| PublishedFault::File { path, fault })
}
