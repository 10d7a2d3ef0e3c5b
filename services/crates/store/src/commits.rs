//! Counts of committed transactions.

/// The commits since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commits {
    /// Commits of this process. Readers see what a job of commit *n* wrote once this is *n* or more; while that job
    /// runs, this is *n* − 1.
    pub own: u64,
    /// Commits of other processes that share the store, as their notifications arrive: several may count as one, but
    /// none is missed.
    pub others: u64,
}
