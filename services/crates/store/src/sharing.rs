//! Whether processes may share a store, and how long one that opens it waits for another that has it.

use std::time::Duration;

/// Whether other processes may write the store at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// No other process may.
    Alone,
    /// Any number of processes that open it as shared, where the database allows it.
    Shared,
}

/// How long to wait for a process that has the store: one that ends, or was killed, needs a moment to let go.
pub(crate) const OPEN_PATIENCE: Duration = Duration::from_secs(3);

/// How often to try again within [`OPEN_PATIENCE`].
pub(crate) const OPEN_POLL: Duration = Duration::from_millis(50);
