//! Heads become checkpoints, are cosigned, and are published.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use rovuma_schemas::audit::WitnessAnswer;
use rovuma_tlog::UnverifiedCheckpoint;

use super::support::{both, exchange};
use crate::{log::Tree, testing::start};

#[tokio::test]
async fn a_checkpoint_is_settled_and_published_once_the_other_country_has_cosigned() {
    let (_, mut mz, tz) = both().await;
    mz.write(3).await.expect("written");
    mz.publish().await;
    assert_eq!(mz.published("mz.audit/2026"), None, "nobody has cosigned yet");
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
    mz.publish().await;
    let note = mz.published("mz.audit/2026").expect("published");
    assert!(mz.is_good(&note) && tz.is_good(&note));
    let head = UnverifiedCheckpoint::read(&note).expect("a checkpoint").unverified_head().clone();
    assert_eq!(head, mz.tree().await.head());

    // Later requests prove from the last cosigned head.
    for events in [1, 300, 2] {
        mz.write(events).await.expect("written");
        mz.publish().await;
        assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
        mz.publish().await;
    }
    let note = mz.published("mz.audit/2026").expect("published");
    assert_eq!(UnverifiedCheckpoint::read(&note).expect("a checkpoint").unverified_head().size, 307);
    assert!(mz.alarms().await.is_empty() && tz.alarms().await.is_empty());
    assert!(mz.folder("mz.audit/2026").join("tile/0/000").is_file());
    assert!(
        !mz.folder("mz.audit/2026").join("tile/0/000.p").exists(),
        "partial tiles that are of no more use"
    );
}

#[tokio::test]
async fn after_a_lost_reply_the_request_is_repeated_and_answered_again() {
    let (_, mut mz, tz) = both().await;
    mz.write(1).await.expect("written");
    mz.publish().await;
    let lost = mz.due_requests().await;
    tz.respond(mz.country, &lost[0]).await;
    assert!(mz.due_requests().await.is_empty(), "it is under way");
    mz.clock.advance(Duration::from_secs(5));
    let again = mz.due_requests().await;
    assert_eq!(again, lost);
    let answer = tz.respond(mz.country, &again[0]).await;
    assert_eq!(answer.answer, WitnessAnswer::Cosigned);
    mz.handle_reply(tz.country, &answer).await;
    mz.publish().await;
    assert!(mz.published("mz.audit/2026").is_some_and(|note| mz.is_good(&note)));
}

#[tokio::test]
async fn a_partner_whose_store_is_new_gets_a_request_from_the_beginning() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(4).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    let new = agreed.install("tz", None).await;
    mz.write(4).await.expect("written");
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &new).await, [WitnessAnswer::ProofNeeded, WitnessAnswer::Cosigned]);
}

#[tokio::test]
async fn a_new_years_log_records_the_final_head_of_the_log_before() {
    let (_, mut mz, tz) = both().await;
    mz.write(5).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.write(2).await.expect("written");
    for installation in [&mz, &tz] {
        installation.clock.advance(Duration::from_secs(60 * 24 * 3_600));
    }
    mz.write(1).await.expect("written");
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned, WitnessAnswer::Cosigned]);
    mz.publish().await;
    let trees = Tree::all(mz.store.read()).await.expect("reads");
    let shown: Vec<_> =
        trees.iter().map(|tree| (tree.origin.as_str(), tree.first_index, tree.edge.size())).collect();
    assert_eq!(shown, [("mz.audit/2026", 0, 8), ("mz.audit/2027", 8, 2)]);
    for tree in &trees {
        let note = mz.published(&tree.origin).expect("published");
        assert!(mz.is_good(&note), "{}", tree.origin);
        assert_eq!(UnverifiedCheckpoint::read(&note).expect("read").unverified_head(), &tree.head());
    }
    // A clock that goes back does not reopen the old year's log.
    mz.clock.set(start());
    mz.write(1).await.expect("written");
    assert_eq!(mz.tree().await.origin, "mz.audit/2027");
}

#[tokio::test]
async fn the_files_are_made_again_from_the_store() {
    let (_, mut mz, tz) = both().await;
    mz.write(700).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.publish().await;
    let before = files(&mz.folder("mz.audit/2026"));
    std::fs::remove_dir_all(mz.folder("mz.audit/2026")).expect("removed");
    let mz = mz.reopened().await;
    mz.publish().await;
    assert_eq!(files(&mz.folder("mz.audit/2026")), before);
    assert_eq!(
        before.len(),
        3 * 2 + 1 + 1,
        "tiles and bundles of 701 leaves, one tile above, and the checkpoint"
    );
}

pub(super) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).expect("a file");
                found.insert(path, bytes);
            }
        }
    }
    found
}
