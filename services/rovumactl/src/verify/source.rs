//! Reads the signed messages in a file.

use std::path::{Path, PathBuf};

use rovuma_envelope::{
    BUNDLE_FORMAT, BUNDLE_PACKED_MAX, BadSegment, Bundle, Jws, OpenFault, SealingKey, open,
};
use serde_json::Value;

use crate::{
    exit::{Failure, Outcome},
    files, keys,
};

/// The first bytes of an age file (C2SP `age`).
const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// A message of a file, or why it cannot be read.
pub(super) type FileMessage = Result<Jws, BadSegment>;

/// Reads a compact JWS, a message saved from the API, or a bundle, sealed or not.
pub(super) fn read(path: &Path, sealing_keys: &[PathBuf]) -> Outcome<Vec<FileMessage>> {
    let content = files::read(path)?;
    if content.starts_with(AGE_MAGIC) {
        let keys =
            sealing_keys.iter().map(|file| keys::read_sealing_key(file)).collect::<Outcome<Vec<_>>>()?;
        return unpack(path, &unseal(path, &content, &keys)?);
    }
    if content.first() == Some(&BUNDLE_FORMAT) {
        return unpack(path, &content);
    }
    let text = std::str::from_utf8(&content).map_err(|_| no_message(path))?.trim();
    let compact = if text.starts_with('{') { saved_jws(path, text)? } else { vec![text.to_owned()] };
    compact
        .iter()
        .map(|text| Jws::from_compact(text).map(Ok))
        .collect::<Result<Vec<FileMessage>, _>>()
        .map_err(|error| Failure::verification(format!("{}: {error}", path.display())))
}

fn unseal(path: &Path, sealed: &[u8], keys: &[SealingKey]) -> Outcome<Vec<u8>> {
    if keys.is_empty() {
        return Err(Failure::usage(format!("{} is sealed", path.display()))
            .next("give --sealing-key with the recipient's private sealing key"));
    }
    let keys: Vec<&SealingKey> = keys.iter().collect();
    open(sealed, &keys, BUNDLE_PACKED_MAX).map_err(|error| {
        let failure = Failure::verification(format!("{}: {error}", path.display()));
        match error {
            OpenFault::NotForUs { .. } => failure.next("give the sealing key of the agency it was sent to"),
            _ => failure,
        }
    })
}

fn unpack(path: &Path, bundle: &[u8]) -> Outcome<Vec<FileMessage>> {
    Bundle::unpack(bundle, BUNDLE_FORMAT)
        .map_err(|error| Failure::verification(format!("{}: not a sound bundle: {error}", path.display())))
}

/// Every member `jws` of an object saved from the API: the message, and its receipts.
fn saved_jws(path: &Path, text: &str) -> Outcome<Vec<String>> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Failure::usage(format!("{} is not JSON: {error}", path.display())))?;
    let mut found = Vec::new();
    collect(&value, &mut found);
    if found.is_empty() { Err(no_message(path)) } else { Ok(found) }
}

/// Cannot recurse deeper than 128 levels: serde_json reads no deeper.
fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| match member {
            Value::String(text) if name == "jws" => found.push(text.clone()),
            _ => collect(member, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn no_message(path: &Path) -> Failure {
    Failure::usage(format!("{} holds no signed message", path.display()))
        .next("give a compact JWS, what rovumactl show --jws saved, or a bundle")
}
