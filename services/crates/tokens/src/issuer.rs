//! The configuration of an issuer.

use std::{collections::BTreeSet, path::PathBuf};

use rovuma_schemas::AgencyCode;
use serde::Deserialize;
use url::Url;

use crate::SignatureAlgorithm;

/// `[tokens]` of a service's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensConfig {
    /// The issuers whose access tokens are accepted. With several, each lists its agencies, and no agency stands with two.
    pub issuers: Vec<IssuerConfig>,
}

/// One issuer whose tokens are accepted, with the conditions. With [`ClaimNames`] it can describe any standard OpenID Connect
/// provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The issuer's `iss`, which must match exactly.
    pub issuer: String,
    /// The audience, which must be among the values of `aud`.
    pub audience: String,
    /// The URL of its JWK Set: `https`, or `http` on a loopback address.
    #[serde(default)]
    pub jwks_url: Option<Url>,
    /// The JWK Set as a file, for an installation without a line to the issuer.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// The only authorities trusted for `jwks_url`, PEM; without it, the machine's authorities are.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The algorithms with which it may sign.
    #[serde(default = "eddsa_only")]
    pub algorithms: Vec<SignatureAlgorithm>,
    /// The accepted values of the `typ` header; a token may have `application/` before them.
    #[serde(default = "access_tokens_only")]
    pub typ: Vec<String>,
    /// The agencies for which it may issue tokens; without it, all agencies.
    #[serde(default)]
    pub agencies: Option<Vec<AgencyCode>>,
    /// The names of the claims in its tokens.
    #[serde(default)]
    pub claims: ClaimNames,
}

/// Names of claims. A name that begins with `/` is an RFC 6901 pointer into the claims, for
/// providers that nest them (`/realm_access/roles`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimNames {
    /// The agency's code.
    pub agency: String,
    /// The roles: an array of strings, or one string with spaces between them.
    pub roles: String,
    /// The session (one log-in).
    pub session: String,
    /// The name to show on screens.
    pub name: String,
    /// The client that the token was issued to.
    pub client: String,
}

/// An invalid configuration of issuers.
#[derive(Debug, thiserror::Error)]
pub enum IssuerFault {
    /// Neither `jwks_url` nor `jwks_file`, or both.
    #[error("issuer {issuer}: exactly one of jwks_url and jwks_file must be set")]
    KeySource {
        /// The issuer.
        issuer: String,
    },
    /// `jwks_url` is neither `https` nor on a loopback address: others could replace the keys on their way.
    #[error("issuer {issuer}: jwks_url must be https (http only on a loopback address): {url}")]
    ClearText {
        /// The issuer.
        issuer: String,
        /// The URL.
        url: Url,
    },
    /// A list is empty, so no token would be accepted.
    #[error("issuer {issuer}: {list} must not be empty")]
    Empty {
        /// The issuer.
        issuer: String,
        /// The list's name.
        list: &'static str,
    },
    /// One issuer has two entries.
    #[error("issuer {issuer} is configured twice")]
    Twice {
        /// The issuer.
        issuer: String,
    },
    /// One of several issuers does not say for which agencies it may issue tokens.
    #[error("issuer {issuer}: with several issuers each must list its agencies")]
    AgenciesMissing {
        /// The issuer.
        issuer: String,
    },
    /// Two issuers may issue tokens for one agency. Subjects are unique at their issuer only, and drafts name their author by
    /// subject: a person of one issuer could pass for another's.
    #[error("agency {agency} stands with two issuers; the second is {issuer}")]
    AgencyTwice {
        /// The agency.
        agency: AgencyCode,
        /// The second issuer that lists it.
        issuer: String,
    },
    /// The certificates of `ca_file` cannot be used.
    #[error("issuer {issuer}: ca_file: {reason}")]
    CaFile {
        /// The issuer.
        issuer: String,
        /// What is wrong.
        reason: String,
    },
}

impl TokensConfig {
    /// Whether every agency has one issuer.
    pub(crate) fn check_agencies(&self) -> Result<(), IssuerFault> {
        if self.issuers.len() <= 1 {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        for IssuerConfig { issuer, agencies, .. } in &self.issuers {
            let agencies =
                agencies.as_ref().ok_or_else(|| IssuerFault::AgenciesMissing { issuer: issuer.clone() })?;
            if let Some(agency) = agencies.iter().find(|agency| !seen.insert((*agency).clone())) {
                return Err(IssuerFault::AgencyTwice { agency: agency.clone(), issuer: issuer.clone() });
            }
        }
        Ok(())
    }
}

impl IssuerConfig {
    /// An issuer whose keys the program itself supplies: the identity service checks its own tokens so. It issues EdDSA
    /// access tokens with Rovuma's claim names.
    pub fn own(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            jwks_url: None,
            jwks_file: None,
            ca_file: None,
            algorithms: eddsa_only(),
            typ: access_tokens_only(),
            agencies: None,
            claims: ClaimNames::default(),
        }
    }

    pub(crate) fn check_lists(&self) -> Result<(), IssuerFault> {
        let empty = |list| IssuerFault::Empty { issuer: self.issuer.clone(), list };
        if self.algorithms.is_empty() {
            return Err(empty("algorithms"));
        }
        if self.typ.is_empty() {
            return Err(empty("typ"));
        }
        if self.audience.is_empty() {
            return Err(empty("audience"));
        }
        Ok(())
    }
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            agency: "agency".into(),
            roles: "roles".into(),
            session: "sid".into(),
            name: "name".into(),
            client: "client_id".into(),
        }
    }
}

/// Whether keys may be fetched from `url`: nobody on the way can replace them.
pub(crate) fn is_trustworthy(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

fn eddsa_only() -> Vec<SignatureAlgorithm> {
    vec![SignatureAlgorithm::EdDsa]
}

fn access_tokens_only() -> Vec<String> {
    vec![crate::ACCESS_TOKEN_TYPE.to_owned()]
}
