//! Writes a file whole or not at all.
//!
//! An [`UnfinishedFile`] is beside its target, under a name that nothing else has. When it is complete,
//! [`UnfinishedFile::replace`] or [`UnfinishedFile::create`] writes it to the disk (`fsync`), gives it the target's name in one
//! step, and writes that name to the disk (`fsync` of the folder). Readers see the old content or the new, never a part; after a power failure
//! the file holds one of the two, and once the function has returned it holds the new one.
//!
//! | function | a file that is there already |
//! |---|---|
//! | [`replace`], [`UnfinishedFile::replace`] | is replaced; the new file has the new mode, whatever the old one had |
//! | [`create`], [`UnfinishedFile::create`] | stays, and the function fails with [`AlreadyExists`](std::io::ErrorKind::AlreadyExists) |
//!
//! The mode (`0o600`) is set when the file is made, so that a secret is at no moment readable by others; the process's
//! umask may take further bits away. An unfinished file that is dropped is removed. A process that is killed leaves it as
//! `.<name>.<random>.unfinished`; [`is_unfinished`] tells such a name from others.
//!
//! What this crate does not do: make folders, lock, or run in the background. Its functions block for as long as the
//! disk takes.

use std::{
    ffi::OsStr,
    fs::{File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// How the names of unfinished files end.
const SUFFIX: &str = ".unfinished";

/// A file that is being written, and gets its name when it is complete.
#[derive(Debug)]
pub struct UnfinishedFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl UnfinishedFile {
    /// Makes an empty file beside `target`, with this mode. Nothing happens to `target` yet.
    ///
    /// # Errors
    /// When the folder is not there or may not be written.
    pub fn beside(target: &Path, mode: u32) -> io::Result<Self> {
        let mut prefix = OsStr::new(".").to_owned();
        prefix.push(target.file_name().unwrap_or_default());
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX).permissions(Permissions::from_mode(mode));
        Ok(Self { file: builder.tempfile_in(folder_of(target))?, target: target.to_owned() })
    }

    /// Gives the file its name, in place of any file that has it.
    ///
    /// # Errors
    /// When the disk does not take it. The file that was there is then untouched, unless only the last `fsync` failed.
    pub fn replace(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.target)?;
        sync_folder_of(&self.target)
    }

    /// Gives the file its name, unless there is one of that name.
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) when there is one, and any other kind when the disk does not
    /// take it.
    pub fn create(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist_noclobber(&self.target)?;
        sync_folder_of(&self.target)
    }
}

impl Write for UnfinishedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a file in place of any that is there.
///
/// # Errors
/// As [`UnfinishedFile::replace`].
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut unfinished = UnfinishedFile::beside(path, mode)?;
    unfinished.write_all(bytes)?;
    unfinished.replace()
}

/// Writes a new file, and refuses when there is one.
///
/// # Errors
/// As [`UnfinishedFile::create`].
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut unfinished = UnfinishedFile::beside(path, mode)?;
    unfinished.write_all(bytes)?;
    unfinished.create()
}

/// Whether a file of this name is an unfinished file's: one that is being written, or that a killed process left.
pub fn is_unfinished(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") && name.as_encoded_bytes().ends_with(SUFFIX.as_bytes())
}

/// A rename is durable once the folder that holds the name is.
fn sync_folder_of(target: &Path) -> io::Result<()> {
    File::open(folder_of(target))?.sync_all()
}

/// The folder of a path; that of a bare name is the current one.
fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::ErrorKind};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_is_replaced_with_its_mode_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.key");
        replace(&path, b"one", 0o644).expect("written");
        assert_eq!((fs::read(&path).expect("there"), mode(&path)), (b"one".to_vec(), 0o644));
        replace(&path, b"two", 0o600).expect("replaced");
        assert_eq!((fs::read(&path).expect("there"), mode(&path)), (b"two".to_vec(), 0o600));
        assert_eq!(names(dir.path()), ["a.key"]);
    }

    #[test]
    fn a_file_that_is_there_is_not_created_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.key");
        create(&path, b"one", 0o600).expect("written");
        let refused = create(&path, b"two", 0o600).expect_err("it is there");
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!((fs::read(&path).expect("there"), mode(&path)), (b"one".to_vec(), 0o600));
        assert_eq!(names(dir.path()), ["a.key"]);
    }

    #[test]
    fn a_link_to_nowhere_is_a_file_that_is_there() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.key");
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &path).expect("linked");
        assert_eq!(create(&path, b"one", 0o600).expect_err("it is there").kind(), ErrorKind::AlreadyExists);
        assert!(!dir.path().join("elsewhere").exists());
    }

    #[test]
    fn a_draft_is_seen_by_its_name_and_goes_when_it_is_dropped() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.key");
        let mut unfinished = UnfinishedFile::beside(&path, 0o600).expect("made");
        unfinished.write_all(b"half").expect("written");
        let name = names(dir.path()).pop().expect("the unfinished file");
        assert!(is_unfinished(OsStr::new(&name)), "{name}");
        assert_eq!(mode(&dir.path().join(&name)), 0o600);
        for other in ["a.key", ".a.key", "a.unfinished", ".unfinished.d"] {
            assert!(!is_unfinished(OsStr::new(other)), "{other}");
        }
        drop(unfinished);
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_made() {
        let dir = tempfile::tempdir().expect("a folder");
        let refused = replace(&dir.path().join("none/a.key"), b"one", 0o600).expect_err("no folder");
        assert_eq!(refused.kind(), ErrorKind::NotFound);
        assert_eq!(folder_of(Path::new("a.key")), Path::new("."));
    }
}
