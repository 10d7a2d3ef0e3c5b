//! `link.fault`: one node tells the other that a delivery could not be verified.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Line, Timestamp};

/// `link.fault`: from node to node, at most one a minute. It names the bundle by its digest and
/// nothing that the bundle says: nobody can make a gateway sign a forger's facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkFault {
    /// SHA-256 of the bundle as it came from the broker.
    pub bundle_digest: Digest,
    /// When it was seen.
    pub seen_at: Timestamp,
    /// The queue in which it was found.
    pub queue: Line,
}
