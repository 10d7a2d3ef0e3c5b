//! `link.fault`: one node reports to the other that a delivery could not be verified.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Line, Timestamp};

/// `link.fault`: from node to node, at most one a minute. It names the bundle by its digest and repeats none of its content, so
/// nobody can make a gateway sign a forger's statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkFault {
    /// SHA-256 of the bundle as the broker delivered it.
    pub bundle_digest: Digest,
    /// When the gateway opened the delivery.
    pub seen_at: Timestamp,
    /// The queue from which it came.
    pub queue: Line,
}
