//! Streams on a real store.

use std::time::Duration;

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

    async fn receive(&self, numbers: &[u64], second: u64) -> Progress {
        let (key, numbers) = (self.key.clone(), numbers.to_vec());
        let write = self
            .store
            .write(move |tx| async move { note_numbers(tx, &key, &numbers, at(second)).await }.boxed());
        write.await.expect("recorded").1
    }

    async fn announce(&self, last: u64, voided: &[u64], second: u64) -> Progress {
        let (key, voided) = (self.key.clone(), voided.to_vec());
        let write = self.store.write(move |tx| {
            async move { note_announcement(tx, &key, last, &voided, at(second)).await }.boxed()
        });
        write.await.expect("recorded").1
    }

    async fn missing(&self) -> Vec<(u64, u64)> {
        let key = self.key.clone();
        let write = self.store.write(move |tx| {
            async move {
                let progress = load(tx, &key).await?;
                missing_ranges(tx, &key, progress, 100).await
            }
            .boxed()
        });
        write.await.expect("read")
    }
}

#[tokio::test]
async fn numbers_in_order_leave_no_gap() {
    let stream = StreamFixture::new().await;
    assert_eq!(stream.receive(&[1, 2, 3], 0).await, Progress { next: 4, last: 3, gap_since: None });
    assert!(stream.missing().await.is_empty());
}

#[tokio::test]
async fn a_gap_has_the_time_at_which_it_opened_and_closes() {
    let stream = StreamFixture::new().await;
    stream.receive(&[1, 3, 6], 10).await;
    let open = stream.receive(&[7], 20).await;
    assert_eq!(open, Progress { next: 2, last: 7, gap_since: Some(at(10)) });
    assert_eq!(stream.missing().await, [(2, 2), (4, 5)]);
    assert_eq!(stream.receive(&[4, 5], 30).await.gap_since, Some(at(10)), "2 has been missing all along");
    assert_eq!(stream.receive(&[2], 40).await, Progress { next: 8, last: 7, gap_since: None });
    assert!(stream.missing().await.is_empty());
}

#[tokio::test]
async fn a_gap_keeps_its_age_when_an_earlier_number_comes() {
    let stream = StreamFixture::new().await;
    stream.receive(&[2, 4], 10).await;
    assert_eq!(stream.receive(&[1], 50).await, Progress { next: 3, last: 4, gap_since: Some(at(10)) });
}

#[tokio::test]
async fn what_is_only_announced_is_missing_and_what_is_void_is_not() {
    let stream = StreamFixture::new().await;
    stream.receive(&[1], 0).await;
    let announced = stream.announce(4, &[3], 5).await;
    assert_eq!(announced, Progress { next: 2, last: 4, gap_since: Some(at(5)) });
    assert_eq!(stream.missing().await, [(2, 2), (4, 4)]);
    // A number beyond the last cannot be void: it has not been given out.
    assert_eq!(stream.announce(4, &[9], 6).await.last, 4);
    assert_eq!(stream.announce(4, &[2, 4], 7).await, Progress { next: 5, last: 4, gap_since: None });
}

#[tokio::test]
async fn the_same_number_again_changes_nothing() {
    let stream = StreamFixture::new().await;
    let once = stream.receive(&[1, 2], 0).await;
    assert_eq!(stream.receive(&[1, 2, 2, 1], 9).await, once);
    assert_eq!(stream.announce(2, &[1], 9).await, once);
}
