//! The families, as the gateway sees them: a folder for each, and one row here. Everything else in the gateway treats
//! messages of all families alike.

mod alert;

use rovuma_schemas::{Family, OperationalBody, Timestamp};

/// What the gateway asks of a family.
pub(crate) trait FamilyRules: Sync {
    /// The state, at `now`, of the case that `opener` opened: the code that officers see.
    fn state(&self, opener: &OperationalBody, created: Timestamp, now: Timestamp) -> &'static str;
}

/// The rules of a family.
pub(crate) fn of(family: Family) -> &'static dyn FamilyRules {
    match family {
        Family::Alert => &alert::Rules,
    }
}
