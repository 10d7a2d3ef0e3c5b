//! `rovumactl store restored` on the store of a stopped service.

use std::{fs, path::Path};

use rovuma_schemas::StoreId;
use rovuma_store::{Store, StoreConfig};

use crate::harness::TestFolder;

async fn open(path: &Path) -> Store {
    let config = StoreConfig::at(format!("sqlite:{}", path.display()));
    Store::open(&config, &[]).await.expect("opens")
}

fn configured(desk: &TestFolder) -> std::path::PathBuf {
    let path = desk.path("gateway.db");
    let toml =
        format!("country = \"mz\"\n[store]\nurl = \"sqlite:{}\"\n[broker]\nurl = \"-\"\n", path.display());
    desk.write("gateway.toml", toml);
    path
}

/// Opens the store, reads its identity and closes it: closing the last connection removes the write-ahead log.
async fn name(path: &Path) -> StoreId {
    let identity = open(path).await.identity();
    while path.with_file_name("gateway.db-wal").exists() {
        tokio::task::yield_now().await;
    }
    identity
}

const COMMAND: &str = "store restored --service gateway.toml";

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_store_gets_a_new_name_and_says_so_to_its_service() {
    let desk = TestFolder::new();
    let path = configured(&desk);
    let first = name(&path).await;
    let only_said = desk.json(COMMAND);
    assert_eq!((&only_said["before"], only_said.get("after")), (&first.to_string().into(), None));
    assert_eq!(name(&path).await, first, "nothing was done");

    let done = desk.json(&format!("{COMMAND} --yes"));
    let store = open(&path).await;
    assert_ne!(store.identity(), first);
    assert_eq!(done["after"], store.identity().to_string());
    assert_eq!(store.was_restored().map(|restored| restored.from), Some(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_whole_folder_is_what_it_is_for() {
    let desk = TestFolder::new();
    let path = configured(&desk);
    let first = name(&path).await;
    for name in ["gateway.db", "gateway.db.restore-mark"] {
        fs::copy(desk.path(name), desk.path(&format!("backup.{name}"))).expect("copied");
    }
    name(&path).await;
    for name in ["gateway.db", "gateway.db.restore-mark"] {
        fs::copy(desk.path(&format!("backup.{name}")), desk.path(name)).expect("put back");
    }
    assert_eq!(name(&path).await, first, "nobody can notice it");
    desk.ok(&format!("{COMMAND} --yes")).is(0, "renamed from");
    assert_ne!(name(&path).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_use_is_refused_with_the_name_of_who_has_it() {
    let desk = TestFolder::new();
    let path = configured(&desk);
    let store = open(&path).await;
    let ended = desk.run(&format!("{COMMAND} --yes"));
    ended.is(7, &format!("in use by process {}", std::process::id()));
    ended.is(7, "stop the service");
    assert!(store.was_restored().is_none());
}

#[test]
fn what_is_no_store_is_refused() {
    let desk = TestFolder::new();
    configured(&desk);
    desk.run(&format!("{COMMAND} --yes")).is(2, "no such store");
    assert!(!desk.path("gateway.db").exists());
    desk.write("gateway.toml", "country = \"mz\"\n");
    desk.run(COMMAND).is(2, "store");
}
