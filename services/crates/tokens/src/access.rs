//! A checked access token, and the checks of its claims.

use rovuma_schemas::{AgencyCode, Timestamp};
use serde_json::Value;

use crate::{IssuerConfig, LEEWAY, TokenError};

/// An access token whose signature, times, audience and claims a [`TokenVerifier`](crate::TokenVerifier) has checked. There
/// is no other way to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    issuer: String,
    subject: String,
    client_id: Option<String>,
    id: Option<String>,
    session: Option<String>,
    agency: AgencyCode,
    roles: Vec<String>,
    name: Option<String>,
    scope: Option<String>,
    issued_at: Option<Timestamp>,
    expires: Timestamp,
}

impl AccessToken {
    /// The issuer that signed it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The person or machine that it was issued for: a pseudonymous id, unique at the issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The client that it was issued to.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// The token's own id.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The session (one log-in) that it belongs to.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The one agency for which its bearer acts.
    pub fn agency(&self) -> &AgencyCode {
        &self.agency
    }

    /// Roles in that agency, as the issuer spells them.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The name to show on screens. Personal data: not for logs.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Scopes granted, separated by spaces.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The time when it was signed.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// The time when it expires.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether a machine acts for itself (client credentials): then the subject is the client (RFC 9068 §2.2).
    pub fn is_machine(&self) -> bool {
        self.client_id.as_deref() == Some(self.subject.as_str())
    }

    /// Checks the claims of a token whose signature was verified with one of this issuer's keys.
    pub(crate) fn from_claims(
        claims: &Value,
        issuer: &IssuerConfig,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        if text(claims, "iss").as_deref() != Some(issuer.issuer.as_str()) {
            return Err(missing("iss"));
        }
        check_audience(claims, &issuer.audience)?;
        let subject = text(claims, "sub").ok_or_else(|| missing("sub"))?;
        let (agency, roles) = (agency(claims, issuer)?, roles(claims, &issuer.claims.roles)?);
        // Last: callers are told that a token has expired, and of a token with another fault they must not be told more.
        let (issued_at, expires) = check_times(claims, now)?;
        Ok(Self {
            issuer: issuer.issuer.clone(),
            subject,
            client_id: text(claims, &issuer.claims.client),
            id: text(claims, "jti"),
            session: text(claims, &issuer.claims.session),
            agency,
            roles,
            name: text(claims, &issuer.claims.name),
            scope: text(claims, "scope"),
            issued_at,
            expires,
        })
    }
}

/// Checks the times: `exp` must be present and in the future; `nbf` and `iat`, when present, in the past.
pub(crate) fn check_times(
    claims: &Value,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Timestamp), TokenError> {
    let expires = instant(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    if now > expires.plus(LEEWAY) {
        return Err(TokenError::Expired { expires, now });
    }
    let issued_at = instant(claims, "iat")?;
    for from in [issued_at, instant(claims, "nbf")?].into_iter().flatten() {
        if from > now.plus(LEEWAY) {
            return Err(TokenError::NotYetValid { from, now });
        }
    }
    Ok((issued_at, expires))
}

/// Checks the audience (RFC 7519 §4.1.3): one string, or an array of which one must match.
pub(crate) fn check_audience(claims: &Value, expected: &str) -> Result<(), TokenError> {
    let matches = match claims.get("aud") {
        Some(Value::String(one)) => one == expected,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(expected)),
        _ => false,
    };
    if matches { Ok(()) } else { Err(TokenError::WrongAudience { expected: expected.to_owned() }) }
}

pub(crate) fn missing(name: &str) -> TokenError {
    TokenError::Claim { name: name.to_owned() }
}

/// A claim that is a string, not empty and without control characters: no name has those, and not every store accepts them.
pub(crate) fn text(claims: &Value, name: &str) -> Option<String> {
    let is_text = |text: &&str| !text.is_empty() && !text.contains(char::is_control);
    find(claims, name)?.as_str().filter(is_text).map(str::to_owned)
}

fn find<'a>(claims: &'a Value, name: &str) -> Option<&'a Value> {
    if name.starts_with('/') { claims.pointer(name) } else { claims.get(name) }
}

/// A NumericDate (RFC 7519 §2): seconds, with or without a fraction.
fn instant(claims: &Value, name: &str) -> Result<Option<Timestamp>, TokenError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let micros = match (value.as_i64(), value.as_f64()) {
        (Some(seconds), _) => seconds.checked_mul(1_000_000),
        // A fraction is cut off, so that a token does not live longer for it. Beyond the range of i64 the cast saturates,
        // and `from_micros` refuses the result.
        (None, Some(seconds)) => Some((seconds * 1e6) as i64),
        _ => None,
    };
    let instant = micros.and_then(|micros| Timestamp::from_micros(micros).ok());
    instant.map(Some).ok_or_else(|| missing(name))
}

fn agency(claims: &Value, issuer: &IssuerConfig) -> Result<AgencyCode, TokenError> {
    let name = &issuer.claims.agency;
    let agency: AgencyCode =
        text(claims, name).and_then(|code| code.parse().ok()).ok_or_else(|| missing(name))?;
    match &issuer.agencies {
        Some(given) if !given.contains(&agency) => {
            Err(TokenError::ForeignAgency { issuer: issuer.issuer.clone(), agency: agency.to_string() })
        }
        _ => Ok(agency),
    }
}

fn roles(claims: &Value, name: &str) -> Result<Vec<String>, TokenError> {
    match find(claims, name) {
        // A token without roles is valid: the access policy decides that it may do nothing.
        None => Ok(Vec::new()),
        Some(Value::String(words)) => Ok(words.split_whitespace().map(str::to_owned).collect()),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| value.as_str().map(str::to_owned).ok_or_else(|| missing(name)))
            .collect(),
        Some(_) => Err(missing(name)),
    }
}
