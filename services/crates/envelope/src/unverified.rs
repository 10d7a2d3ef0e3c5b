//! A message as it arrived, before any check.

use std::fmt;

use rovuma_schemas::{Digest, Header};
use serde::Deserialize;

use crate::Jws;

/// A message of which nothing has been checked. It can only be quarantined or verified.
#[derive(Clone)]
pub struct Unverified {
    jws: Jws,
}

/// The payload has no readable header. The error does not repeat the payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no readable message header (line {line}, column {column})")]
pub struct BadHeader {
    line: usize,
    column: usize,
}

/// Reads only the header: the body is parsed after the signature has been checked.
#[derive(Deserialize)]
struct Routing {
    header: Header,
}

impl Unverified {
    /// Wraps a JWS that arrived.
    pub fn new(jws: Jws) -> Self {
        Self { jws }
    }

    /// The raw JWS.
    pub fn unverified_jws(&self) -> &Jws {
        &self.jws
    }

    /// SHA-256 of the compact serialisation.
    pub fn digest(&self) -> Digest {
        self.jws.digest()
    }

    /// The header as the message states it.
    ///
    /// # Errors
    /// [`BadHeader`] when the payload is not a JSON object with one well-formed `header`.
    pub fn unverified_header(&self) -> Result<Header, BadHeader> {
        // serde_json does not recurse into members that it skips, so deep nesting is no danger here.
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
