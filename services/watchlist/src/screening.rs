//! Screening: what is scanned or typed is compared with what is listed. Pure: nothing here reads a store, a clock or a network.
//!
//! Top to bottom: a [`Scan`] is read (`reading`) into numbers by which it is looked for; the [`Index`] names the entries that may have
//! them; each entry is compared (`compare`), which says whether the numbers are the same and how certain that is; [`judge`] applies the
//! rules.

mod compare;
mod index;
mod judge;
mod listed;
mod number;
mod reading;
mod rules;
mod scan;
#[cfg(test)]
mod tests;

pub use compare::{Doubt, Feature, Likeness};
pub use index::{EntryNo, Index};
pub use judge::{Crossing, Finding, Judged, KeptBack, Looked, Question, Traveller, Verdict, judge};
pub use listed::{AlertFacts, Listed, ListedNumber, ListedSubject};
pub use number::NumberKind;
pub(crate) use number::normal;
pub(crate) use reading::Reading;
pub use reading::{Understood, Unreadable};
pub use rules::{Rule, RuleCode, Rules};
pub use scan::{Scan, ScanKind, ScanSource, SeenVehicle, TEXT_MAX_BYTES};
