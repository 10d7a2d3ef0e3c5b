//! A writer that is killed where it stands: what it was answered is there, whole, and the store opens again.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use rovuma_store::{FutureExt, Migrations, Step, Store, StoreConfig};

/// Set for the child process: the database it writes to.
const CHILD: &str = "ROVUMA_STORE_KILL_TEST";

/// Answers that the child is let give before it is killed.
const ANSWERS: usize = 200;

const STEPS: &[Step] = &[Step {
    version: 1001,
    name: "pairs",
    sql: "CREATE TABLE pair (n BIGINT NOT NULL, half BIGINT NOT NULL, PRIMARY KEY (n, half))",
}];

const PAIRS: Migrations = Migrations { steps: STEPS };

async fn open(url: &str) -> Store {
    Store::open(&StoreConfig::at(url), &[PAIRS]).await.expect("opens")
}

/// Writes two rows a job and says so, until it is killed.
async fn write_until_killed(url: &str) {
    let store = open(url).await;
    writeln!(std::io::stdout(), "named {}", store.identity()).expect("somebody reads");
    let mut n = 0_i64;
    loop {
        let jobs = (n..n + 16).map(|n| {
            store.write(move |tx| {
                async move {
                    for half in 0..2_i64 {
                        let insert = sqlx::query("INSERT INTO pair (n, half) VALUES ($1, $2)");
                        insert.bind(n).bind(half).execute(&mut *tx).await?;
                    }
                    Ok::<_, sqlx::Error>(n)
                }
                .boxed()
            })
        });
        for answer in futures::future::join_all(jobs).await {
            let mut out = std::io::stdout().lock();
            writeln!(out, "kept {}", answer.expect("written")).expect("somebody reads");
        }
        n += 16;
    }
}

/// Not a test of its own: the process that is killed. Does nothing unless it was started for that.
#[tokio::test]
async fn child() {
    if let Ok(url) = std::env::var(CHILD) {
        write_until_killed(&url).await;
    }
}

fn kept(line: &str) -> Option<i64> {
    line.trim().strip_prefix("kept ")?.parse().ok()
}

#[tokio::test]
async fn what_was_answered_survives_a_kill_and_nothing_is_half_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = rovuma_lab::postgres::test_store(dir.path(), "killed").expect("a store");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, &url)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (mut answered, mut identity): (Vec<i64>, _) = (Vec::new(), None);
    while answered.len() < ANSWERS {
        let line = lines.next().expect("goes on").expect("reads");
        answered.extend(kept(&line));
        identity = identity.or_else(|| line.trim().strip_prefix("named ").map(str::to_owned));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    // What it still said before it died was kept as well.
    answered.extend(lines.map_while(Result::ok).filter_map(|line| kept(&line)));

    let store = open(&url).await;
    let now = (Some(store.identity().to_string()), store.was_restored());
    assert_eq!(now, (identity, None), "nothing was restored");
    let count = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(store.read());
    let halves = count("SELECT COUNT(*) FROM (SELECT n FROM pair GROUP BY n HAVING COUNT(*) <> 2) AS halves");
    assert_eq!(halves.await.expect("counts"), 0);
    for n in answered {
        let row = sqlx::query("SELECT half FROM pair WHERE n = $1").bind(n).fetch_all(store.read()).await;
        assert_eq!(row.expect("reads").len(), 2, "{n} was answered");
    }
}
