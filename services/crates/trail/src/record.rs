//! The record of an act, as a service makes it; the trail makes an audit event of it.

use std::collections::BTreeMap;

use rovuma_schemas::{
    AgencyCode, MessageId, StoreId, Timestamp,
    audit::{AUDIT_VERSION, AuditAction, AuditEvent, AuditObject, AuditOutcome, REFERENCE_DETAIL},
};

use crate::chain_end::ChainEnd;

/// Maximum characters of a reference, as in messages (schemas).
const REFERENCE_MAX: usize = 200;

/// What somebody did, or was refused, without the event's position in the chain. It holds identifiers and counts only, no
/// personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// The time of the act.
    pub time: Timestamp,
    /// The actor: a pseudonymous subject, or a service's name.
    pub actor: String,
    /// The actor's session.
    pub session: Option<String>,
    /// The agency for which the actor acted.
    pub agency: Option<AgencyCode>,
    /// The action.
    pub action: AuditAction,
    /// The object of the action.
    pub object: Option<AuditObject>,
    /// The purpose of the action.
    pub purpose: Option<String>,
    /// The outcome.
    pub outcome: AuditOutcome,
    /// The reason why it was refused or failed, as a code.
    pub reason: Option<String>,
    /// Further identifiers and counts.
    pub details: BTreeMap<String, String>,
}

impl AuditRecord {
    /// The record of a successful act. The methods below add the rest.
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

    /// Sets the session.
    #[must_use]
    pub fn session(mut self, session: impl Into<String>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Sets the agency.
    #[must_use]
    pub fn agency(mut self, agency: &AgencyCode) -> Self {
        self.agency = Some(agency.clone());
        self
    }

    /// Sets the object.
    #[must_use]
    pub fn object(mut self, kind: impl Into<String>, id: impl ToString) -> Self {
        self.object = Some(AuditObject::new(kind, id.to_string()));
        self
    }

    /// Sets the purpose.
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = Some(purpose.into());
        self
    }

    /// Sets the outcome to *refused*, with a reason: the act was not allowed.
    #[must_use]
    pub fn refused(mut self, reason: impl Into<String>) -> Self {
        self.outcome = AuditOutcome::Refused;
        self.reason = Some(reason.into());
        self
    }

    /// Sets the outcome to *failed*, with a reason: the act was allowed but did not succeed.
    #[must_use]
    pub fn failed(mut self, reason: impl Into<String>) -> Self {
        self.outcome = AuditOutcome::Failed;
        self.reason = Some(reason.into());
        self
    }

    /// Adds a detail: an identifier or a count.
    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.details.insert(name.into(), value.to_string());
        self
    }

    /// Adds the sender's own reference, if there is one, cut to 200 characters.
    #[must_use]
    pub fn reference(self, reference: Option<&str>) -> Self {
        match reference {
            Some(reference) => {
                self.detail(REFERENCE_DETAIL, reference.chars().take(REFERENCE_MAX).collect::<String>())
            }
            None => self,
        }
    }

    /// The event of this record that follows `end` in the chain of `source`.
    pub(crate) fn event_after(&self, end: &ChainEnd, source: &str) -> AuditEvent {
        AuditEvent {
            version: AUDIT_VERSION,
            id: MessageId::draw(self.time),
            source: source.to_owned(),
            epoch: end.epoch,
            sequence: end.sequence + 1,
            previous: end.digest,
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
