//! Batches that continue a chain, and deliveries that do not.

mod chains;
mod forgeries;
mod keys;
