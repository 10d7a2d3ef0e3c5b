//! Witnessing across the border: we cosign the heads of partners' logs, and they ours.
//!
//! What a partner's audit service says comes as a signed message of its node, by way of the gateway that serves ours
//! ([`consumer`]). A head of the partner's is judged against the last one that we cosigned ([`judge`], pure), written down,
//! and only then cosigned ([`answer`]). Our own heads are asked about until they are answered ([`ask`]), and what the
//! partner answers is added to them ([`reply`]). The partner gets heads, hashes and proofs, never entries.

mod alarm;
mod answer;
mod ask;
mod consumer;
mod judge;
mod memory;
mod reply;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use alarm::{Evidence, LogAlarmKind, LogAlarmState, LogAlarms, log_alarms};
pub(crate) use answer::Witness;
pub(crate) use ask::{Asker, Questions};
pub(crate) use consumer::{WitnessIntake, consumer_config};
pub(crate) use memory::Memory;
pub(crate) use reply::Replies;
pub(crate) use state::{Partners, Watch};
