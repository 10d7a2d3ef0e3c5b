//! A log's statement about the entries that it has taken out: a signed note beside its tiles.
//!
//! ```text
//! rovuma-audit-pruned/1
//! mz.audit/2016
//! 1018836
//! 1798761600
//! Diploma Ministerial n.º 12/2027, art. 4
//! ```
//!
//! The lines: the format, the log, the minimum index (C2SP tlog-tiles: entries below it are removed), the time of
//! removal in seconds since the Unix epoch, and the written policy that allows it. The first line cannot be a log's
//! name, so the note cannot pass for a checkpoint.

use rovuma_envelope::Signer;
use signed_note::{Note, Signature as NoteSignature};

use crate::{
    CosignFault, HeadFault, LogPolicy, NoteKey,
    note::{line, parts},
    policy::decimal,
};

/// Path of the note beneath a log's prefix.
pub const PRUNED_PATH: &str = "pruned";

const FIRST_LINE: &str = "rovuma-audit-pruned/1";

/// Maximum characters of a written policy: a reference to it, not its text.
pub const PRUNING_POLICY_MAX: usize = 200;

/// Maximum bytes of the note.
const NOTE_MAX_BYTES: usize = 4096;

/// The entries that a log has taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The log's name.
    pub origin: String,
    /// Entries below this index were removed. Their hashes remain.
    pub minimum_index: u64,
    /// When they were removed: whole seconds since the Unix epoch.
    pub unix_s: u64,
    /// The written policy that allows it: one line.
    pub policy: String,
}

/// Why a text is not such a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrunedFault {
    /// It does not have the form of the note.
    #[error("not a note about entries that a log has taken out")]
    Malformed,
    /// No pinned log of that name signed it.
    #[error("not signed by the log that it is about")]
    NotSigned,
}

impl Pruned {
    fn to_text(&self) -> Result<Vec<u8>, HeadFault> {
        let Self { origin, minimum_index, unix_s, policy } = self;
        let is_line = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        if !is_line(origin) || !is_line(policy) || policy.chars().count() > PRUNING_POLICY_MAX {
            return Err(HeadFault::Malformed);
        }
        Ok(format!("{FIRST_LINE}\n{origin}\n{minimum_index}\n{unix_s}\n{policy}\n").into_bytes())
    }

    /// Signs the note with the log's key.
    ///
    /// # Errors
    /// [`CosignFault`] when the policy is more than one line, or the key does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<Vec<u8>, CosignFault> {
        let key = NoteKey::of_log(&self.origin, signer.public_key())?;
        let text = self.to_text()?;
        let signature = line(&key, signer.sign(&text)?.as_bytes().to_vec())?;
        Ok(Note::new(&text, &[signature]).map_err(|_| HeadFault::Malformed)?.to_bytes())
    }

    /// Reads a note without checking its signature.
    ///
    /// # Errors
    /// [`PrunedFault::Malformed`].
    pub fn read_unverified(note: &[u8]) -> Result<Self, PrunedFault> {
        Ok(read(note)?.0)
    }

    /// Reads a note that a log of the policy signed.
    ///
    /// # Errors
    /// [`PrunedFault`].
    pub fn verify(unverified_note: &[u8], policy: &LogPolicy) -> Result<Self, PrunedFault> {
        let (said, text, signatures) = read(unverified_note)?;
        let is_by = |key: &NoteKey| {
            let own =
                |signature: &&NoteSignature| (signature.name(), signature.id()) == (key.name(), key.id());
            let mut own = signatures.iter().filter(own);
            key.name() == said.origin && own.any(|signature| key.verifies(&text, signature.signature()))
        };
        if policy.logs().iter().any(is_by) { Ok(said) } else { Err(PrunedFault::NotSigned) }
    }
}

fn read(unverified_note: &[u8]) -> Result<(Pruned, Vec<u8>, Vec<NoteSignature>), PrunedFault> {
    let malformed = || PrunedFault::Malformed;
    let note = Some(unverified_note).filter(|note| note.len() <= NOTE_MAX_BYTES);
    let (bytes, signatures) = note.and_then(parts).ok_or_else(malformed)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    let [FIRST_LINE, origin, minimum_index, unix_s, policy] = lines.as_slice() else {
        return Err(malformed());
    };
    let said = Pruned {
        origin: (*origin).to_owned(),
        minimum_index: decimal(minimum_index).ok_or_else(malformed)?,
        unix_s: decimal(unix_s).ok_or_else(malformed)?,
        policy: (*policy).to_owned(),
    };
    // Require the only way to write it.
    let is_same = said.to_text().is_ok_and(|written| written == bytes);
    if is_same { Ok((said, bytes, signatures)) } else { Err(malformed()) }
}
