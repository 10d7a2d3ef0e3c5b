//! Packs a bundle into a ZIP file, and unpacks it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Cursor, Read as _, Write as _},
};

use rovuma_envelope::digest;
use rovuma_schemas::{CountryCode, Digest, MessageId};
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{EvidenceContents, EvidenceEntry, Manifest, MessageFiles};

/// Maximum bytes of a bundle, packed and unpacked: far more than a court reads, and what a laptop can hold in memory.
pub const BUNDLE_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Maximum entries of a bundle.
pub const ENTRIES_MAX: u64 = 20_000;

const MANIFEST: &str = "manifest.json";
const REPORT: &str = "report.html";
const POLICY: &str = "policy";

/// The contents of a bundle, and the report on them.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceBundle {
    /// The contents.
    pub contents: EvidenceContents,
    /// The report: HTML.
    pub report: String,
}

/// Bytes that are not a bundle, or contents that do not fit into one.
#[derive(Debug, thiserror::Error)]
pub enum EvidencePackFault {
    /// The bytes are not a ZIP file, or a damaged one.
    #[error("not a whole ZIP file: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// A file in it cannot be read or written.
    #[error("{path}: {fault}")]
    File {
        /// The file's path.
        path: String,
        /// Why it cannot be read or written.
        fault: String,
    },
    /// The bundle is too large.
    #[error("more than {BUNDLE_MAX_BYTES} bytes or {ENTRIES_MAX} entries: no bundle is so large")]
    TooLarge,
    /// A file is missing, was added or was changed.
    #[error("{path} is {what}")]
    Changed {
        /// The file's path.
        path: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl EvidenceBundle {
    /// Whether the bytes begin as a bundle does.
    pub fn looks_like_bundle(bytes: &[u8]) -> bool {
        bytes.starts_with(b"PK\x03\x04")
    }

    /// Packs the bundle and puts the digests of all files into the manifest. The same contents give the same bytes.
    ///
    /// # Errors
    /// [`EvidencePackFault::TooLarge`].
    pub fn pack(&mut self) -> Result<Vec<u8>, EvidencePackFault> {
        if self.contents.entries.len() as u64 > ENTRIES_MAX {
            return Err(EvidencePackFault::TooLarge);
        }
        let files = self.files()?;
        if files.values().map(|bytes| bytes.len() as u64).sum::<u64>() > BUNDLE_MAX_BYTES {
            return Err(EvidencePackFault::TooLarge);
        }
        self.contents.manifest.files =
            files.iter().map(|(path, bytes)| (path.clone(), digest(bytes))).collect();
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let manifest = json(MANIFEST, &self.contents.manifest)?;
        for (path, bytes) in [(MANIFEST.to_owned(), manifest)].into_iter().chain(files) {
            zip.start_file(&path, options)?;
            zip.write_all(&bytes)
                .map_err(|fault| EvidencePackFault::File { path, fault: fault.to_string() })?;
        }
        let bytes = zip.finish()?.into_inner();
        if bytes.len() as u64 > BUNDLE_MAX_BYTES { Err(EvidencePackFault::TooLarge) } else { Ok(bytes) }
    }

    /// The bytes of every file but the manifest, by path.
    fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, EvidencePackFault> {
        let mut files = BTreeMap::from([
            (REPORT.to_owned(), self.report.clone().into_bytes()),
            (POLICY.to_owned(), self.contents.policy.clone().into_bytes()),
        ]);
        for (index, entry) in &self.contents.entries {
            let path = entry_path(*index);
            files.insert(format!("{path}.json"), json(&path, entry)?);
            if let Some(proof) = &entry.proof {
                files.insert(format!("{path}.tlog-proof"), proof.clone().into_bytes());
            }
        }
        for (id, message) in &self.contents.messages {
            for (country, jws) in &message.signed {
                files.insert(format!("messages/{id}/{country}.jws"), jws.clone().into_bytes());
            }
            for (receipt, jws) in &message.receipts {
                files.insert(format!("messages/{id}/receipts/{receipt}.jws"), jws.clone().into_bytes());
            }
        }
        for (origin, note) in &self.contents.pruned {
            files.insert(format!("pruned/{origin}"), note.clone().into_bytes());
        }
        for (country, list) in &self.contents.trust {
            files.insert(format!("trust/{country}.json"), list.clone().into_bytes());
        }
        Ok(files)
    }

    /// Unpacks a bundle, which must have exactly the files that its manifest names, with their digests.
    ///
    /// # Errors
    /// [`EvidencePackFault`], which names the file.
    pub fn unpack(bytes: &[u8]) -> Result<Self, EvidencePackFault> {
        let mut files = unzip(bytes)?;
        let changed = |path: &str, what| EvidencePackFault::Changed { path: path.to_owned(), what };
        let manifest = files.remove(MANIFEST).ok_or_else(|| changed(MANIFEST, "missing"))?;
        let manifest: Manifest = read_json(MANIFEST, &manifest)?;
        if files.keys().filter(|path| path.starts_with("entries/")).count() as u64 > 2 * ENTRIES_MAX {
            return Err(EvidencePackFault::TooLarge);
        }
        let named: BTreeSet<&String> = manifest.files.keys().chain(files.keys()).collect();
        for path in named {
            match (manifest.files.get(path), files.get(path)) {
                (Some(_), None) => return Err(changed(path, "missing")),
                (None, _) => return Err(changed(path, "not one of the manifest's files")),
                (Some(said), Some(bytes)) if *said != digest(bytes) => {
                    return Err(changed(path, "not as the manifest has it"));
                }
                _ => {}
            }
        }
        let text = |bytes: Vec<u8>, path: &str| {
            String::from_utf8(bytes).map_err(|_| changed(path, "not UTF-8 text"))
        };
        let mut take =
            |path: &'static str| text(files.remove(path).ok_or_else(|| changed(path, "missing"))?, path);
        let (report, policy) = (take(REPORT)?, take(POLICY)?);
        let mut contents = EvidenceContents {
            manifest,
            policy,
            entries: BTreeMap::new(),
            messages: BTreeMap::new(),
            pruned: BTreeMap::new(),
            trust: BTreeMap::new(),
        };
        for (path, bytes) in files {
            let content = text(bytes, &path)?;
            insert_file(&mut contents, &path, content)?;
        }
        match contents.entries.iter().find(|(index, entry)| **index != entry.index || entry.leaf.is_empty()) {
            Some((index, _)) => Err(changed(&entry_path(*index), "a proof without its entry, or another's")),
            None => Ok(Self { contents, report }),
        }
    }
}

fn entry_path(index: u64) -> String {
    format!("entries/{index:012}")
}

fn json(path: &str, value: &impl serde::Serialize) -> Result<Vec<u8>, EvidencePackFault> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|fault| EvidencePackFault::File { path: path.to_owned(), fault: fault.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, EvidencePackFault> {
    serde_json::from_slice(bytes)
        .map_err(|fault| EvidencePackFault::File { path: path.to_owned(), fault: fault.to_string() })
}

/// The mark with which the end record of a ZIP file begins.
const END_MARK: &[u8] = b"PK\x05\x06";

/// Size of that end record when it has no comment.
const END_BYTES: usize = 22;

/// The files of a ZIP file, by path. The size that they unpack to is limited, whatever the ZIP file declares.
fn unzip(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, EvidencePackFault> {
    if bytes.len() as u64 > BUNDLE_MAX_BYTES {
        return Err(EvidencePackFault::TooLarge);
    }
    let mut zip = ZipArchive::new(Cursor::new(bytes))?;
    // The local headers must agree with the directory: some tools read files by the headers, others by the directory.
    zip.validate_header_consistency()?;
    let (mut files, mut left) = (BTreeMap::new(), BUNDLE_MAX_BYTES);
    let mut spans = BTreeMap::new();
    for place in 0..zip.len() {
        let file = zip.by_index(place)?;
        let path = file.name()?.into_owned();
        let fault = |what: String| EvidencePackFault::File { path: path.clone(), fault: what };
        if !file.is_file() {
            return Err(fault("it is no plain file".to_owned()));
        }
        spans.insert(
            file.header_start(),
            file.data_start().unwrap_or_default().saturating_add(file.compressed_size()),
        );
        let mut content = Vec::new();
        let read = file.take(left + 1).read_to_end(&mut content).map_err(|error| fault(error.to_string()))?;
        left = left.checked_sub(read as u64).ok_or(EvidencePackFault::TooLarge)?;
        if files.insert(path.clone(), content).is_some() {
            return Err(EvidencePackFault::Changed { path, what: "there twice" });
        }
    }
    // The files must follow each other without a gap: some tools show bytes between them in the place of those checked.
    let end = spans.into_iter().try_fold(0, |expected, (start, end)| (start == expected).then_some(end));
    let ends_there = bytes.len().checked_sub(END_BYTES).is_some_and(|end| bytes[end..].starts_with(END_MARK));
    if end == Some(zip.central_directory_start()) && ends_there {
        Ok(files)
    } else {
        Err(EvidencePackFault::Changed { path: "the ZIP file".to_owned(), what: "more than its files" })
    }
}

/// Puts a file into the contents, if bundles have files with that path.
fn insert_file(contents: &mut EvidenceContents, path: &str, text: String) -> Result<(), EvidencePackFault> {
    let unknown = || EvidencePackFault::Changed { path: path.to_owned(), what: "no file of a bundle" };
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["entries", name] => {
            let (index, kind) = name.split_once('.').ok_or_else(unknown)?;
            let index: u64 = index.parse().map_err(|_| unknown())?;
            if !path.starts_with(&entry_path(index)) {
                return Err(unknown());
            }
            // The paths are sorted: `entries/7.json` comes before `entries/7.tlog-proof`.
            match (kind, contents.entries.get_mut(&index)) {
                ("json", None) => {
                    contents.entries.insert(index, read_json::<EvidenceEntry>(path, text.as_bytes())?);
                }
                ("tlog-proof", Some(entry)) => entry.proof = Some(text),
                _ => return Err(unknown()),
            }
        }
        ["messages", id, rest @ ..] => {
            let id: MessageId = id.parse().map_err(|_| unknown())?;
            let message: &mut MessageFiles = contents.messages.entry(id).or_default();
            match rest {
                [name] => {
                    let country =
                        name.strip_suffix(".jws").and_then(|country| country.parse::<CountryCode>().ok());
                    message.signed.insert(country.ok_or_else(unknown)?, text);
                }
                ["receipts", name] => {
                    let receipt =
                        name.strip_suffix(".jws").and_then(|receipt| receipt.parse::<Digest>().ok());
                    message.receipts.insert(receipt.ok_or_else(unknown)?, text);
                }
                _ => return Err(unknown()),
            }
        }
        ["pruned", _, _] => {
            contents.pruned.insert(parts[1..].join("/"), text);
        }
        ["trust", name] => {
            let country = name.strip_suffix(".json").and_then(|country| country.parse::<CountryCode>().ok());
            contents.trust.insert(country.ok_or_else(unknown)?, text);
        }
        _ => return Err(unknown()),
    }
    Ok(())
}
