//! Alarms: what needs a person's eye. One row per (agency, kind, subject), counted, until cleared.

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::Conn;

use crate::error::DbError;

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlarmKind {
    /// Two different messages under one id.
    Conflict,
    /// Two different messages under one stream number.
    NumberReused,
    /// A receipt from an agency that the message was not addressed to, or of other bytes.
    FalseReceipt,
    /// A message's time lies in our future: one of the two clocks is wrong.
    Clock,
    /// Deliveries that could not be verified.
    Quarantined,
    /// A message that we stored was signed with a key since found to be compromised.
    CompromisedKey,
    /// The partner could not verify a delivery that came from our side.
    LinkFault,
    /// A recipient's gateway refused what we sent.
    Rejected,
    /// The audit service has not acknowledged for too long: nothing is sent.
    AuditOverdue,
    /// The gateway's store was restored from an older copy.
    StoreRestored,
}

impl AlarmKind {
    /// The alarm's word in the store, the log, the API and the metric.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::NumberReused => "number_reused",
            Self::FalseReceipt => "false_receipt",
            Self::Clock => "clock",
            Self::Quarantined => "quarantined",
            Self::CompromisedKey => "compromised_key",
            Self::LinkFault => "link_fault",
            Self::Rejected => "rejected",
            Self::AuditOverdue => "audit_overdue",
            Self::StoreRestored => "store_restored",
        }
    }
}

/// Raises an alarm in the caller's transaction, or counts it once more.
///
/// # Errors
/// [`DbError`] when the store does not answer.
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
