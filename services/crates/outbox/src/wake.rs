//! Which lanes have something new, told to the relay after the commit that made it so.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::model::LaneKey;

/// Lanes marked by writers inside their transactions. A mark carries the number of commits there were
/// when it was made, and is handed out only once there are more: before that the work is not visible.
/// A mark whose transaction was taken back makes the relay look once in vain.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<HashMap<LaneKey, u64>>);

impl Marks {
    /// Marks a lane, while there were `commits` commits.
    pub(crate) fn set(&self, lane: LaneKey, commits: u64) {
        self.lock().insert(lane, commits);
    }

    /// Takes the marks made by transactions that have been committed now that there are `commits`.
    pub(crate) fn take(&self, commits: u64) -> Vec<LaneKey> {
        self.lock().extract_if(|_, marked| *marked < commits).map(|(lane, _)| lane).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<LaneKey, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rovuma_schemas::Lane;

    use super::*;

    #[test]
    fn a_mark_is_handed_out_once_and_only_after_its_commit() {
        let lane = LaneKey::new(&"tz.tpf".parse().expect("an agency"), Lane::Urgent);
        let marks = Marks::default();
        marks.set(lane.clone(), 7);
        assert!(marks.take(7).is_empty(), "its transaction runs still");
        assert_eq!(marks.take(8), [lane]);
        assert!(marks.take(9).is_empty());
    }
}
