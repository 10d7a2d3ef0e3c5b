//! `hit.*`: an agency reports that it found what another agency's alert is about, and that agency says whether it is so.

mod action_report;
mod ask_confirmation;
mod close;
mod confirm;
mod notify;
mod retract;
pub(crate) mod template;

pub use action_report::{ActionReport, HitAct, NotPossibleReason};
pub use ask_confirmation::AskConfirmation;
pub use close::Close;
pub use confirm::{Confirm, ConfirmWord};
pub use notify::{Direction, MatchedIdentifier, MatchedKind, MatchingRule, MatchingRuleCode, Notify};
pub use retract::{Retract, RetractReason};
