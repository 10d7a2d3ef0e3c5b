//! `info.*`: information that one agency gives another without being asked.

mod share;
pub(crate) mod template;

pub use share::Share;
