//! The Merkle log as its users see it: proofs against another implementation, notes and policies with one thing bent.

mod checkpoints;
mod log;
mod policies;
mod proof_files;
mod proofs;
mod whole_logs;
