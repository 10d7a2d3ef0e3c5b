//! A checkpoint taken apart, to be put together differently: C2SP tlog-checkpoint, a signed note.

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use rovuma_envelope::{Signer, SigningKey};

/// Bytes of a key's id, with which a signature begins.
const ID: usize = 4;

/// Bytes of a cosignature's time, after the id.
const TIME: usize = 8;

/// A checkpoint.
#[derive(Clone)]
pub(crate) struct Note {
    /// Origin, size and root.
    pub(crate) head: Vec<String>,
    /// The log's own signature, then the cosignatures.
    pub(crate) signatures: Vec<NoteLine>,
}

/// A line of a checkpoint: `— name base64(id ‖ signature)`.
#[derive(Clone)]
pub(crate) struct NoteLine {
    name: String,
    /// The key's id, a cosignature's time, the signature.
    pub(crate) bytes: Vec<u8>,
}

impl Note {
    /// Parses the text of a checkpoint.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let (head, signatures) = text.split_once("\n\n").context("an empty line before the signatures")?;
        let signatures = signatures.lines().map(NoteLine::read).collect::<Result<_>>()?;
        Ok(Self { head: head.lines().map(str::to_owned).collect(), signatures })
    }

    /// The number of leaves that it states.
    pub(crate) fn size(&self) -> Result<u64> {
        Ok(self.head.get(1).context("a size")?.parse()?)
    }

    /// The text that is signed.
    fn signed(&self) -> String {
        format!("{}\n", self.head.join("\n"))
    }

    /// Signs it again as the log, replacing the former signature.
    pub(crate) fn sign(&mut self, place: usize, key: &SigningKey) -> Result<()> {
        let signature = key.sign(self.signed().as_bytes())?;
        self.signatures[place].put(ID, signature.as_bytes());
        Ok(())
    }

    /// Cosigns it again, at the time of the former cosignature (C2SP tlog-cosignature).
    pub(crate) fn cosign(&mut self, place: usize, key: &SigningKey) -> Result<()> {
        let time = self.signatures[place].bytes[ID..ID + TIME].try_into()?;
        let text = format!("cosignature/v1\ntime {}\n{}", u64::from_be_bytes(time), self.signed());
        let signature = key.sign(text.as_bytes())?;
        self.signatures[place].put(ID + TIME, signature.as_bytes());
        Ok(())
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.signed())?;
        let mut lines = self.signatures.iter();
        lines.try_for_each(|line| writeln!(f, "— {} {}", line.name, STANDARD.encode(&line.bytes)))
    }
}

impl NoteLine {
    fn read(line: &str) -> Result<Self> {
        let parts = line.strip_prefix("— ").and_then(|rest| rest.split_once(' '));
        let (name, encoded) = parts.context("a line of a signature")?;
        Ok(Self { name: name.to_owned(), bytes: STANDARD.decode(encoded)? })
    }

    fn put(&mut self, from: usize, signature: &[u8]) {
        self.bytes.truncate(from);
        self.bytes.extend_from_slice(signature);
    }
}
