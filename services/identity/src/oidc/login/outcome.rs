//! How an attempt to log in ends.

use crate::{oidc::page::PageText, password::PasswordFault};

pub(super) enum LoginOutcome {
    /// The application gets this code.
    LoggedIn { code: String },
    /// The password was right, but somebody else set it: its owner must choose another.
    MustChange,
    /// The password was right, but the new one is not accepted.
    BadChange(ChangeFault),
    /// Name, password or account is wrong; the page does not say which.
    Wrong,
    /// Too many attempts were made; the next is possible after this many minutes.
    Blocked { minutes: u64 },
}

/// Why a new password is not accepted.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChangeFault {
    /// It breaks a rule.
    Rule(PasswordFault),
    /// It was typed differently the second time.
    Different,
    /// It equals the old one.
    Unchanged,
}

impl ChangeFault {
    pub(super) fn sentence(self, text: PageText) -> &'static str {
        match self {
            Self::Rule(fault) => text.password_fault(fault),
            Self::Different => text.passwords_differ(),
            Self::Unchanged => text.password_unchanged(),
        }
    }
}
