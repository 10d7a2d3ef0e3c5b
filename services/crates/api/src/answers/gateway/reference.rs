//! Recipients and code lists.

use rovuma_schemas::{AgencyCode, CountryCode, Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Possible recipients.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Agencies {
    /// By code.
    pub items: Vec<AgencyRow>,
}

/// An agency that a message can be addressed to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AgencyRow {
    /// Its code, as in `recipients`.
    #[schema(value_type = String)]
    pub code: AgencyCode,
    /// Its country.
    #[schema(value_type = String)]
    pub country: CountryCode,
    /// Its name in the caller's language.
    pub name: String,
    /// Its name in each language.
    pub names: AgencyNames,
    /// The body that it belongs to, as it calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Whether a message could be sealed to it now. If not it can be written to, and waits for a new list.
    pub reachable: bool,
}

/// An agency's name in the three languages: the trust list's, or else the one that comes with the gateway, or else the English
/// one or the code.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AgencyNames {
    /// In Portuguese.
    pub pt: String,
    /// In Swahili.
    pub sw: String,
    /// In English.
    pub en: String,
}

/// A code list in one language.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Codes {
    /// Its name.
    pub list: String,
    /// The language of the labels.
    pub lang: String,
    /// Its title.
    pub title: String,
    /// The source of the codes.
    pub source: String,
    /// A notice that a reader must know before using the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// The codes, in the order in which to show them.
    pub entries: Vec<Code>,
}

/// One code.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Code {
    /// As it stands in messages.
    pub code: String,
    /// The label that officers read.
    pub label: String,
    /// The first day on which it may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<Date>,
    /// The last day on which it may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_until: Option<Date>,
    /// Whether it may be used in a draft today.
    pub in_force: bool,
}
