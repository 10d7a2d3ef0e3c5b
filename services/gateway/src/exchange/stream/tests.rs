//! Streams on a real store.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use rovuma_store::{FutureExt, Store, StoreConfig};

use super::*;

struct StreamFixture {
    store: Store,
    key: IncomingStreamKey,
    _folder: tempfile::TempDir,
}

fn at(second: u64) -> Timestamp {
    let start: Timestamp = "2026-11-23T18:00:00Z".parse().expect("RFC 3339");
    start.plus(Duration::from_secs(second))
}

fn progress(next: u64, last: u64, gap_since: Option<u64>, ranges: usize) -> Progress {
    Progress { next, last, gap_since: gap_since.map(at), ranges }
}

impl StreamFixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = rovuma_lab::postgres::test_store(folder.path(), "gateway").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[crate::service::MIGRATIONS]).await.expect("a store");
        let key = IncomingStreamKey {
            recipient: "tz.tpf".parse().expect("an agency"),
            sender: "mz.prm".parse().expect("an agency"),
            lane: Lane::Normal,
            stream: StreamId::draw(),
        };
        Self { store, key, _folder: folder }
    }

    async fn note_in(&self, key: &IncomingStreamKey, brought: Brought, second: u64) -> Noted {
        let key = key.clone();
        let write = self.store.write(move |tx| {
            async move {
                match note(tx, &key, &brought, at(second)).await? {
                    Some(noted) => Ok::<_, DbError>(noted),
                    None => begin(tx, &key, &brought, at(second)).await,
                }
            }
            .boxed()
        });
        write.await.expect("noted")
    }

    async fn receive(&self, numbers: &[u64], second: u64) -> Progress {
        let brought = Brought { numbers: NumberSet::of(numbers.iter().copied()), announced: None };
        self.note_in(&self.key, brought, second).await.after
    }

    async fn announce(&self, last: u64, voided: &[u64], second: u64) -> Progress {
        let brought = Brought { numbers: NumberSet::of(voided.iter().copied()), announced: Some(last) };
        self.note_in(&self.key, brought, second).await.after
    }

    async fn missing(&self) -> Vec<numbers::Range> {
        let key = self.key.clone();
        let write = self.store.write(move |tx| {
            async move {
                let progress = load(tx, &key).await?.expect("a stream");
                let missing = missing(tx, &key, progress, 100).await?;
                let count = missing_count(tx, &key, progress).await?;
                Ok::<_, DbError>((missing, count))
            }
            .boxed()
        });
        let (missing, count) = write.await.expect("read");
        assert!(missing.count() == count || missing.ranges().len() == 100);
        missing.ranges().to_vec()
    }

    async fn requests(&self) -> i64 {
        let query = sqlx::query_scalar("SELECT requests FROM stream_in");
        query.fetch_one(self.store.read()).await.expect("reads")
    }

    async fn request(&self, to: u64) {
        let key = self.key.clone();
        let write =
            self.store.write(move |tx| async move { note_requested(tx, &key, to, at(0)).await }.boxed());
        write.await.expect("noted");
    }

    async fn rows(&self) -> i64 {
        let query = sqlx::query_scalar("SELECT COUNT(*) FROM stream_ahead");
        query.fetch_one(self.store.read()).await.expect("reads")
    }
}

#[tokio::test]
async fn numbers_in_order_leave_no_gap() {
    let stream = StreamFixture::new().await;
    assert_eq!(stream.receive(&[1, 2, 3], 0).await, progress(4, 3, None, 0));
    assert!(stream.missing().await.is_empty());
}

#[tokio::test]
async fn a_gap_has_the_time_at_which_it_opened_and_closes() {
    let stream = StreamFixture::new().await;
    stream.receive(&[1, 3, 6], 10).await;
    assert_eq!(stream.receive(&[7], 20).await, progress(2, 7, Some(10), 2));
    assert_eq!(stream.missing().await, [(2, 2), (4, 5)]);
    assert_eq!(
        stream.receive(&[4, 5], 30).await,
        progress(2, 7, Some(10), 1),
        "2 has been missing all along"
    );
    assert_eq!(stream.receive(&[2], 40).await, progress(8, 7, None, 0));
    assert!(stream.missing().await.is_empty());
    assert_eq!(stream.rows().await, 0);
}

#[tokio::test]
async fn a_gap_keeps_its_age_when_an_earlier_number_comes() {
    let stream = StreamFixture::new().await;
    stream.receive(&[2, 4], 10).await;
    assert_eq!(stream.receive(&[1], 50).await, progress(3, 4, Some(10), 1));
}

#[tokio::test]
async fn what_is_only_announced_is_missing_and_what_is_void_is_not() {
    let stream = StreamFixture::new().await;
    stream.receive(&[1], 0).await;
    assert_eq!(stream.announce(4, &[3], 5).await, progress(2, 4, Some(5), 1));
    assert_eq!(stream.missing().await, [(2, 2), (4, 4)]);
    assert_eq!(stream.announce(4, &[2, 4], 7).await, progress(5, 4, None, 0));
}

#[tokio::test]
async fn the_same_number_again_changes_nothing() {
    let stream = StreamFixture::new().await;
    let once = stream.receive(&[1, 2, 5], 0).await;
    assert_eq!(stream.receive(&[1, 2, 2, 1, 5], 9).await, once);
    assert_eq!(stream.announce(2, &[1], 9).await, once);
}

#[tokio::test]
async fn new_numbers_and_known_ones_are_told_apart() {
    let stream = StreamFixture::new().await;
    stream.receive(&[1, 2, 5, 6], 0).await;
    let brought = Brought { numbers: [(2, 3), (6, 8)].into_iter().collect(), announced: None };
    let noted = stream.note_in(&stream.key, brought, 1).await;
    assert_eq!(noted.new.ranges(), [(3, 3), (7, 8)]);
    assert_eq!(noted.known.ranges(), [(2, 2), (6, 6)]);
}

#[tokio::test]
async fn back_off_begins_anew_when_all_that_was_requested_has_come() {
    let stream = StreamFixture::new().await;
    stream.receive(&[9], 0).await;
    for _ in 0..3 {
        stream.request(4).await;
    }
    stream.receive(&[11], 1).await;
    assert_eq!(stream.requests().await, 3, "none of them has come");
    stream.receive(&[1, 2], 1).await;
    assert_eq!(stream.requests().await, 1, "some have");
    stream.receive(&[3, 4], 1).await;
    assert_eq!(stream.requests().await, 0, "all have, and more is missing");
}

#[tokio::test]
async fn numbers_far_ahead_are_not_kept_and_count_as_missing() {
    let stream = StreamFixture::new().await;
    let furthest = 1 + AHEAD_MAX;
    let noted = stream
        .note_in(&stream.key, Brought { numbers: NumberSet::of([NUMBER_MAX]), announced: None }, 0)
        .await;
    assert_eq!(noted.after, progress(1, furthest, Some(0), 0));
    assert!(noted.beyond.is_some_and(|why| why.contains(&NUMBER_MAX.to_string())));
    assert_eq!(stream.announce(NUMBER_MAX, &[NUMBER_MAX - 1], 1).await.last, furthest);
    assert_eq!(stream.rows().await, 0);
    // Each step that closes the beginning of the gap shows more of it.
    assert_eq!(stream.receive(&[1, 2], 2).await.last, furthest);
    assert_eq!(stream.announce(NUMBER_MAX, &[], 3).await.last, furthest + 2);
}

/// What a partner with a valid key can write with a few bytes: every second number, again and again, as far as it likes.
#[tokio::test]
async fn a_partner_that_scatters_numbers_fills_a_bounded_number_of_rows_quickly() {
    let stream = StreamFixture::new().await;
    let most = i64::try_from(RANGES_MAX).expect("few");
    for status in 0..30_u64 {
        let first = 3 + status * 8192;
        let numbers = NumberSet::of((0..4096).map(|index| first + 2 * index));
        stream.note_in(&stream.key, Brought { numbers, announced: Some(NUMBER_MAX) }, status).await;
        assert!(stream.rows().await <= most);
    }
    let kept = ranges_kept(&stream).await;
    assert_eq!(kept, most);
    // Another of these, and an honest number, take milliseconds.
    let begun = Instant::now();
    let numbers = NumberSet::of((0..1024).map(|index| 4 + 2 * index));
    stream.note_in(&stream.key, Brought { numbers, announced: Some(9000) }, 40).await;
    stream.receive(&[1], 41).await;
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    assert_eq!(stream.missing().await[0], (2, 2));
    // The beginning of the gap always closes, however full the store is.
    assert_eq!(stream.receive(&[2], 42).await.next, 2051);
}

async fn ranges_kept(stream: &StreamFixture) -> i64 {
    let query = sqlx::query_scalar("SELECT ranges FROM stream_in");
    let ranges: i64 = query.fetch_one(stream.store.read()).await.expect("reads");
    assert_eq!(ranges, stream.rows().await, "the count is that of the rows");
    ranges
}

#[tokio::test]
async fn of_many_streams_the_latest_are_kept_and_a_gap_is_not_given_up_silently() {
    let stream = StreamFixture::new().await;
    let keys: Vec<IncomingStreamKey> = (0..STREAMS_PER_LANE_MAX + 2)
        .map(|_| IncomingStreamKey { stream: StreamId::draw(), ..stream.key.clone() })
        .collect();
    let mut closed = Vec::new();
    for (second, key) in (0..).zip(&keys) {
        // The first is complete, the second lacks a number.
        let numbers = if second == 1 { [2].as_slice() } else { [1].as_slice() };
        let brought = Brought { numbers: NumberSet::of(numbers.iter().copied()), announced: None };
        closed.extend(stream.note_in(key, brought, second).await.closed);
    }
    assert_eq!(
        closed,
        [
            ClosedStream { stream: keys[0].stream, gap: None },
            ClosedStream { stream: keys[1].stream, gap: Some((1, 2, at(1))) }
        ]
    );
    let other_lane = IncomingStreamKey { lane: Lane::Urgent, ..stream.key.clone() };
    assert_eq!(stream.note_in(&other_lane, Brought::default(), 99).await.closed, [], "each lane has its own");
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM stream_in WHERE lane = 'normal'")
        .fetch_one(stream.store.read())
        .await
        .expect("reads");
    assert_eq!(usize::try_from(rows), Ok(STREAMS_PER_LANE_MAX));
    assert_eq!(stream.rows().await, 0, "the ranges of a closed stream are gone");
}

/// A stream is the same whatever the order and the portions in which its numbers come.
#[test]
fn a_stream_is_like_a_set_of_numbers() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let portions = proptest::collection::vec(proptest::collection::vec(1_u64..40, 0..8), 1..10);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(30));
    let checked = runner.run(&portions, |portions| {
        runtime.block_on(async {
            let stream = StreamFixture::new().await;
            let mut model = BTreeSet::new();
            for portion in portions {
                let before = model.clone();
                model.extend(portion.iter().copied());
                let brought = Brought { numbers: NumberSet::of(portion.iter().copied()), announced: None };
                let noted = stream.note_in(&stream.key, brought, 0).await;
                let next = (1..).find(|number| !model.contains(number)).expect("one is missing");
                let last = model.last().copied().unwrap_or(0);
                prop_assert_eq!((noted.after.next, noted.after.last), (next, last));
                prop_assert_eq!(noted.new, NumberSet::of(model.difference(&before).copied()));
                let known = portion.iter().copied().filter(|number| before.contains(number));
                prop_assert_eq!(noted.known, NumberSet::of(known));
                let missing = NumberSet::of((1..=last).filter(|number| !model.contains(number)));
                prop_assert_eq!(stream.missing().await, missing.ranges());
                ranges_kept(&stream).await;
            }
            Ok(())
        })
    });
    checked.expect("like a set");
}
