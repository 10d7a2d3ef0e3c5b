//! Decides whether a witness cosigns a head. Pure.

use rovuma_schemas::audit::WitnessAnswer;
use rovuma_tlog::{Hash, Head};

/// The heads of a log that this service has cosigned.
#[derive(Clone, Debug)]
pub(super) struct CosignedState {
    /// The last cosigned head.
    pub(super) last: Head,
    /// Whether exactly the head in question was cosigned before.
    pub(super) is_known: bool,
}

/// Decides about a head that its log has signed. `proof` is the consistency proof from the tree of `older` leaves.
pub(super) fn decide(
    head: &Head,
    state: Option<&CosignedState>,
    older: u64,
    proof: &[Hash],
) -> WitnessAnswer {
    let Some(state) = state else {
        // The first head of a log is cosigned whatever it is.
        return if older == 0 { WitnessAnswer::Cosigned } else { WitnessAnswer::ProofNeeded };
    };
    if state.is_known {
        return WitnessAnswer::Cosigned;
    }
    let last = &state.last;
    if head.size < last.size {
        return WitnessAnswer::Shrunken;
    }
    if head.size == last.size {
        return if head.root == last.root { WitnessAnswer::Cosigned } else { WitnessAnswer::Fork };
    }
    // A wrong proof is no evidence of a fork: another proof may be right, so the log is asked for one.
    if older == last.size && head.continues(last, proof).is_ok() {
        WitnessAnswer::Cosigned
    } else {
        WitnessAnswer::ProofNeeded
    }
}
