//! The interface of a role, and the context that it gets.

use serde::de::DeserializeOwned;

use crate::{Expiries, Health, SharedClock, Shutdown};

/// A role that [`crate::main`] runs.
pub trait Service: 'static {
    /// The program's name: `rovuma-gateway`.
    const NAME: &'static str;

    /// One sentence for `--help`.
    const ABOUT: &'static str;

    /// The service's own sections of the configuration. Give it `#[serde(deny_unknown_fields)]`; the
    /// sections `admin`, `log` and `telemetry` belong to the runtime, which removes them before.
    type Config: DeserializeOwned + Send + 'static;

    /// Reads every file that the configuration names and that the service cannot start without (keys, certificates,
    /// policies), and refuses what [`Service::start`] would refuse. It needs neither a database nor a network, and
    /// changes nothing. The common main calls it before `start`, and for `--check-config` alone.
    ///
    /// # Errors
    /// The first fault: the process prints it and ends with 1.
    fn check(config: &Self::Config) -> anyhow::Result<()>;

    /// Sentences about what the operator should look at although the service starts with it, for `--check-config` alone, after
    /// [`Service::check`] has passed.
    fn warnings(config: &Self::Config) -> Vec<String> {
        let _ = config;
        Vec::new()
    }

    /// Starts the role: opens what it needs, spawns its tasks on `context.shutdown`, and returns. The
    /// service then runs until a signal, or until a task fails.
    ///
    /// # Errors
    /// Any failure to start: the process prints it and ends with 1.
    fn start(config: Self::Config, context: &Context) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What a role needs from its surroundings. Clones share one state.
#[derive(Clone, Debug)]
pub struct Context {
    /// The clock.
    pub clock: SharedClock,
    /// The shutdown tokens and the tasks that they own.
    pub shutdown: Shutdown,
    /// The named readiness checks.
    pub health: Health,
    /// The expiry dates of keys, certificates and trust lists.
    pub expiries: Expiries,
}

impl Context {
    /// A new context with this clock, without tasks, checks or expiry dates.
    pub fn new(clock: SharedClock) -> Self {
        let shutdown = Shutdown::new();
        let health = Health::new(clock.clone(), shutdown.clone());
        Self { expiries: Expiries::new(clock.clone()), clock, shutdown, health }
    }
}
