//! What the audit service answers.

mod entries;
mod logs;

pub use self::{entries::*, logs::*};
