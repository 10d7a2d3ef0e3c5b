//! Lanes that transactions of this process have changed, for the relay to serve after the commit.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::model::RecipientLane;

/// Lanes that jobs marked inside their transactions. A mark carries the number of commits when it was made, and is handed
/// out once there are more: before that, readers do not see the job's work. A mark of a job that was rolled back makes
/// the relay look at the lane once in vain.
#[derive(Debug, Default)]
pub(crate) struct LaneMarks(Mutex<HashMap<RecipientLane, u64>>);

impl LaneMarks {
    /// Marks a lane, at a time when there have been `commits` commits.
    pub(crate) fn set(&self, lane: RecipientLane, commits: u64) {
        self.lock().insert(lane, commits);
    }

    /// Takes the marks of transactions that are committed, now that there have been `commits` commits.
    pub(crate) fn take(&self, commits: u64) -> Vec<RecipientLane> {
        self.lock().extract_if(|_, marked| *marked < commits).map(|(lane, _)| lane).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RecipientLane, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rovuma_schemas::Lane;

    use super::*;

    #[test]
    fn a_mark_is_handed_out_once_and_only_after_its_commit() {
        let lane = RecipientLane::new(&"tz.tpf".parse().expect("an agency"), Lane::Urgent);
        let marks = LaneMarks::default();
        marks.set(lane.clone(), 7);
        assert!(marks.take(7).is_empty(), "its transaction runs still");
        assert_eq!(marks.take(8), [lane]);
        assert!(marks.take(9).is_empty());
    }
}
