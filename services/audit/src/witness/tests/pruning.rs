//! Entries of old logs are deleted as the written policy requires; proofs made before still hold.

use std::{cell::Cell, collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use rovuma_runtime::Clock as _;
use rovuma_store::FutureExt as _;
use rovuma_tlog::{
    LogFault, LogFiles, ProofFile, UnverifiedCheckpoint, WholeLog, check_log, leaf_hash, needed_for_inclusion,
};
use sqlx::Row as _;

use super::support::{Installation, both, exchange};
use crate::{
    log::{Lineage, LogEvent, Tree, check_edge, prune},
    testing::Producer,
};

const OLD: &str = "mz.audit/2026";
const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);

/// The files of a log in a folder.
struct Folder(PathBuf);

impl LogFiles for Folder {
    type Fault = std::io::Error;

    fn paths(&self) -> Result<Vec<String>, std::io::Error> {
        let below =
            |path: &PathBuf| path.strip_prefix(&self.0).expect("below").to_string_lossy().into_owned();
        Ok(super::heads::files(&self.0).keys().map(below).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, std::io::Error> {
        std::fs::read(self.0.join(path))
    }
}

fn whole(installation: &Installation) -> Result<(WholeLog, u64), LogFault<std::io::Error, std::io::Error>> {
    let seen = Cell::new(0);
    let look = |_: u64, _: &[u8]| {
        seen.set(seen.get() + 1);
        Ok(())
    };
    Ok((check_log(&Folder(installation.folder(OLD)), &installation.policy, look)?, seen.get()))
}

/// Proves a leaf of the old log against the published head, with the hashes that the store has now.
async fn proof(installation: &Installation, index: u64, leaf: &[u8]) -> ProofFile {
    let tree = Tree::all(installation.store.read()).await.expect("reads").remove(0);
    let size = tree.edge.size();
    let wanted = needed_for_inclusion(size, index).expect("inside");
    let hashes = tree
        .load_tiles(installation.store.read(), size, wanted)
        .await
        .expect("reads")
        .inclusion(index)
        .expect("proved");
    let checkpoint =
        UnverifiedCheckpoint::read(&installation.published(OLD).expect("published")).expect("reads");
    ProofFile { unverified_extra: leaf.to_vec(), index, hashes, checkpoint }
}

fn holds(installation: &Installation, proof: &ProofFile) {
    let head = installation.policy.judge(proof.checkpoint.clone()).good().expect("good").head().clone();
    head.includes(proof.index, leaf_hash(&proof.unverified_extra), &proof.hashes).expect("it is in the log");
}

async fn leaf(installation: &Installation, index: i64) -> Vec<u8> {
    let row = sqlx::query("SELECT leaf FROM entry WHERE entry_index = $1").bind(index);
    row.fetch_one(installation.store.read()).await.expect("an entry").get("leaf")
}

/// How many rows of each table belong to the old log.
async fn left(installation: &Installation, size: u64) -> BTreeMap<&'static str, i64> {
    let mut left = BTreeMap::new();
    for (table, text) in [
        ("entry", "SELECT COUNT(*) FROM entry WHERE entry_index < $1"),
        ("payload", "SELECT COUNT(*) FROM payload WHERE entry_index < $1"),
        ("entry_search", "SELECT COUNT(*) FROM entry_search WHERE entry_index < $1"),
    ] {
        let row = sqlx::query(text)
            .bind(i64::try_from(size).expect("small"))
            .fetch_one(installation.store.read())
            .await;
        left.insert(table, row.expect("counts").get(0));
    }
    left
}

/// Writes events of a source that never writes after 2026: when they are pruned, so is the last event of its chain.
async fn a_source_that_ends(installation: &Installation) {
    let mut source = Producer::with_keys("mz.gateway.closed", Vec::new());
    let (events, epoch) = (source.events(2), source.epoch);
    let (sequencer, now) = (Arc::clone(&installation.sequencer), installation.clock.now());
    let write = installation.store.write(move |tx| {
        async move {
            let mut appender = sequencer.begin(tx, now).await?;
            let (mut lineage, _) = Lineage::find_or_open(tx, "mz.gateway.closed", epoch, now).await?;
            let events = events.into_iter().map(|event| LogEvent::parse(event).expect("an event"));
            appender.append(&mut lineage, events);
            lineage.save(tx, now).await?;
            appender.finish(tx).await
        }
        .boxed()
    });
    write.await.expect("written");
}

/// A log of 2026 that both countries have signed and that is published, and the logs of the two years after it.
async fn three_years() -> (Installation, Installation, u64) {
    let (_, mut mz, tz) = both().await;
    mz.write(600).await.expect("written");
    a_source_that_ends(&mz).await;
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.publish().await;
    let size = mz.tree().await.edge.size();
    for _ in 0..2 {
        for installation in [&mz, &tz] {
            installation.clock.advance(YEAR);
        }
        mz.write(3).await.expect("written");
    }
    (mz, tz, size)
}

#[tokio::test]
async fn entries_are_deleted_after_the_years_of_the_policy_and_every_proof_still_holds() {
    let (mz, _, size) = three_years().await;
    let (first, last) = (leaf(&mz, 7).await, leaf(&mz, 600).await);
    let before = [proof(&mz, 7, &first).await, proof(&mz, 600, &last).await];
    assert_eq!(whole(&mz).expect("it holds").1, size);

    // The evidence of an alarm of that time is a whole batch.
    let alarm = mz.store.write(|tx| {
        async move {
            sqlx::query(
                "INSERT INTO alarm (alarm_id, kind, lineage_id, first_sequence, last_sequence, raised_at, last_seen_at,
                   times, evidence) VALUES (1, 'conflict', 1, 7, 7, 1, 1, 1, $1)",
            )
            .bind(b"a batch".to_vec())
            .execute(tx)
            .await
        }
        .boxed()
    });
    alarm.await.expect("kept");

    mz.pruner.prune_due().await.expect("pruned");
    let row = sqlx::query("SELECT evidence FROM alarm").fetch_one(mz.store.read()).await.expect("an alarm");
    assert_eq!(row.get::<Option<Vec<u8>>, _>("evidence"), None);
    assert!(left(&mz, size).await.values().all(|left| *left == 0), "{:?}", left(&mz, size).await);
    let (log, seen) = whole(&mz).expect("it still holds");
    let said = log.pruned.expect("said so");
    assert_eq!(
        (said.minimum_index, said.policy.as_str(), seen),
        (size, "Diploma Ministerial n.º 12/2027", 0)
    );
    assert!(!mz.folder(OLD).join("tile/entries").exists());
    // Earlier proofs hold, and whoever has a leaf can prove it again.
    before.iter().for_each(|proof| holds(&mz, proof));
    holds(&mz, &proof(&mz, 7, &first).await);
    holds(&mz, &proof(&mz, 600, &last).await);

    // The present log records the pruning, once.
    let found =
        "SELECT COUNT(*) FROM entry_search WHERE action = 'log.prune' AND object_id = 'mz.audit/2026'";
    let count = async |installation: &Installation| -> i64 {
        sqlx::query(found).fetch_one(installation.store.read()).await.expect("counts").get(0)
    };
    mz.pruner.prune_due().await.expect("nothing to do");
    assert_eq!(count(&mz).await, 1);
    let trees = Tree::all(mz.store.read()).await.expect("reads");
    assert_eq!(trees[1].pruned.below, 0, "the year after is kept");

    // The service starts with the pruned log, continues, and makes the files again without the pruned entries.
    check_edge(mz.store.read(), &mz.sequencer).await.expect("it holds");
    let mz = mz.reopened().await;
    mz.publisher.check().await.expect("files and store go together");
    mz.write(2).await.expect("written");
    std::fs::remove_dir_all(mz.folder(OLD)).expect("removed");
    let mz = mz.reopened().await;
    mz.publisher.publish_all().await.expect("made known, and what it lacks said again");
    let (log, seen) = whole(&mz).expect("it holds again");
    assert_eq!((log.pruned.map(|said| said.minimum_index), seen), (Some(size), 0));
}

#[tokio::test]
async fn a_pruning_that_was_interrupted_is_completed() {
    let (mz, _, size) = three_years().await;
    let (sequencer, now) = (Arc::clone(&mz.sequencer), mz.clock.now());
    let decide = mz.store.write(move |tx| {
        async move {
            prune::decide(tx, &sequencer, OLD, "a policy", now).await?;
            // A service that is killed between two writes leaves this state.
            sqlx::query("UPDATE tree SET pruned_below = 100 WHERE origin = $1")
                .bind(OLD)
                .execute(&mut *tx)
                .await?;
            for table in ["payload", "entry_search", "entry"] {
                let text = format!("DELETE FROM {table} WHERE entry_index < 100");
                sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await?;
            }
            Ok::<_, crate::error::DbError>(())
        }
        .boxed()
    });
    decide.await.expect("decided");
    let mz = mz.reopened().await;
    check_edge(mz.store.read(), &mz.sequencer).await.expect("it holds");
    mz.pruner.prune_due().await.expect("goes on");
    assert!(left(&mz, size).await.values().all(|left| *left == 0));
    assert_eq!(
        whole(&mz).expect("it holds").0.pruned.expect("said so").policy,
        "a policy",
        "as it was decided"
    );
}

#[tokio::test]
async fn nothing_is_deleted_before_its_time_or_before_both_have_signed_it_or_by_other_statements() {
    let (mz, _, size) = three_years().await;
    let all = i64::try_from(size).expect("small");
    let delete = mz.store.write(|tx| {
        async move {
            for table in ["payload", "entry_search", "entry"] {
                let text = format!("DELETE FROM {table} WHERE entry_index = 7");
                sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await?;
            }
            Ok::<_, crate::error::DbError>(())
        }
        .boxed()
    });
    let refused = delete.await.expect_err("the database refuses it").to_string();
    assert!(refused.contains("only appended to"), "{refused}");

    // Its last head was never cosigned.
    let unsigned = mz.store.write(|tx| {
        async move { sqlx::query("UPDATE checkpoint SET settled_at = NULL").execute(tx).await }.boxed()
    });
    unsigned.await.expect("written");
    mz.pruner.prune_due().await.expect("looked");
    assert_eq!(left(&mz, size).await["entry"], all);

    // One year later is too early.
    let (_, mut mz, tz) = both().await;
    mz.write(5).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.clock.advance(YEAR);
    mz.write(1).await.expect("written");
    // A clock that leaps far ahead makes no log old.
    mz.clock.advance(YEAR * 20);
    mz.pruner.prune_due().await.expect("looked");
    assert_eq!(left(&mz, 6).await["entry"], 6);
}

#[tokio::test]
async fn no_log_is_pruned_before_an_older_one() {
    let (mz, _, size) = three_years().await;
    // Nobody has cosigned the oldest log's last head.
    let unsigned = mz.store.write(|tx| {
        async move { sqlx::query("DELETE FROM checkpoint WHERE origin = 'mz.audit/2026'").execute(tx).await }
            .boxed()
    });
    unsigned.await.expect("written");
    mz.pruner.prune_due().await.expect("looked");
    assert_eq!(left(&mz, size).await["entry"], i64::try_from(size).expect("small"));
    let trees = Tree::all(mz.store.read()).await.expect("reads");
    assert!(trees.iter().all(|tree| tree.pruned.below == 0), "nothing after it goes either");
}
