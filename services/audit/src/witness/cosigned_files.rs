//! The last head of each partner's log that this service cosigned, in files beside the store: a restored store forgets heads,
//! and a witness must not.

use std::{fs, io, path::PathBuf};

use rovuma_tlog::{CHECKPOINT_PATH, Checkpoint, LogPolicy, PolicyVerdict, UnverifiedCheckpoint};

use crate::publish::write_atomically;

/// The end of the folder's name: `audit-log.witnessed` is beside the public `audit-log`, and not in it.
const SUFFIX: &str = ".witnessed";

/// The last cosigned head of each log, one file each.
#[derive(Clone, Debug)]
pub(crate) struct CosignedFiles(PathBuf);

impl CosignedFiles {
    /// The files beside the folder of the public files.
    pub(crate) fn beside(public: &std::path::Path) -> Self {
        let mut name = public.as_os_str().to_owned();
        name.push(SUFFIX);
        Self(name.into())
    }

    /// Loads the last cosigned head of a log. A file that is no head of that log is an error.
    pub(super) async fn load(&self, policy: &LogPolicy, origin: &str) -> io::Result<Option<Checkpoint>> {
        let path = self.path(origin);
        let read = tokio::task::spawn_blocking(move || fs::read(path)).await.map_err(io::Error::other)?;
        let note = match read {
            Ok(note) => note,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let judged = UnverifiedCheckpoint::read(&note).map(|read| policy.judge(read));
        match judged {
            Ok(PolicyVerdict::Good(checkpoint) | PolicyVerdict::Unwitnessed { checkpoint, .. })
                if checkpoint.head().origin == origin =>
            {
                Ok(Some(checkpoint))
            }
            _ => Err(io::Error::other(format!("{} is not a head of {origin}", self.path(origin).display()))),
        }
    }

    /// Saves a head on disk. To be called before the head is cosigned.
    pub(super) async fn save(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        let (path, note) = (self.path(&checkpoint.head().origin), checkpoint.as_bytes().to_vec());
        tokio::task::spawn_blocking(move || write_atomically(&path, &note)).await.map_err(io::Error::other)?
    }

    /// The policy names the origin, for instance `tz.audit/2026`, so it cannot lead to another folder.
    fn path(&self, origin: &str) -> PathBuf {
        self.0.join(origin.replace('/', "-")).join(CHECKPOINT_PATH)
    }
}
