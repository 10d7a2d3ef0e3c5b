//! Who follows the agency's events live, and how many at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rovuma_schemas::AgencyCode;

/// Maximum live streams of one person or machine client: a console in two browsers, and each while its old stream has not
/// ended yet. Each costs a connection and memory of the gateway.
pub(crate) const STREAMS_MAX: usize = 4;

/// An agency and a subject of it.
type Follower = (AgencyCode, String);

/// The live streams that are open. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct LiveStreams(Arc<Mutex<HashMap<Follower, usize>>>);

/// One open live stream, which is counted until this value is dropped.
#[derive(Debug)]
pub(crate) struct LiveStream {
    streams: LiveStreams,
    follower: Follower,
}

impl LiveStreams {
    /// Counts another stream; nothing when the subject has [`STREAMS_MAX`] of them.
    pub(crate) fn open(&self, agency: &AgencyCode, subject: &str) -> Option<LiveStream> {
        let follower = (agency.clone(), subject.to_owned());
        let mut open = self.counts();
        let count = open.entry(follower.clone()).or_default();
        if *count >= STREAMS_MAX {
            return None;
        }
        *count += 1;
        Some(LiveStream { streams: self.clone(), follower })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Follower, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LiveStream {
    fn drop(&mut self) {
        let mut open = self.streams.counts();
        if let Some(count) = open.get_mut(&self.follower) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.follower);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_four_streams_and_another_one_when_one_has_ended() {
        let (streams, agency) = (LiveStreams::default(), "mz.prm".parse().expect("an agency"));
        let mut open: Vec<_> = (0..STREAMS_MAX).map(|_| streams.open(&agency, "a").expect("room")).collect();
        assert!(streams.open(&agency, "a").is_none());
        let other = streams.open(&agency, "b");
        assert!(other.is_some(), "another subject has room of its own");
        open.pop();
        assert!(streams.open(&agency, "a").is_some());
        drop((open, other));
        assert!(streams.counts().is_empty());
    }
}
