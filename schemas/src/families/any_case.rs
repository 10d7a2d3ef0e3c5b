//! Messages that follow in cases of every family.

mod certify;
mod confirm;
pub(crate) mod template;

pub use certify::{Certify, PurgeOutcome, RetentionGround};
pub use confirm::Confirm;
