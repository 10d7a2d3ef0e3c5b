//! Jobs: what callers ask the writer to do, and their replies, which wait for the commit.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use crate::{Conn, WriteError, error::Failure};

/// Work for the writer, whatever the type of its reply.
pub(crate) trait Job: Send {
    /// Does the work and returns its reply, which must not be sent before the commit.
    fn run<'t>(self: Box<Self>, tx: &'t mut Conn) -> BoxFuture<'t, Box<dyn PendingReply>>;
    /// Replies with `failure` instead of doing the work.
    fn refuse(self: Box<Self>, failure: &Failure);
    /// Whether it runs by itself, outside a transaction.
    fn is_alone(&self) -> bool;
}

/// The reply of a job that has run, kept until the group of jobs is committed.
pub(crate) trait PendingReply: Send {
    /// Whether the job succeeded, so that its work is to be kept.
    fn is_success(&self) -> bool;
    /// Replaces the reply by `failure`: the job ran outside the transaction that it was written for.
    fn overrule(&mut self, failure: &Failure);
    /// Sends the reply: the job's own result, or why its whole group was not committed.
    fn send(self: Box<Self>, group: &Result<(), Failure>);
}

/// Hands work to the writer and waits for its reply.
pub(crate) async fn submit<T, E, F>(jobs: &mpsc::Sender<Box<dyn Job>>, work: F) -> Result<T, WriteError<E>>
where
    T: Send + 'static,
    E: std::error::Error + Send + 'static,
    F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    send(jobs, work, false).await
}

/// Hands the writer work that no transaction may hold, such as rewriting the database, and waits for its reply. Every other job waits
/// until it has ended.
pub(crate) async fn submit_alone<T, E, F>(
    jobs: &mpsc::Sender<Box<dyn Job>>,
    work: F,
) -> Result<T, WriteError<E>>
where
    T: Send + 'static,
    E: std::error::Error + Send + 'static,
    F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    send(jobs, work, true).await
}

async fn send<T, E, F>(jobs: &mpsc::Sender<Box<dyn Job>>, work: F, is_alone: bool) -> Result<T, WriteError<E>>
where
    T: Send + 'static,
    E: std::error::Error + Send + 'static,
    F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    let (reply, result) = oneshot::channel();
    jobs.send(Box::new(TypedJob { work, is_alone, reply })).await.map_err(|_| WriteError::Closed)?;
    result.await.unwrap_or(Err(WriteError::Closed))
}

/// A job, and the channel for its reply.
struct TypedJob<F, T, E> {
    work: F,
    is_alone: bool,
    reply: oneshot::Sender<Result<T, WriteError<E>>>,
}

/// The result of a job, and the channel for it.
struct TypedReply<T, E> {
    result: Result<T, WriteError<E>>,
    reply: oneshot::Sender<Result<T, WriteError<E>>>,
}

impl<F, T, E> Job for TypedJob<F, T, E>
where
    T: Send + 'static,
    E: std::error::Error + Send + 'static,
    F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, Result<T, E>> + Send,
{
    fn run<'t>(self: Box<Self>, tx: &'t mut Conn) -> BoxFuture<'t, Box<dyn PendingReply>> {
        let Self { work, reply, .. } = *self;
        // The call that makes the future may panic as well as the future.
        let started = std::panic::catch_unwind(AssertUnwindSafe(|| work(tx)));
        async move {
            let ended = match started {
                Ok(work) => AssertUnwindSafe(work).catch_unwind().await,
                Err(panic) => Err(panic),
            };
            let result = match ended {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(fault)) => {
                    Err(Failure::among_causes_of(&fault).map_or(WriteError::Job(fault), Into::into))
                }
                Err(_) => {
                    error!("a job panicked: its work is rolled back");
                    Err(WriteError::Panicked)
                }
            };
            Box::new(TypedReply { result, reply }) as Box<dyn PendingReply>
        }
        .boxed()
    }

    fn refuse(self: Box<Self>, failure: &Failure) {
        let _ = self.reply.send(Err(failure.clone().into()));
    }

    fn is_alone(&self) -> bool {
        self.is_alone
    }
}

impl<T: Send, E: Send> PendingReply for TypedReply<T, E> {
    fn is_success(&self) -> bool {
        self.result.is_ok()
    }

    fn overrule(&mut self, failure: &Failure) {
        self.result = Err(failure.clone().into());
    }

    fn send(self: Box<Self>, group: &Result<(), Failure>) {
        let result = match (self.result, group) {
            (Ok(_), Err(failure)) => Err(failure.clone().into()),
            (result, _) => result,
        };
        // Fails when the caller went away: then nobody waits for the reply.
        let _ = self.reply.send(result);
    }
}
