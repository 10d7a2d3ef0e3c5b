//! The one task that writes: jobs that wait at the same time share a transaction and its `fsync`.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, future::BoxFuture};
use sqlx::Connection;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::error;

use crate::{Conn, WriteError, error::Failure};

/// Jobs of one commit at most: beyond this the first of them would wait too long for its answer.
const GROUP_MAX: usize = 256;

/// A unit of work that does not know what it answers.
pub(crate) trait Job: Send {
    /// Does the work and holds its answer back.
    fn run<'t>(self: Box<Self>, tx: &'t mut Conn) -> BoxFuture<'t, Box<dyn Held>>;
    /// Answers without having done anything.
    fn refuse(self: Box<Self>, failure: &Failure);
}

/// The answer of a job, held back until the commit.
pub(crate) trait Held: Send {
    /// Whether the job's work is to be kept.
    fn keeps(&self) -> bool;
    /// Gives the answer: what the job said, or why the whole group did not take effect.
    fn release(self: Box<Self>, group: &Result<(), Failure>);
}

/// A job and where its answer goes.
pub(crate) struct Typed<F, T, E> {
    pub(crate) work: F,
    pub(crate) reply: oneshot::Sender<Result<T, WriteError<E>>>,
}

struct Answer<T, E> {
    said: Result<T, WriteError<E>>,
    reply: oneshot::Sender<Result<T, WriteError<E>>>,
}

impl<F, T, E> Job for Typed<F, T, E>
where
    T: Send + 'static,
    E: std::error::Error + Send + 'static,
    F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, Result<T, E>> + Send,
{
    fn run<'t>(self: Box<Self>, tx: &'t mut Conn) -> BoxFuture<'t, Box<dyn Held>> {
        let Self { work, reply } = *self;
        // The call itself may panic as well as what it returns.
        let started = std::panic::catch_unwind(AssertUnwindSafe(|| work(tx)));
        async move {
            let ended = match started {
                Ok(work) => AssertUnwindSafe(work).catch_unwind().await,
                Err(panic) => Err(panic),
            };
            let said = match ended {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(fault)) => Err(Failure::beneath(&fault).map_or(WriteError::Job(fault), Into::into)),
                Err(_) => {
                    error!("a write panicked: its work is taken back");
                    Err(WriteError::Panicked)
                }
            };
            Box::new(Answer { said, reply }) as Box<dyn Held>
        }
        .boxed()
    }

    fn refuse(self: Box<Self>, failure: &Failure) {
        let _ = self.reply.send(Err(failure.clone().into()));
    }
}

impl<T: Send, E: Send> Held for Answer<T, E> {
    fn keeps(&self) -> bool {
        self.said.is_ok()
    }

    fn release(self: Box<Self>, group: &Result<(), Failure>) {
        let answer = match (self.said, group) {
            (Ok(_), Err(failure)) => Err(failure.clone().into()),
            (said, _) => said,
        };
        // A caller that went away does not want its answer.
        let _ = self.reply.send(answer);
    }
}

/// Writes until no sender is left.
pub(crate) async fn run(
    mut conn: Conn,
    mut waiting: mpsc::Receiver<Box<dyn Job>>,
    committed: watch::Sender<u64>,
) {
    while let Some(first) = waiting.recv().await {
        let mut held = Vec::new();
        let outcome = group(&mut conn, first, &mut waiting, &mut held).await;
        if let Err(failure) = &outcome {
            error!(jobs = held.len(), ?failure, "a group of writes did not take effect");
            // SQLite may have rolled back by itself already: then this says so, and that is all right.
            let _ = statements(&mut conn, "ROLLBACK").await;
        } else {
            committed.send_modify(|count| *count += 1);
        }
        metrics::histogram!("rovuma_store_group_jobs").record(u32::try_from(held.len()).unwrap_or(u32::MAX));
        for answer in held {
            answer.release(&outcome);
        }
    }
    if let Err(fault) = conn.close().await {
        error!(%fault, "closing the store");
    }
}

/// One transaction: `first`, and whatever waits when it and its followers are done.
///
/// A savepoint is open while a job runs. Statements that belong together go to the database in one
/// text: each text is a change of threads, which costs more than most statements.
async fn group(
    conn: &mut Conn,
    first: Box<dyn Job>,
    waiting: &mut mpsc::Receiver<Box<dyn Job>>,
    held: &mut Vec<Box<dyn Held>>,
) -> Result<(), Failure> {
    let mut next = Some(first);
    let mut before = "BEGIN IMMEDIATE; SAVEPOINT job";
    while let Some(job) = next {
        if let Err(failure) = statements(conn, before).await {
            job.refuse(&failure);
            return Err(failure);
        }
        let answer = job.run(conn).await;
        // Going back to a savepoint leaves it open.
        before =
            if answer.keeps() { "RELEASE SAVEPOINT job; SAVEPOINT job" } else { "ROLLBACK TO SAVEPOINT job" };
        held.push(answer);
        next = if held.len() < GROUP_MAX { waiting.try_recv().ok() } else { None };
    }
    let end = if held.last().is_some_and(|last| last.keeps()) {
        "COMMIT"
    } else {
        "ROLLBACK TO SAVEPOINT job; COMMIT"
    };
    statements(conn, end).await
}

async fn statements(conn: &mut Conn, text: &'static str) -> Result<(), Failure> {
    sqlx::raw_sql(text).execute(conn).await.map(|_| ()).map_err(|fault| Failure::of(&fault))
}
