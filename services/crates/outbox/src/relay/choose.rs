//! Which copies leave together: a decision on sizes and counts alone.

use rovuma_envelope::{BUNDLE_BYTES_MAX, BUNDLE_MESSAGES_MAX};

/// A copy that may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its place in the order of leaving.
    pub(crate) position: i64,
    /// The bytes it takes in a bundle.
    pub(crate) size_bytes: u64,
    /// Whether it is numbered, hence answered by a receipt, hence counted in the window.
    pub(crate) numbered: bool,
}

impl Candidate {
    /// Whether no bundle holds it.
    fn is_too_large(&self) -> bool {
        self.size_bytes > bundle_bytes_max()
    }
}

/// What the window of unreceipted bundles still takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Whether one more bundle may leave.
    pub(crate) bundle: bool,
    /// Bytes of numbered messages it may hold.
    pub(crate) bytes: u64,
}

/// Chooses from what has come due again and from what has not left yet, each in order of position.
///
/// What is due goes first and without regard to the window: it was counted when it first left. Of what has
/// not left, numbered copies go as far as the window has room, in order and without leaving one out;
/// copies without a number go regardless, for receipts must not wait behind what waits for receipts. A
/// copy that no bundle holds goes regardless as well: it will be set aside and take no room.
pub(crate) fn choose(due: &[Candidate], fresh: &[Candidate], room: Room) -> Vec<i64> {
    let mut bundle = Filling::default();
    let mut room = room;
    for candidate in due {
        if !bundle.add(candidate) {
            return bundle.positions();
        }
    }
    for candidate in fresh {
        let takes_room = candidate.numbered && !candidate.is_too_large();
        let fits_window = !takes_room || (room.bundle && candidate.size_bytes <= room.bytes);
        if !fits_window {
            room.bundle = false;
        } else if !bundle.add(candidate) {
            break;
        } else if takes_room {
            room.bytes -= candidate.size_bytes;
        }
    }
    bundle.positions()
}

#[derive(Default)]
struct Filling {
    positions: Vec<i64>,
    size_bytes: u64,
}

impl Filling {
    /// `false`: it is full. A copy too large for any bundle goes alone, to be set aside when its bytes say
    /// the same.
    fn add(&mut self, candidate: &Candidate) -> bool {
        let size_bytes = self.size_bytes.saturating_add(candidate.size_bytes);
        let fits = size_bytes <= bundle_bytes_max();
        let full = self.positions.len() >= BUNDLE_MESSAGES_MAX || !(fits || self.positions.is_empty());
        if !full {
            self.size_bytes = size_bytes;
            self.positions.push(candidate.position);
        }
        !full
    }

    fn positions(mut self) -> Vec<i64> {
        self.positions.sort_unstable();
        self.positions
    }
}

fn bundle_bytes_max() -> u64 {
    u64::try_from(BUNDLE_BYTES_MAX).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const OPEN: Room = Room { bundle: true, bytes: 4 << 20 };
    const SHUT: Room = Room { bundle: false, bytes: 4 << 20 };

    fn numbered(position: i64, size_bytes: u64) -> Candidate {
        Candidate { position, size_bytes, numbered: true }
    }

    fn plain(position: i64) -> Candidate {
        Candidate { position, size_bytes: 500, numbered: false }
    }

    #[test]
    fn a_shut_window_holds_back_what_is_new_and_lets_receipts_and_the_due_go() {
        let (due, fresh) = ([numbered(1, 900)], [numbered(5, 900), plain(6), numbered(7, 900)]);
        assert_eq!(choose(&due, &fresh, SHUT), [1, 6]);
        assert_eq!(choose(&due, &fresh, OPEN), [1, 5, 6, 7]);
    }

    #[test]
    fn nothing_overtakes_within_a_stream() {
        let fresh = [numbered(1, 900), numbered(2, 5000), numbered(3, 900), plain(4)];
        assert_eq!(choose(&[], &fresh, Room { bundle: true, bytes: 2000 }), [1, 4]);
    }

    #[test]
    fn what_fits_no_bundle_goes_alone() {
        assert_eq!(choose(&[numbered(1, u64::MAX), numbered(2, 1)], &[], OPEN), [1]);
    }

    #[test]
    fn what_fits_no_bundle_waits_for_no_window() {
        let fresh = [numbered(1, u64::MAX), numbered(2, 900)];
        let room = Room { bundle: true, bytes: 2000 };
        assert_eq!(choose(&[], &fresh, room), [1]);
        assert_eq!(choose(&[], &fresh[1..], room), [2]);
    }

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        vec((1_u64..300_000, any::<bool>()), 0..100).prop_map(|shapes| {
            let build = |(position, (size_bytes, numbered))| Candidate { position, size_bytes, numbered };
            (0..).zip(shapes).map(build).collect()
        })
    }

    fn room() -> impl Strategy<Value = Room> {
        (any::<bool>(), 0_u64..2_000_000).prop_map(|(bundle, bytes)| Room { bundle, bytes })
    }

    proptest! {
        #[test]
        fn bundles_and_windows_keep_their_bounds(all in candidates(), split in 0_usize..100, room in room()) {
            let (due, fresh) = all.split_at(split.min(all.len()));
            let chosen = choose(due, fresh, room);
            let taken = |candidate: &&Candidate| chosen.contains(&candidate.position);
            let size = |candidates: &[Candidate], only_numbered: bool| -> u64 {
                let counted = candidates.iter().filter(taken).filter(|one| one.numbered || !only_numbered);
                counted.map(|one| one.size_bytes).sum()
            };
            prop_assert!(chosen.len() <= BUNDLE_MESSAGES_MAX);
            prop_assert!(size(&all, false) <= 1 << 20);
            prop_assert!(chosen.is_sorted());
            let new_bytes = size(fresh, true);
            prop_assert!(new_bytes == 0 || (room.bundle && new_bytes <= room.bytes));
            // Of each stream what leaves is the beginning: nothing is left out in between.
            let due_taken = due.iter().filter(taken).count();
            prop_assert!(due[..due_taken].iter().all(|one| taken(&one)));
            let stream: Vec<_> = fresh.iter().filter(|one| one.numbered).collect();
            let stream_taken = stream.iter().filter(|one| taken(one)).count();
            prop_assert!(stream[..stream_taken].iter().all(taken));
        }

        #[test]
        fn something_leaves_whenever_something_may(all in candidates(), due in 1_usize..100) {
            let (due, fresh) = all.split_at(due.min(all.len()));
            let may = !due.is_empty() || !fresh.is_empty();
            prop_assert_eq!(may, !choose(due, fresh, OPEN).is_empty());
        }
    }
}
