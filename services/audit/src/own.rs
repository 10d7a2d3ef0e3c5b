//! The audit service's own events: auditors are logged too, and so are alarms.
//!
//! They are written straight into the log, as a source with a chain like every other.

use std::collections::BTreeMap;

use rovuma_policy::Actor;
use rovuma_schemas::{
    AgencyCode, Epoch, MessageId, StoreId,
    audit::{AUDIT_VERSION, AuditAction, AuditEvent, AuditObject, AuditOutcome},
};
use rovuma_store::Conn;

use crate::{
    error::DbError,
    log::{Appender, Lineage, LogEvent},
};

/// The name and epoch under which this service writes.
#[derive(Clone, Debug)]
pub(crate) struct OwnSource {
    /// `mz.audit`.
    pub(crate) source: String,
    /// Drawn when the log's store was created or restored.
    pub(crate) epoch: Epoch,
}

/// An event on its way into the log.
#[derive(Clone, Debug)]
pub(crate) struct OwnEvent {
    actor: String,
    session: Option<String>,
    agency: Option<AgencyCode>,
    action: AuditAction,
    object: Option<AuditObject>,
    outcome: AuditOutcome,
    reason: Option<String>,
    details: BTreeMap<String, String>,
}

impl OwnEvent {
    /// Something that `actor` did.
    pub(crate) fn by(actor: &Actor, action: AuditAction) -> Self {
        Self {
            actor: actor.subject().to_owned(),
            session: actor.session().map(str::to_owned),
            agency: Some(actor.agency().clone()),
            ..Self::of_service(actor.subject(), action)
        }
    }

    /// Something that the service did by itself.
    pub(crate) fn of_service(name: &str, action: AuditAction) -> Self {
        Self {
            actor: name.to_owned(),
            session: None,
            agency: None,
            action,
            object: None,
            outcome: AuditOutcome::Success,
            reason: None,
            details: BTreeMap::new(),
        }
    }

    /// What it was done to.
    #[must_use]
    pub(crate) fn object(mut self, kind: &str, id: impl Into<String>) -> Self {
        self.object = Some(AuditObject::new(kind, id));
        self
    }

    /// That it was refused, or failed, and why.
    #[must_use]
    pub(crate) fn outcome(mut self, outcome: AuditOutcome, reason: &str) -> Self {
        self.outcome = outcome;
        self.reason = Some(reason.to_owned());
        self
    }

    /// An identifier or a count that belongs to it.
    #[must_use]
    pub(crate) fn detail(mut self, name: &str, value: impl ToString) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }
}

/// A write that has nothing else in it.
pub(crate) async fn record_alone(
    tx: &mut Conn,
    mut appender: Appender,
    what: OwnEvent,
) -> Result<(), DbError> {
    record(tx, &mut appender, what).await?;
    appender.finish(tx).await
}

/// Appends `what` to the service's own chain.
pub(crate) async fn record(tx: &mut Conn, appender: &mut Appender, what: OwnEvent) -> Result<(), DbError> {
    let (own, now) = (appender.own().clone(), appender.now());
    let (mut lineage, _) = Lineage::find_or_open(tx, &own.source, own.epoch, now).await?;
    let event = AuditEvent {
        version: AUDIT_VERSION,
        id: MessageId::draw(now),
        source: own.source,
        epoch: own.epoch,
        sequence: lineage.head.sequence + 1,
        previous: lineage.head.digest,
        time: now,
        actor: what.actor,
        session: what.session,
        agency: what.agency,
        action: what.action,
        object: what.object,
        purpose: None,
        outcome: what.outcome,
        reason: what.reason,
        blind: Some(StoreId::draw()),
        details: what.details,
    };
    let bytes = serde_json::to_string(&event).map_err(|fault| DbError::damaged("own event", fault))?;
    let event = LogEvent::read(bytes).map_err(|fault| DbError::damaged("own event", fault))?;
    appender.append(&mut lineage, [event]);
    lineage.save(tx, now).await
}
