//! The family of requests for assistance: so far the states of its cases.

pub(crate) mod state;
