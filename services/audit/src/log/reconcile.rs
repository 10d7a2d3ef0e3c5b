//! Compares the messages that were sent with the recipients' signed receipts, and lists every difference.

use std::{collections::BTreeMap, time::Duration};

use rovuma_api::answers::audit::{Difference, Reconciliation};
use rovuma_policy::{Permit, act};
use rovuma_schemas::{
    Timestamp,
    audit::{AuditAction, AuditEvent},
};
use rovuma_store::Readers;
use sqlx::{AssertSqlSafe, Row};

use super::{LogEvent, Sequencer, search};
use crate::error::DbError;

/// Maximum number of messages in one comparison: a busy month of a border fits, and memory suffices.
pub(crate) const MESSAGES_MAX: usize = 10_000;

/// How long a copy may lack a receipt before that counts as a difference: it allows for retransmission and a night without a
/// line.
const UNANSWERED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The message and the recipient that identify a copy.
type CopyKey = (String, String);

/// The facts about one copy, from its events.
#[derive(Debug, Default)]
struct CopyRecord {
    /// When the copy was sent, and the digest of its bytes.
    sent: Option<(Timestamp, Option<String>)>,
    receipt: Option<ReceiptRecord>,
    voided: bool,
}

/// The first receipt for a copy.
#[derive(Debug)]
struct ReceiptRecord {
    at: Timestamp,
    delivered: bool,
    digest: Option<String>,
    /// The entry of the recipient's audit log that the receipt names.
    entry: Option<String>,
}

/// Collects events and compares them. Pure.
#[derive(Debug, Default)]
pub(crate) struct Reconciler {
    copies: BTreeMap<CopyKey, CopyRecord>,
    erased: u64,
}

impl Reconciler {
    /// Adds one event of a message. Events must come in the order of the log.
    pub(crate) fn add(&mut self, event: &AuditEvent) {
        let detail = |name: &str| event.details.get(name).cloned();
        let Some(message) = event.object.as_ref().map(|object| object.id.clone()) else { return };
        match &event.action {
            AuditAction::MessageSend | AuditAction::MessageReissue => {
                for recipient in detail("recipients").unwrap_or_default().split_whitespace() {
                    let recipient = recipient.split('/').next().unwrap_or_default();
                    let country = recipient.split('.').next().unwrap_or_default();
                    let digest = detail("digest").or_else(|| detail(&format!("digest.{country}")));
                    let record = self.copies.entry((message.clone(), recipient.to_owned())).or_default();
                    record.sent = Some((event.time, digest));
                }
            }
            AuditAction::MessageVoid => {
                let copy = (message, detail("recipient").unwrap_or_default());
                self.copies.entry(copy).or_default().voided = true;
            }
            AuditAction::ReceiptAccept => {
                let delivered = match detail("kind").as_deref() {
                    Some("delivered") => true,
                    Some("rejected") => false,
                    _ => return,
                };
                let copy = (message, detail("by").unwrap_or_default());
                let receipt = ReceiptRecord {
                    at: event.time,
                    delivered,
                    digest: detail("digest"),
                    entry: detail("audit"),
                };
                self.copies.entry(copy).or_default().receipt.get_or_insert(receipt);
            }
            _ => {}
        }
    }

    /// Counts an event that was erased.
    pub(crate) fn add_erased(&mut self) {
        self.erased += 1;
    }

    /// Compares the copies.
    pub(crate) fn finish(self, now: Timestamp) -> Reconciliation {
        let mut result = Reconciliation { erased: self.erased, ..Reconciliation::default() };
        let mut entries: BTreeMap<String, CopyKey> = BTreeMap::new();
        for (copy, record) in self.copies {
            result.sent += u64::from(record.sent.is_some());
            result.voided += u64::from(record.voided);
            match (&record.sent, &record.receipt) {
                (Some((at, _)), None) if !record.voided => {
                    if now.since(*at) < UNANSWERED_AFTER {
                        result.waiting += 1;
                    } else {
                        differ(&mut result, "unanswered", &copy, *at, None);
                    }
                }
                (None, Some(receipt)) => {
                    differ(&mut result, "not_sent", &copy, receipt.at, receipt.entry.clone())
                }
                (Some((_, digest)), Some(receipt)) => {
                    *(if receipt.delivered { &mut result.delivered } else { &mut result.rejected }) += 1;
                    if digest.is_some() && receipt.digest.is_some() && *digest != receipt.digest {
                        differ(&mut result, "other_digest", &copy, receipt.at, receipt.digest.clone());
                    }
                }
                _ => {}
            }
            let Some(receipt) = record.receipt else { continue };
            let Some(entry) = receipt.entry else { continue };
            if let Some((message, _)) = entries.get(&entry) {
                let detail = format!("{entry}, as that of {message}");
                differ(&mut result, "place_twice", &copy, receipt.at, Some(detail));
            } else {
                entries.insert(entry, copy);
            }
        }
        result
    }
}

fn differ(result: &mut Reconciliation, kind: &str, copy: &CopyKey, since: Timestamp, detail: Option<String>) {
    let (message, recipient) = copy.clone();
    result.differences.push(Difference { kind: kind.to_owned(), message, recipient, since, detail });
}

/// The actions of the events that are compared.
const ACTIONS: &str = "('message.send', 'message.reissue', 'message.void', 'receipt.accept')";

/// Compares the messages that were sent, or for which receipts came, from `from` on and before `to`. `None`: there are more of
/// them than [`MESSAGES_MAX`].
pub(crate) async fn reconcile(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    (from, to): (Timestamp, Option<Timestamp>),
    now: Timestamp,
) -> Result<Option<Reconciliation>, DbError> {
    let owner = permit.resource().owner();
    let agency = (!owner.is_node()).then(|| owner.to_string());
    // The outer query selects the events of each message at any time: a receipt may come long after `to`.
    let text = format!(
        "SELECT e.entry_index, s.message_id, p.sealed, ps.key_salt FROM entry_search s
         JOIN entry e ON e.entry_index = s.entry_index
         LEFT JOIN payload p ON p.entry_index = e.entry_index
         LEFT JOIN payload_scope ps ON ps.scope_id = p.scope_id
         WHERE s.action IN {ACTIONS} AND (s.agency = $3 OR $3 = '') AND s.message_id IN
           (SELECT w.message_id FROM entry_search w WHERE w.at >= $1 AND w.at < $2
            AND w.action IN ('message.send', 'message.reissue', 'receipt.accept') AND (w.agency = $3 OR $3 = '')
            GROUP BY w.message_id ORDER BY w.message_id LIMIT $4)
         ORDER BY s.entry_index"
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(from.as_micros())
        .bind(to.map_or(i64::MAX, Timestamp::as_micros))
        .bind(agency.unwrap_or_default())
        .bind(i64::try_from(MESSAGES_MAX + 1).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    let mut reconciler = Reconciler::default();
    let mut messages = std::collections::BTreeSet::new();
    for row in &rows {
        messages.insert(row.try_get::<String, _>("message_id")?);
        match search::open_payload(row, sequencer)? {
            Some(opened) => {
                let event =
                    LogEvent::parse(opened.event).map_err(|fault| DbError::damaged("event", fault))?;
                reconciler.add(event.event());
            }
            None => reconciler.add_erased(),
        }
    }
    Ok((messages.len() <= MESSAGES_MAX).then(|| reconciler.finish(now)))
}
