//! What a log says of entries that it has taken out: a signed note beside its tiles.
//!
//! ```text
//! rovuma-audit-pruned/1
//! mz.audit/2016
//! 1018836
//! 1798761600
//! Diploma Ministerial n.º 12/2027, art. 4
//! ```
//!
//! The lines: what it is, the log, the minimum index (C2SP tlog-tiles: entries below it are not there), when in seconds since
//! the Unix epoch, and the written policy by which it was done. Its first line is no log's name, so nobody takes it for a
//! checkpoint.

use rovuma_envelope::Signer;
use signed_note::{Note, Signature as NoteSignature};

use crate::{
    CosignFault, HeadFault, LogPolicy, NoteKey,
    note::{line, parts},
    policy::decimal,
};

/// Where it stands beneath a log's prefix.
pub const PRUNED_PATH: &str = "pruned";

const FIRST_LINE: &str = "rovuma-audit-pruned/1";

/// A written policy at most, in characters: a reference, not its text.
pub const PRUNING_POLICY_MAX: usize = 200;

/// A note at most.
const NOTE_MAX_BYTES: usize = 4096;

/// Entries that a log has taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The log's name.
    pub origin: String,
    /// Entries below this index are not there. Their hashes are.
    pub minimum_index: u64,
    /// When, in whole seconds since the Unix epoch.
    pub unix_s: u64,
    /// The written policy that says so: one line.
    pub policy: String,
}

/// A text that is not what a log says of what it has taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrunedFault {
    /// It is not a note of this shape.
    #[error("not what a log says of entries that it has taken out")]
    Malformed,
    /// No log that was pinned signed it.
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

    /// The note, signed with the log's key.
    ///
    /// # Errors
    /// [`CosignFault`] when it is more than one line, or the key does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<Vec<u8>, CosignFault> {
        let key = NoteKey::of_log(&self.origin, signer.public_key())?;
        let text = self.to_text()?;
        let signature = line(&key, signer.sign(&text)?.as_bytes().to_vec())?;
        Ok(Note::new(&text, &[signature]).map_err(|_| HeadFault::Malformed)?.to_bytes())
    }

    /// What a note says, before anybody checked who signed it.
    ///
    /// # Errors
    /// [`PrunedFault::Malformed`].
    pub fn read_unverified(note: &[u8]) -> Result<Self, PrunedFault> {
        Ok(read(note)?.0)
    }

    /// What a note says, if a log of the policy signed it.
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
    // There is one way to write it.
    let is_same = said.to_text().is_ok_and(|written| written == bytes);
    if is_same { Ok((said, bytes, signatures)) } else { Err(malformed()) }
}
