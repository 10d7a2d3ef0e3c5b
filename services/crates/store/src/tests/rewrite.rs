//! A store that is rewritten holds nothing of what was deleted.

use super::*;

/// The time for which a rewrite that a reader is in the way of may keep others from writing; far more than its tries take.
const BLOCKED_MAX: std::time::Duration = std::time::Duration::from_secs(30);

/// Numbers that look drawn and are the same in each run.
struct Drawn(u64);

impl Drawn {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Rows of many sizes that grow and shrink, so that SQLite moves them between pages and leaves copies behind.
async fn churn(store: &Store, seed: u64) {
    let mut drawn = Drawn(seed);
    for n in 0..300_i64 {
        let size = 10 + usize::try_from(drawn.next(80)).expect("small");
        let (body, grown) = (b"MARKER".repeat(size), i64::try_from(drawn.next(300)).expect("small"));
        let work = store.write(move |tx| {
            async move {
                let insert =
                    sqlx::query("INSERT INTO note (n, body) VALUES ($1, $2)").bind(n).bind(body.clone());
                insert.execute(&mut *tx).await?;
                let update = sqlx::query("UPDATE note SET body = $1 WHERE n = $2");
                update.bind(body.repeat(3)).bind(grown).execute(tx).await
            }
            .boxed()
        });
        work.await.expect("written");
    }
}

#[tokio::test]
async fn a_rewritten_store_holds_nothing_of_what_was_overwritten_and_writes_go_on() {
    for seed in 0..4 {
        let (dir, store) = open().await;
        churn(&store, seed).await;
        let empty = store.write(|tx| {
            async move { sqlx::query("UPDATE note SET body = NULL").execute(tx).await.map(drop) }.boxed()
        });
        empty.await.expect("emptied");
        // Asked at the same time as other jobs, before and after it.
        let others = futures::future::join_all(
            (1000..1020).map(|n| store.write(move |tx| async move { note(tx, n).await }.boxed())),
        );
        let (rewritten, others) = futures::future::join(store.rewrite(&["note"]), others).await;
        rewritten.expect("rewritten");
        assert!(others.iter().all(Result::is_ok), "{others:?}");
        assert_eq!(notes(&store).await.len(), 320);
        if tests_use_postgres() {
            continue;
        }
        store.rewrite(&[]).await.expect("rewritten again");
        for file in
            std::fs::read_dir(dir.path()).expect("a folder").map(|entry| entry.expect("an entry").path())
        {
            let bytes = std::fs::read(&file).expect("read");
            let is_there = bytes.windows(6).any(|window| window == b"MARKER");
            assert!(!is_there, "seed {seed}: {}", file.display());
        }
    }
}

#[tokio::test]
async fn a_rewrite_that_fails_leaves_a_store_that_writes() {
    let (_dir, store) = open().await;
    // A reader keeps a file's log from being emptied; a server is asked for a table that it does not have.
    let mut reader = store.read().acquire().await.expect("a reader");
    sqlx::query("BEGIN").execute(&mut *reader).await.expect("begun");
    sqlx::query("SELECT n FROM note").fetch_all(&mut *reader).await.expect("read");
    store.write(|tx| async move { note(tx, 0).await }.boxed()).await.expect("written");
    let rewriting = store.rewrite(&["no_such_table"]);
    let refused = tokio::time::timeout(BLOCKED_MAX, rewriting).await.expect("nobody waits long for a reader");
    assert!(refused.is_err());
    sqlx::query("COMMIT").execute(&mut *reader).await.expect("ended");
    drop(reader);
    store.write(|tx| async move { note(tx, 1).await }.boxed()).await.expect("written");
    store.rewrite(&["note"]).await.expect("rewritten");
    store.write(|tx| async move { note(tx, 2).await }.boxed()).await.expect("written");
    assert_eq!(notes(&store).await, [0, 1, 2]);
}
