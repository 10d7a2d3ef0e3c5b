//! Messages that follow in cases of every family.

mod certify;
mod confirm;

pub use certify::{Certify, PurgeOutcome, RetentionGround};
pub use confirm::Confirm;
