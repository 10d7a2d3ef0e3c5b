//! The trail on a real store.

use std::time::Duration;

use futures::future::join_all;
use rovuma_envelope::digest;
use rovuma_schemas::{
    Digest, Epoch, Timestamp,
    audit::{AuditAck, AuditAction, AuditEvent, AuditPosition, FIRST_PREVIOUS},
};
use rovuma_store::{Conn, FutureExt, Restored, Store, StoreConfig, WriteError};

use crate::{AckOutcome, AuditRecord, MIGRATIONS, Trail, backlog::EventRun};

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("refused on purpose")]
    OnPurpose,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

async fn open_in(dir: &tempfile::TempDir) -> Trail {
    let url = rovuma_lab::postgres::test_store(dir.path(), "trail").expect("a store");
    let store = Store::open(&StoreConfig::at(url), &[MIGRATIONS]).await.expect("opens");
    Trail::new(store, "mz.gateway")
}

async fn open() -> (tempfile::TempDir, Trail) {
    let dir = tempfile::tempdir().expect("a directory");
    let trail = open_in(&dir).await;
    (dir, trail)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_795_457_669_000_000 + seconds * 1_000_000).expect("in range")
}

fn act(seconds: i64) -> AuditRecord {
    AuditRecord::new(at(seconds), "officer-7", AuditAction::MessageRead).object("message", seconds)
}

async fn record(trail: &Trail, seconds: i64) -> AuditPosition {
    let own = trail.clone();
    let recorded =
        trail.store().write(move |tx| async move { own.record(tx, &act(seconds)).await }.boxed()).await;
    recorded.expect("recorded")
}

/// Records and then takes back.
async fn record_in_vain(trail: &Trail) {
    let own = trail.clone();
    let work = trail.store().write(move |tx: &mut Conn| {
        async move {
            own.record(tx, &act(0)).await?;
            Err::<(), _>(Refused::OnPurpose)
        }
        .boxed()
    });
    assert!(matches!(work.await, Err(WriteError::Job(Refused::OnPurpose))));
}

async fn all(trail: &Trail, epoch: Epoch) -> EventRun {
    trail.events_after(epoch, 0).await.expect("reads").expect("something waits")
}

/// Fails unless the events form one chain from the first on.
fn assert_chain(run: &EventRun) {
    let mut previous = FIRST_PREVIOUS;
    for (sequence, body) in (1..).zip(&run.events) {
        let event: AuditEvent = serde_json::from_str(body).expect("an event");
        assert_eq!((event.sequence, event.previous, event.epoch), (sequence, previous, run.epoch));
        previous = digest(body.as_bytes());
    }
}

fn ack(run: &EventRun, sequence: u64) -> AuditAck {
    let index = usize::try_from(sequence - run.first).expect("an index");
    let digest = digest(run.events[index].as_bytes());
    AuditAck { source: "mz.gateway".into(), epoch: run.epoch, sequence, digest, acknowledged_at: at(100) }
}

async fn acknowledge(trail: &Trail, ack: AuditAck) -> AckOutcome {
    let own = trail.clone();
    let done = trail.store().write(move |tx| async move { own.acknowledge(tx, &ack).await }.boxed()).await;
    done.expect("answered")
}

#[tokio::test]
async fn events_recorded_at_once_form_one_chain() {
    let (_dir, trail) = open().await;
    let positions = join_all((1..=100).map(|n| record(&trail, n))).await;
    let mut sequences: Vec<u64> = positions.iter().map(|position| position.sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=100).collect::<Vec<u64>>());
    assert_chain(&all(&trail, trail.store().identity()).await);
}

#[tokio::test]
async fn what_is_taken_back_leaves_no_hole() {
    let (_dir, trail) = open().await;
    record(&trail, 1).await;
    record_in_vain(&trail).await;
    assert_eq!(record(&trail, 2).await.sequence, 2);
    let run = all(&trail, trail.store().identity()).await;
    assert_eq!(run.last, 2);
    assert_chain(&run);
}

#[tokio::test]
async fn the_chain_goes_on_after_a_restart() {
    let (dir, trail) = open().await;
    record(&trail, 1).await;
    drop(trail);
    let trail = open_in(&dir).await;
    assert_eq!(record(&trail, 2).await.sequence, 2);
    assert_chain(&all(&trail, trail.store().identity()).await);
}

#[tokio::test]
async fn two_writers_of_one_source_share_one_chain() {
    let (_dir, trail) = open().await;
    let other = Trail::new(trail.store().clone(), "mz.gateway");
    for n in 0..10 {
        record(if n % 2 == 0 { &trail } else { &other }, n).await;
    }
    assert_chain(&all(&trail, trail.store().identity()).await);
}

#[tokio::test]
async fn a_renamed_store_begins_a_new_epoch_and_keeps_the_old_one() {
    let (_dir, trail) = open().await;
    let first = record(&trail, 1).await;
    let renamed = trail.store().renew_identity().await.expect("renamed");
    let second = record(&trail, 2).await;
    assert_eq!((second.epoch, second.sequence), (renamed, 1));
    assert_eq!(trail.epochs().await.expect("epochs").len(), 2);
    assert_chain(&all(&trail, first.epoch).await);
    assert_chain(&all(&trail, second.epoch).await);
}

async fn record_restore(trail: &Trail) -> Option<Restored> {
    let own = trail.clone();
    let write =
        trail.store().write(move |tx| async move { own.record_restore(tx, "system", at(2)).await }.boxed());
    write.await.expect("looked")
}

#[tokio::test]
async fn a_restore_is_recorded_once_as_the_first_event_of_its_epoch() {
    let (_dir, trail) = open().await;
    let before = record(&trail, 1).await.epoch;
    let renamed = trail.store().renew_identity().await.expect("renamed");
    let restored = record_restore(&trail).await.expect("restored");
    assert_eq!((restored.from, restored.to), (before, renamed));
    assert_eq!(record_restore(&trail).await, None);
    let run = all(&trail, renamed).await;
    assert_eq!(run.last, 1);
    assert_chain(&run);
}

#[tokio::test]
async fn an_acknowledgement_clears_up_to_its_event_and_no_further() {
    let (_dir, trail) = open().await;
    for n in 1..=5 {
        record(&trail, n).await;
    }
    let run = all(&trail, trail.store().identity()).await;
    assert_eq!(acknowledge(&trail, ack(&run, 3)).await, AckOutcome::Cleared(3));
    assert_eq!(acknowledge(&trail, ack(&run, 3)).await, AckOutcome::Already);
    assert_eq!(trail.oldest_unacknowledged().await.expect("reads"), Some(at(4)));
    assert_eq!(trail.unacknowledged().await.expect("counts"), 2);
    assert_eq!(acknowledge(&trail, ack(&run, 5)).await, AckOutcome::Cleared(2));
    assert_eq!(trail.oldest_unacknowledged().await.expect("reads"), None);
    trail.until_acknowledged().await.expect("nothing to wait for");
    assert_eq!(record(&trail, 6).await.sequence, 6, "numbers go on");
}

#[tokio::test]
async fn what_a_restored_copy_still_has_of_a_former_epoch_is_cleared_when_the_log_has_more() {
    let (_dir, trail) = open().await;
    record(&trail, 1).await;
    record(&trail, 2).await;
    let former = trail.store().identity();
    let ahead = AuditAck { sequence: 9, ..ack(&all(&trail, former).await, 2) };
    assert_eq!(
        acknowledge(&trail, ahead.clone()).await,
        AckOutcome::Ahead,
        "of the present epoch it cannot be"
    );
    trail.store().renew_identity().await.expect("renewed");
    record(&trail, 3).await;
    assert_eq!(acknowledge(&trail, ahead.clone()).await, AckOutcome::Cleared(2));
    assert_eq!(acknowledge(&trail, ahead).await, AckOutcome::Cleared(0));
    assert_eq!(trail.unacknowledged().await.expect("counts"), 1, "the present epoch's own");
}

#[tokio::test]
async fn an_acknowledgement_that_does_not_fit_clears_nothing() {
    let (_dir, trail) = open().await;
    record(&trail, 1).await;
    record(&trail, 2).await;
    let fitting = ack(&all(&trail, trail.store().identity()).await, 2);
    let cases = [
        (AuditAck { digest: Digest::from_bytes([7; 32]), ..fitting.clone() }, AckOutcome::DigestMismatch),
        (AuditAck { sequence: 3, ..fitting.clone() }, AckOutcome::Ahead),
        (AuditAck { epoch: Epoch::draw(), ..fitting.clone() }, AckOutcome::Ahead),
        (AuditAck { source: "tz.gateway".into(), ..fitting.clone() }, AckOutcome::NotOurs),
        (AuditAck { sequence: 1, ..fitting }, AckOutcome::DigestMismatch),
    ];
    for (ack, expected) in cases {
        assert_eq!(acknowledge(&trail, ack.clone()).await, expected, "{ack:?}");
        assert_eq!(trail.unacknowledged().await.expect("counts"), 2);
    }
}

#[tokio::test]
async fn overdue_counts_from_the_oldest_event_of_any_epoch() {
    let (_dir, trail) = open().await;
    assert!(!trail.is_overdue(at(1_000_000), Duration::ZERO).await.expect("reads"));
    record(&trail, 10).await;
    trail.store().renew_identity().await.expect("renamed");
    record(&trail, 50).await;
    let limit = Duration::from_secs(60);
    assert!(!trail.is_overdue(at(70), limit).await.expect("reads"));
    assert!(trail.is_overdue(at(71), limit).await.expect("reads"));
}

#[tokio::test]
async fn a_run_is_bounded_in_events_and_in_bytes() {
    let (_dir, trail) = open().await;
    let own = trail.clone();
    let write = trail.store().write(move |tx| {
        async move {
            for n in 0..300 {
                own.record(tx, &act(n)).await?;
            }
            for n in 0..3 {
                own.record(tx, &act(n).detail("padding", "x".repeat(200 * 1024))).await?;
            }
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    write.await.expect("recorded");
    let epoch = trail.store().identity();
    let first = all(&trail, epoch).await;
    assert_eq!((first.first, first.last), (1, 256));
    let second = trail.events_after(epoch, 256).await.expect("reads").expect("more");
    assert_eq!((second.first, second.last), (257, 302), "two large ones fit, three do not");
    let third = trail.events_after(epoch, 302).await.expect("reads").expect("more");
    assert_eq!((third.first, third.last), (303, 303));
    assert_eq!(trail.events_after(epoch, 303).await.expect("reads"), None);
}

/// Jobs that share one transaction: all wait before the first is begun.
async fn together(trail: &Trail, jobs: &[Job]) -> Vec<Option<AuditPosition>> {
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let held = gate.clone();
    let first = trail.store().write(move |_tx| {
        async move {
            held.notified().await;
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    let rest = jobs.iter().map(|job| {
        let (own, job) = (trail.clone(), *job);
        trail.store().write(move |tx| {
            async move {
                let position = own.record(tx, &act(job.seconds)).await?;
                if job.renames {
                    rovuma_store::renew_identity(tx).await?;
                    own.record(tx, &act(job.seconds)).await?;
                }
                if job.fails { Err(Refused::OnPurpose) } else { Ok(position) }
            }
            .boxed()
        })
    });
    // Polled in order: each stands in the queue before the gate opens.
    let opened = async { gate.notify_one() };
    let (_, answers, ()) = futures::join!(first, join_all(rest), opened);
    answers.into_iter().map(Result::ok).collect()
}

#[derive(Clone, Copy, Default)]
struct Job {
    seconds: i64,
    renames: bool,
    fails: bool,
}

fn places(answers: &[Option<AuditPosition>]) -> Vec<Option<u64>> {
    answers.iter().map(|answer| answer.as_ref().map(|place| place.sequence)).collect()
}

#[tokio::test]
async fn jobs_of_one_transaction_share_a_chain_and_leave_out_what_failed() {
    let (_dir, trail) = open().await;
    record(&trail, 1).await;
    let jobs = [1, 2, 3, 4, 5].map(|seconds| Job { seconds, fails: seconds % 2 == 0, ..Job::default() });
    let answers = together(&trail, &jobs).await;
    assert_eq!(places(&answers), [Some(2), None, Some(3), None, Some(4)]);
    let run = all(&trail, trail.store().identity()).await;
    assert_eq!(run.last, 4);
    assert_chain(&run);
}

#[tokio::test]
async fn a_rename_amid_a_transaction_begins_a_chain_of_its_own() {
    let (_dir, trail) = open().await;
    let former = record(&trail, 1).await.epoch;
    let jobs = [
        Job { seconds: 2, ..Job::default() },
        Job { seconds: 3, renames: true, fails: true },
        Job { seconds: 4, ..Job::default() },
        Job { seconds: 5, renames: true, ..Job::default() },
        Job { seconds: 6, ..Job::default() },
    ];
    let answers = together(&trail, &jobs).await;
    assert_eq!(places(&answers), [Some(2), None, Some(3), Some(4), Some(2)]);
    let present = trail.store().refresh_identity().await.expect("reads");
    assert_eq!(answers[4].as_ref().map(|place| place.epoch), Some(present));
    for (epoch, last) in [(former, 4), (present, 2)] {
        let run = all(&trail, epoch).await;
        assert_eq!(run.last, last);
        assert_chain(&run);
    }
}

#[tokio::test]
async fn a_second_trail_of_one_source_cannot_take_the_place_of_the_first() {
    let (_dir, trail) = open().await;
    let (one, other) = (trail.clone(), Trail::new(trail.store().clone(), "mz.gateway"));
    let both = trail.store().write(move |tx| {
        async move {
            one.record(tx, &act(1)).await?;
            other.record(tx, &act(2)).await
        }
        .boxed()
    });
    assert!(both.await.is_err(), "two events in one place");
    assert_eq!(trail.unacknowledged().await.expect("counts"), 0);
    assert_eq!(record(&trail, 3).await.sequence, 1);
}
