//! The claims of tokens that Rovuma's own identity service signs.

use rovuma_schemas::{AgencyCode, Timestamp};
use serde::{Serialize, Serializer};

/// `typ` of an access token (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// `typ` of an id token.
pub const ID_TOKEN_TYPE: &str = "JWT";

/// An access token's claims: RFC 9068 §2.2, and Rovuma's own `agency`, `roles` (§2.2.3.1) and `sid`.
#[derive(Clone, Debug, Serialize)]
pub struct AccessClaims {
    /// The issuer that signs it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The person's pseudonymous id, or the client's own id for a machine.
    #[serde(rename = "sub")]
    pub subject: String,
    /// The services that may accept it.
    #[serde(rename = "aud")]
    pub audience: String,
    /// The client that it is issued to (RFC 8693 §4.3).
    pub client_id: String,
    /// Its own id, drawn for each token.
    #[serde(rename = "jti")]
    pub id: String,
    /// The time when it is signed; whole seconds on the wire.
    #[serde(rename = "iat", serialize_with = "as_seconds")]
    pub issued_at: Timestamp,
    /// The time when it expires; whole seconds on the wire.
    #[serde(rename = "exp", serialize_with = "as_seconds")]
    pub expires: Timestamp,
    /// The one agency for which its bearer acts.
    pub agency: AgencyCode,
    /// Roles in that agency.
    pub roles: Vec<String>,
    /// The session (one log-in) that it belongs to; a machine has none.
    #[serde(rename = "sid", skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The name to show on screens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Scopes granted, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// An id token's claims (OpenID Connect Core 1.0 §2).
#[derive(Clone, Debug, Serialize)]
pub struct IdClaims {
    /// The issuer that signs it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The person.
    #[serde(rename = "sub")]
    pub subject: String,
    /// The client that requested it.
    #[serde(rename = "aud")]
    pub client_id: String,
    /// The time when it is signed.
    #[serde(rename = "iat", serialize_with = "as_seconds")]
    pub issued_at: Timestamp,
    /// The time when it expires.
    #[serde(rename = "exp", serialize_with = "as_seconds")]
    pub expires: Timestamp,
    /// The time when the person entered the password.
    #[serde(rename = "auth_time", serialize_with = "as_seconds")]
    pub authenticated_at: Timestamp,
    /// The nonce of the client's request, which binds the token to that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The session (one log-in).
    #[serde(rename = "sid")]
    pub session: String,
    /// The name to show on screens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

fn as_seconds<S: Serializer>(instant: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(instant.as_micros().div_euclid(1_000_000))
}
