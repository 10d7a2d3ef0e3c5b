//! The trust lists that a gateway believes.

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The trust lists in force.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Trust {
    /// One per pinned country.
    pub lists: Vec<ListView>,
    /// Warnings about lists and keys that would stop the exchange if nobody acted, the most pressing first.
    pub warnings: Vec<Warning>,
}

/// One country's list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ListView {
    /// The country.
    #[schema(value_type = String)]
    pub country: CountryCode,
    /// `current`, `overdue` (still believed), `past_bound` or `missing` (messages are held).
    pub state: String,
    /// The serial; 0 without a list.
    pub serial: u64,
    /// The instant at which the next list is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_update: Option<Timestamp>,
    /// The agencies in it.
    pub agencies: Vec<AgencyView>,
}

/// One agency of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AgencyView {
    /// Its code.
    #[schema(value_type = String)]
    pub code: AgencyCode,
    /// Its names by language.
    pub names: BTreeMap<String, String>,
    /// The body that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// From when on it takes part.
    #[schema(value_type = String, format = DateTime)]
    pub valid_from: Timestamp,
    /// From when on no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_until: Option<Timestamp>,
    /// The message types it may send.
    pub may_send: Vec<String>,
    /// Its keys for signing.
    pub signing_keys: Vec<KeyView>,
    /// Its keys that others seal to.
    pub sealing_keys: Vec<KeyView>,
}

/// One public key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// The RFC 7638 thumbprint, or the age recipient.
    pub key: String,
    /// The first instant of its use.
    #[schema(value_type = String, format = DateTime)]
    pub not_before: Timestamp,
    /// The first instant after its use.
    #[schema(value_type = String, format = DateTime)]
    pub not_after: Timestamp,
    /// From when on it is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// The reason: `compromised`, `superseded`, `ceased`, `unspecified`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_because: Option<String>,
}

/// One thing to look after.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// `list_missing`, `list_past_bound`, `list_overdue`, `pin_outdated`, `key_expiring`, `key_expired`,
    /// `key_not_yet_valid`, `key_revoked`, `key_compromised`, `key_unlisted`, `sealing_key_unlisted`.
    pub code: String,
    /// The country or key that it is about.
    pub subject: String,
    /// The instant at which it becomes, or became, pressing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}
