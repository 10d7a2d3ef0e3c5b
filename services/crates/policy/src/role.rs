//! The roles that an agency gives its persons and machines.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A role, always held within one agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Drafts, sends what one person may send, reads the agency's messages.
    LiaisonOfficer,
    /// Releases or returns the drafts of others.
    Supervisor,
    /// Searches and reads; sends nothing abroad.
    Analyst,
    /// Screens travellers and vehicles; reads no narrative.
    BorderOfficer,
    /// Reads the audit log; reads content only with a stated reason; changes nothing.
    Auditor,
    /// Orders review, correction and erasure; takes no part in operations.
    DataProtectionOfficer,
    /// Manages users, roles and keys; reads no content.
    AgencyAdmin,
    /// The watchlist's machine client: reads what identifies the subjects of alerts in force, reports what an exact rule found.
    WatchlistService,
    /// An agency's own system: sends and receives for that agency.
    AgencySystem,
}

/// A word that is no role of this version.
#[derive(Debug, thiserror::Error)]
#[error("not a role: {unverified_word:?}; the roles are {}", Role::ALL.map(Role::as_str).join(", "))]
pub struct UnknownRole {
    unverified_word: String,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::LiaisonOfficer,
        Self::Supervisor,
        Self::Analyst,
        Self::BorderOfficer,
        Self::Auditor,
        Self::DataProtectionOfficer,
        Self::AgencyAdmin,
        Self::WatchlistService,
        Self::AgencySystem,
    ];

    /// The name in tokens, policies and the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LiaisonOfficer => "liaison_officer",
            Self::Supervisor => "supervisor",
            Self::Analyst => "analyst",
            Self::BorderOfficer => "border_officer",
            Self::Auditor => "auditor",
            Self::DataProtectionOfficer => "data_protection_officer",
            Self::AgencyAdmin => "agency_admin",
            Self::WatchlistService => "watchlist_service",
            Self::AgencySystem => "agency_system",
        }
    }

    /// Whether only machine clients may hold it. A person never holds one of these, nor a machine one of
    /// the others.
    pub const fn is_for_machines(self) -> bool {
        matches!(self, Self::WatchlistService | Self::AgencySystem)
    }

    /// Whether an account with this role should have no other: the policy denies it what other roles permit (separation
    /// of duties), so that an account with both could do less than one with either.
    pub const fn stands_alone(self) -> bool {
        matches!(self, Self::Auditor | Self::DataProtectionOfficer | Self::AgencyAdmin)
    }

    /// A role among these that should stand alone and does not.
    pub fn misplaced(roles: &BTreeSet<Self>) -> Option<Self> {
        if roles.len() < 2 { None } else { roles.iter().copied().find(|role| role.stands_alone()) }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| UnknownRole { unverified_word: word.chars().take(64).collect() })
    }
}
