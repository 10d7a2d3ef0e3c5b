//! Named readiness checks, each with its state, the reason, and the time of its last change.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rovuma_schemas::Timestamp;
use serde::Serialize;

use crate::{SharedClock, Shutdown};

/// All checks of a service. Clones share one state.
#[derive(Clone, Debug)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: SharedClock,
    shutdown: Shutdown,
    checks: Mutex<BTreeMap<String, Check>>,
}

/// One check as `/health/ready` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The check's name: `broker`, `store`.
    pub name: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Since when it has been in this state.
    pub since: Timestamp,
    /// Why it is not ready; absent when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The body of `/health/ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether the service takes work: every check is ready and no shutdown has begun.
    pub ready: bool,
    /// Whether a shutdown has begun.
    pub stopping: bool,
    /// The checks, by name.
    pub checks: Vec<Check>,
}

impl Health {
    /// No checks yet: the service is ready.
    pub fn new(clock: SharedClock, shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner { clock, shutdown, checks: Mutex::default() }))
    }

    /// Adds a check, which is not ready until its handle sets it so.
    pub fn register(&self, name: impl Into<String>) -> ReadyHandle {
        let handle = ReadyHandle { health: self.clone(), name: name.into() };
        handle.not_ready("starting");
        handle
    }

    /// The present state of all checks.
    pub fn report(&self) -> Report {
        let checks: Vec<Check> = self.checks().values().cloned().collect();
        let stopping = self.0.shutdown.is_stopping();
        Report { ready: !stopping && checks.iter().all(|check| check.ready), stopping, checks }
    }

    fn set(&self, name: &str, reason: Option<String>) {
        let ready = reason.is_none();
        let now = self.0.clock.now();
        let mut checks = self.checks();
        match checks.get_mut(name) {
            // A check that is not ready for a new reason has not been ready since the first.
            Some(check) if check.ready == ready => check.reason = reason,
            _ => {
                let check = Check { name: name.to_owned(), ready, since: now, reason };
                checks.insert(name.to_owned(), check);
            }
        }
        drop(checks);
        metrics::gauge!("rovuma_ready", "check" => name.to_owned()).set(if ready { 1.0 } else { 0.0 });
    }

    fn checks(&self) -> MutexGuard<'_, BTreeMap<String, Check>> {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle that sets one check. Dropping it leaves the check as it was.
#[derive(Clone, Debug)]
pub struct ReadyHandle {
    health: Health,
    name: String,
}

impl ReadyHandle {
    /// Sets the check to ready.
    pub fn ready(&self) {
        self.health.set(&self.name, None);
    }

    /// Sets the check to not ready, because of `reason` (shown to operators: no secrets, no personal data).
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.health.set(&self.name, Some(reason.into()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ManualClock;

    #[test]
    fn a_report_says_which_check_is_not_ready_and_since_when() {
        let start: Timestamp = "2026-11-23T18:00:00Z".parse().expect("RFC 3339");
        let clock = ManualClock::at(start);
        let health = Health::new(clock.shared(), Shutdown::new());
        let (store, broker) = (health.register("store"), health.register("broker"));
        store.ready();
        broker.ready();
        assert!(health.report().ready);
        clock.advance(Duration::from_secs(5));
        broker.not_ready("connection refused");
        clock.advance(Duration::from_secs(5));
        broker.not_ready("no route to host");
        let report = health.report();
        assert!(!report.ready);
        assert_eq!(report.checks[0].since, start.plus(Duration::from_secs(5)));
        assert_eq!(report.checks[0].reason.as_deref(), Some("no route to host"));
        assert!(report.checks[1].ready);
    }

    #[test]
    fn a_stopping_service_is_not_ready() {
        let shutdown = Shutdown::new();
        let health = Health::new(crate::SystemClock::shared(), shutdown.clone());
        shutdown.begin();
        assert!(!health.report().ready && health.report().stopping);
    }
}
