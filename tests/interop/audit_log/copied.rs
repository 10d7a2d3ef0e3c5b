//! A copy of a published log, for alterations.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::note::Note;

/// Hashes in a full tile, entries in a full bundle (C2SP tlog-tiles).
const TILE_WIDTH: u64 = 256;

/// A copy of a log's folder.
pub(crate) struct LogCopy(TempDir);

impl LogCopy {
    /// Copies the log of a service that does not run.
    pub(crate) fn of(log: &Path) -> Result<Self> {
        let copied = tempfile::tempdir()?;
        copy_folder(log, copied.path())?;
        Ok(Self(copied))
    }

    /// The path of the copy.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>> {
        fs::read(self.file(path)).with_context(|| path.to_owned())
    }

    /// Writes a file of the log, which need not exist yet.
    pub(crate) fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let file = self.file(path);
        fs::create_dir_all(file.parent().context("a folder")?)?;
        Ok(fs::write(file, bytes)?)
    }

    /// Removes a file of the log.
    pub(crate) fn remove(&self, path: &str) -> Result<()> {
        fs::remove_file(self.file(path)).with_context(|| path.to_owned())
    }

    /// Changes the bytes of a file of the log.
    pub(crate) fn change(&self, path: &str, how: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        let before = self.read(path)?;
        let mut after = before.clone();
        how(&mut after);
        ensure!(after != before, "{path} is to be bent, and stays as it is");
        self.write(path, &after)
    }

    /// Changes the entries of a bundle.
    pub(crate) fn change_entries(&self, path: &str, how: impl FnOnce(&mut Vec<Vec<u8>>)) -> Result<()> {
        self.change(path, |bundle| {
            let mut entries = entries_of(bundle);
            how(&mut entries);
            *bundle = entries.concat();
        })
    }

    /// The checkpoint.
    pub(crate) fn note(&self) -> Result<Note> {
        Note::read(&String::from_utf8(self.read("checkpoint")?)?)
    }

    /// Changes the checkpoint.
    pub(crate) fn change_note(&self, how: impl FnOnce(&mut Note)) -> Result<()> {
        let mut note = self.note()?;
        how(&mut note);
        self.change("checkpoint", |bytes| *bytes = note.to_string().into_bytes())
    }

    /// Replaces the checkpoint.
    pub(crate) fn write_note(&self, note: &Note) -> Result<()> {
        self.write("checkpoint", note.to_string().as_bytes())
    }

    /// The path of the bundle with the last entries: a partial one, unless they happen to fill it.
    pub(crate) fn last_bundle(&self) -> Result<String> {
        let size = self.note()?.size()?;
        let full = format!("tile/entries/{:03}", (size - 1) / TILE_WIDTH);
        Ok(if size % TILE_WIDTH == 0 { full } else { format!("{full}.p/{}", size % TILE_WIDTH) })
    }

    /// The path of the tile with the hashes of full tiles of leaves.
    pub(crate) fn tile_above(&self) -> Result<String> {
        Ok(format!("tile/1/000.p/{}", self.note()?.size()? / TILE_WIDTH))
    }
}

/// The entries of a bundle, each preceded by its length in two bytes.
fn entries_of(bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while let Some((length, _)) = rest.split_first_chunk() {
        let (entry, after) = rest.split_at(2 + usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
