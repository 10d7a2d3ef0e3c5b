//! HTTP serving shared by all services: RFC 9457 problems, limits, request spans, optional TLS.

mod body;
mod connections;
mod layers;
mod locale;
mod long_body;
mod problem;
mod serve;

pub use body::{BODY_GRACE, BODY_RATE_BYTES_PER_S, body_too_large};
pub use connections::ConnectionLimits;
pub use layers::{BODY_LIMIT_BYTES, with_layers, with_long_bodies};
pub use locale::CallerLocale;
pub use long_body::LongBody;
pub use problem::{Problem, ProblemDuplicate, ProblemDuplicates, ProblemFault, SameSubject};
pub(crate) use serve::serve_plain;
pub use serve::{ListenConfig, ServeError, TlsFiles, check, serve, serve_long_bodies};
