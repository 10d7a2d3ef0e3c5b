//! Alarms: facts that an operator must look at. One row per (agency, kind, subject), which counts repetitions.
//!
//! An alarm is open until somebody acknowledges it, and open again when it is raised again.

mod acknowledge;
mod list;

use std::time::Duration;

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, RowExt};
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    acknowledge::{Acknowledgement, NotAcknowledged, acknowledge},
    list::{Alarm, AlarmFilter, page},
};
use crate::error::DbError;
#[cfg(test)]
pub(crate) use list::PAGE;

/// How many alarms of one kind one partner may cause in [`WINDOW`], each about a subject of its own. Those beyond are counted
/// in one alarm about the partner: whoever sends us faulty messages must not bury the other alarms nor fill the store.
const PER_PARTNER: i64 = 20;

/// The span of [`PER_PARTNER`].
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// How urgent an alarm is. Open alarms are listed by it, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// Messages may be lost, forged or unrecorded until somebody acts.
    Critical,
    /// A partner, a link or a key is at fault: somebody must find out which.
    Serious,
    /// One message, or a clock that has to be set.
    Notice,
}

impl Severity {
    /// The name in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Serious => "serious",
            Self::Notice => "notice",
        }
    }

    /// The severity's place in the store, and so in the list.
    const fn rank(self) -> i64 {
        match self {
            Self::Critical => 1,
            Self::Serious => 2,
            Self::Notice => 3,
        }
    }

    fn from_rank(rank: i64) -> Result<Self, DbError> {
        let all = [Self::Critical, Self::Serious, Self::Notice];
        let found = all.into_iter().find(|severity| severity.rank() == rank);
        found.ok_or_else(|| DbError::damaged("alarm", format!("no severity has the rank {rank}")))
    }
}

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
    /// A message of a case is unlawful, beyond a limit, or uses a turn again: somebody must look at the case.
    CaseFault,
    /// One person released a message in an emergency: a supervisor must confirm it.
    EmergencyRelease,
    /// A liaison officer withdrew something alone and at once because somebody innocent was stopped: a supervisor must look at it.
    WithdrawnAtOnce,
    /// The data of a case were erased, and the agency that opened it got no certificate: a supervisor must send one.
    CertificateUnsent,
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
            Self::CaseFault => "case_fault",
            Self::EmergencyRelease => "emergency_release",
            Self::WithdrawnAtOnce => "withdrawn_at_once",
            Self::CertificateUnsent => "certificate_unsent",
            Self::WitnessUnsendable => "witness_unsendable",
        }
    }

    /// How urgent every alarm of this kind is.
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::CompromisedKey | Self::AuditOverdue | Self::StoreRestored => Severity::Critical,
            Self::Conflict
            | Self::NumberReused
            | Self::NumberVoid
            | Self::StreamClosed
            | Self::StreamBound
            | Self::ContraryReceipt
            | Self::FalseReceipt
            | Self::Quarantined
            | Self::Refusals
            | Self::WitnessUnsendable
            | Self::CaseFault
            | Self::EmergencyRelease
            | Self::WithdrawnAtOnce
            | Self::CertificateUnsent
            | Self::LinkFault => Severity::Serious,
            Self::Clock | Self::Rejected => Severity::Notice,
        }
    }
}

/// Raises an alarm in the caller's transaction, or counts a repetition, which opens the alarm again if it was acknowledged.
///
/// `subject` must not be something that a partner can choose freely: [`raise_by`] is for that.
pub(crate) async fn raise(
    tx: &mut Conn,
    agency: &AgencyCode,
    kind: AlarmKind,
    subject: &str,
    detail: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    write(tx, agency, kind, None, (subject, detail), now).await
}

/// Raises an alarm that `partner` caused, about a `subject` that the partner chose, such as a message's id. One partner causes
/// at most [`PER_PARTNER`] alarms of a kind in [`WINDOW`]: those beyond are counted in one whose subject is the partner.
pub(crate) async fn raise_by(
    tx: &mut Conn,
    agency: &AgencyCode,
    kind: AlarmKind,
    partner: &AgencyCode,
    (subject, detail): (&str, &str),
    now: Timestamp,
) -> Result<(), DbError> {
    if is_new(tx, agency, kind, subject).await? && is_at_bound(tx, agency, kind, partner, now).await? {
        let detail = format!("more than {PER_PARTNER} within an hour; the last about {subject}: {detail}");
        return write(tx, agency, kind, Some(partner), (partner.as_str(), &detail), now).await;
    }
    write(tx, agency, kind, Some(partner), (subject, detail), now).await
}

async fn is_new(tx: &mut Conn, agency: &AgencyCode, kind: AlarmKind, subject: &str) -> Result<bool, DbError> {
    let known = sqlx::query("SELECT 1 FROM alarm WHERE agency = $1 AND kind = $2 AND subject = $3")
        .bind(agency.as_str())
        .bind(kind.as_str())
        .bind(subject)
        .fetch_optional(tx)
        .await?;
    Ok(known.is_none())
}

async fn is_at_bound(
    tx: &mut Conn,
    agency: &AgencyCode,
    kind: AlarmKind,
    partner: &AgencyCode,
    now: Timestamp,
) -> Result<bool, DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS raised FROM alarm
         WHERE agency = $1 AND kind = $2 AND partner = $3 AND first_at > $4",
    )
    .bind(agency.as_str())
    .bind(kind.as_str())
    .bind(partner.as_str())
    .bind(now.minus(WINDOW).as_micros())
    .fetch_one(tx)
    .await?;
    Ok(row.count("raised")? >= PER_PARTNER.unsigned_abs())
}

async fn write(
    tx: &mut Conn,
    agency: &AgencyCode,
    kind: AlarmKind,
    partner: Option<&AgencyCode>,
    (subject, detail): (&str, &str),
    now: Timestamp,
) -> Result<(), DbError> {
    tracing::error!(alarm = kind.as_str(), %agency, subject, detail, "alarm");
    metrics::counter!("rovuma_alarms_total", "kind" => kind.as_str()).increment(1);
    sqlx::query(
        "INSERT INTO alarm (agency, kind, subject, partner, place, detail, times, first_at, last_at)
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)
         ON CONFLICT (agency, kind, subject) DO UPDATE SET
             place = excluded.place, detail = excluded.detail, times = alarm.times + 1, last_at = excluded.last_at,
             acknowledged_at = NULL, acknowledged_by = NULL, acknowledged_reason = NULL",
    )
    .bind(agency.as_str())
    .bind(kind.as_str())
    .bind(subject)
    .bind(partner.map(AgencyCode::as_str))
    .bind(kind.severity().rank())
    .bind(detail)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}
