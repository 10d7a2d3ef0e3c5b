//! Roles on the command line: their names with what each may do. The identity service refuses combinations in which one takes away
//! what another gives.

use clap::{ValueEnum, builder::PossibleValue};
use rovuma_policy::Role;

/// A role of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoleName(Role);

impl RoleName {
    pub(super) const fn as_str(self) -> &'static str {
        self.0.as_str()
    }
}

/// The words of roles, as the identity service takes them.
pub(super) fn words(roles: &[RoleName]) -> Vec<&'static str> {
    roles.iter().map(|role| role.as_str()).collect()
}

/// Every role, in the order of the policy's own list.
static ALL: [RoleName; Role::ALL.len()] = {
    let mut all = [RoleName(Role::ALL[0]); Role::ALL.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = RoleName(Role::ALL[index]);
        index += 1;
    }
    all
};

impl ValueEnum for RoleName {
    fn value_variants<'a>() -> &'a [Self] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(meaning(self.0)))
    }
}

/// What a role is for.
const fn meaning(role: Role) -> &'static str {
    match role {
        Role::LiaisonOfficer => "writes drafts, sends what one person may send, reads the agency's messages",
        Role::Supervisor => "releases or returns the drafts of others, reads the agency's messages",
        Role::Analyst => "searches and reads; sends nothing, and no receipt of reading",
        Role::BorderOfficer => "screens travellers and vehicles",
        Role::Auditor => "reads the audit log, and content with a stated reason; changes nothing",
        Role::DataProtectionOfficer => "orders erasure; takes no part in operations",
        Role::AgencyAdmin => "manages users, machines, roles and keys; reads no content",
        Role::WatchlistService => "only for machines: the watchlist",
        Role::AgencySystem => "only for machines: an agency's own system, which sends and receives for it",
    }
}
