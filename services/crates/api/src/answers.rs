//! What the HTTP APIs answer: the services build these types, and clients read them.
//!
//! A later version of an API may add members and codes. So no type refuses members that it does not know, and a code that
//! may grow (a state, a reason, a role) is a text. Only words on which signed messages agree (an agency, a lane) are types.
//!
//! Refusals are [`Problem`](rovuma_runtime::Problem)s.

pub mod audit;
pub mod gateway;
pub mod identity;
