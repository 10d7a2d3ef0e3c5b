//! Reads and writes files safely: secrets only for their owner, nothing overwritten by accident, nothing half
//! written.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use rovuma_files::UnfinishedFile;
use zeroize::Zeroizing;

use crate::exit::{Failure, Outcome};

/// Maximum bytes of a file that is read: a trust list is at most 1 MiB, a sealed bundle little more.
pub(crate) const FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

const OWNER_ONLY: u32 = 0o600;
const OWNER_ONLY_FOLDER: u32 = 0o700;
const EVERYBODY_READS: u32 = 0o644;

/// Reads a whole file, `-` for standard input.
pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    let failed = |error: io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let mut content = Vec::new();
    let taken = if path == Path::new("-") {
        io::stdin().lock().take(FILE_MAX_BYTES + 1).read_to_end(&mut content)
    } else {
        File::open(path).and_then(|file| file.take(FILE_MAX_BYTES + 1).read_to_end(&mut content))
    };
    let length = taken.map_err(failed)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > FILE_MAX_BYTES {
        return Err(Failure::usage(format!(
            "{} is larger than {FILE_MAX_BYTES} bytes, which nothing of ours is",
            path.display()
        )));
    }
    Ok(content)
}

/// Reads a text file.
pub(crate) fn read_text(path: &Path) -> Outcome<String> {
    String::from_utf8(read(path)?)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8 text", path.display())))
}

/// Reads a private key's text; refuses a file that everybody can read.
pub(crate) fn read_secret_text(path: &Path) -> Outcome<Zeroizing<String>> {
    let secret =
        rovuma_runtime::SecretFile::new(path).read().map_err(|error| Failure::usage(error.to_string()))?;
    let text = secret.expose_text().map(ToOwned::to_owned);
    text.map(Zeroizing::new).ok_or_else(|| Failure::usage(format!("{} is not UTF-8 text", path.display())))
}

/// Reads a password: the first line of a file, or of standard input for `-`.
pub(crate) fn read_password(path: &Path) -> Outcome<Zeroizing<String>> {
    let text = if path == Path::new("-") {
        let mut line = Zeroizing::new(String::new());
        io::stdin().read_line(&mut line).map_err(|error| {
            Failure::usage(format!("cannot read the password from standard input: {error}"))
        })?;
        line
    } else {
        read_secret_text(path)?
    };
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::usage(format!("{} holds no password", path.display())));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// Writes a new file that only its owner can read. Never overwrites.
pub(crate) fn create_secret(path: &Path, content: &str) -> Outcome<()> {
    create(path, content.as_bytes(), OWNER_ONLY)
}

/// Writes a new file that everybody may read. Never overwrites.
pub(crate) fn create_public(path: &Path, content: &str) -> Outcome<()> {
    create(path, content.as_bytes(), EVERYBODY_READS)
}

/// A new file that only its owner can read, written piece by piece. Dropping it unfinished removes it.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    unfinished: UnfinishedFile,
}

impl NewFile {
    /// Begins a file. It gets its name when it is finished.
    pub(crate) fn create(path: &Path) -> Outcome<Self> {
        must_be_new(path)?;
        let unfinished =
            UnfinishedFile::beside(path, OWNER_ONLY).map_err(|error| not_written(path, &error))?;
        Ok(Self { path: path.to_owned(), unfinished })
    }

    /// Appends to the file.
    pub(crate) fn write(&mut self, content: &[u8]) -> Outcome<()> {
        self.unfinished.write_all(content).map_err(|error| not_written(&self.path, &error))
    }

    /// Gives the file its name. Never overwrites.
    pub(crate) fn finish(self) -> Outcome<()> {
        self.unfinished.create().map_err(|error| not_written(&self.path, &error))
    }
}

/// Refuses a path that exists already. Called before long work, so that the work is not in vain.
pub(crate) fn must_be_new(path: &Path) -> Outcome<()> {
    if fs::symlink_metadata(path).is_ok() { Err(already_exists(path)) } else { Ok(()) }
}

/// Makes a folder that only its owner can look into, unless it is there.
pub(crate) fn private_folder(path: &Path) -> Outcome<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(OWNER_ONLY_FOLDER).create(path);
    made.map_err(|error| Failure::local(format!("cannot make {}: {error}", path.display())))
}

fn create(path: &Path, content: &[u8], mode: u32) -> Outcome<()> {
    rovuma_files::create(path, content, mode).map_err(|error| not_written(path, &error))
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => already_exists(path),
        _ => Failure::local(format!("cannot write {}: {error}", path.display())),
    }
}

/// The failure for a file that is there and is not to be replaced.
pub(crate) fn already_exists(path: &Path) -> Failure {
    Failure::usage(format!("{} is there already and is not overwritten", path.display()))
        .next("give another name, or move the old file away")
}

/// Replaces a file as a whole or not at all: readers see the old content or the new.
pub(crate) fn replace(path: &Path, content: &str) -> Outcome<()> {
    replace_with_mode(path, content, EVERYBODY_READS)
}

/// Replaces a file that only its owner can read.
pub(crate) fn replace_secret(path: &Path, content: &str) -> Outcome<()> {
    replace_with_mode(path, content, OWNER_ONLY)
}

fn replace_with_mode(path: &Path, content: &str, mode: u32) -> Outcome<()> {
    let replaced = rovuma_files::replace(path, content.as_bytes(), mode);
    replaced.map_err(|error| Failure::local(format!("cannot write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn a_secret_is_for_its_owner_and_never_overwritten() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("key.pem");
        create_secret(&path, "one").expect("written");
        assert_eq!(mode(&path), 0o600);
        assert!(create_secret(&path, "two").is_err());
        assert_eq!(fs::read_to_string(&path).expect("there"), "one");
    }

    #[test]
    fn a_replaced_file_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("token.json");
        replace_secret(&path, "one").expect("written");
        replace_secret(&path, "two").expect("replaced");
        assert_eq!((fs::read_to_string(&path).expect("there").as_str(), mode(&path)), ("two", 0o600));
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_password_is_one_line_of_a_private_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("password");
        create_public(&path, "secret\nmore\n").expect("written");
        assert!(read_password(&path).is_err(), "everybody can read it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode set");
        assert_eq!(read_password(&path).expect("reads").as_str(), "secret");
    }
}
