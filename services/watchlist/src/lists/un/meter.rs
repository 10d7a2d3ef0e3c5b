//! Counts the lines of a file, and bounds how much of it is read at a time.

use std::io::{self, BufRead, Read};

use crate::lists::RECORD_MAX_BYTES;

/// Passes a file on, up to [`RECORD_MAX_BYTES`] after each [`Meter::restart`]. An XML reader keeps a token in memory
/// until it ends, so without the bound a file of one endless token would fill the memory.
pub(super) struct Meter<'a> {
    input: &'a mut dyn BufRead,
    /// The line of the next byte, from 1.
    pub(super) line: u64,
    /// Whether the file's end was seen.
    pub(super) has_ended: bool,
    /// Whether more was asked for than the bound allows.
    pub(super) is_exceeded: bool,
    left: usize,
}

impl<'a> Meter<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, line: 1, has_ended: false, is_exceeded: false, left: RECORD_MAX_BYTES }
    }

    /// Allows [`RECORD_MAX_BYTES`] from here.
    pub(super) fn restart(&mut self) {
        self.left = RECORD_MAX_BYTES;
    }
}

impl BufRead for Meter<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.input.fill_buf()?;
        if available.is_empty() {
            self.has_ended = true;
        } else if self.left == 0 {
            self.is_exceeded = true;
            return Err(io::Error::other("the record is too long"));
        }
        Ok(available.get(..self.left).unwrap_or(available))
    }

    fn consume(&mut self, amount: usize) {
        // The bytes are in the buffer, so this reads nothing and cannot fail.
        if let Ok(bytes) = self.input.fill_buf() {
            let lines = bytes.iter().take(amount).filter(|byte| **byte == b'\n').count();
            self.line += lines as u64;
        }
        self.left = self.left.saturating_sub(amount);
        self.input.consume(amount);
    }
}

impl Read for Meter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = self.fill_buf()?.read(buffer)?;
        self.consume(amount);
        Ok(amount)
    }
}
