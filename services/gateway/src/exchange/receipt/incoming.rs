//! Receipts that partners signed for messages of ours: each settles the copies that it names, and is kept as it came.

use std::borrow::Cow;

use rovuma_envelope::Authorized;
use rovuma_outbox::{DeliveryReceipt, ReceiptEntry, SettleOutcome, Settlement};
use rovuma_schemas::{
    AgencyCode, DeliveredEntry, Digest, ListedEntry, MessageId, ReadEntry, RejectedEntry, RejectionCode,
    Timestamp,
    audit::{AuditAction, AuditPosition},
};
use rovuma_store::{Conn, Insert, RowExt};
use rovuma_trail::AuditRecord;
use sqlx::Row as _;

use crate::{
    alarm::{self, AlarmKind},
    cases::deliveries,
    error::DbError,
    events::EventKind,
    exchange::{Exchange, SYSTEM, refusals},
    messages::receipts,
};

/// One entry of a receipt that a partner signed for a message of ours.
pub(crate) struct IncomingEntry {
    pub(crate) id: MessageId,
    pub(crate) digest: Digest,
    pub(crate) settlement: Settlement,
    pub(crate) detail: Option<String>,
    pub(crate) audit: Option<AuditPosition>,
}

impl IncomingEntry {
    const fn is_listed(&self) -> bool {
        matches!(self.settlement, Settlement::Listed { .. })
    }

    /// The entry as a delivery receipt, when it is one.
    fn delivered(&self) -> Option<DeliveryReceipt> {
        match self.settlement {
            Settlement::Delivered { at } => Some(DeliveryReceipt { id: self.id, digest: self.digest, at }),
            Settlement::Read { .. } | Settlement::Listed { .. } | Settlement::Rejected { .. } => None,
        }
    }

    /// The kind of domain event, the time by the signer's clock, and the code of a rejection.
    fn facts(&self) -> (EventKind, Timestamp, Option<&RejectionCode>) {
        match &self.settlement {
            Settlement::Delivered { at } => (EventKind::ReceiptDelivered, *at, None),
            Settlement::Read { at } => (EventKind::ReceiptRead, *at, None),
            Settlement::Listed { at, .. } => (EventKind::ReceiptListed, *at, None),
            Settlement::Rejected { at, code } => (EventKind::ReceiptRejected, *at, Some(code)),
        }
    }

    /// What it says of the message, as the store has it: each post says *listed* for itself.
    fn kind(&self) -> Cow<'static, str> {
        match &self.settlement {
            Settlement::Delivered { .. } => "delivered".into(),
            Settlement::Read { .. } => "read".into(),
            Settlement::Listed { post, .. } => receipts::listed_kind(post).into(),
            Settlement::Rejected { .. } => "rejected".into(),
        }
    }
}

impl From<DeliveredEntry> for IncomingEntry {
    fn from(entry: DeliveredEntry) -> Self {
        Self {
            id: entry.id,
            digest: entry.digest,
            settlement: Settlement::Delivered { at: entry.stored_at },
            detail: None,
            audit: Some(entry.audit),
        }
    }
}

impl From<ReadEntry> for IncomingEntry {
    fn from(entry: ReadEntry) -> Self {
        let settlement = Settlement::Read { at: entry.read_at };
        Self { id: entry.id, digest: entry.digest, settlement, detail: None, audit: None }
    }
}

impl From<ListedEntry> for IncomingEntry {
    fn from(entry: ListedEntry) -> Self {
        let settlement = Settlement::Listed { post: entry.post, at: entry.listed_at };
        Self { id: entry.id, digest: entry.digest, settlement, detail: None, audit: None }
    }
}

impl From<RejectedEntry> for IncomingEntry {
    fn from(entry: RejectedEntry) -> Self {
        Self {
            id: entry.id,
            digest: entry.digest,
            settlement: Settlement::Rejected { at: entry.rejected_at, code: entry.code },
            detail: entry.detail.map(|text| text.to_string()),
            audit: Some(entry.audit),
        }
    }
}

/// Whether these bytes of a receipt come for the first time. Somebody on the way may repeat them without end, and what a receipt
/// said is settled or refused already.
pub(crate) async fn is_first(tx: &mut Conn, receipt: &Authorized, now: Timestamp) -> Result<bool, DbError> {
    let inserted = sqlx::query(
        "INSERT INTO receipt_seen (recipient, digest, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (recipient, digest) DO NOTHING",
    )
    .bind(receipt.recipient().agency.as_str())
    .bind(receipt.digest().as_bytes().to_vec())
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

/// Accepts a receipt: stores its exact bytes, and settles the copy that each entry names. An entry counts only if the
/// receipt's signer is a recipient of that message, and the entry's digest is that of the bytes that we signed.
///
/// A receipt whose id its signer has used for other bytes settles nothing: whoever may sign two receipts under one id could
/// deny either of them.
pub(crate) async fn accept(
    tx: &mut Conn,
    exchange: &Exchange,
    receipt: &Authorized,
    entries: Vec<IncomingEntry>,
    now: Timestamp,
) -> Result<(), DbError> {
    let is_new = insert_jws(tx, receipt, None, now).await?;
    if !is_new {
        // Its bytes, or its id, are known.
        let known = known_under_id(tx, receipt).await?;
        let first = known.iter().find(|known| known.conflicts_with.is_none());
        let Some(first) = first.map(|first| first.digest) else {
            return Err(DbError::damaged("receipt", format!("{} has no first bytes", receipt.id())));
        };
        if first != receipt.digest() {
            return record_conflict(tx, exchange, receipt, first, &known, now).await;
        }
    }
    let settled = settle(tx, exchange, receipt, &entries, now).await?;
    let between = (&receipt.recipient().agency, receipt.sender());
    let counted = deliveries::record(tx, &exchange.base, between, &settled.deliveries, now).await?;
    // The clocks of cases rest on it, whatever else it settles.
    if is_new && !settled.is_proof() && counted.is_empty() {
        // Nothing refers to its bytes, and its signer could fill the store with such receipts.
        delete_jws(tx, receipt).await?;
    }
    insert_entries(tx, receipt, &settled.accepted, now).await?;
    for entry in settled.accepted {
        record_accepted(tx, exchange, receipt, entry, now).await?;
    }
    Ok(())
}

/// What became of a receipt's entries.
struct Settled<'e> {
    /// The entries that changed something.
    accepted: Vec<&'e IncomingEntry>,
    /// The messages that were delivered, and when; those too that their recipient had receipted before, and has stored again since.
    deliveries: Vec<(MessageId, Timestamp)>,
    /// Whether an entry that did not is kept, or was recorded as refused.
    is_recorded: bool,
}

impl Settled<'_> {
    /// Whether the receipt's bytes prove something that is recorded.
    fn is_proof(&self) -> bool {
        self.is_recorded || !self.accepted.is_empty()
    }
}

/// Inserts the exact bytes of a receipt, unless they are known or, without `conflicts_with`, another receipt came first under
/// its id. Returns whether it was inserted.
async fn insert_jws(
    tx: &mut Conn,
    receipt: &Authorized,
    conflicts_with: Option<Digest>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query(
        "INSERT INTO receipt_jws (digest, id, signer, jws, conflicts_with, received_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(receipt.digest().as_bytes().to_vec())
    .bind(receipt.id().as_bytes().to_vec())
    .bind(receipt.sender().as_str())
    .bind(receipt.jws().to_compact().into_bytes())
    .bind(conflicts_with.map(|first| first.as_bytes().to_vec()))
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

async fn delete_jws(tx: &mut Conn, receipt: &Authorized) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM receipt_jws WHERE digest = $1")
        .bind(receipt.digest().as_bytes().to_vec())
        .execute(tx)
        .await?;
    Ok(())
}

/// A receipt that is stored under an id of its signer.
struct KnownReceipt {
    digest: Digest,
    conflicts_with: Option<Vec<u8>>,
}

/// The receipts that are stored under the id and signer of this one.
async fn known_under_id(tx: &mut Conn, receipt: &Authorized) -> Result<Vec<KnownReceipt>, DbError> {
    let rows = sqlx::query("SELECT digest, conflicts_with FROM receipt_jws WHERE id = $1 AND signer = $2")
        .bind(receipt.id().as_bytes().to_vec())
        .bind(receipt.sender().as_str())
        .fetch_all(tx)
        .await?;
    let known = rows.iter().map(|row| {
        let conflicts_with = row.try_get("conflicts_with")?;
        Ok::<_, DbError>(KnownReceipt { digest: row.digest("digest")?, conflicts_with })
    });
    known.collect()
}

/// Maximum number of receipts that are kept under one id of a signer: two already prove that the signer used the id twice, and
/// more would let the signer fill the store.
const RECEIPTS_UNDER_ONE_ID_MAX: usize = 2;

/// Records a receipt under an id that its signer has used for other bytes: an alarm that names both, and, for the first such
/// receipt, its bytes and an audit event. Further ones only count up the alarm, and so does what its signer sends beyond the
/// bound of an hour.
async fn record_conflict(
    tx: &mut Conn,
    exchange: &Exchange,
    receipt: &Authorized,
    first: Digest,
    known: &[KnownReceipt],
    now: Timestamp,
) -> Result<(), DbError> {
    let (own, signer, digest) = (&receipt.recipient().agency, receipt.sender(), receipt.digest());
    let size = receipt.jws().unverified_payload().len();
    let is_kept = known.len() < RECEIPTS_UNDER_ONE_ID_MAX
        && refusals::has_room(tx, exchange, (own, signer), size, now).await?
        && insert_jws(tx, receipt, Some(first), now).await?;
    let detail = format!(
        "{signer} signed two receipts under this id: SHA-256 {first} came first, {digest} settles nothing"
    );
    let id = receipt.id().to_string();
    alarm::raise_by(tx, own, AlarmKind::Conflict, signer, (&id, &detail), now).await?;
    if !is_kept {
        return Ok(());
    }
    let record = AuditRecord::new(now, SYSTEM, AuditAction::ReceiptRefuse)
        .agency(own)
        .object("receipt", receipt.id())
        .refused("conflict")
        .detail("by", signer)
        .detail("receipt", digest)
        .detail("first", first);
    exchange.base.trail.record(tx, &record).await?;
    Ok(())
}

/// Settles the copies that the entries name. A repeated entry changes nothing.
async fn settle<'e>(
    tx: &mut Conn,
    exchange: &Exchange,
    receipt: &Authorized,
    entries: &'e [IncomingEntry],
    now: Timestamp,
) -> Result<Settled<'e>, DbError> {
    let (sender, recipient) = (&receipt.recipient().agency, receipt.sender());
    let delivered: Vec<DeliveryReceipt> = entries.iter().filter_map(IncomingEntry::delivered).collect();
    // Most entries are deliveries: one statement settles all of those that it can, the rest go one by one.
    let settled = exchange.outbox.settle_delivered(tx, (sender, recipient), &delivered, now).await?;
    let mut accepted = Vec::with_capacity(entries.len());
    let (mut refused, mut is_recorded) = (Vec::new(), false);
    let mut deliveries = Vec::new();
    for entry in entries {
        let delivery = entry.delivered().map(|delivered| (delivered.id, delivered.at));
        if entry.delivered().is_some_and(|delivered| settled.contains(&delivered)) {
            deliveries.extend(delivery);
            accepted.push(entry);
            continue;
        }
        let (id, digest, settlement) = (entry.id, entry.digest, entry.settlement.clone());
        let outbox_entry = ReceiptEntry { sender, recipient, id, digest, settlement };
        match exchange.outbox.settle(tx, &outbox_entry, now).await? {
            SettleOutcome::Now => {
                deliveries.extend(delivery);
                accepted.push(entry);
            }
            SettleOutcome::Already if entry.is_listed() => {
                if is_new_post(tx, recipient, entry, &accepted).await? {
                    accepted.push(entry);
                }
            }
            SettleOutcome::Already => deliveries.extend(delivery),
            SettleOutcome::Contradiction => {
                is_recorded |= record_contradiction(tx, exchange, receipt, entry, now).await?;
            }
            outcome => refused.push((entry, outcome)),
        }
    }
    is_recorded |= record_refused(tx, exchange, receipt, &refused, now).await?;
    Ok(Settled { accepted, deliveries, is_recorded })
}

const RECEIPTS: Insert = Insert {
    into: "INSERT INTO receipt (message_id, sender, recipient, kind, said_at, code, detail, audit_source,
                                audit_epoch, audit_sequence, receipt_digest, received_at)",
    columns: 12,
    then: "ON CONFLICT (message_id, recipient, kind) DO NOTHING",
};

/// Inserts accepted entries into the table `receipt`.
async fn insert_entries(
    tx: &mut Conn,
    receipt: &Authorized,
    entries: &[&IncomingEntry],
    now: Timestamp,
) -> sqlx::Result<()> {
    let (sender, signer) = (&receipt.recipient().agency, receipt.sender());
    let insert = RECEIPTS.rows(tx, entries, |query, entry| {
        let (_, said_at, code) = entry.facts();
        let audit = entry.audit.as_ref();
        query
            .bind(entry.id.as_bytes().to_vec())
            .bind(sender.as_str())
            .bind(signer.as_str())
            .bind(entry.kind().into_owned())
            .bind(said_at.as_micros())
            .bind(code.map(ToString::to_string))
            .bind(entry.detail.as_deref())
            .bind(audit.map(|audit| audit.source.as_str()))
            .bind(audit.map(|audit| audit.epoch.as_bytes().to_vec()))
            .bind(audit.map(|audit| i64::try_from(audit.sequence).unwrap_or(i64::MAX)))
            .bind(receipt.digest().as_bytes().to_vec())
            .bind(now.as_micros())
    });
    insert.await
}

/// Records an accepted entry: an alarm if it is a rejection, an audit event and a domain event.
async fn record_accepted(
    tx: &mut Conn,
    exchange: &Exchange,
    receipt: &Authorized,
    entry: &IncomingEntry,
    now: Timestamp,
) -> Result<(), DbError> {
    let (sender, signer) = (&receipt.recipient().agency, receipt.sender());
    let (kind, _, code) = entry.facts();
    if let Some(code) = code {
        let about = (entry.id.to_string(), format!("{code} by {signer}"));
        alarm::raise_by(tx, sender, AlarmKind::Rejected, signer, (&about.0, &about.1), now).await?;
    }
    let mut record = AuditRecord::new(now, SYSTEM, AuditAction::ReceiptAccept)
        .agency(sender)
        .object("message", entry.id)
        .detail("kind", entry.kind())
        .detail("by", signer)
        .detail("digest", entry.digest)
        .detail("receipt", receipt.digest());
    if let Some(audit) = &entry.audit {
        // The position of the same fact in the other country's log, for auditors who compare the two.
        record = record.detail("audit", format_args!("{}/{}/{}", audit.source, audit.epoch, audit.sequence));
    }
    exchange.base.trail.record(tx, &record).await?;
    exchange.base.events.record(tx, sender, kind, Some(&entry.id), 1, now);
    Ok(())
}

/// Maximum border posts of one recipient that say of one message that they act on it: more than the border has, and a recipient that invents
/// posts fills no store.
const LISTED_POSTS_MAX: usize = 64;

/// Whether a post says for the first time that it acts on the message: it has not said so before, nor in this receipt, and not as many
/// posts as are kept have.
async fn is_new_post(
    tx: &mut Conn,
    signer: &AgencyCode,
    entry: &IncomingEntry,
    accepted: &[&IncomingEntry],
) -> Result<bool, DbError> {
    let mut kinds = kept_kinds(tx, signer, entry.id).await?;
    let before = accepted.iter().filter(|other| other.id == entry.id);
    kinds.extend(before.map(|other| other.kind().into_owned()));
    let posts = kinds.iter().filter(|kind| receipts::kind_and_post(kind).1.is_some()).count();
    Ok(posts < LISTED_POSTS_MAX && !kinds.iter().any(|kind| *kind == entry.kind()))
}

/// What receipts of this signer have said of a message.
async fn kept_kinds(tx: &mut Conn, signer: &AgencyCode, id: MessageId) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query("SELECT kind FROM receipt WHERE message_id = $1 AND recipient = $2")
        .bind(id.as_bytes().to_vec())
        .bind(signer.as_str())
        .fetch_all(tx)
        .await?;
    Ok(rows.iter().map(|row| row.try_get("kind")).collect::<Result<_, sqlx::Error>>()?)
}

/// Records an entry that contradicts an earlier receipt of its signer, once: the entry is kept beside the other, with an alarm
/// and an audit event, and the copy stays as the first receipt says. Returns whether it was kept now.
async fn record_contradiction(
    tx: &mut Conn,
    exchange: &Exchange,
    receipt: &Authorized,
    entry: &IncomingEntry,
    now: Timestamp,
) -> Result<bool, DbError> {
    let (sender, signer) = (&receipt.recipient().agency, receipt.sender());
    let kind = entry.kind();
    // Each post is a kind of its own, and a post is whatever its signer calls one: of what posts say after a rejection one is proof enough.
    let is_listed = |kept: &String| receipts::kind_and_post(kept).1.is_some();
    let kept = kept_kinds(tx, signer, entry.id).await?;
    if kept.iter().any(|kept| *kept == kind || (entry.is_listed() && is_listed(kept))) {
        return Ok(false);
    }
    insert_entries(tx, receipt, &[entry], now).await?;
    let detail = format!(
        "{signer} now says {kind}, and said the opposite before: the first receipt stands, both are kept with their \
         signatures; ask {signer} which of them holds"
    );
    let id = entry.id.to_string();
    alarm::raise_by(tx, sender, AlarmKind::ContraryReceipt, signer, (&id, &detail), now).await?;
    let record = AuditRecord::new(now, SYSTEM, AuditAction::ReceiptRefuse)
        .agency(sender)
        .object("message", entry.id)
        .refused("contradiction")
        .detail("kind", &kind)
        .detail("by", signer)
        .detail("digest", entry.digest)
        .detail("receipt", receipt.digest());
    exchange.base.trail.record(tx, &record).await?;
    Ok(true)
}

/// Records the entries of a receipt that do not count: one audit event for all of them, and an alarm if one is false. Returns
/// whether it did: those beyond the bound of an hour are only counted.
async fn record_refused(
    tx: &mut Conn,
    exchange: &Exchange,
    receipt: &Authorized,
    refused: &[(&IncomingEntry, SettleOutcome)],
    now: Timestamp,
) -> Result<bool, DbError> {
    let (sender, signer) = (&receipt.recipient().agency, receipt.sender());
    // The event is about the entry that matters most: one that is a sign of forgery or confusion.
    let worst = refused.iter().find(|(_, outcome)| outcome.is_alarming()).or(refused.first());
    let Some((entry, outcome)) = worst else { return Ok(false) };
    let size = receipt.jws().unverified_payload().len();
    if !refusals::has_room(tx, exchange, (sender, signer), size, now).await? {
        return Ok(false);
    }
    let reason = refusal_reason(*outcome);
    if outcome.is_alarming() {
        let detail = format!("{reason}: a receipt of {signer}");
        let id = entry.id.to_string();
        alarm::raise_by(tx, sender, AlarmKind::FalseReceipt, signer, (&id, &detail), now).await?;
    }
    let record = AuditRecord::new(now, SYSTEM, AuditAction::ReceiptRefuse)
        .agency(sender)
        .object("message", entry.id)
        .refused(reason)
        .detail("by", signer)
        .detail("receipt", receipt.id())
        .detail("entries", refused.len());
    exchange.base.trail.record(tx, &record).await?;
    Ok(true)
}

fn refusal_reason(outcome: SettleOutcome) -> &'static str {
    match outcome {
        SettleOutcome::DigestMismatch => "digest_mismatch",
        SettleOutcome::NotARecipient => "not_a_recipient",
        _ => "unknown_message",
    }
}
