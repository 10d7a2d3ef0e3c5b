//! What a service says of something done; the trail adds its place.

use std::collections::BTreeMap;

use rovuma_schemas::{
    AgencyCode, MessageId, StoreId, Timestamp,
    audit::{AUDIT_VERSION, AuditAction, AuditEvent, AuditObject, AuditOutcome, CASE_DETAIL},
};

use crate::head::Head;

/// A case reference at most, in characters: what messages may say (schemas).
const CASE_REFERENCE_MAX: usize = 200;

/// Something done, or refused, by somebody. Identifiers and counts only: no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// When.
    pub time: Timestamp,
    /// Who: a pseudonymous subject, or a service's name.
    pub actor: String,
    /// The session in which it was done.
    pub session: Option<String>,
    /// The agency for which it was done.
    pub agency: Option<AgencyCode>,
    /// What was done.
    pub action: AuditAction,
    /// To what.
    pub object: Option<AuditObject>,
    /// For what purpose.
    pub purpose: Option<String>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Why it was refused or failed, as a code.
    pub reason: Option<String>,
    /// Identifiers and counts that belong to it.
    pub details: BTreeMap<String, String>,
}

impl AuditRecord {
    /// A successful act. The rest is added by the methods below.
    pub fn new(time: Timestamp, actor: impl Into<String>, action: AuditAction) -> Self {
        Self {
            time,
            actor: actor.into(),
            session: None,
            agency: None,
            action,
            object: None,
            purpose: None,
            outcome: AuditOutcome::Success,
            reason: None,
            details: BTreeMap::new(),
        }
    }

    /// In this session.
    #[must_use]
    pub fn session(mut self, session: impl Into<String>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// For this agency.
    #[must_use]
    pub fn agency(mut self, agency: &AgencyCode) -> Self {
        self.agency = Some(agency.clone());
        self
    }

    /// To this object.
    #[must_use]
    pub fn object(mut self, kind: impl Into<String>, id: impl ToString) -> Self {
        self.object = Some(AuditObject::new(kind, id.to_string()));
        self
    }

    /// For this purpose.
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = Some(purpose.into());
        self
    }

    /// It was not allowed, for this reason.
    #[must_use]
    pub fn refused(mut self, reason: impl Into<String>) -> Self {
        self.outcome = AuditOutcome::Refused;
        self.reason = Some(reason.into());
        self
    }

    /// It was allowed but did not work, for this reason.
    #[must_use]
    pub fn failed(mut self, reason: impl Into<String>) -> Self {
        self.outcome = AuditOutcome::Failed;
        self.reason = Some(reason.into());
        self
    }

    /// With this detail: an identifier or a count.
    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.details.insert(name.into(), value.to_string());
        self
    }

    /// Belonging to this case, by the agency's own reference. One that is longer than a reference is cut.
    #[must_use]
    pub fn case(self, reference: Option<&str>) -> Self {
        match reference {
            Some(reference) => {
                self.detail(CASE_DETAIL, reference.chars().take(CASE_REFERENCE_MAX).collect::<String>())
            }
            None => self,
        }
    }

    /// The event that follows `head` in the chain of `source`.
    pub(crate) fn after(&self, head: &Head, source: &str) -> AuditEvent {
        AuditEvent {
            version: AUDIT_VERSION,
            id: MessageId::draw(self.time),
            source: source.to_owned(),
            epoch: head.epoch,
            sequence: head.sequence + 1,
            previous: head.digest,
            time: self.time,
            actor: self.actor.clone(),
            session: self.session.clone(),
            agency: self.agency.clone(),
            action: self.action.clone(),
            object: self.object.clone(),
            purpose: self.purpose.clone(),
            outcome: self.outcome,
            reason: self.reason.clone(),
            blind: Some(StoreId::draw()),
            details: self.details.clone(),
        }
    }
}
