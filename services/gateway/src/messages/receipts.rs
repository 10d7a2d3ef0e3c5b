//! The receipts that recipients signed for messages that we sent.

use rovuma_schemas::{
    AgencyCode, Digest, MessageId, Timestamp, audit::AuditPosition, subjects::CrossingCode,
};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::error::DbError;

/// One statement of one recipient.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    /// The agency that signed the receipt.
    pub(crate) recipient: AgencyCode,
    /// `delivered`, `read`, `listed` or `rejected`.
    pub(crate) kind: String,
    /// The border post, of `listed`.
    pub(crate) post: Option<String>,
    /// The instant that the receipt states, by the recipient's clock.
    pub(crate) said_at: Timestamp,
    /// The instant at which the receipt arrived, by our clock.
    pub(crate) received_at: Timestamp,
    /// The code of the reason for which the message was rejected.
    pub(crate) code: Option<String>,
    /// More about it.
    pub(crate) detail: Option<String>,
    /// The position of the entry in the recipient's audit log.
    pub(crate) audit: Option<AuditPosition>,
    /// The receipt's own message id: its signed bytes are under `/v1/messages/{id}/jws`.
    pub(crate) receipt: MessageId,
}

/// A receipt's signed bytes.
#[derive(Clone, Debug)]
pub(crate) struct ReceiptJws {
    /// The receipt.
    pub(crate) receipt: MessageId,
    /// The agency that signed the receipt.
    pub(crate) signer: AgencyCode,
    /// The SHA-256 of the compact JWS.
    pub(crate) digest: Digest,
    /// The compact JWS, exactly as received.
    pub(crate) jws: String,
}

const LISTED: &str = "listed";

/// The kind under which the store keeps that a message took effect at a post: each post says so for itself.
pub(crate) fn listed_kind(post: &CrossingCode) -> String {
    format!("{LISTED} {post}")
}

/// The kind that the store has, as people know it, and the post of one that took effect there.
pub(crate) fn kind_and_post(kind: &str) -> (String, Option<String>) {
    match kind.split_once(' ') {
        Some((LISTED, post)) => (LISTED.to_owned(), Some(post.to_owned())),
        _ => (kind.to_owned(), None),
    }
}

/// The receipts for a message that `sender` sent, in the order in which they came.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn of_message(
    conn: &mut Conn,
    sender: &AgencyCode,
    id: &MessageId,
) -> Result<Vec<Receipt>, DbError> {
    let rows = sqlx::query(
        "SELECT receipt.recipient, receipt.kind, receipt.said_at, receipt.received_at, receipt.code,
                receipt.detail, receipt.audit_source, receipt.audit_epoch, receipt.audit_sequence,
                signed.id AS receipt_id
         FROM receipt JOIN receipt_jws AS signed ON signed.digest = receipt.receipt_digest
         WHERE receipt.message_id = $1 AND receipt.sender = $2
         ORDER BY receipt.received_at, receipt.recipient, receipt.kind",
    )
    .bind(id.as_bytes().to_vec())
    .bind(sender.as_str())
    .fetch_all(conn)
    .await?;
    rows.iter().map(read).collect()
}

/// The signed bytes of those receipts.
///
/// # Errors
/// [`DbError`] when the store does not answer, or what it holds is damaged.
pub(crate) async fn signed(
    conn: &mut Conn,
    sender: &AgencyCode,
    id: &MessageId,
) -> Result<Vec<ReceiptJws>, DbError> {
    let rows = sqlx::query(
        "SELECT DISTINCT signed.digest, signed.id, signed.signer, signed.jws, signed.received_at
         FROM receipt JOIN receipt_jws AS signed ON signed.digest = receipt.receipt_digest
         WHERE receipt.message_id = $1 AND receipt.sender = $2
         ORDER BY signed.received_at, signed.digest",
    )
    .bind(id.as_bytes().to_vec())
    .bind(sender.as_str())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let bytes: Vec<u8> = row.try_get("jws")?;
            let jws = String::from_utf8(bytes).map_err(|fault| DbError::damaged("receipt", fault))?;
            let (receipt, signer) = (row.message_id("id")?, row.parsed("signer")?);
            Ok(ReceiptJws { receipt, signer, digest: row.digest("digest")?, jws })
        })
        .collect()
}

fn read(row: &AnyRow) -> Result<Receipt, DbError> {
    let position = (
        row.try_get::<Option<String>, _>("audit_source")?,
        row.opt_store_id("audit_epoch")?,
        row.opt_count("audit_sequence")?,
    );
    let audit = match position {
        (Some(source), Some(epoch), Some(sequence)) => Some(AuditPosition { source, epoch, sequence }),
        _ => None,
    };
    let (kind, post) = kind_and_post(row.try_get("kind")?);
    Ok(Receipt {
        recipient: row.parsed("recipient")?,
        kind,
        post,
        said_at: row.instant("said_at")?,
        received_at: row.instant("received_at")?,
        code: row.try_get("code")?,
        detail: row.try_get("detail")?,
        audit,
        receipt: row.message_id("receipt_id")?,
    })
}
