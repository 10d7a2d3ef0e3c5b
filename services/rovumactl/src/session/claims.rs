//! The claims of an access token, for display only: this tool does not verify them, the servers do.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_schemas::Timestamp;
use serde::{Deserialize, Serialize};

use super::cache::CachedToken;
use crate::output::safe;

/// The claims that tell users who they are (RFC 9068).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UnverifiedClaims {
    sub: String,
    name: Option<String>,
    agency: Option<String>,
    roles: Vec<String>,
}

/// The subject of a token, by its unverified claims.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenCaller {
    /// The subject.
    pub(crate) subject: String,
    /// The agency.
    pub(crate) agency: Option<String>,
}

impl TokenCaller {
    /// Reads the token's claims. An opaque token has none.
    pub(crate) fn of(token: &str) -> Self {
        let UnverifiedClaims { sub: subject, agency, .. } = unverified(token);
        Self { subject, agency }
    }
}

fn unverified(token: &str) -> UnverifiedClaims {
    let payload = token.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    payload.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

/// The result of `login` and `whoami`.
#[derive(Debug, Serialize)]
pub(crate) struct LoginSummary {
    issuer: String,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    roles: Vec<String>,
    expires: Timestamp,
    /// Whether commands get the next token by themselves when this one expires.
    renewed: bool,
}

impl LoginSummary {
    /// Reads the token's claims. An opaque token has none.
    pub(crate) fn of(issuer: &str, token: &CachedToken) -> Self {
        let claims = unverified(&token.access_token);
        Self {
            issuer: issuer.to_owned(),
            subject: claims.sub,
            name: claims.name,
            agency: claims.agency,
            roles: claims.roles,
            expires: token.expires,
            renewed: token.refresh_token.is_some() || token.client_secret_file.is_some(),
        }
    }
}

impl fmt::Display for LoginSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or(&self.subject);
        write!(f, "{} of {}", safe(name), safe(self.agency.as_deref().unwrap_or("no agency")))?;
        write!(f, " ({})\nat {} until {}", safe(&self.roles.join(", ")), self.issuer, self.expires)?;
        f.write_str(if self.renewed { ", then renewed by itself" } else { "" })
    }
}
