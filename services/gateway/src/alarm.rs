//! Alarms: facts that an operator must look at. One row per (agency, kind, subject), which counts repetitions.

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::Conn;

use crate::error::DbError;

/// The kind of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlarmKind {
    /// Two different messages, or two different receipts of one signer, under one id.
    Conflict,
    /// Two different messages under one stream number.
    NumberReused,
    /// A message came under a number that its sender had made void.
    NumberVoid,
    /// A partner has more streams in a lane than are kept: one with missing numbers was closed.
    StreamClosed,
    /// A partner goes beyond a bound of its streams: a number far ahead, too many separate numbers, too many void ones.
    StreamBound,
    /// A recipient signed receipts that contradict each other about one message. The first one stands.
    ContraryReceipt,
    /// A receipt from an agency that the message was not addressed to, or about other bytes.
    FalseReceipt,
    /// A message's time lies in our future: one of the two clocks is wrong.
    Clock,
    /// Deliveries that could not be verified.
    Quarantined,
    /// A key found to be compromised signed messages that we stored, or is the key with which one of our agencies signs.
    CompromisedKey,
    /// An agency sends so much that is refused that it is counted only.
    Refusals,
    /// The partner could not verify a delivery that came from our side.
    LinkFault,
    /// A recipient's gateway rejected a message of ours.
    Rejected,
    /// The audit service has not acknowledged events for too long: releases are refused.
    AuditOverdue,
    /// The gateway's store was restored from an older copy.
    StoreRestored,
    /// A message of the audit service to a partner cannot be signed or stored, and was set aside.
    WitnessUnsendable,
}

impl AlarmKind {
    /// The name of the kind in the store, the log, the API and the metric.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::NumberReused => "number_reused",
            Self::NumberVoid => "number_void",
            Self::StreamClosed => "stream_closed",
            Self::StreamBound => "stream_bound",
            Self::ContraryReceipt => "contrary_receipt",
            Self::FalseReceipt => "false_receipt",
            Self::Clock => "clock",
            Self::Quarantined => "quarantined",
            Self::CompromisedKey => "compromised_key",
            Self::Refusals => "refusals",
            Self::LinkFault => "link_fault",
            Self::Rejected => "rejected",
            Self::AuditOverdue => "audit_overdue",
            Self::StoreRestored => "store_restored",
            Self::WitnessUnsendable => "witness_unsendable",
        }
    }
}

/// Raises an alarm in the caller's transaction, or counts a repetition.
pub(crate) async fn raise(
    tx: &mut Conn,
    agency: &AgencyCode,
    kind: AlarmKind,
    subject: &str,
    detail: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    tracing::error!(alarm = kind.as_str(), %agency, subject, detail, "alarm");
    metrics::counter!("rovuma_alarms_total", "kind" => kind.as_str()).increment(1);
    sqlx::query(
        "INSERT INTO alarm (agency, kind, subject, detail, times, first_at, last_at)
         VALUES ($1, $2, $3, $4, 1, $5, $5)
         ON CONFLICT (agency, kind, subject) DO UPDATE SET
             detail = excluded.detail, times = alarm.times + 1, last_at = excluded.last_at",
    )
    .bind(agency.as_str())
    .bind(kind.as_str())
    .bind(subject)
    .bind(detail)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}
