//! What an open store notices about itself: a database that is gone, a writer that has panicked, tables that have grown.

use futures::future::BoxFuture;
use rovuma_lab::postgres::{PostgresServer, fresh_folder};

use super::*;
use crate::{DeferredWriter, ProbeError, upkeep};

#[tokio::test]
async fn a_file_that_is_gone_is_noticed_and_its_return_as_well() {
    let dir = tempfile::tempdir().expect("a folder");
    let (folder, away) = (dir.path().join("store"), dir.path().join("away"));
    std::fs::create_dir(&folder).expect("made");
    let config = StoreConfig::at(format!("sqlite:{}", folder.join("a.db").display()));
    let store = Store::open(&config, &[NOTES]).await.expect("opens");
    store.probe().await.expect("it works");

    std::fs::rename(&folder, &away).expect("moved");
    assert!(matches!(store.probe().await, Err(ProbeError::FileGone)));
    std::fs::create_dir(&folder).expect("made");
    std::fs::copy(away.join("a.db"), folder.join("a.db")).expect("copied");
    assert!(matches!(store.probe().await, Err(ProbeError::FileGone)), "a copy is not the open file");
    std::fs::remove_dir_all(&folder).expect("removed");
    std::fs::rename(&away, &folder).expect("moved back");
    store.probe().await.expect("it works again");
}

#[tokio::test]
async fn a_server_that_is_gone_is_noticed_and_its_return_as_well() {
    if !tests_use_postgres() {
        return;
    }
    let mut server = PostgresServer::start(&fresh_folder()).expect("a server");
    server.create_database("probed").expect("made");
    let store = Store::open_shared(&StoreConfig::at(server.url("probed")), &[NOTES]).await.expect("opens");
    store.probe().await.expect("it works");
    server.kill();
    store.probe().await.expect_err("it is gone");
    server.resume().expect("starts again");
    // The first write finds that its connection is lost, the next one connects again.
    let _ = store.probe().await;
    store.probe().await.expect("it works again");
}

/// A deferred writer with a fault.
struct Faulty;

impl DeferredWriter for Faulty {
    fn job_begins(&self) {}

    fn job_rolled_back(&self) {}

    fn write<'t>(&'t self, _tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>> {
        panic!("on purpose");
    }

    fn transaction_ended(&self) {}
}

#[tokio::test]
async fn a_writer_that_panics_says_so() {
    let (_dir, store) = open().await;
    store.write(|tx| note(tx, 1).boxed()).await.expect("written");
    store.add_deferred(Arc::new(Faulty));
    let lost = store.write(|tx| note(tx, 2).boxed()).await.expect_err("its writer is gone");
    assert!(matches!(lost, WriteError::Closed), "{lost}");
    assert_eq!(store.writer_failed().await, "on purpose");
    assert_eq!(notes(&store).await, [1], "what was not confirmed did not happen");
    store.probe().await.expect_err("it cannot be written");
}

#[tokio::test]
async fn grown_tables_are_counted_and_readers_know_it() {
    if tests_use_postgres() {
        // The server counts by itself.
        return;
    }
    let (_dir, store) = open().await;
    let reader = store.read().acquire().await.expect("a connection");
    drop(reader);
    let write = store.write(|tx| {
        let text = "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 1000)
                    INSERT INTO note (n) SELECT n FROM i";
        async move { sqlx::query(text).execute(tx).await.map(drop) }.boxed()
    });
    write.await.expect("filled");
    let before = store.read().created_at().await;
    upkeep::optimize_open(store.jobs(), store.read()).await;
    let row = sqlx::query("SELECT stat FROM sqlite_stat1 WHERE tbl = 'note'").fetch_one(store.read()).await;
    assert_eq!(row.expect("counted").get::<&str, _>("stat"), "1000 1");
    assert!(store.read().created_at().await > before, "the connection was replaced");
}

/// A store that was opened again with its first rows would read its tables from end to end, however many rows came afterwards.
#[tokio::test]
async fn a_small_table_is_not_counted() {
    if tests_use_postgres() {
        // The server counts by itself.
        return;
    }
    let (_dir, store) = open().await;
    let write = store.write(|tx| {
        async move {
            for text in [
                "CREATE TABLE message (id BLOB NOT NULL, country TEXT NOT NULL, PRIMARY KEY (id, country))",
                "INSERT INTO message (id, country) VALUES (x'01', 'mz')",
            ] {
                sqlx::query(text).execute(&mut *tx).await?;
            }
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    write.await.expect("filled");
    upkeep::optimize_open(store.jobs(), store.read()).await;
    let asked = "EXPLAIN QUERY PLAN SELECT * FROM message WHERE id = $1";
    let plan = sqlx::query(asked).bind(vec![1_u8]).fetch_one(store.read()).await.expect("explained");
    let plan: &str = plan.get("detail");
    assert!(plan.starts_with("SEARCH"), "{plan}");
}
