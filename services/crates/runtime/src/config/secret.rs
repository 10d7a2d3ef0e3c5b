//! Secrets, which come from files, never from the configuration itself, and never appear in logs.

use std::{
    fmt,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use zeroize::Zeroizing;

/// A secret's bytes: wiped when dropped, and not shown by `Debug`.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Wraps these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Pass them only to the code that needs them.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text; `None` when it is not UTF-8. Pass it only to the code that needs it.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The path of a file that holds a secret: in the configuration a plain string.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretFile(PathBuf);

/// A secret's file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("cannot read the secret file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Users other than the owner and the group can read it.
    #[error("{path} can be read by everybody (mode {mode:04o}): run `chmod 600 {path}` and renew the secret")]
    WorldReadable {
        /// The file.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
}

impl SecretFile {
    /// The secret in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads the file's content as the secret.
    ///
    /// # Errors
    /// [`SecretError`] when the file cannot be read, or everybody can read it.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let failed = |source| SecretError::Read { path: self.0.clone(), source };
        let mode = std::fs::metadata(&self.0).map_err(failed)?.permissions().mode() & 0o7777;
        if mode & 0o007 != 0 {
            return Err(SecretError::WorldReadable { path: self.0.clone(), mode });
        }
        std::fs::read(&self.0).map(Secret::new).map_err(failed)
    }

    /// Reads a secret of one line, such as a password, without the line break at its end.
    ///
    /// # Errors
    /// [`SecretError`] when the file cannot be read, or everybody can read it.
    pub fn read_line(&self) -> Result<Secret, SecretError> {
        let secret = self.read()?;
        let end = secret.0.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
        Ok(Secret::new(secret.0[..end].to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mode: u32) -> (tempfile::TempDir, SecretFile) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("password");
        std::fs::write(&path, "hunter2\n").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode set");
        (dir, SecretFile::new(path))
    }

    #[test]
    fn a_secret_is_read_and_never_shown() {
        let (_dir, file) = file(0o600);
        let secret = file.read_line().expect("reads");
        assert_eq!(secret.expose_text(), Some("hunter2"));
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[test]
    fn a_world_readable_secret_is_refused_with_what_to_do() {
        for mode in [0o604, 0o644, 0o602] {
            let (_dir, file) = file(mode);
            let error = file.read().expect_err("refused").to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
        let (_dir, group) = file(0o640);
        assert!(group.read().is_ok(), "a group of operators is allowed");
    }

    #[test]
    fn a_missing_secret_names_its_file() {
        let error = SecretFile::new("/nowhere/password").read().expect_err("refused");
        assert!(error.to_string().contains("/nowhere/password"));
    }
}
