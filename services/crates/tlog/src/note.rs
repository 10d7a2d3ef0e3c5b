//! Signs checkpoints, and cosigns those of other logs.

use rovuma_envelope::{Signer, SignerFault};
use signed_note::{Note, Signature as NoteSignature};

use crate::{Checkpoint, Head, HeadFault, NoteKey, NoteKeyFault, UnverifiedCheckpoint};

/// Why a checkpoint could not be signed or cosigned.
#[derive(Debug, thiserror::Error)]
pub enum CosignFault {
    /// The head is not valid.
    #[error(transparent)]
    Head(#[from] HeadFault),
    /// The name cannot be a key's name.
    #[error(transparent)]
    Key(#[from] NoteKeyFault),
    /// The key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerFault),
    /// A time that a cosignature cannot state.
    #[error("a cosignature cannot be of the time {unix_s}")]
    Time {
        /// The time, in seconds since the Unix epoch.
        unix_s: u64,
    },
    /// The line is not a cosignature of this checkpoint by this key.
    #[error("not a cosignature of this checkpoint by {name}")]
    NotOfThis {
        /// The key's name.
        name: String,
    },
}

/// Signs a head as the log. The result is the note to publish.
///
/// # Errors
/// [`CosignFault`] when the origin is no key's name, or the key does not sign.
pub fn sign(head: &Head, signer: &dyn Signer) -> Result<Vec<u8>, CosignFault> {
    let key = NoteKey::of_log(&head.origin, signer.public_key())?;
    let text = head.to_text()?;
    let signature = signer.sign(&text)?;
    let line = line(&key, signature.as_bytes().to_vec())?;
    Ok(Note::new(&text, &[line]).map_err(|_| HeadFault::Malformed)?.to_bytes())
}

/// Cosigns a checkpoint that its log has signed, as the witness `name` at `unix_s`, and returns the signature line to
/// send to the log. The caller must have checked that the checkpoint is consistent with every one of that log that it
/// ever cosigned, and must have stored that it cosigns this one.
///
/// # Errors
/// [`CosignFault`] when the name is not valid, the time cannot be written, or the key does not sign.
pub fn cosign(
    checkpoint: &Checkpoint,
    name: &str,
    signer: &dyn Signer,
    unix_s: u64,
) -> Result<Vec<u8>, CosignFault> {
    let key = NoteKey::of_cosigner(name, signer.public_key())?;
    if i64::try_from(unix_s).is_err() {
        return Err(CosignFault::Time { unix_s });
    }
    let signature = signer.sign(&cosigned_text(&checkpoint.head().to_text()?, unix_s))?;
    let timed = [unix_s.to_be_bytes().as_slice(), signature.as_bytes()].concat();
    Ok(line(&key, timed)?.to_bytes())
}

/// The checkpoint with a witness's line added. The line replaces an older one of the same witness; a newer one stays.
///
/// # Errors
/// [`CosignFault::NotOfThis`] when the line is not a cosignature of this checkpoint by `key`.
pub fn add_cosignature(
    checkpoint: &UnverifiedCheckpoint,
    unverified_line: &[u8],
    key: &NoteKey,
) -> Result<UnverifiedCheckpoint, CosignFault> {
    let not_of_this = || CosignFault::NotOfThis { name: key.name().to_owned() };
    let line = unverified_line.strip_suffix(b"\n").ok_or_else(not_of_this)?;
    let signature = NoteSignature::from_bytes(line).map_err(|_| not_of_this())?;
    let is_by_key = signature.name() == key.name() && signature.id() == key.id();
    let made = cosigned_at(checkpoint.text(), key, signature.signature()).filter(|_| is_by_key);
    let made = made.ok_or_else(not_of_this)?;
    let former = checkpoint.by(key).filter_map(|former| cosigned_at(checkpoint.text(), key, former)).max();
    if former.is_some_and(|former| former > made) {
        return Ok(checkpoint.clone());
    }
    let others = checkpoint.signatures().iter();
    let others = others.filter(|old| (old.name(), old.id()) != (key.name(), key.id())).cloned();
    let lines: Vec<NoteSignature> = others.chain([signature]).collect();
    let note = Note::new(checkpoint.text(), &lines).map_err(|_| HeadFault::Malformed)?;
    Ok(UnverifiedCheckpoint::read(&note.to_bytes())?)
}

/// The time that a cosignature states, if `key` made it over `text`.
pub(crate) fn cosigned_at(text: &[u8], key: &NoteKey, timed: &[u8]) -> Option<u64> {
    let (time, signature) = timed.split_first_chunk::<8>()?;
    let unix_s = u64::from_be_bytes(*time);
    (i64::try_from(unix_s).is_ok() && key.verifies(&cosigned_text(text, unix_s), signature)).then_some(unix_s)
}

/// The bytes that a witness signs (C2SP tlog-cosignature, "Ed25519 signed message").
fn cosigned_text(text: &[u8], unix_s: u64) -> Vec<u8> {
    [format!("cosignature/v1\ntime {unix_s}\n").as_bytes(), text].concat()
}

/// Splits a signed note into its text and all its signatures. Nothing is verified.
pub(crate) fn parts(unverified_note: &[u8]) -> Option<(Vec<u8>, Vec<NoteSignature>)> {
    let text = Note::from_bytes(unverified_note).ok()?.text().to_vec();
    // The text ends before the last empty line; the signatures follow, one a line.
    let signatures = unverified_note.get(text.len() + 1..).unwrap_or_default();
    let signatures = signatures.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Some((text, signatures.map(NoteSignature::from_bytes).collect::<Result<_, _>>().ok()?))
}

pub(crate) fn line(key: &NoteKey, signature: Vec<u8>) -> Result<NoteSignature, CosignFault> {
    let line = NoteSignature::new(key.name().to_owned(), key.id(), signature);
    line.map_err(|_| NoteKeyFault::Name { name: key.name().to_owned() }.into())
}
