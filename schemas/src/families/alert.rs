//! `alert.*`: the first family. An alert tells other agencies of a person or a thing, and what to do when it is met.

mod category;
mod issue;
mod rules;
mod validity;

pub use category::{Category, CategoryRule, Life, Needs};
pub use issue::{ActionCode, Decision, Issue, Validity};
