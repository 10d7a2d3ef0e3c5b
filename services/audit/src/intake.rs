//! Takes batches in: bytes → opened → signature checked → chain checked → one transaction → acknowledged.

mod acknowledge;
mod chain;
mod consumer;
mod keys;
mod open;
mod quarantine;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use acknowledge::Acknowledger;
pub(crate) use consumer::{Intake, consumer_config};
pub(crate) use keys::IntakeKeys;
#[cfg(test)]
pub(crate) use write::IntakeOutcome;
pub(crate) use write::new_epoch;
