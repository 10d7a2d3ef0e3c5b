//! The rules of the gateway that differ by family: one module for each family, and one line in [`rules`]. Everything else in the
//! gateway treats messages of all families alike.

mod alert;
// The types of these families do not exist yet: until they do, only tests fold their cases.
#[cfg(test)]
mod hit;
#[cfg(test)]
mod request;

use rovuma_schemas::{Family, OperationalBody, Timestamp};

/// The rules of one family.
pub(crate) trait FamilyRules: Sync {
    /// The code of the state, at `now`, of the case that `opener` opened.
    fn state(&self, opener: &OperationalBody, created: Timestamp, now: Timestamp) -> &'static str;
}

/// The rules of this family.
pub(crate) fn rules(family: Family) -> &'static dyn FamilyRules {
    match family {
        Family::Alert => &alert::Rules,
    }
}
