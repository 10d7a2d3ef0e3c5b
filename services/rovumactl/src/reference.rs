//! What drafts are written with: code lists, and agencies to send to.

pub(crate) mod agencies;
pub(crate) mod codes;
