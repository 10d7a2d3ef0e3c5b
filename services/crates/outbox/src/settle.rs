//! Settles copies by receipts. Nothing else settles a copy.

use std::collections::{HashMap, HashSet};

use rovuma_schemas::{AgencyCode, Digest, Lane, MessageId, RejectionCode, Timestamp, subjects::CrossingCode};
use rovuma_store::{Conn, RowExt, padded_list, with_rows};
use sqlx::Row;

use crate::Outbox;

/// One entry of a verified receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptEntry<'a> {
    /// The agency that the receipt is addressed to: it must have sent the message.
    pub sender: &'a AgencyCode,
    /// The agency that signed the receipt: it must be a recipient of the message.
    pub recipient: &'a AgencyCode,
    /// The message.
    pub id: MessageId,
    /// The digest that the receipt names: it must be the digest of the signed message.
    pub digest: Digest,
    /// The statement of the receipt.
    pub settlement: Settlement,
}

/// The statement of a receipt about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The recipient's gateway has verified and stored it.
    Delivered {
        /// The time, by the recipient's clock.
        at: Timestamp,
    },
    /// An officer has opened it. This does not replace the receipt of delivery.
    Read {
        /// The time, by the recipient's clock.
        at: Timestamp,
    },
    /// It took effect at a border post of the recipient's. This changes no copy.
    Listed {
        /// The post.
        post: CrossingCode,
        /// The time, by the recipient's clock.
        at: Timestamp,
    },
    /// The recipient's gateway has refused it.
    Rejected {
        /// The time, by the recipient's clock.
        at: Timestamp,
        /// The reason.
        code: RejectionCode,
    },
}

/// Whether a receipt settled a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleOutcome {
    /// It did, as the first receipt to say so.
    Now,
    /// An earlier receipt had settled the copy, or this one is true and settles nothing: nothing changed.
    Already,
    /// An earlier receipt of the same recipient says the opposite, and stands: alarm. *Delivered* and *read* contradict
    /// *rejected*.
    Contradiction,
    /// The addressee has no such message: it never sent it, or its store was restored from before.
    UnknownMessage,
    /// The message with this id has another digest: alarm.
    DigestMismatch,
    /// The signer is no recipient of the message: alarm.
    NotARecipient,
}

impl SettleOutcome {
    /// Whether the receipt is a sign of forgery or confusion that somebody must look at.
    pub const fn is_alarming(self) -> bool {
        matches!(self, Self::DigestMismatch | Self::NotARecipient)
    }
}

/// One entry of a verified receipt of delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryReceipt {
    /// The message.
    pub id: MessageId,
    /// The digest that the receipt names.
    pub digest: Digest,
    /// The time, by the recipient's clock.
    pub at: Timestamp,
}

impl Outbox {
    /// Settles, in one statement, the copies that a receipt of `recipient` to `sender` says were delivered. Returns the
    /// entries that settled a copy. For the others, [`Self::settle`] says why not; entries that name one message twice
    /// are among them.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn settle_delivered(
        &self,
        tx: &mut Conn,
        (sender, recipient): (&AgencyCode, &AgencyCode),
        entries: &[DeliveryReceipt],
        now: Timestamp,
    ) -> sqlx::Result<HashSet<DeliveryReceipt>> {
        let mut named: HashMap<MessageId, Vec<DeliveryReceipt>> = HashMap::new();
        for entry in entries {
            named.entry(entry.id).or_default().push(*entry);
        }
        named.retain(|_, entries| entries.len() == 1);
        let once: Vec<DeliveryReceipt> = named.values().flatten().copied().collect();
        if once.is_empty() {
            return Ok(HashSet::new());
        }
        let text = with_rows(DELIVERED, (4, 3), once.len());
        let query = sqlx::query(text).bind(now.as_micros()).bind(recipient.as_str()).bind(sender.as_str());
        let query = padded_list(&once).fold(query, |query, entry: DeliveryReceipt| {
            query
                .bind(entry.id.as_bytes().to_vec())
                .bind(entry.digest.as_bytes().to_vec())
                .bind(entry.at.as_micros())
        });
        let rows = query.fetch_all(tx).await?;
        let mut settled = HashSet::with_capacity(rows.len());
        for row in &rows {
            self.mark(recipient, row.parsed("lane")?);
            settled.extend(named.remove(&row.message_id("message")?).into_iter().flatten());
        }
        Ok(settled)
    }

    /// Settles a copy by a receipt, in the caller's transaction.
    ///
    /// The first of `delivered` and `rejected` stands, whatever the recipient requests or signs afterwards. A receipt also
    /// settles a copy that waits to leave again, and one that is void: the recipient's signature outweighs our own
    /// bookkeeping.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn settle(
        &self,
        tx: &mut Conn,
        receipt: &ReceiptEntry<'_>,
        now: Timestamp,
    ) -> sqlx::Result<SettleOutcome> {
        let settled = match &receipt.settlement {
            Settlement::Delivered { at } => delivered(tx, receipt, *at, now).await?,
            Settlement::Read { at } => read(tx, receipt, *at).await?,
            Settlement::Listed { .. } => None,
            Settlement::Rejected { at, code } => rejected(tx, receipt, *at, code, now).await?,
        };
        match settled {
            Some(lane) => {
                // The copy left the window, so the lane may have room for another bundle.
                self.mark(receipt.recipient, lane);
                Ok(SettleOutcome::Now)
            }
            None => why_unsettled(tx, receipt).await,
        }
    }
}

/// The columns of `said` have names that no table has, so that both databases know which column is meant.
const DELIVERED: &str = "
    WITH said (said_id, said_digest, said_at) AS (VALUES {})
    UPDATE outbox_copy SET state = 2, delivered_at = COALESCE(delivered_at, said_at),
           settled_at = COALESCE(settled_at, $1)
    FROM said
    WHERE message = said_id AND recipient = $2 AND sender = $3 AND state IN (0, 1, 4) AND rejected_at IS NULL
      AND said_digest = (SELECT m.digest FROM outbox_message m
                         WHERE m.id = outbox_copy.message AND m.country = outbox_copy.country)
    RETURNING message, lane";

/// Selects the copy that a receipt names, if the digest matches: `$1` to `$4`.
macro_rules! copy_of_receipt {
    () => {
        "message = $1 AND recipient = $2 AND sender = $3
         AND $4 = (SELECT m.digest FROM outbox_message m
                   WHERE m.id = outbox_copy.message AND m.country = outbox_copy.country)"
    };
}

async fn delivered(
    tx: &mut Conn,
    receipt: &ReceiptEntry<'_>,
    at: Timestamp,
    now: Timestamp,
) -> sqlx::Result<Option<Lane>> {
    let query = sqlx::query(concat!(
        "UPDATE outbox_copy SET state = 2, delivered_at = COALESCE(delivered_at, $5),
                settled_at = COALESCE(settled_at, $6)
         WHERE state IN (0, 1, 4) AND rejected_at IS NULL AND ",
        copy_of_receipt!(),
        " RETURNING lane"
    ));
    let row = identify(query, receipt).bind(at.as_micros()).bind(now.as_micros()).fetch_optional(tx).await?;
    row.map(|row| row.parsed("lane")).transpose()
}

async fn rejected(
    tx: &mut Conn,
    receipt: &ReceiptEntry<'_>,
    at: Timestamp,
    code: &RejectionCode,
    now: Timestamp,
) -> sqlx::Result<Option<Lane>> {
    let query = sqlx::query(concat!(
        "UPDATE outbox_copy SET state = 3, rejected_at = $5, settled_at = COALESCE(settled_at, $6), code = $7
         WHERE state IN (0, 1, 4) AND delivered_at IS NULL AND read_at IS NULL AND ",
        copy_of_receipt!(),
        " RETURNING lane"
    ));
    let query = identify(query, receipt).bind(at.as_micros()).bind(now.as_micros()).bind(code.as_str());
    query.fetch_optional(tx).await?.map(|row| row.parsed("lane")).transpose()
}

async fn read(tx: &mut Conn, receipt: &ReceiptEntry<'_>, at: Timestamp) -> sqlx::Result<Option<Lane>> {
    let query = sqlx::query(concat!(
        "UPDATE outbox_copy SET read_at = $5 WHERE read_at IS NULL AND rejected_at IS NULL AND ",
        copy_of_receipt!(),
        " RETURNING lane"
    ));
    let row = identify(query, receipt).bind(at.as_micros()).fetch_optional(tx).await?;
    row.map(|row| row.parsed("lane")).transpose()
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn identify<'q>(query: Query<'q>, receipt: &'q ReceiptEntry<'_>) -> Query<'q> {
    query
        .bind(receipt.id.as_bytes().as_slice())
        .bind(receipt.recipient.as_str())
        .bind(receipt.sender.as_str())
        .bind(receipt.digest.as_bytes().as_slice())
}

/// Finds out why a receipt changed nothing.
async fn why_unsettled(tx: &mut Conn, receipt: &ReceiptEntry<'_>) -> sqlx::Result<SettleOutcome> {
    let rows = sqlx::query(
        "SELECT m.digest, c.position, c.delivered_at, c.read_at, c.rejected_at FROM outbox_message m
         LEFT JOIN outbox_copy c ON c.message = m.id AND c.country = m.country AND c.recipient = $2
         WHERE m.id = $1 AND m.sender = $3",
    )
    .bind(receipt.id.as_bytes().as_slice())
    .bind(receipt.recipient.as_str())
    .bind(receipt.sender.as_str())
    .fetch_all(tx)
    .await?;
    for row in &rows {
        if row.try_get::<Option<i64>, _>("position")?.is_none() {
            continue;
        }
        if row.digest("digest")? != receipt.digest {
            return Ok(SettleOutcome::DigestMismatch);
        }
        let said = |column: &str| Ok::<_, sqlx::Error>(row.opt_instant(column)?.is_some());
        let contradicts = match receipt.settlement {
            Settlement::Delivered { .. } | Settlement::Read { .. } | Settlement::Listed { .. } => {
                said("rejected_at")?
            }
            Settlement::Rejected { .. } => said("delivered_at")? || said("read_at")?,
        };
        return Ok(if contradicts { SettleOutcome::Contradiction } else { SettleOutcome::Already });
    }
    Ok(if rows.is_empty() { SettleOutcome::UnknownMessage } else { SettleOutcome::NotARecipient })
}
