//! Whom to telephone, and by which other way the same was sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AgencyCode, Line, subjects::Phone, words::listed_code};

listed_code!(
    /// Another way by which the same was sent.
    ChannelCode, "other_channels"
);

/// Whom to telephone about a case. It is signed with the message, so that nobody can put another number there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// The rank or the name, or the desk.
    pub name: Line,
    /// The telephone number.
    pub phone: Phone,
    /// When somebody answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Line>,
}

/// Another way by which the same was sent, so that nobody works on it twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlsoSent {
    /// The way.
    pub channel: ChannelCode,
    /// The agency that it was sent to, where the exchange knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyCode>,
    /// Its reference there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Line>,
}
