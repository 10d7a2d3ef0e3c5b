//! The API: who may see what, and that looking is written down.

mod access;
mod erasing;
mod paging;
mod search;
mod sources;
mod support;
