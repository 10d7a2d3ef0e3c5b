//! Schedules the lanes: one worker a lane at a time, and a rest after a failure.

use std::collections::HashMap;

use tokio::time::Instant;

use super::backoff::rest_after;
use crate::model::RecipientLane;

/// The lanes that wait for a worker, have one, or rest.
#[derive(Debug, Default)]
pub(crate) struct Lanes(HashMap<RecipientLane, LaneState>);

#[derive(Debug, Default)]
struct LaneState {
    running: bool,
    /// Whether somebody requested the lane since the running worker, if any, began.
    requested: bool,
    failures: u32,
    not_before: Option<Instant>,
}

impl LaneState {
    fn is_ready(&self, now: Instant) -> bool {
        self.requested && !self.running && self.not_before.is_none_or(|instant| instant <= now)
    }
}

impl Lanes {
    /// Requests that a lane be served.
    pub(crate) fn request(&mut self, lane: RecipientLane) {
        self.0.entry(lane).or_default().requested = true;
    }

    /// Takes the lanes that are ready, the most urgent first, and counts them as running.
    pub(crate) fn take_ready(&mut self, now: Instant) -> Vec<RecipientLane> {
        let mut ready = Vec::new();
        for (lane, entry) in self.0.iter_mut().filter(|(_, entry)| entry.is_ready(now)) {
            (entry.running, entry.requested) = (true, false);
            ready.push(lane.clone());
        }
        ready.sort_unstable();
        ready
    }

    /// Records that a lane's worker has ended. A lane that failed rests and is then served again.
    pub(crate) fn ended(&mut self, lane: &RecipientLane, failed: bool, now: Instant) {
        let Some(entry) = self.0.get_mut(lane) else { return };
        entry.running = false;
        if failed {
            entry.failures = entry.failures.saturating_add(1);
            entry.not_before = Some(now + rest_after(entry.failures));
            entry.requested = true;
        } else if entry.requested {
            (entry.failures, entry.not_before) = (0, None);
        } else {
            self.0.remove(lane);
        }
    }

    /// When the first resting lane may be served.
    pub(crate) fn next_ready(&self) -> Option<Instant> {
        self.0
            .values()
            .filter(|entry| entry.requested && !entry.running)
            .filter_map(|entry| entry.not_before)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rovuma_schemas::Lane;

    use super::*;

    fn lane(recipient: &str, lane: Lane) -> RecipientLane {
        RecipientLane::new(&recipient.parse().expect("an agency"), lane)
    }

    #[test]
    fn urgent_first_and_one_worker_a_lane() {
        let (now, mut lanes) = (Instant::now(), Lanes::default());
        let (bulk, urgent) = (lane("tz.tisd", Lane::Bulk), lane("tz.tpf", Lane::Urgent));
        lanes.request(bulk.clone());
        lanes.request(urgent.clone());
        assert_eq!(lanes.take_ready(now), [urgent.clone(), bulk]);
        lanes.request(urgent.clone());
        assert!(lanes.take_ready(now).is_empty(), "it is being served");
        lanes.ended(&urgent, false, now);
        assert_eq!(lanes.take_ready(now), [urgent], "asked for while it was served");
    }

    #[test]
    fn a_failed_lane_rests_longer_each_time_and_is_not_forgotten() {
        let (start, mut lanes) = (Instant::now(), Lanes::default());
        let lane = lane("tz.tpf", Lane::Urgent);
        lanes.request(lane.clone());
        let mut rests = Vec::new();
        let mut now = start;
        for _ in 0..3 {
            assert_eq!(lanes.take_ready(now).as_slice(), std::slice::from_ref(&lane));
            lanes.ended(&lane, true, now);
            assert!(lanes.take_ready(now).is_empty());
            let next = lanes.next_ready().expect("it comes again");
            rests.push(next - now);
            now = next;
        }
        assert_eq!(rests, [250, 500, 1000].map(Duration::from_millis));
        lanes.request(lane.clone());
        assert_eq!(lanes.take_ready(now).as_slice(), std::slice::from_ref(&lane));
        lanes.ended(&lane, false, now);
        assert_eq!(lanes.next_ready(), None);
    }
}
