//! How many transactions have been committed.

/// Counts of commits since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commits {
    /// By this process. What a job of commit *n* wrote is visible to readers once this is *n* or more; while that
    /// job runs it is *n* − 1.
    pub own: u64,
    /// By other processes that share the store, as far as they were heard of: several may be counted as one,
    /// but none is missed.
    pub others: u64,
}
