//! Hands the bytes of an upload to the thread that reads the list, and takes their digest.
//!
//! OFAC's two files come in one body, the aliases first, because they are read first. So a body needs no frame: the request says how long
//! the first file is.

use axum::body::{Body, Bytes};
use futures::StreamExt as _;
use rovuma_envelope::Digester;
use rovuma_schemas::Digest;
use tokio::sync::mpsc;

use super::{
    ImportFault,
    reader::{Piece, PieceReader},
};

/// Pieces that wait for the reader. A piece is what one read of the connection gave, at most some 100 KiB.
const PIECES_WAITING: usize = 8;

/// The sending end of an upload.
pub(super) struct Feed {
    aliases: Option<(u64, mpsc::Sender<Piece>)>,
    list: mpsc::Sender<Piece>,
}

/// A feed with the readers of the list and of the file of aliases.
pub(super) fn channel(aliases_bytes: Option<u64>) -> (Feed, PieceReader, Option<PieceReader>) {
    let (list, pieces) = mpsc::channel(PIECES_WAITING);
    let (aliases, alias_reader) = match aliases_bytes {
        Some(length) => {
            let (aliases, pieces) = mpsc::channel(PIECES_WAITING);
            (Some((length, aliases)), Some(PieceReader::new(pieces)))
        }
        None => (None, None),
    };
    (Feed { aliases, list }, PieceReader::new(pieces), alias_reader)
}

impl Feed {
    /// Hands everything over, and returns the digest of all bytes; none where the first file was not whole, or the reader refused the list
    /// before its end.
    pub(super) async fn run(mut self, body: Body) -> Result<Option<Digest>, ImportFault> {
        let mut digester = Digester::new();
        let mut pieces = body.into_data_stream();
        if !self.take_aliases(Bytes::new()).await.1 {
            return Ok(None);
        }
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(ImportFault::Body)?;
            digester.update(&piece);
            let (rest, goes_on) = self.take_aliases(piece).await;
            let is_heard = rest.is_empty() || self.list.send(Piece::Bytes(rest)).await.is_ok();
            if !(goes_on && is_heard) {
                // The list is refused. A client that is still sending may miss the answer, so the rest is read and dropped.
                while let Some(Ok(_)) = pieces.next().await {}
                return Ok(None);
            }
        }
        if self.aliases.is_some() {
            return Err(ImportFault::NoList);
        }
        if self.list.send(Piece::End).await.is_err() {
            return Ok(None);
        }
        Ok(Some(digester.finish()))
    }

    /// Hands the beginning of a piece to the reader of aliases, as far as it belongs to them. Returns the rest, and whether the reader listens.
    async fn take_aliases(&mut self, mut piece: Bytes) -> (Bytes, bool) {
        let Some((left, aliases)) = &mut self.aliases else { return (piece, true) };
        let length = usize::try_from(*left).map_or(piece.len(), |left| left.min(piece.len()));
        let own = piece.split_to(length);
        *left -= length as u64;
        let mut is_heard = own.is_empty() || aliases.send(Piece::Bytes(own)).await.is_ok();
        if *left == 0 {
            is_heard &= aliases.send(Piece::End).await.is_ok();
            self.aliases = None;
        }
        (piece, is_heard)
    }
}
