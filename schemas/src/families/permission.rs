//! `permission.*`: leave to use what another agency sent beyond its handling code.

mod ask;
mod decide;
pub(crate) mod template;

pub use ask::{About, PermissionAsk, PermissionUse};
pub use decide::{Decide, PermissionDecision};
