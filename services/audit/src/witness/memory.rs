//! What we cosigned last of each log, beside the store: a store that is put back to an older copy forgets, and a witness must
//! not.

use std::{fs, io, path::PathBuf};

use rovuma_tlog::{CHECKPOINT_PATH, Checkpoint, Policy, UnverifiedCheckpoint, Verdict};

use crate::publish::write_whole;

/// The end of the folder's name: `audit-log.witnessed` stands beside `audit-log`, which anybody may copy.
const SUFFIX: &str = ".witnessed";

/// The last head of each log that was cosigned, one file each.
#[derive(Clone, Debug)]
pub(crate) struct Memory(PathBuf);

impl Memory {
    /// Beside the folder of the public files.
    pub(crate) fn beside(public: &std::path::Path) -> Self {
        let mut name = public.as_os_str().to_owned();
        name.push(SUFFIX);
        Self(name.into())
    }

    /// The last head of a log that was cosigned. What stands there and is none of that log's is not believed, and said.
    pub(super) async fn of(&self, policy: &Policy, origin: &str) -> io::Result<Option<Checkpoint>> {
        let path = self.file(origin);
        let read = tokio::task::spawn_blocking(move || fs::read(path)).await.map_err(io::Error::other)?;
        let note = match read {
            Ok(note) => note,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let judged = UnverifiedCheckpoint::read(&note).map(|read| policy.judge(read));
        match judged {
            Ok(Verdict::Good(checkpoint) | Verdict::Unwitnessed { checkpoint, .. })
                if checkpoint.head().origin == origin =>
            {
                Ok(Some(checkpoint))
            }
            _ => Err(io::Error::other(format!("{} is no head of {origin}", self.file(origin).display()))),
        }
    }

    /// Keeps a head, on the disk, before it is cosigned.
    pub(super) async fn keep(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        let (path, note) = (self.file(&checkpoint.head().origin), checkpoint.as_bytes().to_vec());
        tokio::task::spawn_blocking(move || write_whole(&path, &note)).await.map_err(io::Error::other)?
    }

    /// An origin is a key's name of the policy: `tz.audit/2026`.
    fn file(&self, origin: &str) -> PathBuf {
        self.0.join(origin.replace('/', "-")).join(CHECKPOINT_PATH)
    }
}
