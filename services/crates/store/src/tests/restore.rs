//! A store that is put back from an older copy, and stores that are not.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use rovuma_lab::postgres::{PostgresServer, shared};
use rovuma_schemas::StoreId;

use super::{NOTES, config, note};
use crate::{
    FutureExt as _, Restored, Store, StoreConfig,
    identity::set_restore_mark,
    restore_mark::{RestoreMarkFile, Tokens},
};

/// A store in a file, also when the other tests use a server.
struct Fixture {
    dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    fn database(&self) -> std::path::PathBuf {
        self.dir.path().join("a.db")
    }

    async fn open(&self) -> Store {
        let config = StoreConfig::at(format!("sqlite:{}", self.database().display()));
        Store::open(&config, &[NOTES]).await.expect("opens")
    }

    /// Opens, reads the identity and closes again, so that another may open.
    async fn identity(&self) -> (StoreId, Option<Restored>) {
        let store = self.open().await;
        let said = (store.identity(), store.was_restored());
        drop(store);
        self.closed().await;
        said
    }

    /// Waits until the last connection is closed, which removes the write-ahead log: the files must not be touched before.
    async fn closed(&self) {
        while self.dir.path().join("a.db-wal").exists() {
            tokio::task::yield_now().await;
        }
    }

    fn restore_mark(&self) -> RestoreMarkFile {
        RestoreMarkFile::beside(&self.database())
    }

    fn tokens(&self) -> Tokens {
        self.restore_mark().read().expect("reads").expect("there")
    }

    /// Copies the database's files, and not the restore mark, into a folder, or back.
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            let (from, to) = (from.join(name), to.join(name));
            if from.exists() {
                fs::copy(from, to).expect("copied");
            } else if to.exists() {
                fs::remove_file(to).expect("removed");
            }
        }
    }

    fn back_up(&self) {
        Self::copy(self.dir.path(), &self.dir.path().join("backup"));
    }

    fn put_back(&self) {
        Self::copy(&self.dir.path().join("backup"), self.dir.path());
    }

    /// Sets the row's restore mark as a process would that is killed right after.
    async fn set_row(&self, token: Option<&str>) {
        let url = format!("sqlite:{}", self.database().display());
        let mut conn = crate::Conn::connect(&url).await.expect("connects");
        match token {
            Some(token) => set_restore_mark(&mut conn, token).await.expect("set"),
            None => {
                sqlx::query("UPDATE store SET restore_mark = NULL").execute(&mut conn).await.expect("set");
            }
        }
        conn.close().await.expect("closed");
    }
}

fn tokens(current: Option<&str>, next: Option<&str>) -> Tokens {
    Tokens { current: current.map(str::to_owned), next: next.map(str::to_owned) }
}

#[tokio::test]
async fn an_older_copy_put_back_has_a_new_identity_and_says_so_until_told() {
    let fixture = Fixture::new();
    let (first, said) = fixture.identity().await;
    assert_eq!(said, None);
    fixture.back_up();
    let (again, said) = fixture.identity().await;
    assert_eq!((again, said), (first, None), "untouched");
    fixture.put_back();

    let (second, said) = fixture.identity().await;
    assert_ne!(second, first);
    let restored = Restored { from: first, to: second };
    assert_eq!(said, Some(restored));
    let store = fixture.open().await;
    assert_eq!((store.identity(), store.was_restored()), (second, Some(restored)), "nobody has told of it");
    let taken = store.write(|tx| async move { Restored::take(tx).await }.boxed());
    assert_eq!(taken.await.expect("taken"), Some(restored));
    let taken = store.write(|tx| async move { Restored::take(tx).await }.boxed());
    assert_eq!(taken.await.expect("nothing"), None);
    drop(store);
    assert_eq!(fixture.identity().await, (second, None));
}

#[tokio::test]
async fn a_copy_taken_while_the_store_was_open_is_noticed_once_the_restore_mark_was_renewed() {
    let fixture = Fixture::new();
    let store = fixture.open().await;
    let first = store.identity();
    store.write(|tx| note(tx, 1).boxed()).await.expect("written");
    fixture.back_up();
    let before = fixture.tokens();
    fixture.restore_mark().renew(store.jobs()).await.expect("renewed");
    let after = fixture.tokens();
    assert!(after.current.is_some() && after.current != before.current && after.next.is_none());
    drop(store);
    assert_eq!(fixture.identity().await, (first, None), "renewing restores nothing");
    fixture.put_back();
    assert_eq!(fixture.identity().await.1.map(|restored| restored.from), Some(first));
}

#[tokio::test]
async fn a_database_without_its_restore_mark_has_a_new_identity() {
    let fixture = Fixture::new();
    let (first, _) = fixture.identity().await;
    fs::remove_file(fixture.dir.path().join("a.db.restore-mark")).expect("removed");
    let (second, said) = fixture.identity().await;
    assert_eq!(said, Some(Restored { from: first, to: second }));
}

#[tokio::test]
async fn whoever_is_killed_between_two_steps_restored_nothing() {
    let fixture = Fixture::new();
    // Before the first row was written.
    fixture.restore_mark().write(&tokens(None, Some("first"))).expect("written");
    let (first, said) = fixture.identity().await;
    assert_eq!(said, None);
    // After each step of renewing.
    let held = fixture.tokens().current.expect("a token");
    fixture.restore_mark().write(&tokens(Some(&held), Some("second"))).expect("written");
    assert_eq!(fixture.identity().await, (first, None), "the file knows the new token");
    let held = fixture.tokens().current.expect("a token");
    fixture.restore_mark().write(&tokens(Some(&held), Some("third"))).expect("written");
    fixture.set_row(Some("third")).await;
    assert_eq!(fixture.identity().await, (first, None), "the row has it");
    // A store of a build that gave no restore mark, after each step of giving it the first.
    fixture.set_row(None).await;
    fs::remove_file(fixture.dir.path().join("a.db.restore-mark")).expect("removed");
    assert_eq!(fixture.identity().await, (first, None), "there was none");
    fixture.set_row(None).await;
    fixture.restore_mark().write(&tokens(None, Some("fourth"))).expect("written");
    assert_eq!(fixture.identity().await, (first, None), "the file knows the first token");
}

#[tokio::test]
async fn a_restored_store_that_is_killed_before_its_new_name_is_still_noticed() {
    let fixture = Fixture::new();
    let (first, _) = fixture.identity().await;
    fixture.restore_mark().write(&tokens(Some("what no row has"), Some("second"))).expect("written");
    let (second, said) = fixture.identity().await;
    assert_eq!(said, Some(Restored { from: first, to: second }));
    // A copy from before there were restore marks.
    fixture.set_row(None).await;
    assert_ne!(fixture.identity().await.0, second);
}

#[tokio::test]
async fn a_renewal_that_stopped_half_way_is_done_to_its_end() {
    let fixture = Fixture::new();
    let store = fixture.open().await;
    let (first, held) = (store.identity(), fixture.tokens().current.expect("a token"));
    fixture.restore_mark().write(&tokens(Some(&held), Some("second"))).expect("written");
    fixture.restore_mark().renew(store.jobs()).await.expect("renewed");
    assert_eq!(fixture.tokens(), tokens(Some("second"), None));
    drop(store);
    assert_eq!(fixture.identity().await, (first, None));
}

#[tokio::test]
async fn nobody_else_reads_the_restore_mark() {
    let fixture = Fixture::new();
    fixture.identity().await;
    let mode =
        fs::metadata(fixture.dir.path().join("a.db.restore-mark")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_copy_of_a_servers_database_has_a_new_identity() {
    if !rovuma_lab::postgres::tests_use_postgres() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let url = config(&dir).url;
    let store = Store::open(&config(&dir), &[NOTES]).await.expect("opens");
    let first = store.identity();
    drop(store);
    let store = Store::open(&config(&dir), &[NOTES]).await.expect("opens again");
    assert_eq!((store.identity(), store.was_restored()), (first, None));
    drop(store);

    let server = shared().expect("a server");
    let name = url.trim_start_matches("postgres:///").split('?').next().expect("a name").to_owned();
    wait_until_left(server, &name).await;
    let copy = format!("copy of {name}");
    server.query("postgres", &format!("CREATE DATABASE \"{copy}\" TEMPLATE \"{name}\"")).expect("copied");
    let store = Store::open(&StoreConfig::at(server.url(&copy)), &[NOTES]).await.expect("opens");
    assert_eq!(store.was_restored(), Some(Restored { from: first, to: store.identity() }));
    assert_ne!(store.identity(), first);
}

#[tokio::test]
async fn a_server_recovered_to_a_point_in_time_has_a_new_identity() {
    if !rovuma_lab::postgres::tests_use_postgres() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("open to the server");
    let folder = dir.path().join("server");
    let mut server = PostgresServer::start(&folder).expect("a server");
    server.create_database("a store").expect("made");
    let config = StoreConfig::at(server.url("a store"));
    let store = Store::open(&config, &[NOTES]).await.expect("opens");
    let first = store.identity();
    drop(store);

    // Killed and started again it is the same; recovered from its log it is another history.
    server.kill();
    server.resume().expect("starts");
    let store = Store::open_shared(&config, &[NOTES]).await.expect("opens");
    assert_eq!((store.identity(), store.was_restored()), (first, None));
    server.kill();
    let settings = folder.join("data/postgresql.auto.conf");
    let text = fs::read_to_string(&settings).expect("settings");
    fs::write(&settings, format!("{text}restore_command = 'false'\n")).expect("set");
    fs::write(folder.join("data/recovery.signal"), "").expect("signalled");
    server.resume().expect("recovers");
    wait_until_recovered(&server).await;

    // A process that has had it open all the while finds out before it writes.
    while store.write(|tx| note(tx, 1).boxed()).await.is_err() {}
    let second = store.refresh_identity().await.expect("reads");
    assert_ne!(second, first);
    let other = Store::open_shared(&config, &[NOTES]).await.expect("opens");
    assert_eq!(other.was_restored(), Some(Restored { from: first, to: second }));
}

/// Waits until no connection to a database is left: only then it can be copied, and a server notices an ended connection
/// late.
async fn wait_until_left(server: &PostgresServer, name: &str) {
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'");
    while server.query("postgres", &count).expect("counts") != "0" {
        tokio::task::yield_now().await;
    }
}

async fn wait_until_recovered(server: &PostgresServer) {
    while server.query("postgres", "SELECT pg_is_in_recovery()").expect("answers") != "f" {
        tokio::task::yield_now().await;
    }
}
