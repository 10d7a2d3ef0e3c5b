//! The common main of every Rovuma service: configuration → telemetry → signals → health → role.
//!
//! A service implements [`Service`] and its `main.rs` calls [`main`]. A role gets everything that it needs from its
//! surroundings in a [`Context`]: the clock, the two shutdown tokens and the tasks that they own, the named readiness
//! checks, and the expiry dates.
//!
//! Architecture invariant: nothing here knows a message, a broker or a database. Deliberately absent: global state that a
//! role could read instead of getting it as an argument.

mod admin;
mod clock;
pub mod config;
mod context;
mod expiry;
mod health;
pub mod http;
mod metrics_export;
mod process;
mod shutdown;
mod telemetry;
pub mod trace_context;

pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use config::{ConfigError, Secret, SecretError, SecretFile};
pub use context::{Context, Service};
pub use expiry::{CertificateError, Expiries, ExpiryKind, ExpiryLevel};
pub use health::{Check, Health, ReadyHandle, Report};
pub use http::{
    CallerLocale, ListenConfig, Problem, ProblemDuplicate, ProblemDuplicates, ProblemFault, SameSubject,
    TlsFiles,
};
pub use process::{main, with_causes};
pub use shutdown::{GRACE, Shutdown};
