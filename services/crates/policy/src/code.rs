//! The reasons of refusals.

use std::{fmt, str::FromStr};

/// The reason of a refusal: a stable code for the API's problem and for the audit log.
///
/// When several apply, the first in this order is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The policies could not be evaluated on this question: a fault of the installation.
    PolicyFault,
    /// No role of the actor permits the action.
    Role,
    /// A person has a machine's role, or a machine a person's.
    RoleKind,
    /// The resource belongs to another agency.
    OtherAgency,
    /// Another role of the actor excludes this: auditors change nothing, administrators read no content.
    Separation,
    /// The content requires a second person, and the actor is its author.
    SecondPerson,
    /// Messages of the type are released by a supervisor.
    SupervisorOnly,
    /// A machine asks or answers something that no database holds, or reports a hit that a person must judge.
    PersonOnly,
    /// A supervisor approves the drafts of others, not their own.
    OwnDraft,
    /// Somebody else wrote the draft.
    OtherAuthor,
    /// Nobody changes the roles of their own account.
    OwnAccount,
    /// The reader has to state a reason first.
    ReasonRequired,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 12] = [
        Self::PolicyFault,
        Self::Role,
        Self::RoleKind,
        Self::OtherAgency,
        Self::Separation,
        Self::SecondPerson,
        Self::SupervisorOnly,
        Self::PersonOnly,
        Self::OwnDraft,
        Self::OtherAuthor,
        Self::OwnAccount,
        Self::ReasonRequired,
    ];

    /// The code in policies (`@code("second_person")`), problems and the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PolicyFault => "policy_fault",
            Self::Role => "role",
            Self::RoleKind => "role_kind",
            Self::OtherAgency => "other_agency",
            Self::Separation => "separation",
            Self::SecondPerson => "second_person",
            Self::SupervisorOnly => "supervisor_only",
            Self::PersonOnly => "person_only",
            Self::OwnDraft => "own_draft",
            Self::OtherAuthor => "other_author",
            Self::OwnAccount => "own_account",
            Self::ReasonRequired => "reason_required",
        }
    }

    /// A sentence in English that tells the caller the reason, or what would help.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::PolicyFault => {
                "The access policies could not answer; the operator finds the reason in the log."
            }
            Self::Role => "None of your roles permits this.",
            Self::RoleKind => {
                "A role of this account is not for its kind: persons and machines have roles of their own."
            }
            Self::OtherAgency => "This belongs to another agency.",
            Self::Separation => "Another of your roles excludes this.",
            Self::SecondPerson => {
                "This content requires a second person: a supervisor who is not its author releases it."
            }
            Self::SupervisorOnly => {
                "Messages of this type end or prolong something, or vouch for it: write it as a draft and submit it, and a \
                 supervisor releases it."
            }
            Self::PersonOnly => {
                "A machine asks and answers only what a database holds, and reports what an exact rule found: an officer sends this."
            }
            Self::OwnDraft => "A supervisor releases or returns the drafts of others, not their own.",
            Self::OtherAuthor => "Only the author of the draft may do this.",
            Self::OwnAccount => "Nobody changes the roles of their own account; another administrator does.",
            Self::ReasonRequired => "State the reason for reading this content; the reason is logged.",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|code| code.as_str() == word).ok_or(())
    }
}
