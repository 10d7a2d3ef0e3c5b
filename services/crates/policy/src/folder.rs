//! Reads policies from a folder, once, at start: the only file access of this crate.

use std::{fs, io, path::Path};

use crate::{LoadError, load::PolicyText};

/// The `*.cedar` files of `folder`, in the order of their names.
pub(crate) fn read(folder: &Path) -> Result<Vec<PolicyText>, LoadError> {
    let unreadable = |source: io::Error| LoadError::Unreadable { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "cedar") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(LoadError::Empty { path: folder.to_owned() });
    }
    paths.iter().map(|path| read_one(path)).collect()
}

fn read_one(path: &Path) -> Result<PolicyText, LoadError> {
    let text =
        fs::read_to_string(path).map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
    Ok(PolicyText { file: path.display().to_string(), text })
}
