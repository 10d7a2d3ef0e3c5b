//! What a role is, and what it is handed.

use serde::de::DeserializeOwned;

use crate::{Expiries, Health, SharedClock, Shutdown};

/// A role that [`crate::main`] runs.
pub trait Service: 'static {
    /// The program's name: `rovuma-gateway`.
    const NAME: &'static str;

    /// One sentence for `--help`.
    const ABOUT: &'static str;

    /// The service's own sections of the configuration. Give it `#[serde(deny_unknown_fields)]`; the
    /// sections `admin`, `log` and `telemetry` are the runtime's and are taken off before.
    type Config: DeserializeOwned + Send + 'static;

    /// Starts the role: opens what it needs, spawns its tasks on `context.shutdown`, and returns. The
    /// service then runs until a signal, or until a task fails.
    ///
    /// # Errors
    /// Whatever keeps it from starting; the process ends with 1 and says it.
    fn start(config: Self::Config, context: &Context) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What a role needs from its surroundings. Clones speak of the same service.
#[derive(Clone, Debug)]
pub struct Context {
    /// What time it is.
    pub clock: SharedClock,
    /// The tasks and when to stop.
    pub shutdown: Shutdown,
    /// The named readiness checks.
    pub health: Health,
    /// What expires when.
    pub expiries: Expiries,
}

impl Context {
    /// A fresh surrounding with this clock: nothing running, nothing to check.
    pub fn new(clock: SharedClock) -> Self {
        let shutdown = Shutdown::new();
        let health = Health::new(clock.clone(), shutdown.clone());
        Self { expiries: Expiries::new(clock.clone()), clock, shutdown, health }
    }
}
