//! Restored stores, this log's and the witness's.

use std::time::Duration;

use rovuma_envelope::Signer as _;
use rovuma_runtime::{Clock as _, Shutdown};
use rovuma_schemas::audit::{AuditCheckpoint, WitnessAnswer};
use rovuma_store::{FutureExt, WriteError};
use rovuma_tlog::{CHECKPOINT_PATH, NoteKey};

use super::support::{both, exchange, other_history};
use crate::{error::DbError, log::Tree};

#[tokio::test]
async fn a_log_that_lost_leaves_continues_under_a_new_name_that_both_policies_must_have() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(4).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.publish().await;
    // An older copy of the store beside the published files.
    let copy = other_history(&agreed, 1).await;
    let folder = copy.folder("mz.audit/2026");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(mz.folder("mz.audit/2026").join(CHECKPOINT_PATH), folder.join(CHECKPOINT_PATH))
        .expect("copied");
    copy.publisher.check().await.expect_err("the store is an older copy");
    // `rovumactl store restored`, or the store itself, renews its identity: nothing more is appended to the old tree.
    let renamed = copy.store.write(|tx| async move { rovuma_store::renew_identity(tx).await }.boxed());
    renamed.await.expect("renamed");
    let refused = copy.write(1).await.expect_err("another store");
    assert!(matches!(refused, WriteError::Job(DbError::StoreReplaced)), "{refused}");

    let mut copy = copy.restarted_after_restore().await;
    copy.publisher.check().await.expect("what was published is of a tree that was abandoned");
    let trees = Tree::all(copy.store.read()).await.expect("reads");
    let shown: Vec<_> = trees.iter().map(|tree| (tree.origin.as_str(), tree.is_abandoned)).collect();
    assert_eq!(shown, [("mz.audit/2026", true), ("mz.audit/2026-2", false)]);
    copy.publish().await;
    assert_eq!(exchange(&mut copy, &tz).await, [], "no policy names it, ours not either");
    assert_eq!(copy.alarms().await, ["unknown_log mz.audit/2026-2 x1 open"]);

    // Operators add the new name to the policy of both countries.
    let log = NoteKey::of_log("mz.audit/2026-2", agreed.log_keys[0].public_key()).expect("a key");
    let named = format!("log {log}\n{}", agreed.policy);
    for installation in [&copy, &tz] {
        std::fs::write(installation.dir.path().join("policy"), &named).expect("written");
    }
    let (mut copy, tz) = (copy.reopened().await, tz.reopened().await);
    copy.clock.advance(Duration::from_secs(31));
    copy.write(1).await.expect("written");
    copy.publish().await;
    assert_eq!(exchange(&mut copy, &tz).await, [WitnessAnswer::Cosigned]);
    copy.publish().await;
    assert!(copy.published("mz.audit/2026-2").is_some_and(|note| copy.is_good(&note)));
    assert_eq!(copy.alarms().await, ["unknown_log mz.audit/2026-2 x1 closed"]);
}

#[tokio::test]
async fn a_store_that_lacks_published_leaves_stops_the_service() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(4).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.publish().await;
    let mz = mz.reopened().await;
    // The published files are beside an older copy of the store, or beside one with another history.
    for (events, word) in [(1, "older copy"), (4, "was changed"), (9, "was changed")] {
        let other = other_history(&agreed, events).await;
        let folder = other.folder("mz.audit/2026");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::copy(mz.folder("mz.audit/2026").join(CHECKPOINT_PATH), folder.join(CHECKPOINT_PATH))
            .expect("copied");
        let fault = other.publisher.check().await.expect_err("does not go together").to_string();
        assert!(fault.contains(word), "{events}: {fault}");
    }
    let note = mz.published("mz.audit/2026").expect("published");
    let bent = String::from_utf8(note).expect("text").replacen("\n5\n", "\n4\n", 1);
    std::fs::write(mz.folder("mz.audit/2026").join(CHECKPOINT_PATH), bent).expect("written");
    let fault = mz.publisher.check().await.expect_err("not what was signed").to_string();
    assert!(fault.contains("is not a checkpoint of mz.audit/2026"), "{fault}");
}

#[tokio::test]
async fn a_witness_with_a_restored_store_remembers_the_heads_that_it_cosigned() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(9).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    let forgotten =
        tz.store.write(|tx| async move { sqlx::query("DELETE FROM witnessed").execute(tx).await }.boxed());
    forgotten.await.expect("forgotten");
    // Another history, larger than the cosigned one, from the beginning.
    let other = other_history(&agreed, 20).await;
    let checkpoint = String::from_utf8(other.tree().await.checkpoint).expect("text").parse().expect("a text");
    let asked = AuditCheckpoint { checkpoint, older: 0, proof: Vec::new() };
    let answer = tz.witness.respond(mz.country, &asked, tz.clock.now()).await.expect("judged");
    let answer = answer.expect("an answer");
    assert_eq!((answer.answer, answer.cosignature), (WitnessAnswer::ProofNeeded, None));
    assert!(answer.held.is_some_and(|held| held.as_str().starts_with("mz.audit/2026\n10\n")));
    mz.write(1).await.expect("written");
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned], "the true one goes on");
    // If the file of the last cosigned head is no head of the log, nothing is cosigned.
    let memory = tz.dir.path().join("audit-log.witnessed/mz.audit-2026/checkpoint");
    std::fs::write(memory, "nothing").expect("written");
    tz.witness.respond(mz.country, &asked, tz.clock.now()).await.expect_err("no memory, no word");
}

#[tokio::test]
async fn a_service_whose_store_lacks_a_head_that_a_partner_has_ends() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(9).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    // An older copy replaces the store while the service runs: the partner shows a head that the copy lacks.
    let mut copy = other_history(&agreed, 3).await;
    let shutdown = Shutdown::new();
    copy.publisher.publish_all().await.expect("nothing is known yet");
    assert_eq!(exchange(&mut copy, &tz).await, [WitnessAnswer::Shrunken]);
    let refused = copy.write(1).await.expect_err("nothing is appended to that tree any more");
    assert!(matches!(refused, WriteError::Job(DbError::StoreReplaced)), "{refused}");
    copy.publisher.run(shutdown.clone()).await;
    assert!(shutdown.has_failed(), "it has to start anew");
}
