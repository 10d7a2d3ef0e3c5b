//! Access tokens: an identity provider signs them, and every service checks them.
//!
//! - RFC 9068 access tokens (`typ: at+jwt`) are minted with [`TokenKey`] and checked with
//!   [`TokenVerifier`], per issuer by an allow-list of algorithms, types, audience and claim names
//!   ([`IssuerConfig`]), so that any standard OpenID Connect provider can stand in.
//! - Keys come from a JWK Set (RFC 7517) by URL, by file, or from any [`JwksSource`]. They are kept
//!   while the issuer is down and fetched again, at a bounded rate, for a key that is not known.
//!
//! Architecture invariant: this crate alone names `jsonwebtoken`, and gives it *ring* for all its
//! cryptography. There is no HTTP server here: a service reads the header and calls [`bearer`].
//! A token never chooses its own key or algorithm: the headers `jku`, `x5u`, `x5c` and `jwk` are ignored, and the key
//! decides the algorithm.

mod access;
mod algorithm;
mod assertion;
mod bearer;
mod claims;
mod error;
mod issuer;
mod jwk;
mod key;
mod keyset;
mod pkce;
mod provider;
mod remembered;
mod signed;
mod source;
mod verifier;

pub use access::AccessToken;
pub use algorithm::SignatureAlgorithm;
pub use assertion::{Assertion, AssertionRules, JWT_BEARER};
pub use bearer::{BearerError, bearer, challenge};
pub use claims::{ACCESS_TOKEN_TYPE, AccessClaims, ID_TOKEN_TYPE, IdClaims};
pub use error::TokenError;
pub use issuer::{ClaimNames, IssuerConfig, IssuerFault, TokensConfig};
pub use jwk::{JwkSet, PublicJwk};
pub use key::{KeyFault, TokenKey};
pub use keyset::{KeySet, KeySetFault};
pub use pkce::{Pkce, unguessable};
pub use source::{JwksSource, SourceError};
pub use verifier::TokenVerifier;

use std::time::Duration;

/// How far the clocks of a service and an issuer may differ. Synchronised clocks of one country's machines agree within
/// seconds: half a minute covers a machine that synchronises rarely, and adds little to a token's ten minutes. (The five
/// minutes of the exchange between countries are for messages, which cannot be requested again as easily.)
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Maximum size of a token; a longer one is refused before it is decoded. Ours are under 1 KiB, and those of large providers,
/// which list groups, stay below this.
pub const TOKEN_MAX_BYTES: usize = 8 * 1024;
