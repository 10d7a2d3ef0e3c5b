//! Reads the files of a log from a folder or from the audit service.

use std::{
    fs, io,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use rovuma_tlog::{
    CHECKPOINT_PATH, HASH_SIZE, LogFiles, PRUNED_PATH, Pruned, Tile, TileKind, UnverifiedCheckpoint,
    entries_of, write_entry,
};
use tokio::runtime::Handle;

use crate::{
    client::Client,
    exit::{Exit, Failure, Outcome},
};

/// A file of a log could not be read, so the log was not checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadFault {
    /// A file in a folder.
    #[error("{path}: {fault}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        fault: io::Error,
    },
    /// A file at the audit service.
    #[error("{}", .0.what)]
    Server(Box<Failure>),
}

impl From<ReadFault> for Failure {
    fn from(fault: ReadFault) -> Self {
        match fault {
            ReadFault::File { .. } => Self::usage(fault.to_string()),
            ReadFault::Server(failure) => *failure,
        }
    }
}

/// A log in a folder. Files beyond its head are left out: a log is published tiles first and checkpoint last (C2SP
/// tlog-tiles).
#[derive(Debug)]
pub(super) struct LocalLog {
    folder: PathBuf,
    /// The checkpoint as first read: the log may grow meanwhile.
    checkpoint: OnceLock<Vec<u8>>,
    beyond: AtomicUsize,
}

impl LocalLog {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, checkpoint: OnceLock::new(), beyond: AtomicUsize::new(0) }
    }

    /// Number of files left out because no signed head covers them.
    pub(super) fn beyond(&self) -> usize {
        self.beyond.load(Ordering::Relaxed)
    }

    fn walk(&self, below: &str, found: &mut Vec<String>) -> Result<(), ReadFault> {
        let folder = self.folder.join(below);
        let read = || -> io::Result<Vec<fs::DirEntry>> { fs::read_dir(&folder)?.collect() };
        let fault = |fault| ReadFault::File { path: folder.clone(), fault };
        for entry in read().map_err(fault)? {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            if entry.file_type().map_err(fault)?.is_dir() {
                self.walk(&path, found)?;
            } else if !rovuma_files::is_unfinished(&entry.file_name()) {
                // A service that was killed while it wrote a file leaves a draft beside it, which nobody reads.
                found.push(path);
            }
        }
        Ok(())
    }
}

impl LogFiles for LocalLog {
    type Fault = ReadFault;

    fn paths(&self) -> Result<Vec<String>, ReadFault> {
        let mut found = Vec::new();
        self.walk("", &mut found)?;
        let all = found.len();
        if found.iter().any(|path| path == CHECKPOINT_PATH) {
            let note = self.read(CHECKPOINT_PATH)?;
            // A malformed checkpoint is reported when it is checked.
            if let Ok(read) = UnverifiedCheckpoint::read(&note) {
                let size = read.unverified_head().size;
                found.retain(|path| Tile::from_path(path).is_none_or(|tile| covers(size, &tile)));
            }
        }
        self.beyond.store(all - found.len(), Ordering::Relaxed);
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, ReadFault> {
        if let Some(checkpoint) = self.checkpoint.get().filter(|_| path == CHECKPOINT_PATH) {
            return Ok(checkpoint.clone());
        }
        let file = self.folder.join(path);
        let bytes = fs::read(&file).map_err(|fault| ReadFault::File { path: file, fault })?;
        if path == CHECKPOINT_PATH {
            return Ok(self.checkpoint.get_or_init(|| bytes).clone());
        }
        Ok(bytes)
    }
}

/// Whether a head of `size` leaves covers all of a tile.
fn covers(size: u64, tile: &Tile) -> bool {
    Tile::width_at(tile.kind, tile.index, size).is_some_and(|width| tile.width <= width)
}

/// A log at the audit service. Its files are those that its head implies.
pub(crate) struct RemoteLog {
    client: Client,
    base: String,
    /// The checkpoint as first read: the log grows meanwhile.
    checkpoint: OnceLock<Vec<u8>>,
    /// The log's note about entries that it has taken out, if it has one.
    pruned: OnceLock<Option<Vec<u8>>>,
}

/// Maximum leaves of a log that is read over HTTP: a century of a busy country. It bounds the list of files, which is made
/// before the head's signature is checked.
const LEAVES_OVER_HTTP_MAX: u64 = 1 << 28;

/// The path of a log's files at the audit service.
pub(crate) fn origin_path(origin: &str) -> Outcome<String> {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
    };
    match origin.split_once('/') {
        Some((service, year)) if plain(service) && plain(year) && !origin.contains("..") => {
            Ok(format!("/v1/logs/{origin}"))
        }
        _ => Err(Failure::usage(format!("{origin:?} is not the name of a log"))
            .next("give one as in mz.audit/2026")),
    }
}

impl RemoteLog {
    pub(crate) fn of(client: Client, origin: &str) -> Outcome<Self> {
        Ok(Self { client, base: origin_path(origin)?, checkpoint: OnceLock::new(), pruned: OnceLock::new() })
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, ReadFault> {
        let path = format!("{}/{path}", self.base);
        // Blocking is allowed: `check_log` runs on a blocking thread.
        let fetched = Handle::current().block_on(self.client.get_bytes(&path));
        fetched.map_err(|failure| ReadFault::Server(Box::new(failure)))
    }

    fn pruned(&self) -> Result<Option<&Vec<u8>>, ReadFault> {
        if let Some(pruned) = self.pruned.get() {
            return Ok(pruned.as_ref());
        }
        let fetched = match self.fetch(PRUNED_PATH) {
            Ok(note) => Some(note),
            // A refusal means that there is no such note: most logs have taken nothing out.
            Err(ReadFault::Server(failure)) if failure.exit == Exit::Refused => None,
            Err(fault) => return Err(fault),
        };
        Ok(self.pruned.get_or_init(|| fetched).as_ref())
    }

    fn checkpoint(&self) -> Result<&Vec<u8>, ReadFault> {
        if let Some(checkpoint) = self.checkpoint.get() {
            return Ok(checkpoint);
        }
        let fetched = self.fetch(CHECKPOINT_PATH)?;
        Ok(self.checkpoint.get_or_init(|| fetched))
    }
}

impl LogFiles for RemoteLog {
    type Fault = ReadFault;

    fn paths(&self) -> Result<Vec<String>, ReadFault> {
        // A malformed checkpoint is reported when it is checked.
        let size =
            UnverifiedCheckpoint::read(self.checkpoint()?).map_or(0, |read| read.unverified_head().size);
        if size > LEAVES_OVER_HTTP_MAX {
            let claim =
                format!("the log states {size} leaves: at most {LEAVES_OVER_HTTP_MAX} are read over HTTP");
            return Err(ReadFault::Server(Box::new(Failure::unreachable(claim))));
        }
        // So is a malformed note.
        let pruned = self.pruned()?;
        let minimum_index =
            pruned.and_then(|note| Pruned::read_unverified(note).ok()).map_or(0, |note| note.minimum_index);
        let is_there = |tile: &Tile| tile.kind != TileKind::Entries || tile.end().min(size) > minimum_index;
        let tiles = Tile::all_of(size).filter(is_there).map(|tile| tile.to_string());
        let notes =
            [Some(CHECKPOINT_PATH), pruned.map(|_| PRUNED_PATH)].into_iter().flatten().map(str::to_owned);
        Ok(notes.chain(tiles).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, ReadFault> {
        if path == CHECKPOINT_PATH {
            return Ok(self.checkpoint()?.clone());
        }
        if let Some(note) = self.pruned()?.filter(|_| path == PRUNED_PATH) {
            return Ok(note.clone());
        }
        match (self.fetch(path), Tile::from_path(path)) {
            // A missing partial tile has become full meanwhile: take the beginning of the full one.
            (Err(_), Some(tile)) if !tile.is_full() => cut(&tile, self.fetch(&tile.full().to_string())?),
            (fetched, _) => fetched,
        }
    }
}

/// Cuts a full tile to the width of a partial one.
fn cut(tile: &Tile, full: Vec<u8>) -> Result<Vec<u8>, ReadFault> {
    let width = usize::try_from(tile.width).unwrap_or(usize::MAX);
    match tile.kind {
        TileKind::Hashes { .. } => Ok(full.into_iter().take(width.saturating_mul(HASH_SIZE)).collect()),
        TileKind::Entries => {
            let mut bundle = Vec::new();
            // A malformed bundle is reported when it is checked.
            let Ok(entries) = entries_of(&full) else { return Ok(full) };
            for entry in entries.into_iter().take(width) {
                if write_entry(&mut bundle, entry).is_err() {
                    return Ok(full);
                }
            }
            Ok(bundle)
        }
    }
}
