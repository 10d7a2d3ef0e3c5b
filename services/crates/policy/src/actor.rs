//! The actors.

use std::collections::BTreeSet;

use rovuma_schemas::AgencyCode;

use crate::Role;

/// The person or machine that acts, as a checked access token says: one subject, one agency, the roles held there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    subject: String,
    agency: AgencyCode,
    roles: BTreeSet<Role>,
    session: Option<String>,
    machine: bool,
}

impl Actor {
    /// An officer. `subject` is the identifier that is unique in the installation and never reused: drafts name it as their
    /// author, and the audit log as the actor.
    pub fn person(subject: &str, agency: &AgencyCode, roles: impl IntoIterator<Item = Role>) -> Self {
        Self::new(subject, agency, roles, false)
    }

    /// A machine client, logged in by client credentials (RFC 6749 section 4.4).
    pub fn machine(subject: &str, agency: &AgencyCode, roles: impl IntoIterator<Item = Role>) -> Self {
        Self::new(subject, agency, roles, true)
    }

    /// The roles named by `words`; a word that is no role of this version gives no right and is left out.
    pub fn roles_from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<Role> {
        words.into_iter().filter_map(|word| word.parse().ok()).collect()
    }

    /// The same actor in the session with this identifier.
    #[must_use]
    pub fn in_session(mut self, session: Option<String>) -> Self {
        self.session = session;
        self
    }

    /// The subject's identifier.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The one agency in which the roles are held.
    pub fn agency(&self) -> &AgencyCode {
        &self.agency
    }

    /// The roles held.
    pub fn roles(&self) -> &BTreeSet<Role> {
        &self.roles
    }

    /// The log-in session, for the audit log.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Whether this is a machine client.
    pub fn is_machine(&self) -> bool {
        self.machine
    }

    fn new(subject: &str, agency: &AgencyCode, roles: impl IntoIterator<Item = Role>, machine: bool) -> Self {
        let roles = roles.into_iter().collect();
        Self { subject: subject.to_owned(), agency: agency.clone(), roles, session: None, machine }
    }
}
