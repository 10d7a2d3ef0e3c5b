//! The API: who may see what, and that looking is written down.

mod access;
mod counting;
mod erasing;
mod evidence;
mod exporting;
mod paging;
mod reconciling;
mod saving;
mod search;
mod sources;
mod support;
