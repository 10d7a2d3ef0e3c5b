//! The one task that writes: jobs that wait at the same time share a transaction and its `fsync`.

use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::SqlStr;
use tokio::sync::{mpsc, watch};
use tracing::{error, warn};

use crate::{
    Commits, Conn, OpenError,
    database::{Database, Words},
    error::Failure,
    jobs::{Job, PendingReply},
    late::AllLate,
};

/// Jobs of one commit at most: beyond this the first of them would wait too long for its answer.
const GROUP_MAX: usize = 256;

/// Writes jobs to a database.
pub(crate) struct Writer {
    database: Arc<Database>,
    words: Words,
    /// Absent while the database is away.
    conn: Option<Conn>,
    committed: Arc<watch::Sender<Commits>>,
    late: AllLate,
    on_reconnect: OnReconnect,
}

/// Prepares a new connection before the first job is written over it.
pub(crate) type OnReconnect =
    Box<dyn for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<(), OpenError>> + Send + Sync>;

impl Writer {
    pub(crate) fn new(
        database: Arc<Database>,
        conn: Conn,
        committed: Arc<watch::Sender<Commits>>,
        late: AllLate,
        on_reconnect: OnReconnect,
    ) -> Self {
        Self { words: database.words(), database, conn: Some(conn), committed, late, on_reconnect }
    }

    /// Writes until no sender is left.
    pub(crate) async fn run(mut self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = waiting.recv().await {
            match self.conn.take() {
                Some(conn) => self.write(conn, first, &mut waiting).await,
                None => self.come_back(first, &mut waiting).await,
            }
        }
        if let Some(conn) = self.conn
            && let Err(fault) = conn.close().await
        {
            error!(%fault, "closing the store");
        }
    }

    /// Writes one group. Keeps the connection unless it is lost.
    async fn write(
        &mut self,
        mut conn: Conn,
        first: Box<dyn Job>,
        waiting: &mut mpsc::Receiver<Box<dyn Job>>,
    ) {
        let mut held = Vec::new();
        let outcome = group(&mut conn, &self.words, &self.late, first, waiting, &mut held).await;
        self.late.transaction_ended();
        let mut is_lost = false;
        if let Err(failure) = &outcome {
            error!(jobs = held.len(), ?failure, "a group of writes did not take effect");
            conn.begin(None);
            // SQLite may have rolled back by itself already: then this says so, and that is all right. A server
            // that does not take it is not there any more.
            let rolled_back = statements(&mut conn, &self.words.rollback).await;
            is_lost = self.database.may_be_away() && rolled_back.is_err();
        } else if matches!(outcome, Ok(Ended::Committed)) {
            self.committed.send_modify(|count| count.own += 1);
        }
        let outcome = outcome.map(drop);
        metrics::histogram!("rovuma_store_group_jobs").record(u32::try_from(held.len()).unwrap_or(u32::MAX));
        for answer in held {
            answer.send(&outcome);
        }
        if !is_lost {
            self.conn = Some(conn);
        }
    }

    /// Connects again, because somebody wants to write. While that fails everybody who waits is told: they
    /// know better than we what can wait.
    async fn come_back(&mut self, first: Box<dyn Job>, waiting: &mut mpsc::Receiver<Box<dyn Job>>) {
        let reconnected = reconnect(&self.database, &self.on_reconnect).await;
        match reconnected {
            Ok(conn) => {
                warn!("the store's database answers again");
                self.write(conn, first, waiting).await;
            }
            Err(fault) => {
                warn!(%fault, "the store's database does not answer");
                first.refuse(&Failure::Unreachable);
                while let Ok(job) = waiting.try_recv() {
                    job.refuse(&Failure::Unreachable);
                }
            }
        }
    }
}

async fn reconnect(database: &Database, on_reconnect: &OnReconnect) -> Result<Conn, OpenError> {
    let mut conn = database.writer().await?;
    on_reconnect(&mut conn).await?;
    Ok(conn)
}

/// One transaction: `first`, and whatever waits when it and its followers are done. It begins with the first statement, if
/// there is one.
async fn group(
    conn: &mut Conn,
    words: &Words,
    late: &AllLate,
    first: Box<dyn Job>,
    waiting: &mut mpsc::Receiver<Box<dyn Job>>,
    held: &mut Vec<Box<dyn PendingReply>>,
) -> Result<Ended, Failure> {
    let mut next = Some(first);
    let mut before = Before::Begin;
    while let Some(job) = next {
        conn.begin(before.text(words));
        late.job_begins();
        let mut answer = job.run(conn).await;
        let failure = conn.take_failure();
        if let Some(failure) = &failure {
            answer.overrule(failure);
        }
        if !answer.is_success() {
            late.job_rolled_back();
        }
        if conn.is_touched() {
            before = if answer.is_success() { Before::Next } else { Before::Back };
        }
        held.push(answer);
        if let Some(failure) = failure {
            return Err(failure);
        }
        next = if held.len() < GROUP_MAX { waiting.try_recv().ok() } else { None };
    }
    let last = if before == Before::Next { None } else { before.text(words) };
    conn.begin(last);
    late.write(conn).await.map_err(|fault| Failure::of(&fault))?;
    if before == Before::Begin && !conn.is_touched() {
        // Nobody had anything to write.
        return Ok(Ended::Untouched);
    }
    statements(conn, &words.commit).await.map(|()| Ended::Committed)
}

/// How a group ended that did not fail.
#[derive(PartialEq, Eq)]
enum Ended {
    /// What it wrote is on disk.
    Committed,
    /// It had no statement.
    Untouched,
}

/// What comes before a job's first statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// No transaction yet.
    Begin,
    /// The job before left something that is kept.
    Next,
    /// The job before left something that is taken back.
    Back,
}

impl Before {
    fn text(self, words: &Words) -> Option<SqlStr> {
        Some(match self {
            Self::Begin => words.begin.clone(),
            Self::Next => words.next.clone(),
            Self::Back => words.back.clone(),
        })
    }
}

async fn statements(conn: &mut Conn, text: &SqlStr) -> Result<(), Failure> {
    sqlx::raw_sql(text.clone()).execute(conn).await.map(|_| ()).map_err(|fault| Failure::of(&fault))
}
