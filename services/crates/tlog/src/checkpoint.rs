//! Heads of logs, and the signed notes that state them.

use std::fmt;

use signed_note::Signature as NoteSignature;
use tlog_tiles::{Checkpoint as Text, Hash};

use crate::{LEAVES_MAX, NoteKey, note::parts};

/// Maximum bytes of a checkpoint: three lines, and as many signatures as a policy has witnesses, each as long as a
/// post-quantum one (3,300 bytes with its name).
pub(crate) const CHECKPOINT_MAX_BYTES: usize = 256 * 1024;

/// The root hash of a log at a size.
#[derive(Clone, PartialEq)]
pub struct Head {
    /// The log's name, one line.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// The root of the tree over them (RFC 6962, section 2.1).
    pub root: Hash,
}

/// Why a text is not a checkpoint that we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// It is not a signed note with a checkpoint in it.
    #[error("not a checkpoint in a signed note")]
    Malformed,
    /// It is larger than a checkpoint can be.
    #[error("a checkpoint of {size_bytes} bytes: at most {CHECKPOINT_MAX_BYTES} are read")]
    TooLarge {
        /// Size of the text.
        size_bytes: usize,
    },
    /// It has extension lines after the root hash, which no verifier can check.
    #[error("the checkpoint has extension lines, which no verifier can check")]
    Extended,
    /// It claims more leaves than a log can have.
    #[error("a log of {size} leaves: a log has at most {LEAVES_MAX}")]
    TooManyLeaves {
        /// Number of leaves that it states.
        size: u64,
    },
}

impl Head {
    /// Writes the text of the note: origin, size and root, one line each.
    ///
    /// # Errors
    /// [`HeadFault::Malformed`] when the origin is not one line of a signed note.
    pub(crate) fn to_text(&self) -> Result<Vec<u8>, HeadFault> {
        if self.origin.chars().any(char::is_control) {
            return Err(HeadFault::Malformed);
        }
        let text = Text::new(&self.origin, self.size, self.root, "").map_err(|_| HeadFault::Malformed)?;
        Ok(text.to_bytes())
    }

    fn from_text(text: &[u8]) -> Result<Self, HeadFault> {
        let read = Text::from_bytes(text).map_err(|_| HeadFault::Malformed)?;
        if !read.extension().is_empty() {
            return Err(HeadFault::Extended);
        }
        if read.size() > LEAVES_MAX {
            return Err(HeadFault::TooManyLeaves { size: read.size() });
        }
        let head = Self { origin: read.origin().to_owned(), size: read.size(), root: *read.hash() };
        // Require the only way to write it, so that the text that was signed is the text that was read.
        if head.to_text()? == text { Ok(head) } else { Err(HeadFault::Malformed) }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.origin, self.size, self.root)
    }
}

/// A checkpoint as it was read. No signature has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct UnverifiedCheckpoint {
    head: Head,
    text: Vec<u8>,
    signatures: Vec<NoteSignature>,
    note: Vec<u8>,
}

impl UnverifiedCheckpoint {
    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`HeadFault`] when it is not a signed note, or not a checkpoint in one.
    pub fn read(unverified_note: &[u8]) -> Result<Self, HeadFault> {
        if unverified_note.len() > CHECKPOINT_MAX_BYTES {
            return Err(HeadFault::TooLarge { size_bytes: unverified_note.len() });
        }
        let (text, signatures) = parts(unverified_note).ok_or(HeadFault::Malformed)?;
        let head = Head::from_text(&text)?;
        Ok(Self { head, text, signatures, note: unverified_note.to_vec() })
    }

    /// The head that it states.
    pub fn unverified_head(&self) -> &Head {
        &self.head
    }

    /// The note as it was read.
    pub fn as_bytes(&self) -> &[u8] {
        &self.note
    }

    /// The signed text.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// All signatures, of known and unknown keys.
    pub(crate) fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The signatures that name this key.
    pub(crate) fn by<'a>(&'a self, key: &'a NoteKey) -> impl Iterator<Item = &'a [u8]> {
        let same = |signature: &&NoteSignature| signature.name() == key.name() && signature.id() == key.id();
        self.signatures.iter().filter(same).map(NoteSignature::signature)
    }
}

/// A witness's cosignature on a checkpoint, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's name in the policy.
    pub witness: String,
    /// When it cosigned: whole seconds since the Unix epoch, by its own clock.
    pub unix_s: u64,
}

/// A checkpoint signed by its log with a pinned key. Only a [`LogPolicy`](crate::LogPolicy) makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    head: Head,
    text: Vec<u8>,
    cosigned: Vec<Cosignature>,
    note: Vec<u8>,
}

impl Checkpoint {
    pub(crate) fn verified(read: UnverifiedCheckpoint, cosigned: Vec<Cosignature>) -> Self {
        Self { head: read.head, text: read.text, cosigned, note: read.note }
    }

    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The cosignatures of the policy's witnesses, in the policy's order.
    pub fn cosigned(&self) -> &[Cosignature] {
        &self.cosigned
    }

    /// The signed text. The next log's first entry records its SHA-256.
    pub fn signed_text(&self) -> &[u8] {
        &self.text
    }

    /// The whole note.
    pub fn as_bytes(&self) -> &[u8] {
        &self.note
    }
}
