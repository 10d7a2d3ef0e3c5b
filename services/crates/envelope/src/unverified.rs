//! A message as it came in.

use std::fmt;

use rovuma_schemas::{Digest, Header};
use serde::Deserialize;

use crate::Jws;

/// A message that came in and of which nobody has checked anything. It can be quarantined or
/// verified, and nothing else.
#[derive(Clone)]
pub struct Unverified {
    jws: Jws,
}

/// A payload without a readable header. It does not repeat the payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no readable message header (line {line}, column {column})")]
pub struct BadHeader {
    line: usize,
    column: usize,
}

/// Only the header is read: the body is parsed when the signature has been checked.
#[derive(Deserialize)]
struct Routing {
    header: Header,
}

impl Unverified {
    /// The message with these segments.
    pub fn new(jws: Jws) -> Self {
        Self { jws }
    }

    /// The segments.
    pub fn unverified_jws(&self) -> &Jws {
        &self.jws
    }

    /// SHA-256 of the compact serialisation.
    pub fn digest(&self) -> Digest {
        self.jws.digest()
    }

    /// What the message says of itself.
    ///
    /// # Errors
    /// [`BadHeader`] when the payload is not a JSON object with one well-formed `header`.
    pub fn unverified_header(&self) -> Result<Header, BadHeader> {
        // serde_json never recurses into what it passes over, so depth is no danger here.
        serde_json::from_slice::<Routing>(self.jws.unverified_payload())
            .map(|routing| routing.header)
            .map_err(|fault| BadHeader { line: fault.line(), column: fault.column() })
    }

    pub(crate) fn into_jws(self) -> Jws {
        self.jws
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unverified").field(&self.jws).finish()
    }
}
