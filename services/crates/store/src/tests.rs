//! The store on real files.

use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use rovuma_lab::postgres::{test_store, tests_use_postgres};
use sqlx::Row;
use tokio::sync::Notify;

mod probe;
mod restore;
mod rewrite;

use crate::{Conn, DeferredRows, Insert, Migrations, OpenError, Step, Store, StoreConfig, WriteError};

const NOTES: Migrations = Migrations {
    steps: &[Step {
        version: 1001,
        name: "notes",
        sql: "CREATE TABLE note (n BIGINT PRIMARY KEY, body BYTES)",
    }],
};

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("refused on purpose")]
    OnPurpose,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

fn config(dir: &tempfile::TempDir) -> StoreConfig {
    StoreConfig::at(test_store(dir.path(), "a store").expect("a store"))
}

async fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(&config(&dir), &[NOTES]).await.expect("opens");
    (dir, store)
}

async fn note(tx: &mut Conn, n: i64) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO note (n, body) VALUES ($1, $2)")
        .bind(n)
        .bind(Option::<Vec<u8>>::None)
        .execute(tx)
        .await
        .map(|_| ())
}

async fn notes(store: &Store) -> Vec<i64> {
    let rows = sqlx::query("SELECT n FROM note ORDER BY n").fetch_all(store.read()).await.expect("reads");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn what_was_answered_is_there_and_what_failed_is_not() {
    let (_dir, store) = open().await;
    let jobs = (0..50).map(|n| {
        store.write(move |tx| {
            async move {
                note(tx, n).await?;
                if n % 3 == 0 { Err(Refused::OnPurpose) } else { Ok(n) }
            }
            .boxed()
        })
    });
    let answers = futures::future::join_all(jobs).await;
    for (n, answer) in (0..).zip(answers) {
        match answer {
            Ok(m) => assert!(m == n && n % 3 != 0),
            Err(WriteError::Job(Refused::OnPurpose)) => assert_eq!(n % 3, 0),
            Err(other) => panic!("{other}"),
        }
    }
    let kept: Vec<i64> = (0..50).filter(|n| n % 3 != 0).collect();
    assert_eq!(notes(&store).await, kept);
}

#[tokio::test]
async fn jobs_that_wait_together_share_a_commit() {
    let (_dir, store) = open().await;
    let before = store.commit_count();
    let jobs = (0..200).map(|n| store.write(move |tx| note(tx, n).boxed()));
    for answer in futures::future::join_all(jobs).await {
        answer.expect("written");
    }
    let commits = store.commit_count() - before;
    assert!(commits <= 20, "{commits} commits for 200 jobs");
}

#[tokio::test]
async fn a_violated_constraint_harms_only_its_own_job() {
    let (_dir, store) = open().await;
    let twice = [1, 1, 2].map(|n| store.write(move |tx| note(tx, n).boxed()));
    let answers = futures::future::join_all(twice).await;
    assert!(answers[0].is_ok() && answers[2].is_ok());
    let clash = answers[1].as_ref().expect_err("1 is taken");
    assert!(matches!(clash, WriteError::Job(sqlx::Error::Database(_))), "{clash}");
    assert_eq!(notes(&store).await, [1, 2]);
}

#[tokio::test]
async fn a_panic_harms_only_its_own_job() {
    let (_dir, store) = open().await;
    let faulty = store.write(|tx| {
        async move {
            note(tx, 1).await?;
            assert!(std::hint::black_box(false), "on purpose");
            Ok::<_, Refused>(())
        }
        .boxed()
    });
    let fine = store.write(|tx| note(tx, 2).boxed());
    let (faulty, fine) = futures::join!(faulty, fine);
    let faulty = faulty.expect_err("it panicked");
    assert!(matches!(faulty, WriteError::Panicked) && fine.is_ok());
    assert!(!faulty.is_transient(), "it would panic again");
    assert!(!faulty.to_string().contains("on purpose"), "what it panicked with is not told: {faulty}");
    assert!(matches!(faulty.map_job(|_| "another"), WriteError::Panicked));
    assert_eq!(notes(&store).await, [2]);
}

/// Submits the jobs of a future that has not been polled yet so that they share a transaction. The writer of a file has a
/// thread of its own: a job that waits holds it until all of them wait too.
async fn together<F: Future>(store: &Store, jobs: F) -> F::Output {
    let (open, opened) = tokio::sync::oneshot::channel::<()>();
    let gate = store.write(move |_| {
        async move {
            opened.await.expect("it is opened");
            Ok::<_, Refused>(())
        }
        .boxed()
    });
    // The gate's own answer is that of the whole transaction.
    let (_, outcome, ()) = futures::join!(gate, jobs, async { open.send(()).expect("the gate waits") });
    outcome
}

fn deferred_notes(store: &Store) -> Arc<DeferredRows<i64>> {
    let insert = Insert { into: "INSERT INTO note (n)", columns: 1, then: "" };
    DeferredRows::new(store, insert, |query, n| query.bind(*n))
}

/// Leaves a note for the end of the transaction, and then ends the job with `end`.
async fn leave(
    store: &Store,
    deferred: &Arc<DeferredRows<i64>>,
    n: i64,
    end: fn() -> Result<(), Refused>,
) -> bool {
    let deferred = deferred.clone();
    let left = store.write(move |tx| {
        async move {
            deferred.push(tx, n);
            end()
        }
        .boxed()
    });
    left.await.is_ok()
}

#[tokio::test]
async fn what_a_job_left_stands_or_falls_with_it() {
    let (_dir, store) = open().await;
    let deferred = deferred_notes(&store);
    let before = store.commit_count();
    let jobs = futures::future::join5(
        leave(&store, &deferred, 1, || Ok(())),
        leave(&store, &deferred, 2, || Err(Refused::OnPurpose)),
        leave(&store, &deferred, 3, || Ok(())),
        leave(&store, &deferred, 4, || panic!("on purpose")),
        leave(&store, &deferred, 5, || Ok(())),
    );
    let answers = together(&store, jobs).await;
    assert_eq!(answers, (true, false, true, false, true));
    assert_eq!(store.commit_count() - before, 1, "they are one transaction");
    assert_eq!(notes(&store).await, [1, 3, 5]);
}

/// The jobs that are put in every order: whether a job writes at once, leaves a row, or only reads; and whether it then fails.
const JOBS: [(Action, bool); 5] = [
    (Action::Write, true),
    (Action::Write, false),
    (Action::Leave, true),
    (Action::Leave, false),
    (Action::Read, true),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Action {
    Write,
    Leave,
    Read,
}

/// Savepoints are made when they are needed: whatever stands before a job, it is kept or taken back alone.
#[tokio::test]
async fn jobs_of_every_kind_share_a_transaction_in_every_order() {
    let (_dir, store) = open().await;
    let deferred = deferred_notes(&store);
    let each = 0..JOBS.len();
    let orders =
        each.clone().flat_map(|a| each.clone().flat_map(move |b| (0..JOBS.len()).map(move |c| [a, b, c])));
    for (round, order) in (0_i64..).zip(orders) {
        let before = store.commit_count();
        let jobs = order.into_iter().zip(0_i64..).map(|(which, place)| {
            let ((action, succeeds), deferred) = (JOBS[which], deferred.clone());
            let n = round * 10 + place;
            store.write(move |tx| {
                async move {
                    match action {
                        Action::Write => note(tx, n).await.map_err(Refused::from)?,
                        Action::Leave => deferred.push(tx, n),
                        Action::Read => drop(sqlx::query("SELECT 1").fetch_one(&mut *tx).await?),
                    }
                    if succeeds { Ok(()) } else { Err(Refused::OnPurpose) }
                }
                .boxed()
            })
        });
        let answers = together(&store, futures::future::join_all(jobs)).await;
        let actions = order.map(|which| JOBS[which]);
        let expected: Vec<i64> = actions
            .iter()
            .zip(round * 10..)
            .filter(|((action, succeeds), _)| *succeeds && *action != Action::Read)
            .map(|(_, n)| n)
            .collect();
        let found: Vec<i64> = notes(&store).await.into_iter().filter(|n| n / 10 == round).collect();
        assert_eq!(found, expected, "{actions:?}");
        for (answer, (_, succeeds)) in answers.iter().zip(actions) {
            assert_eq!(answer.is_ok(), succeeds, "{actions:?}: {answer:?}");
        }
        let is_touched = actions.iter().any(|(action, succeeds)| *action != Action::Leave || *succeeds);
        assert_eq!(
            store.commit_count() - before,
            u64::from(is_touched),
            "one transaction, or none: {actions:?}"
        );
    }
}

#[tokio::test]
async fn a_deferred_row_that_is_refused_leaves_nothing_behind() {
    let (_dir, store) = open().await;
    let deferred = deferred_notes(&store);
    let jobs =
        futures::future::join(leave(&store, &deferred, 1, || Ok(())), leave(&store, &deferred, 1, || Ok(())));
    let (one, again) = together(&store, jobs).await;
    assert!(!one && !again, "nobody can tell whose it is");
    assert!(notes(&store).await.is_empty());
    assert!(leave(&store, &deferred, 2, || Ok(())).await);
    assert_eq!(notes(&store).await, [2]);
}

#[tokio::test]
async fn a_full_disk_is_refused_clearly_and_loses_nothing() {
    if tests_use_postgres() {
        // A server's disk cannot be limited from a session: `failures_of_the_server_are_told_apart` has its code.
        return;
    }
    let (_dir, store) = open().await;
    store.write(|tx| note(tx, 1).boxed()).await.expect("room for one");
    // SQLite's own limit gives the error that a full disk gives.
    let limit = |sql: &'static str| {
        store.write(move |tx| async move { sqlx::query(sql).execute(tx).await.map(|_| ()) }.boxed())
    };
    limit("PRAGMA max_page_count = 1").await.expect("limited to what there is");
    let large = store.write(|tx| {
        async move {
            sqlx::query("INSERT INTO note (n, body) VALUES (2, $1)")
                .bind(vec![7_u8; 1 << 20])
                .execute(tx)
                .await?;
            Ok::<_, Refused>(())
        }
        .boxed()
    });
    let refused = large.await.expect_err("no room");
    assert!(matches!(refused, WriteError::Full), "{refused}");
    assert!(refused.is_transient());
    limit("PRAGMA max_page_count = 100000").await.expect("room again");
    store.write(|tx| note(tx, 3).boxed()).await.expect("writes again");
    assert_eq!(notes(&store).await, [1, 3]);
}

#[tokio::test]
async fn a_caller_that_goes_away_changes_nothing() {
    let (_dir, store) = open().await;
    let (started, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let caller = tokio::spawn({
        let (store, started, gate) = (store.clone(), Arc::clone(&started), Arc::clone(&gate));
        async move {
            store
                .write(move |tx| {
                    async move {
                        started.notify_one();
                        gate.notified().await;
                        note(tx, 1).await
                    }
                    .boxed()
                })
                .await
        }
    });
    started.notified().await;
    caller.abort();
    assert!(caller.await.is_err_and(|fault| fault.is_cancelled()));
    gate.notify_one();
    store.write(|tx| note(tx, 2).boxed()).await.expect("written");
    assert_eq!(notes(&store).await, [1, 2]);
}

#[tokio::test]
async fn one_process_writes_and_the_second_is_told_who() {
    let (dir, store) = open().await;
    let refused = Store::open(&config(&dir), &[NOTES]).await.expect_err("in use");
    let own = std::process::id().to_string();
    assert!(matches!(&refused, OpenError::InUse { holder, .. } if holder.contains(&own)), "{refused}");
    drop(store);
    let again = Store::open(&config(&dir), &[NOTES]).await;
    assert!(again.is_ok(), "the lock ends with its holder");
}

#[tokio::test]
async fn readers_cannot_write() {
    let (_dir, store) = open().await;
    assert!(notes(&store).await.is_empty());
    let refused = sqlx::query("INSERT INTO note (n) VALUES (1)").execute(store.read()).await;
    assert!(matches!(refused, Err(sqlx::Error::Database(_))), "{refused:?}");
}

/// A caller that goes away leaves its query behind: the connection is lent again when that is over, and not before.
#[tokio::test]
async fn a_reader_whose_query_was_left_behind_is_lent_again() {
    let (_dir, store) = open().await;
    store.write(|tx| note(tx, 1).boxed()).await.expect("writes");
    for _ in 0..20 {
        let mut numbers = sqlx::query(
            "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000) SELECT n FROM number",
        )
        .fetch(store.read());
        let first = numbers.next().await.expect("one at least").expect("reads");
        assert_eq!(first.get::<i64, _>(0), 1);
    }
    let mut reader = store.read().acquire().await.expect("a reader");
    assert!(!reader.is_unfinished(), "somebody's query is still running on it");
    let row = sqlx::query("SELECT n FROM note").fetch_one(&mut *reader).await.expect("reads");
    assert_eq!(row.get::<i64, _>(0), 1);
}

/// A job that takes no notice of it writes nothing outside a transaction.
#[tokio::test]
async fn a_transaction_that_cannot_begin_is_refused_whatever_the_job_says() {
    if tests_use_postgres() {
        // There a writer waits for its turn instead.
        return;
    }
    let (dir, store) = open().await;
    let impatient = store.write(|tx| {
        async move { sqlx::query("PRAGMA busy_timeout = 20").execute(tx).await.map(|_| ()) }.boxed()
    });
    impatient.await.expect("says how long to wait");
    let mut other = Conn::connect(&config(&dir).url).await.expect("connects");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("nobody writes");
    let stubborn = store.write(move |tx| {
        async move {
            let first = note(&mut *tx, 1).await;
            sqlx::query("ROLLBACK").execute(&mut other).await?;
            let second = note(tx, 2).await;
            assert!(first.is_err() && second.is_err());
            Ok::<_, Refused>(())
        }
        .boxed()
    });
    let stubborn = stubborn.await;
    assert!(matches!(stubborn, Err(WriteError::Busy)), "{stubborn:?}");
    store.write(|tx| note(tx, 4).boxed()).await.expect("writes again");
    assert_eq!(notes(&store).await, [4]);
}

#[tokio::test]
async fn the_identity_stays_until_it_is_renewed() {
    let (dir, store) = open().await;
    let first = store.identity();
    drop(store);
    let store = Store::open(&config(&dir), &[NOTES]).await.expect("opens again");
    assert_eq!(store.identity(), first);
    let second = store.renew_identity().await.expect("renewed");
    assert!(second != first && store.identity() == second);
    drop(store);
    let store = Store::open(&config(&dir), &[]).await.expect("an older build opens it too");
    assert_eq!(store.identity(), second);
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    const OTHER: &[Step] = &[Step { version: 1001, name: "notes", sql: "CREATE TABLE other (n BIGINT)" }];
    const CHANGED: Migrations = Migrations { steps: OTHER };
    let (dir, store) = open().await;
    drop(store);
    let refused = Store::open(&config(&dir), &[CHANGED]).await.expect_err("changed");
    assert!(matches!(refused, OpenError::Migrate(_)), "{refused}");
}

#[tokio::test]
async fn a_migration_that_is_not_in_the_common_dialect_is_refused() {
    const OPEN_BLOCK: &[Step] = &[Step { version: 1001, name: "open", sql: "--@ only sqlite\nSELECT 1" }];
    let dir = tempfile::tempdir().expect("a directory");
    let opened = Store::open(&config(&dir), &[Migrations { steps: OPEN_BLOCK }]).await;
    let refused = opened.expect_err("its block has no end");
    assert_eq!(refused.to_string(), "migration 1001 open: the block begun on line 1 has no `--@ end`");
}

#[tokio::test]
async fn a_server_shares_a_store_only_among_those_that_want_to() {
    let (dir, alone) = open().await;
    assert!(alone.is_exclusive());
    let refused = Store::open_shared(&config(&dir), &[NOTES]).await.expect_err("it is one process's");
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    drop(alone);
    let first = Store::open_shared(&config(&dir), &[NOTES]).await.expect("opens");
    let second = Store::open_shared(&config(&dir), &[NOTES]).await;
    if first.is_exclusive() {
        assert!(matches!(second, Err(OpenError::InUse { .. })), "a file is one process's");
        return;
    }
    let second = second.expect("opens beside the first");
    assert_eq!(first.identity(), second.identity());
    let refused = Store::open(&config(&dir), &[NOTES]).await.expect_err("it is shared");
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    let mut heard = second.commits();
    first.write(|tx| note(tx, 1).boxed()).await.expect("written");
    heard.wait_for(|commits| commits.others > 1).await.expect("the second hears of it");
    assert_eq!(notes(&second).await, [1]);
}

/// Reads the highest number and writes the next.
async fn next_note(store: &Store) -> Result<(), WriteError<sqlx::Error>> {
    let work = store.write(|tx| {
        async move {
            let query = sqlx::query("SELECT COALESCE(MAX(n), 0) + 1 AS next FROM note");
            let next = query.fetch_one(&mut *tx).await?.try_get("next")?;
            note(tx, next).await
        }
        .boxed()
    });
    work.await
}

#[tokio::test]
async fn transactions_of_two_processes_stand_one_after_another() {
    let (dir, alone) = open().await;
    drop(alone);
    let first = Store::open_shared(&config(&dir), &[NOTES]).await.expect("opens");
    if first.is_exclusive() {
        return;
    }
    let second = Store::open_shared(&config(&dir), &[NOTES]).await.expect("opens beside the first");
    let both = (0..200).map(|turn| next_note(if turn % 2 == 0 { &first } else { &second }));
    for answer in futures::future::join_all(both).await {
        answer.expect("written");
    }
    assert_eq!(notes(&first).await, (1..=200).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_duty_is_one_process_at_a_time_and_ends_with_it() {
    let (dir, alone) = open().await;
    drop(alone.take_duty(1).await);
    drop(alone);
    let first = Store::open_shared(&config(&dir), &[NOTES]).await.expect("opens");
    if first.is_exclusive() {
        return;
    }
    let second = Store::open_shared(&config(&dir), &[NOTES]).await.expect("opens beside the first");
    let held = first.take_duty(1).await;
    let _other_duty = second.take_duty(2).await;
    let mut waiting = Box::pin(second.take_duty(1));
    assert!(futures::poll!(&mut waiting).is_pending());
    let done_meanwhile = second.write(|tx| note(tx, 1).boxed());
    tokio::select! {
        _ = &mut waiting => panic!("two have one duty"),
        done = done_meanwhile => done.expect("written"),
    }
    drop(held);
    waiting.await;
}
