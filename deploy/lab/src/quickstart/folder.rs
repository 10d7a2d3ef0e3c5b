//! The folder with all files, locked by one quickstart at a time.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// The folder, locked until the value is dropped or the process ends.
pub(crate) struct LockedFolder {
    path: PathBuf,
    _held: File,
}

impl LockedFolder {
    /// Opens the folder, or creates it.
    ///
    /// # Errors
    /// When another quickstart has locked it, or it cannot be created.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("creating {}", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("opening {}", path.display()))?;
        let held = hold(&path)?;
        Ok(Self { path, _held: held })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes the folder. Returns whether there was one.
///
/// # Errors
/// When a quickstart runs in it, or it was not made by one.
pub(crate) fn clean(path: &Path) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    if !lock_file(path).exists() {
        bail!("{} was not made by the quickstart; nothing was removed", path.display());
    }
    let _held = hold(path)?;
    fs::remove_dir_all(path).with_context(|| format!("removing {}", path.display()))?;
    Ok(true)
}

fn hold(path: &Path) -> Result<File> {
    let file = lock_file(path);
    let held = File::create(&file).with_context(|| format!("creating {}", file.display()))?;
    match held.try_lock() {
        Ok(()) => Ok(held),
        Err(TryLockError::WouldBlock) => {
            bail!("another quickstart is running in {}: stop it with Ctrl-C first", path.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", file.display())),
    }
}

fn lock_file(path: &Path) -> PathBuf {
    path.join("quickstart.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folder_that_is_named_is_removed() {
        let above = tempfile::tempdir().expect("a folder");
        let (one, other) = (above.path().join("one"), above.path().join("other"));
        for path in [&one, &other] {
            drop(LockedFolder::open(path).expect("made"));
        }
        assert!(clean(&other).expect("removed"));
        assert!(one.exists() && !other.exists());
        assert!(!clean(&other).expect("nothing"), "a second time there is nothing");
    }

    #[test]
    fn a_folder_of_others_or_in_use_is_not_removed() {
        let above = tempfile::tempdir().expect("a folder");
        let foreign = above.path().join("foreign");
        fs::create_dir(&foreign).expect("made");
        assert!(clean(&foreign).is_err());
        let used = above.path().join("used");
        let _running = LockedFolder::open(&used).expect("made");
        assert!(clean(&used).is_err());
        assert!(foreign.exists() && used.exists());
    }
}
