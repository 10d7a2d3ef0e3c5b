//! The outbox on a real store; the broker's part is played by marking what was chosen.

mod aside;
mod heads;
mod leases;
mod numbers;
mod partners;
mod receipts;
mod streams;
mod voids;
mod window;
mod world;
