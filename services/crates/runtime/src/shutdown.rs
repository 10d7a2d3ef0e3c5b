//! Two tokens and one tracker own every task of a service.
//!
//! *Soft* asks tasks to take no new work, finish the work in hand, acknowledge it and return. *Hard* drops the tasks that
//! still run. The first SIGTERM or SIGINT begins a soft shutdown; a second signal, or [`GRACE`] later, a hard one.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, error, info};

/// How long a service may take to finish after a soft shutdown: one second less than the ten that are promised, so that the
/// process itself has ended within them.
pub const GRACE: Duration = Duration::from_secs(9);

/// The two tokens and the tracker. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    soft: CancellationToken,
    hard: CancellationToken,
    tracker: TaskTracker,
    failed: AtomicBool,
    next_task: AtomicU64,
    running: Mutex<BTreeMap<u64, &'static str>>,
}

impl Shutdown {
    /// A shutdown that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Resolves when a soft shutdown begins: take no new work, and finish the work in hand.
    pub async fn soft(&self) {
        self.0.soft.cancelled().await;
    }

    /// Resolves when a hard shutdown begins: drop all work.
    pub async fn hard(&self) {
        self.0.hard.cancelled().await;
    }

    /// The soft token, for code that takes a token rather than a future.
    pub fn soft_token(&self) -> CancellationToken {
        self.0.soft.clone()
    }

    /// Whether a shutdown has begun.
    pub fn is_stopping(&self) -> bool {
        self.0.soft.is_cancelled()
    }

    /// Begins a soft shutdown.
    pub fn begin(&self) {
        self.0.soft.cancel();
    }

    /// Begins a hard shutdown: every task is dropped where it stands.
    pub fn end(&self) {
        self.0.soft.cancel();
        self.0.hard.cancel();
    }

    /// Waits `span`, or less when a soft shutdown begins. Returns `false` when it has begun.
    pub async fn pause(&self, span: Duration) -> bool {
        tokio::select! {
            () = self.soft() => false,
            () = tokio::time::sleep(span) => true,
        }
    }

    /// Runs `task` until it returns or a hard shutdown drops it. When a task panics the service ends: a service that lost one
    /// of its parts must not look alive.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_fallible(name, async move {
            task.await;
            Ok::<(), std::convert::Infallible>(())
        });
    }

    /// Runs a task as [`Shutdown::spawn`] does; when it returns an error, a soft shutdown begins and the process ends with a
    /// failure.
    pub fn spawn_fallible<E: fmt::Display + Send + 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let handle = tokio::spawn(task.instrument(tracing::info_span!("task", task.name = name)));
        let this = self.clone();
        let number = this.0.next_task.fetch_add(1, Ordering::Relaxed);
        this.running().insert(number, name);
        self.0.tracker.spawn(async move {
            if this.watch(name, handle).await {
                this.running().remove(&number);
            }
        });
    }

    /// Waits for a task and reports its failure. Returns `false` when a hard shutdown dropped the task.
    async fn watch<E: fmt::Display>(
        &self,
        name: &'static str,
        mut handle: JoinHandle<Result<(), E>>,
    ) -> bool {
        let outcome = tokio::select! {
            outcome = &mut handle => outcome,
            () = self.hard() => {
                handle.abort();
                return false;
            }
        };
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => self.fail(&format_args!("task {name} failed: {failure:#}")),
            Err(join) if join.is_panic() => {
                self.fail(&format_args!("task {name} panicked: {}", panic_text(join.into_panic().as_ref())));
            }
            Err(_) => {}
        }
        true
    }

    /// Records that the service has failed and begins a soft shutdown.
    pub fn fail(&self, what: &dyn fmt::Display) {
        error!("{what}");
        self.0.failed.store(true, Ordering::SeqCst);
        self.begin();
    }

    /// Whether a task failed or panicked.
    pub fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::SeqCst)
    }

    /// Waits until a soft shutdown has begun and every task has returned, or a hard one has begun.
    /// Returns `true` when all returned by themselves.
    pub async fn drained(&self) -> bool {
        self.soft().await;
        self.0.tracker.close();
        tokio::select! {
            biased;
            () = self.hard() => return false,
            () = self.0.tracker.wait() => {}
            () = tokio::time::sleep(GRACE) => {
                let names = self.still_running().join(", ");
                error!(tasks = %names, "still running {} s after the signal: dropped", GRACE.as_secs());
                self.end();
                return false;
            }
        }
        info!("all tasks have finished");
        true
    }

    /// The names of the tasks that have not returned.
    pub fn still_running(&self) -> Vec<&'static str> {
        self.running().values().copied().collect()
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, &'static str>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The message of a panic, when it is a text.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_end_softly_and_all_are_waited_for() {
        let shutdown = Shutdown::new();
        let done = Arc::new(AtomicBool::new(false));
        let (task, flag) = (shutdown.clone(), Arc::clone(&done));
        shutdown.spawn("worker", async move {
            task.soft().await;
            tokio::task::yield_now().await;
            flag.store(true, Ordering::SeqCst);
        });
        shutdown.begin();
        assert!(shutdown.drained().await);
        assert!(done.load(Ordering::SeqCst) && !shutdown.has_failed());
    }

    #[tokio::test]
    async fn a_panic_stops_the_service() {
        let shutdown = Shutdown::new();
        shutdown.spawn("faulty", async { panic!("lost") });
        assert!(shutdown.drained().await);
        assert!(shutdown.has_failed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_stays_is_dropped_after_the_grace() {
        let shutdown = Shutdown::new();
        shutdown.spawn("deaf", std::future::pending());
        shutdown.begin();
        assert!(!shutdown.drained().await);
        assert_eq!(shutdown.still_running(), ["deaf"]);
    }

    #[tokio::test]
    async fn a_hard_shutdown_does_not_wait() {
        let shutdown = Shutdown::new();
        shutdown.spawn("deaf", std::future::pending());
        shutdown.end();
        assert!(!shutdown.drained().await);
    }
}
