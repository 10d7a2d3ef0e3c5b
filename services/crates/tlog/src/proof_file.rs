//! A proof in a file, which is checked without the log (C2SP tlog-proof).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use tlog_tiles::Hash;

use crate::{HeadFault, UnverifiedCheckpoint, policy::decimal, proof::PROOF_MAX};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// An entry's index, its inclusion proof, and the checkpoint against which that is checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ProofFile {
    /// The extra data of the file, which no signature covers. Empty when there is none.
    pub unverified_extra: Vec<u8>,
    /// The entry's index in the log.
    pub index: u64,
    /// The hashes from the leaf's sibling upwards.
    pub hashes: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: UnverifiedCheckpoint,
}

/// Why a text is not a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileFault {
    /// The first line, or another, is not as the format has it.
    #[error("line {line} is not what a {FIRST_LINE} file has there")]
    Line {
        /// The line, from 1.
        line: usize,
    },
    /// No empty line separates the proof from the checkpoint.
    #[error("no checkpoint follows the proof")]
    NoCheckpoint,
    /// The checkpoint is malformed.
    #[error(transparent)]
    Checkpoint(#[from] HeadFault),
}

impl ProofFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ProofFileFault`], naming the line.
    pub fn read(unverified_text: &str) -> Result<Self, ProofFileFault> {
        let (proof, checkpoint) = unverified_text.split_once("\n\n").ok_or(ProofFileFault::NoCheckpoint)?;
        let mut lines = (1..).zip(proof.split('\n')).peekable();
        let line = |line| ProofFileFault::Line { line };
        if lines.next().is_none_or(|(_, first)| first != FIRST_LINE) {
            return Err(line(1));
        }
        let mut unverified_extra = Vec::new();
        if let Some((number, extra)) = lines.next_if(|(_, text)| text.starts_with("extra ")) {
            let decoded = STANDARD.decode(&extra["extra ".len()..]).ok();
            // A file without extra data has no such line.
            unverified_extra = decoded.filter(|extra| !extra.is_empty()).ok_or(line(number))?;
        }
        let (number, index) = lines.next().ok_or(line(2))?;
        let index = index.strip_prefix("index ").and_then(decimal).ok_or(line(number))?;
        let mut hashes = Vec::new();
        for (number, text) in lines {
            let hash = STANDARD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            hashes.push(Hash(hash.filter(|_| hashes.len() < PROOF_MAX).ok_or(line(number))?));
        }
        let checkpoint = UnverifiedCheckpoint::read(checkpoint.as_bytes())?;
        Ok(Self { unverified_extra, index, hashes, checkpoint })
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if !self.unverified_extra.is_empty() {
            writeln!(f, "extra {}", STANDARD.encode(&self.unverified_extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{hash}")?;
        }
        // A signed note is UTF-8.
        write!(f, "\n{}", String::from_utf8_lossy(self.checkpoint.as_bytes()))
    }
}
