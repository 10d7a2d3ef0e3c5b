//! The family of hits: so far the states of its cases.

pub(crate) mod state;
