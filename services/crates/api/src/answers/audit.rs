//! The answers of the audit service.

mod entries;
mod logs;

pub use self::{entries::*, logs::*};
