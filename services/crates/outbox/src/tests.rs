//! Tests of the outbox on a real store. Instead of publishing, they record that the chosen copies have left.

mod fixture;
mod leases;
mod numbers;
mod partners;
mod receipts;
mod stream_ends;
mod streams;
mod unsendable;
mod voids;
mod window;
