//! HTTP serving shared by all services: RFC 9457 problems, limits, request spans, optional TLS.

mod layers;
mod locale;
mod problem;
mod serve;

pub use layers::{BODY_LIMIT_BYTES, with_layers};
pub use locale::CallerLocale;
pub use problem::{Problem, ProblemFault};
pub(crate) use serve::serve_plain;
pub use serve::{ListenConfig, ServeError, TlsFiles, check, serve};
