//! The private halves of keys, as files.

use std::{
    collections::HashSet,
    fs,
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use rovuma_tokens::TokenKey;
use zeroize::Zeroizing;

use super::KeysFault;

/// Only the owner may read and write.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// The folder of private keys, which should hold nothing else.
pub(super) struct KeyFolder(PathBuf);

impl KeyFolder {
    pub(super) fn open(path: PathBuf) -> Result<Self, KeysFault> {
        let made = fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&path);
        made.map_err(|source| KeysFault::File { path: path.clone(), source })?;
        Ok(Self(path))
    }

    /// Reads a key, if its file is there.
    pub(super) fn read(&self, kid: &str) -> Result<Option<TokenKey>, KeysFault> {
        let path = self.path_of(kid);
        let pem = match fs::read_to_string(&path) {
            Ok(pem) => Zeroizing::new(pem),
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeysFault::File { path, source }),
        };
        let content = |reason: String| KeysFault::Content { path: path.clone(), reason };
        let key = TokenKey::from_pkcs8_pem(&pem).map_err(|fault| content(fault.to_string()))?;
        if key.kid() == kid {
            Ok(Some(key))
        } else {
            Err(content(format!("expected the key {kid}, got {}", key.kid())))
        }
    }

    /// Writes a key, whole or not at all, and waits until it is on disk.
    pub(super) fn write(&self, key: &TokenKey) -> Result<(), KeysFault> {
        let path = self.path_of(key.kid());
        let written = rovuma_files::replace(&path, key.to_pkcs8_pem().as_bytes(), FILE_MODE);
        written.map_err(|source| KeysFault::File { path, source })
    }

    /// Removes a key's file, if it is there.
    pub(super) fn remove(&self, kid: &str) -> Result<(), KeysFault> {
        remove(&self.path_of(kid))
    }

    /// Removes the files of keys that no row names: a crash left them.
    pub(super) fn keep_only<'a>(&self, kids: impl Iterator<Item = &'a str>) -> Result<(), KeysFault> {
        let known: HashSet<PathBuf> = kids.map(|kid| self.path_of(kid)).collect();
        let fault = |source| KeysFault::File { path: self.0.clone(), source };
        for entry in fs::read_dir(&self.0).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            let is_key = path.extension().is_some_and(|ending| ending == "pem") && !known.contains(&path);
            if is_key || path.file_name().is_some_and(rovuma_files::is_unfinished) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    fn path_of(&self, kid: &str) -> PathBuf {
        // A kid is a thumbprint in base64url: it holds no path separator.
        self.0.join(kid).with_added_extension("pem")
    }
}

fn remove(path: &Path) -> Result<(), KeysFault> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(KeysFault::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_can_read_a_keys_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = KeyFolder::open(dir.path().join("keys")).expect("made");
        let key = TokenKey::generate().expect("random bytes");
        folder.write(&key).expect("written");
        let mode = fs::metadata(folder.path_of(key.kid())).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, FILE_MODE);
        let read = folder.read(key.kid()).expect("read").expect("there");
        assert_eq!(read.kid(), key.kid());
    }

    #[test]
    fn a_file_that_holds_another_key_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = KeyFolder::open(dir.path().to_owned()).expect("there");
        let (one, other) = (TokenKey::generate().expect("random"), TokenKey::generate().expect("random"));
        folder.write(&one).expect("written");
        fs::rename(folder.path_of(one.kid()), folder.path_of(other.kid())).expect("moved");
        assert!(matches!(folder.read(other.kid()), Err(KeysFault::Content { .. })));
        assert!(folder.read(one.kid()).expect("no fault").is_none());
    }

    #[test]
    fn keys_without_a_row_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = KeyFolder::open(dir.path().to_owned()).expect("there");
        let (kept, left) = (TokenKey::generate().expect("random"), TokenKey::generate().expect("random"));
        folder.write(&kept).expect("written");
        folder.write(&left).expect("written");
        fs::write(dir.path().join("README"), "keys").expect("written");
        let unfinished = dir.path().join(".a.pem.x.unfinished");
        fs::write(&unfinished, "half a key").expect("written");
        folder.keep_only([kept.kid()].into_iter()).expect("cleared");
        assert!(folder.read(kept.kid()).expect("no fault").is_some());
        assert!(folder.read(left.kid()).expect("no fault").is_none());
        assert!(dir.path().join("README").exists() && !unfinished.exists());
    }
}
