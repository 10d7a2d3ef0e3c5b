//! Checks the rules of a trust list's content that need no clock.

use std::collections::BTreeSet;

use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};

use super::{ListContent, ListedAgency, chain::SUCCESSIONS_MAX};
use crate::{KeyId, PublicKey};

/// The list format that this build reads and writes.
pub(super) const LIST_FORMAT: u16 = 1;

/// The content of a list breaks a rule.
#[derive(Debug, thiserror::Error)]
pub enum ContentFault {
    /// Not the JSON of a list.
    #[error("not a trust list: {0}")]
    Shape(String),
    /// A format that this build does not read.
    #[error("list format {got}, this build reads {LIST_FORMAT}")]
    Format {
        /// The list's format.
        got: u16,
    },
    /// The list names another authority key than the one that signed it.
    #[error("the list names authority key {named} but {signed} signed it")]
    Authority {
        /// The key named.
        named: KeyId,
        /// The key that signed.
        signed: KeyId,
    },
    /// The next update is due before the list was issued.
    #[error("next_update {next_update} is not after issued {issued}")]
    Dates {
        /// When the list was issued.
        issued: Timestamp,
        /// When the next list is due.
        next_update: Timestamp,
    },
    /// Too many successions.
    #[error("{got} successions, at most {SUCCESSIONS_MAX}")]
    Successions {
        /// Number of successions.
        got: usize,
    },
    /// The serial is 0.
    #[error("serial numbers start at 1")]
    Serial,
    /// An agency of another country.
    #[error("agency {agency} is not of {country}")]
    ForeignAgency {
        /// The agency.
        agency: AgencyCode,
        /// The list's country.
        country: CountryCode,
    },
    /// The same agency twice.
    #[error("agency {agency} is listed twice")]
    AgencyTwice {
        /// The agency.
        agency: AgencyCode,
    },
    /// The country's node is missing.
    #[error("{agency} is missing")]
    NoNode {
        /// The node's agency.
        agency: AgencyCode,
    },
    /// Validity ends before it starts.
    #[error("{what} of {agency} ends before it starts")]
    Validity {
        /// The agency.
        agency: AgencyCode,
        /// What it is that ends before it starts.
        what: &'static str,
    },
    /// `kid` is not the thumbprint of the key beside it.
    #[error("key id {kid} of {agency} is not that of its key")]
    KeyId {
        /// The agency.
        agency: AgencyCode,
        /// The key id that the list states.
        kid: KeyId,
    },
    /// The same key twice. A key belongs to one agency.
    #[error("key {key} of {agency} is listed twice")]
    KeyTwice {
        /// The second agency that lists it.
        agency: AgencyCode,
        /// The key id, or the sealing recipient.
        key: String,
    },
    /// An agency may send messages that only a node may send.
    #[error("{agency} may not send {rule}: only a node does")]
    NodeOnly {
        /// The agency.
        agency: AgencyCode,
        /// The rule.
        rule: String,
    },
}

/// Families that only `<cc>.node` sends.
const NODE_FAMILIES: [&str; 3] = ["audit", "trust", "link"];

/// Checks every rule of the content that needs no clock.
pub(super) fn check(content: &ListContent, signed_by: &PublicKey) -> Result<(), ContentFault> {
    check_head(content, signed_by)?;
    let mut keys = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for agency in &content.agencies {
        if agency.code.country() != content.country {
            return Err(ContentFault::ForeignAgency {
                agency: agency.code.clone(),
                country: content.country,
            });
        }
        if !codes.insert(&agency.code) {
            return Err(ContentFault::AgencyTwice { agency: agency.code.clone() });
        }
        check_agency(agency, &mut keys)?;
    }
    let node = AgencyCode::node_of(content.country);
    if codes.contains(&node) { Ok(()) } else { Err(ContentFault::NoNode { agency: node }) }
}

fn check_head(content: &ListContent, signed_by: &PublicKey) -> Result<(), ContentFault> {
    let ListContent { format, serial, issued, next_update, authority, .. } = content;
    if *format != LIST_FORMAT {
        return Err(ContentFault::Format { got: *format });
    }
    if authority != signed_by {
        return Err(ContentFault::Authority { named: *authority.key_id(), signed: *signed_by.key_id() });
    }
    if *serial == 0 {
        return Err(ContentFault::Serial);
    }
    if content.successions.len() > SUCCESSIONS_MAX {
        return Err(ContentFault::Successions { got: content.successions.len() });
    }
    if next_update <= issued {
        return Err(ContentFault::Dates { issued: *issued, next_update: *next_update });
    }
    Ok(())
}

fn check_agency(agency: &ListedAgency, keys: &mut BTreeSet<String>) -> Result<(), ContentFault> {
    let code = || agency.code.clone();
    let backwards = |what| ContentFault::Validity { agency: code(), what };
    if agency.valid_until.is_some_and(|until| until <= agency.valid_from) {
        return Err(backwards("validity"));
    }
    if let Some(rule) =
        agency.may_send.iter().find(|rule| NODE_FAMILIES.contains(&rule.family()) && !agency.code.is_node())
    {
        return Err(ContentFault::NodeOnly { agency: code(), rule: rule.to_string() });
    }
    let mut check_unique = |key: String| {
        if keys.insert(key.clone()) { Ok(()) } else { Err(ContentFault::KeyTwice { agency: code(), key }) }
    };
    for entry in &agency.signing_keys {
        if entry.kid != *entry.key.key_id() {
            return Err(ContentFault::KeyId { agency: code(), kid: entry.kid });
        }
        if entry.not_after <= entry.not_before {
            return Err(backwards("signing key"));
        }
        check_unique(entry.kid.to_string())?;
    }
    for entry in &agency.sealing_keys {
        if entry.not_after <= entry.not_before {
            return Err(backwards("sealing key"));
        }
        check_unique(entry.recipient.to_string())?;
    }
    Ok(())
}
