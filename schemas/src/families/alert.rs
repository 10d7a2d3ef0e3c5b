//! `alert.*`: an alert describes a person or a thing to other agencies, and the action to take when they meet it.

mod category;
mod error_report;
mod extend;
mod flag;
mod issue;
mod reply;
mod rules;
pub(crate) mod template;
mod update;
mod validity;
mod withdraw;

pub use category::{Category, CategoryRule, Life, Needs};
pub use error_report::{ContentPointer, ErrorReport, ReportedError};
pub use extend::Extend;
pub use flag::{Flag, FlagReason, FlagState};
pub use issue::{ActionCode, Decision, Issue, Validity};
pub use reply::Reply;
pub use update::{DropReason, Dropped, Update};
pub use withdraw::{Withdraw, WithdrawReasonCode};
