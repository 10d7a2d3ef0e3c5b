//! The API: who may see what, and that looking is written down.

mod access;
mod erasing;
mod paging;
mod reconciling;
mod search;
mod sources;
mod support;
