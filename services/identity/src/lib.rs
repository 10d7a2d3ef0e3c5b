//! The identity service: an OpenID Connect provider for a country that has none.
//!
//! - People log in with a password on this service's page, which redirects them to the application with a
//!   code: authorization code and PKCE (RFC 6749, RFC 7636, OpenID Connect Core 1.0); machines with client
//!   credentials. Both get access tokens of ten minutes (RFC 9068), which name one agency and its
//!   roles. A person's application renews them with refresh tokens for one shift (RFC 9700 §4.14).
//! - Administrators manage users, roles and machine clients of their own agency by an API (`/v1`).
//! - Every log-in, failure, token and change is audited in the transaction that writes it.
//!
//! Architecture invariant: other services trust a token because of its signature, and need nothing else
//! from this service. Deliberately absent: sessions in the browser, second factors, and any flow that hands tokens or passwords through the browser's address line.

mod accounts;
mod api;
mod app;
mod applications;
mod bootstrap;
mod config;
mod fault;
mod ids;
mod issuer;
mod keys;
mod machines;
mod oidc;
mod params;
mod password;
mod service;
mod sessions;
mod throttle;

pub use api::openapi;
pub use config::{
    ApplicationConfig, AuditConfig, BootstrapClientConfig, BootstrapConfig, IdentityConfig, SigningConfig,
};
pub use ids::{AccountId, BadLogin, Login};
pub use password::{PASSWORD_MAX_BYTES, PASSWORD_MIN_CHARS};
pub use service::{Identity, RunningIdentity};

use std::time::Duration;

/// The life of a token: short, so that a stolen token, or one of an account that was disabled, soon
/// expires; long enough that signing tokens costs little.
pub const TOKEN_LIFE: Duration = Duration::from_secs(600);
