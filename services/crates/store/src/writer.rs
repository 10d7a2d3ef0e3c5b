//! The one task that writes: jobs that wait at the same time share a transaction and its `fsync`.

use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::SqlStr;
use tokio::sync::{mpsc, watch};
use tracing::{error, warn};

use crate::{
    Commits, Conn, OpenError,
    database::{Database, TransactionSql},
    deferred::DeferredWriters,
    error::Failure,
    jobs::{Job, PendingReply},
};

/// Maximum jobs of one commit: beyond this the first of them would wait too long for its reply.
const GROUP_MAX: usize = 256;

/// Writes jobs to a database.
pub(crate) struct Writer {
    database: Arc<Database>,
    sql: TransactionSql,
    /// Absent while the database does not answer.
    conn: Option<Conn>,
    commits: Arc<watch::Sender<Commits>>,
    deferred: DeferredWriters,
    on_reconnect: OnReconnect,
    /// A job that runs alone and came while a group was written.
    left_behind: Option<Box<dyn Job>>,
}

/// The jobs that wait while a group is written.
struct Queue<'q> {
    waiting: &'q mut mpsc::Receiver<Box<dyn Job>>,
    left_behind: &'q mut Option<Box<dyn Job>>,
}

impl Queue<'_> {
    /// The next job that waits, unless it runs alone: that one ends the group and is left for after it.
    fn next_of_group(&mut self) -> Option<Box<dyn Job>> {
        let job = self.waiting.try_recv().ok()?;
        if job.is_alone() {
            *self.left_behind = Some(job);
            return None;
        }
        Some(job)
    }
}

/// Prepares a new connection before the first job is written over it.
pub(crate) type OnReconnect =
    Box<dyn for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<(), OpenError>> + Send + Sync>;

impl Writer {
    pub(crate) fn new(
        database: Arc<Database>,
        conn: Conn,
        commits: Arc<watch::Sender<Commits>>,
        deferred: DeferredWriters,
        on_reconnect: OnReconnect,
    ) -> Self {
        let sql = database.transaction_sql();
        Self { sql, database, conn: Some(conn), commits, deferred, on_reconnect, left_behind: None }
    }

    /// Writes until no sender is left.
    pub(crate) async fn run(mut self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = self.next_job(&mut waiting).await {
            match self.conn.take() {
                Some(conn) => self.write(conn, first, &mut waiting).await,
                None => self.reconnect_and_write(first, &mut waiting).await,
            }
        }
        if let Some(conn) = self.conn
            && let Err(fault) = conn.close().await
        {
            error!(%fault, "closing the store");
        }
    }

    /// The job that the last group left behind, or else the next one that comes.
    async fn next_job(&mut self, waiting: &mut mpsc::Receiver<Box<dyn Job>>) -> Option<Box<dyn Job>> {
        match self.left_behind.take() {
            Some(job) => Some(job),
            None => waiting.recv().await,
        }
    }

    /// Runs one job outside a transaction and sends its reply.
    async fn run_alone(&mut self, mut conn: Conn, job: Box<dyn Job>) {
        conn.set_prelude(None);
        let reply = job.run(&mut conn).await;
        // A server may have ended the connection with the statement.
        let is_lost = !reply.is_success() && self.database.may_disconnect() && conn.ping().await.is_err();
        reply.send(&Ok(()));
        if !is_lost {
            self.conn = Some(conn);
        }
    }

    /// Writes one group of jobs and sends their replies. Keeps the connection unless it is lost.
    async fn write(
        &mut self,
        mut conn: Conn,
        first: Box<dyn Job>,
        waiting: &mut mpsc::Receiver<Box<dyn Job>>,
    ) {
        if first.is_alone() {
            return self.run_alone(conn, first).await;
        }
        let mut replies = Vec::new();
        let mut queue = Queue { waiting, left_behind: &mut self.left_behind };
        let outcome =
            write_group(&mut conn, &self.sql, &self.deferred, first, &mut queue, &mut replies).await;
        self.deferred.transaction_ended();
        let mut is_lost = false;
        if let Err(failure) = &outcome {
            error!(jobs = replies.len(), ?failure, "a group of writes did not take effect");
            conn.set_prelude(None);
            // SQLite may have rolled back by itself already, and then refuses this: that is no fault. A server that
            // refuses it can no longer be reached.
            let rolled_back = run_statements(&mut conn, &self.sql.rollback).await;
            is_lost = self.database.may_disconnect() && rolled_back.is_err();
        } else if matches!(outcome, Ok(GroupEnd::Committed)) {
            self.commits.send_modify(|count| count.own += 1);
        }
        let outcome = outcome.map(drop);
        let jobs = u32::try_from(replies.len()).unwrap_or(u32::MAX);
        metrics::histogram!("rovuma_store_group_jobs").record(jobs);
        for reply in replies {
            reply.send(&outcome);
        }
        if !is_lost {
            self.conn = Some(conn);
        }
    }

    /// Connects again, because a caller wants to write. While that fails, every waiting caller gets the failure:
    /// callers know better than the store what can wait.
    async fn reconnect_and_write(&mut self, first: Box<dyn Job>, waiting: &mut mpsc::Receiver<Box<dyn Job>>) {
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

/// Runs one transaction: `first`, and every job that waits when the job before it is done, up to [`GROUP_MAX`]. The
/// transaction begins with the first statement, if there is one.
async fn write_group(
    conn: &mut Conn,
    sql: &TransactionSql,
    deferred: &DeferredWriters,
    first: Box<dyn Job>,
    queue: &mut Queue<'_>,
    replies: &mut Vec<Box<dyn PendingReply>>,
) -> Result<GroupEnd, Failure> {
    let mut next = Some(first);
    let mut prelude = Prelude::Begin;
    while let Some(job) = next {
        conn.set_prelude(prelude.sql(sql));
        deferred.job_begins();
        let mut reply = job.run(conn).await;
        let failure = conn.take_failure();
        if let Some(failure) = &failure {
            reply.overrule(failure);
        }
        if !reply.is_success() {
            deferred.job_rolled_back();
        }
        // A job without a statement left the prelude unused: the next job needs the same one.
        if conn.ran_statement() {
            prelude = if reply.is_success() { Prelude::KeepLast } else { Prelude::RollBackLast };
        }
        replies.push(reply);
        if let Some(failure) = failure {
            return Err(failure);
        }
        next = if replies.len() < GROUP_MAX { queue.next_of_group() } else { None };
    }
    // The commit releases the last savepoint by itself.
    conn.set_prelude(if prelude == Prelude::KeepLast { None } else { prelude.sql(sql) });
    deferred.write(conn).await.map_err(|fault| Failure::of(&fault))?;
    if prelude == Prelude::Begin && !conn.ran_statement() {
        // No job had a statement, and none left a row: there is no transaction to commit.
        return Ok(GroupEnd::Untouched);
    }
    run_statements(conn, &sql.commit).await.map(|()| GroupEnd::Committed)
}

/// The end of a group of jobs that did not fail.
#[derive(PartialEq, Eq)]
enum GroupEnd {
    /// Its writes are on disk.
    Committed,
    /// It had no statement.
    Untouched,
}

/// The statements that run before a job's first statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prelude {
    /// Begin the transaction.
    Begin,
    /// Keep the work of the last job that had a statement.
    KeepLast,
    /// Roll back the work of the last job that had a statement.
    RollBackLast,
}

impl Prelude {
    fn sql(self, sql: &TransactionSql) -> Option<SqlStr> {
        Some(match self {
            Self::Begin => sql.begin.clone(),
            Self::KeepLast => sql.keep_job.clone(),
            Self::RollBackLast => sql.roll_back_job.clone(),
        })
    }
}

async fn run_statements(conn: &mut Conn, text: &SqlStr) -> Result<(), Failure> {
    sqlx::raw_sql(text.clone()).execute(conn).await.map(|_| ()).map_err(|fault| Failure::of(&fault))
}
