//! Steps of the write path at which a test ends the process, as a failure of the machine would.

/// A step has been reached: a release goes on.
#[cfg(not(test))]
#[inline]
pub(crate) fn point(_step: Step) {}

/// A step has been reached: the test may end the process here.
#[cfg(test)]
pub(crate) fn point(step: Step) {
    crate::crashes::reached(step);
}

/// The steps from a delivery to the published head, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// Nothing is written yet.
    Begun,
    /// Payloads are sealed, and their scopes written.
    Sealed,
    /// The entries are written.
    Entries,
    /// And their payloads.
    Payloads,
    /// And what they are searched by.
    Search,
    /// And a tile that is complete with them, but not in the one above.
    Tile,
    /// And all hashes.
    Hashes,
    /// And the signed head: only the commit is left.
    Signed,
    /// Committed, but nobody was told.
    Committed,
    /// A head is signed and cosigned by ourselves, but not committed.
    HeadMade,
    /// A head is committed, but not published.
    HeadKept,
    /// A file of the log is written under another name.
    FileWritten,
    /// A file of the log is in its place.
    FilePlaced,
    /// The tiles are in their places, and the checkpoint is the former one.
    TilesPlaced,
    /// The checkpoint is in its place, and partial tiles that are of no more use still there.
    CheckpointPlaced,
}

#[cfg(test)]
impl Step {
    /// Every step.
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
