//! What tests that cross services share: two brokers for a whole test program, a virtual host, keys,
//! trust lists and services for each border, and ways to wait for a condition, never for a time.

mod caller;
pub mod drafts;
pub mod forge;
mod lab;
mod refusals;
pub mod routes;
mod tap;
pub mod trust;
mod wait;

pub use caller::Caller;
pub use lab::{Lab, items, programs, quick, send};
pub use refusals::Refusal;
pub use tap::Tap;
pub use wait::eventually;
