//! Batches into the log: what continues a chain, and everything that does not.

mod chains;
mod forgeries;
mod keys;
