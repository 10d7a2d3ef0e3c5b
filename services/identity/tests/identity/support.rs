//! An identity service in a test's hand, and a browser and clients that speak with it.

mod browser;
mod fixture;

pub(crate) use browser::{LoginPage, location, request_query};
pub(crate) use fixture::{ApiResponse, Fixture, config, secret};

/// `iss`. Nobody resolves it: tests speak to the address that the service listens on.
pub(crate) const ISSUER: &str = "http://127.0.0.1:9";
/// Where the test's program would listen.
pub(crate) const REDIRECT: &str = "http://127.0.0.1:49152/callback";

/// The administrator of `mz.prm`.
pub(crate) const ADMIN: &str = "admin.prm";
/// An officer of `mz.prm`.
pub(crate) const OFFICER: &str = "ana.tembe";
/// The administrator of `mz.senami`.
pub(crate) const FOREIGN_ADMIN: &str = "admin.senami";
/// Everybody's password.
pub(crate) const PASSWORD: &str = "three boats by moonlight";
/// The secret of the application `console`.
pub(crate) const CONSOLE_SECRET: &str = "0123456789abcdef0123456789abcdef";
