//! How an attempt to log in ends.

use crate::{oidc::page::Text, password::PasswordFault};

pub(super) enum Outcome {
    /// The application gets this code.
    LoggedIn { code: String },
    /// The password was right, but somebody else set it.
    MustChange,
    /// The password was right, but the new one will not do.
    BadChange(ChangeFault),
    /// Nobody learns what was wrong.
    Wrong,
    /// Too many attempts.
    Blocked { minutes: u64 },
}

/// Why a new password will not do.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChangeFault {
    /// It breaks a rule.
    Rule(PasswordFault),
    /// It was typed differently the second time.
    Different,
    /// It is the old one.
    Unchanged,
}

impl ChangeFault {
    pub(super) fn sentence(self, text: &Text) -> &'static str {
        match self {
            Self::Rule(fault) => text.password_fault(fault),
            Self::Different => text.different,
            Self::Unchanged => text.unchanged,
        }
    }
}
