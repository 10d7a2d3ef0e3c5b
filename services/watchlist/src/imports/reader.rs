//! A blocking reader of what arrives piece by piece.

use std::io::{self, BufRead, Read};

use axum::body::Bytes;
use tokio::sync::mpsc;

/// A piece of a file, or its end. Without an end, the file broke off.
#[derive(Debug)]
pub(super) enum Piece {
    Bytes(Bytes),
    End,
}

/// Reads the pieces of a file, on a thread that may wait.
#[derive(Debug)]
pub(super) struct PieceReader {
    pieces: mpsc::Receiver<Piece>,
    present: Bytes,
    has_ended: bool,
}

impl PieceReader {
    pub(super) fn new(pieces: mpsc::Receiver<Piece>) -> Self {
        Self { pieces, present: Bytes::new(), has_ended: false }
    }
}

impl BufRead for PieceReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.present.is_empty() && !self.has_ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.present = bytes,
                Some(Piece::End) => self.has_ended = true,
                // A cut file must not look like a whole one.
                None => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the upload broke off")),
            }
        }
        Ok(&self.present)
    }

    fn consume(&mut self, amount: usize) {
        drop(self.present.split_to(amount));
    }
}

impl Read for PieceReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(out)?;
        self.consume(length);
        Ok(length)
    }
}
