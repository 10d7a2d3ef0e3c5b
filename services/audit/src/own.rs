//! The audit service's own events, such as searches by auditors and alarms.
//!
//! They are written straight into the log, in a chain like every other source's.

use rovuma_schemas::{
    Epoch, MessageId, StoreId,
    audit::{AUDIT_VERSION, AuditEvent},
};
use rovuma_store::Conn;
use rovuma_trail::AuditRecord;

use crate::{
    error::DbError,
    log::{Appender, Lineage, LogEvent},
};

/// This service as a source of events.
#[derive(Clone, Debug)]
pub(crate) struct OwnSource {
    /// The source's name, `mz.audit`.
    pub(crate) source: String,
    /// The epoch, drawn when the log's store was created or restored.
    pub(crate) epoch: Epoch,
}

/// Appends `act` in a write that has nothing else in it.
pub(crate) async fn record_alone(
    tx: &mut Conn,
    mut appender: Appender,
    act: AuditRecord,
) -> Result<(), DbError> {
    record(tx, &mut appender, act).await?;
    appender.finish(tx).await
}

/// Appends `act` to the service's own chain.
pub(crate) async fn record(tx: &mut Conn, appender: &mut Appender, act: AuditRecord) -> Result<(), DbError> {
    let (own, now) = (appender.own().clone(), appender.now());
    let (mut lineage, _) = Lineage::find_or_open(tx, &own.source, own.epoch, now).await?;
    let event = AuditEvent {
        version: AUDIT_VERSION,
        id: MessageId::draw(now),
        source: own.source,
        epoch: own.epoch,
        sequence: lineage.head.sequence + 1,
        previous: lineage.head.digest,
        time: act.time,
        actor: act.actor,
        session: act.session,
        agency: act.agency,
        action: act.action,
        object: act.object,
        purpose: act.purpose,
        outcome: act.outcome,
        reason: act.reason,
        blind: Some(StoreId::draw()),
        details: act.details,
    };
    let bytes = serde_json::to_string(&event).map_err(|fault| DbError::damaged("own event", fault))?;
    let event = LogEvent::parse(bytes).map_err(|fault| DbError::damaged("own event", fault))?;
    appender.append(&mut lineage, [event]);
    lineage.save(tx, now).await
}
