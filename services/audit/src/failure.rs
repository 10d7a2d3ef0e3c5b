//! Points of the write path at which a test kills the process, as a failure of the machine would.

/// Marks a point; in a release it does nothing.
#[cfg(not(test))]
#[inline]
pub(crate) fn crash_point(_step: CrashPoint) {}

/// Marks a point, at which a test may kill the process.
#[cfg(test)]
pub(crate) fn crash_point(step: CrashPoint) {
    crate::crashes::reached(step);
}

/// The points from a delivery to the published head, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum CrashPoint {
    /// Nothing is written yet.
    Begun,
    /// Payloads are sealed, and their scopes written.
    Sealed,
    /// The entries are written too.
    Entries,
    /// The payloads are written too.
    Payloads,
    /// The search columns are written too.
    Search,
    /// A tile that they complete is written too, but its hash is not yet in the tile above.
    Tile,
    /// All hashes are written too.
    Hashes,
    /// The signed head is written too: only the commit is left.
    Signed,
    /// The transaction is committed, but nothing is acknowledged.
    Committed,
    /// A checkpoint has this service's own cosignature, but is not committed.
    HeadMade,
    /// A checkpoint is committed, but not published.
    HeadKept,
    /// A public file is written under a temporary name.
    FileWritten,
    /// A public file has its final name.
    FilePlaced,
    /// The tiles are published, but the checkpoint is still the former one.
    TilesPlaced,
    /// The checkpoint is published, but superseded partial tiles are not removed.
    CheckpointPlaced,
}

#[cfg(test)]
impl CrashPoint {
    /// All points.
    pub(crate) const ALL: [Self; 15] = [
        Self::Begun,
        Self::Sealed,
        Self::Entries,
        Self::Payloads,
        Self::Search,
        Self::Tile,
        Self::Hashes,
        Self::Signed,
        Self::Committed,
        Self::HeadMade,
        Self::HeadKept,
        Self::FileWritten,
        Self::FilePlaced,
        Self::TilesPlaced,
        Self::CheckpointPlaced,
    ];
}
