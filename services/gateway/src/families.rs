//! The rules of the gateway that differ by family: one module for each family, and one line in [`rules`]. Everything else in the
//! gateway treats messages of all families alike.

pub(crate) mod alert;
// The types of these families do not exist yet: until they do, only tests fold their cases.
#[cfg(test)]
mod hit;
#[cfg(test)]
mod request;

use rovuma_schemas::{AgencyCode, Family, OperationalBody, Terms, Timestamp};

use crate::cases::{folded::FoldedCase, kept::KeptMessage};

/// The states in which officers act on a case of any family, or will once a release is confirmed, as a list of SQL.
macro_rules! live_states {
    () => {
        "'active', 'suspended'"
    };
}

pub(crate) use live_states;

/// What only a family says of a case.
#[derive(Clone, Debug)]
pub(crate) enum CaseDetails {
    /// An alert.
    Alert(Box<alert::AlertView>),
}

/// The rules of one family.
pub(crate) trait FamilyRules: Sync {
    /// What a message says in the family's terms, as JSON, if it was first signed at `signed`; none of a type that has no part in
    /// the family's cases.
    fn fact(&self, body: &OperationalBody, terms: &Terms, signed: Timestamp) -> Option<String>;

    /// The types of messages that the case lets `agency` sign at `now`, in the order in which they are usually looked for.
    fn possible(&self, fold: &dyn FoldedCase, agency: &AgencyCode, now: Timestamp) -> Vec<&'static str>;

    /// Folds the case that `owner` opened and lets `read` look at it.
    fn fold(&self, owner: &AgencyCode, kept: &[KeptMessage], read: &mut dyn FnMut(&dyn FoldedCase));
}

/// The rules of this family.
pub(crate) fn rules(family: Family) -> &'static dyn FamilyRules {
    match family {
        Family::Alert => &alert::Rules,
    }
}
