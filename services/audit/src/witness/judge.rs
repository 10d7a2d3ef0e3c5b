//! What a witness does with a head: pure.

use rovuma_schemas::audit::WitnessAnswer;
use rovuma_tlog::{Hash, Head};

/// What we have cosigned of a log.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// The last head.
    pub(super) last: Head,
    /// Whether exactly the head in question was cosigned before.
    pub(super) is_known: bool,
}

/// What becomes of a head that its log has signed: `older` is the size from which `proof` leads to it.
pub(super) fn judge(head: &Head, held: Option<&Held>, older: u64, proof: &[Hash]) -> WitnessAnswer {
    let Some(held) = held else {
        // Whatever a log begins with, it begins so.
        return if older == 0 { WitnessAnswer::Cosigned } else { WitnessAnswer::ProofNeeded };
    };
    if held.is_known {
        return WitnessAnswer::Cosigned;
    }
    let last = &held.last;
    if head.size < last.size {
        return WitnessAnswer::Shrunken;
    }
    if head.size == last.size {
        return if head.root == last.root { WitnessAnswer::Cosigned } else { WitnessAnswer::Fork };
    }
    // A proof that does not hold shows nothing, not even that there is none.
    if older == last.size && head.continues(last, proof).is_ok() {
        WitnessAnswer::Cosigned
    } else {
        WitnessAnswer::ProofNeeded
    }
}
