//! The way in: bytes → opened → signature checked → chain checked → one transaction → acknowledged.

mod acknowledge;
mod chain;
mod consumer;
mod keys;
mod open;
mod quarantine;
mod take;
#[cfg(test)]
mod tests;

pub(crate) use acknowledge::Acknowledger;
pub(crate) use consumer::{Intake, consumer_config};
pub(crate) use keys::Keys;
#[cfg(test)]
pub(crate) use take::Taken;
pub(crate) use take::new_epoch;
