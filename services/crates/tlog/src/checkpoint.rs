//! A log's head, and the signed note that says it.

use std::fmt;

use signed_note::Signature as NoteSignature;
use tlog_tiles::{Checkpoint as Text, Hash};

use crate::{LEAVES_MAX, NoteKey, note::parts};

/// A checkpoint at most: three lines, and as many signatures as a policy has witnesses, each as long as a post-quantum
/// one (3,300 bytes with its name).
pub(crate) const CHECKPOINT_MAX_BYTES: usize = 256 * 1024;

/// Which log, how many leaves, and the root hash over them.
#[derive(Clone, PartialEq)]
pub struct Head {
    /// The log's name, one line.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// The root of the tree over them (RFC 6962, section 2.1).
    pub root: Hash,
}

/// A text that is no checkpoint of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// It is not a signed note with a checkpoint in it.
    #[error("not a checkpoint in a signed note")]
    Malformed,
    /// It is larger than any checkpoint.
    #[error("a checkpoint of {size_bytes} bytes: at most {CHECKPOINT_MAX_BYTES} are read")]
    TooLarge {
        /// Its size.
        size_bytes: usize,
    },
    /// It has lines beyond the root hash: what they say nobody could check.
    #[error("the checkpoint has extension lines, and nobody can check what they say")]
    Extended,
    /// It claims more leaves than a log can have.
    #[error("a log of {size} leaves: at most {LEAVES_MAX} are believed")]
    TooManyLeaves {
        /// What it claims.
        size: u64,
    },
}

impl Head {
    /// The note's text: origin, size and root, a line each.
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
        // There is one way to write it, and what was signed is what is read.
        if head.to_text()? == text { Ok(head) } else { Err(HeadFault::Malformed) }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.origin, self.size, self.root)
    }
}

/// A checkpoint as it was read. Nobody's signature has been checked.
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

    /// What it claims.
    pub fn unverified_head(&self) -> &Head {
        &self.head
    }

    /// The note as it was read.
    pub fn as_bytes(&self) -> &[u8] {
        &self.note
    }

    /// The text that is signed.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Its signatures, whosever they are.
    pub(crate) fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The signatures that say they are by this key.
    pub(crate) fn by<'a>(&'a self, key: &'a NoteKey) -> impl Iterator<Item = &'a [u8]> {
        let same = |signature: &&NoteSignature| signature.name() == key.name() && signature.id() == key.id();
        self.signatures.iter().filter(same).map(NoteSignature::signature)
    }
}

/// A witness's word for a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness, by its name in the policy.
    pub witness: String,
    /// When it cosigned: whole seconds since the Unix epoch, by its own clock.
    pub unix_s: u64,
}

/// A checkpoint that its log has signed, with a key that was pinned. Only a [`LogPolicy`](crate::LogPolicy) makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    head: Head,
    text: Vec<u8>,
    cosigned: Vec<Cosigned>,
    note: Vec<u8>,
}

impl Checkpoint {
    pub(crate) fn verified(read: UnverifiedCheckpoint, cosigned: Vec<Cosigned>) -> Self {
        Self { head: read.head, text: read.text, cosigned, note: read.note }
    }

    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Who cosigned it, of those whom the policy knows, in the policy's order.
    pub fn cosigned(&self) -> &[Cosigned] {
        &self.cosigned
    }

    /// The text that is signed: what the log after this one begins with the SHA-256 of.
    pub fn signed_text(&self) -> &[u8] {
        &self.text
    }

    /// The whole note.
    pub fn as_bytes(&self) -> &[u8] {
        &self.note
    }
}
