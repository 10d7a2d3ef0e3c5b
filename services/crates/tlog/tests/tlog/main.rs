//! The Merkle log through its public interface: proofs against another implementation, and notes and policies with
//! one thing altered.

mod checkpoints;
mod log;
mod policies;
mod proof_files;
mod proofs;
mod whole_logs;
