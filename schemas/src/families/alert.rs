//! `alert.*`: an alert describes a person or a thing to other agencies, and the action to take when they meet it.

mod category;
mod issue;
mod rules;
pub(crate) mod template;
mod validity;

pub use category::{Category, CategoryRule, Life, Needs};
pub use issue::{ActionCode, Decision, Issue, Validity};
