//! Chooses the copies that leave in one bundle, by sizes and counts alone.

use rovuma_envelope::{BUNDLE_BYTES_MAX, BUNDLE_MESSAGES_MAX};

/// A copy that may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its position in the order of leaving.
    pub(crate) position: i64,
    /// Its size in a bundle.
    pub(crate) size_bytes: u64,
    /// Whether it is numbered: then a receipt answers it, and it counts in the window.
    pub(crate) numbered: bool,
}

impl Candidate {
    /// Whether it is larger than any bundle.
    fn is_too_large(&self) -> bool {
        self.size_bytes > bundle_bytes_max()
    }
}

/// The room left in the window of bundles without a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WindowRoom {
    /// Whether one more bundle may leave.
    pub(crate) bundle: bool,
    /// Bytes of numbered messages it may hold.
    pub(crate) bytes: u64,
}

/// Chooses from the copies that have come due again, from those that have not left yet, and from the settled ones that the
/// recipient requested again, each in order of position.
///
/// Due copies come first, without regard to the window, which counted them when they first left. Settled ones come last, in
/// the room that the others leave: one request must not hold up what is new. The window, which holds fresh copies back,
/// gives them their turn. Of the fresh ones, numbered copies are chosen as far as the window has room, in order and without leaving one out. Copies without a
/// number need no room, for receipts must not wait behind messages that wait for receipts. A copy that is larger than any
/// bundle needs no room either: it is chosen alone, and then made void.
pub(crate) fn choose(
    due: &[Candidate],
    fresh: &[Candidate],
    again: &[Candidate],
    room: WindowRoom,
) -> Vec<i64> {
    let mut bundle = BundleFilling::default();
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
            // No later numbered copy may overtake this one.
            room.bundle = false;
        } else if !bundle.add(candidate) {
            break;
        } else if takes_room {
            room.bytes -= candidate.size_bytes;
        }
    }
    for candidate in again {
        if !bundle.add(candidate) {
            break;
        }
    }
    bundle.positions()
}

#[derive(Default)]
struct BundleFilling {
    positions: Vec<i64>,
    size_bytes: u64,
}

impl BundleFilling {
    /// Adds a copy; `false` when the bundle has no room for it. A copy too large for any bundle is taken alone: once its
    /// bytes are loaded and confirm that, it is made void.
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

    const OPEN: WindowRoom = WindowRoom { bundle: true, bytes: 4 << 20 };
    const SHUT: WindowRoom = WindowRoom { bundle: false, bytes: 4 << 20 };

    fn numbered(position: i64, size_bytes: u64) -> Candidate {
        Candidate { position, size_bytes, numbered: true }
    }

    fn plain(position: i64) -> Candidate {
        Candidate { position, size_bytes: 500, numbered: false }
    }

    #[test]
    fn a_shut_window_holds_back_what_is_new_and_lets_receipts_and_the_due_go() {
        let (due, fresh) = ([numbered(1, 900)], [numbered(5, 900), plain(6), numbered(7, 900)]);
        assert_eq!(choose(&due, &fresh, &[], SHUT), [1, 6]);
        assert_eq!(choose(&due, &fresh, &[], OPEN), [1, 5, 6, 7]);
    }

    #[test]
    fn nothing_overtakes_within_a_stream() {
        let fresh = [numbered(1, 900), numbered(2, 5000), numbered(3, 900), plain(4)];
        assert_eq!(choose(&[], &fresh, &[], WindowRoom { bundle: true, bytes: 2000 }), [1, 4]);
    }

    #[test]
    fn what_fits_no_bundle_goes_alone() {
        assert_eq!(choose(&[numbered(1, u64::MAX), numbered(2, 1)], &[], &[], OPEN), [1]);
    }

    #[test]
    fn what_fits_no_bundle_waits_for_no_window() {
        let fresh = [numbered(1, u64::MAX), numbered(2, 900)];
        let room = WindowRoom { bundle: true, bytes: 2000 };
        assert_eq!(choose(&[], &fresh, &[], room), [1]);
        assert_eq!(choose(&[], &fresh[1..], &[], room), [2]);
    }

    #[test]
    fn what_is_requested_again_takes_the_room_that_is_left() {
        let full: Vec<Candidate> = (100..200).map(|position| numbered(position, 900)).collect();
        let again = [numbered(1, 900), numbered(2, 900)];
        assert!(choose(&[], &full, &again, OPEN).iter().all(|position| *position >= 100));
        assert_eq!(choose(&[], &full, &again, SHUT), [1, 2], "the window holds back what is new");
        assert_eq!(choose(&full[..2], &full[2..3], &again, OPEN), [1, 2, 100, 101, 102]);
    }

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        vec((1_u64..300_000, any::<bool>()), 0..100).prop_map(|shapes| {
            let build = |(position, (size_bytes, numbered))| Candidate { position, size_bytes, numbered };
            (0..).zip(shapes).map(build).collect()
        })
    }

    fn room() -> impl Strategy<Value = WindowRoom> {
        (any::<bool>(), 0_u64..2_000_000).prop_map(|(bundle, bytes)| WindowRoom { bundle, bytes })
    }

    proptest! {
        #[test]
        fn bundles_and_windows_keep_their_bounds(
            all in candidates(), split in 0_usize..100, again in 0_usize..100, room in room()
        ) {
            let (due, fresh) = all.split_at(split.min(all.len()));
            let (fresh, again) = fresh.split_at(again.min(fresh.len()));
            let chosen = choose(due, fresh, again, room);
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
            prop_assert_eq!(may, !choose(due, fresh, &[], OPEN).is_empty());
        }
    }
}
