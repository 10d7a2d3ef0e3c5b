//! The common main of every Rovuma service: configuration → telemetry → signals → health → role.
//!
//! A service implements [`Service`] and its `main.rs` calls [`main`]. Everything a role needs from its
//! surroundings is in the [`Context`] it is handed: the clock, the two shutdown tokens and the tasks they
//! own, the named readiness checks, and what expires when.
//!
//! Architecture invariant: nothing here knows a message, a broker or a database. What is deliberately
//! absent: global state that a role could read instead of being handed it.

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
pub use http::{CallerLocale, ListenConfig, Problem, ProblemFault, TlsFiles};
pub use process::main;
pub use shutdown::{GRACE, Shutdown};
