//! What has been taken from others, for ever: so that a duplicate is known however late it comes, and
//! answered with the first receipt again.

use rovuma_envelope::KeyId;
use rovuma_schemas::{
    AgencyCode, DeliveredEntry, Digest, Header, MessageId, Recipient, RejectedEntry, RejectionCode,
    Timestamp, audit::AuditPosition,
};
use rovuma_store::RowExt;
use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::error::DbError;

/// What became of a message when it was first taken.
#[derive(Clone, Debug)]
pub(crate) enum Disposition {
    /// Stored, and to be acted on.
    Operative,
    /// Stored for the record: its transport life was over.
    Inoperative,
    /// Not accepted.
    Rejected {
        /// The code it was answered with.
        code: RejectionCode,
        /// Why, in words.
        detail: String,
    },
}

impl Disposition {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Operative => "operative",
            Self::Inoperative => "inoperative",
            Self::Rejected { .. } => "rejected",
        }
    }

    /// The rejection that answers it, if one does.
    pub(crate) fn rejection(&self) -> Option<(RejectionCode, String)> {
        match self {
            Self::Operative => None,
            Self::Inoperative => Some((RejectionCode::Expired, "it expired before it arrived".to_owned())),
            Self::Rejected { code, detail } => Some((code.clone(), detail.clone())),
        }
    }
}

/// A message that is known, and the answer it was given.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) digest: Digest,
    pub(crate) received_at: Timestamp,
    pub(crate) disposition: Disposition,
    pub(crate) audit: AuditPosition,
}

/// The receipt that answers a message.
pub(crate) enum Answer {
    Delivered(DeliveredEntry),
    Rejected(RejectedEntry),
}

impl Known {
    /// The answer: the same each time the message comes again.
    pub(crate) fn answer(&self, id: MessageId) -> Answer {
        let (digest, audit) = (self.digest, self.audit.clone());
        match self.disposition.rejection() {
            None => Answer::Delivered(DeliveredEntry { id, digest, stored_at: self.received_at, audit }),
            Some((code, detail)) => Answer::Rejected(RejectedEntry {
                id,
                digest,
                code,
                detail: detail.parse().ok(),
                rejected_at: self.received_at,
                audit,
            }),
        }
    }
}

/// What was taken before that a message may not take the place of.
#[derive(Debug)]
pub(crate) enum Taken {
    /// A message under its id.
    Id(Known),
    /// Another message under its stream number.
    Number,
}

/// Looks for what was taken before under the message's identity (recipient, sender, id), and else under its
/// stream number.
///
/// # Errors
/// [`DbError`] when the store does not answer, or what it holds is damaged.
pub(crate) async fn find(
    tx: &mut AnyConnection,
    source: &str,
    recipient: &Recipient,
    sender: &AgencyCode,
    id: &MessageId,
) -> Result<Option<Taken>, DbError> {
    // Two at most, each found by an index of its own. One query, for this is asked of every message that comes.
    let rows = sqlx::query(
        "SELECT id, digest, received_at, disposition, rejection_code, rejection_detail, audit_epoch, audit_sequence
         FROM received WHERE recipient = $1 AND sender = $2 AND id = $3
         UNION ALL
         SELECT id, digest, received_at, disposition, rejection_code, rejection_detail, audit_epoch, audit_sequence
         FROM received
         WHERE sender = $2 AND stream = $4 AND recipient = $1 AND lane = $5 AND number = $6 AND id <> $3",
    )
    .bind(recipient.agency.as_str())
    .bind(sender.as_str())
    .bind(id.as_bytes().to_vec())
    .bind(recipient.stream.map(|stream| stream.as_bytes().to_vec()))
    .bind(recipient.lane.as_str())
    .bind(recipient.number.map(|number| i64::try_from(number).unwrap_or(i64::MAX)))
    .fetch_all(tx)
    .await?;
    let mut taken = None;
    for row in &rows {
        if row.message_id("id")? == *id {
            return Ok(Some(Taken::Id(known(row, source)?)));
        }
        taken = Some(Taken::Number);
    }
    Ok(taken)
}

fn known(row: &AnyRow, source: &str) -> Result<Known, DbError> {
    let disposition = match row.try_get::<&str, _>("disposition")? {
        "operative" => Disposition::Operative,
        "inoperative" => Disposition::Inoperative,
        _ => Disposition::Rejected {
            code: row.parsed("rejection_code")?,
            detail: row.try_get::<Option<String>, _>("rejection_detail")?.unwrap_or_default(),
        },
    };
    Ok(Known {
        digest: row.digest("digest")?,
        received_at: row.instant("received_at")?,
        disposition,
        audit: AuditPosition {
            source: source.to_owned(),
            epoch: row.store_id("audit_epoch")?,
            sequence: row.count("audit_sequence")?,
        },
    })
}

/// A verified message to be kept.
pub(crate) struct Arrival<'a> {
    pub(crate) header: &'a Header,
    pub(crate) recipient: &'a Recipient,
    pub(crate) digest: Digest,
    pub(crate) compact: String,
    pub(crate) signer: &'a KeyId,
    pub(crate) category: Option<&'static str>,
    pub(crate) known: &'a Known,
}

/// Keeps a verified message with the answer it is given.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn keep(tx: &mut AnyConnection, arrival: Arrival<'_>) -> Result<(), DbError> {
    let Arrival { header, recipient, digest, compact, signer, category, known } = arrival;
    let rejection = match &known.disposition {
        Disposition::Rejected { code, detail } => Some((code.to_string(), detail.clone())),
        _ => None,
    };
    sqlx::query(
        "INSERT INTO received (recipient, sender, id, digest, jws, key_id, message_type, category, status,
                               lane, stream, number, created_at, expires_at, received_at, disposition,
                               rejection_code, rejection_detail, audit_epoch, audit_sequence, replaces)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
    )
    .bind(recipient.agency.as_str())
    .bind(header.sender.agency.as_str())
    .bind(header.id.as_bytes().to_vec())
    .bind(digest.as_bytes().to_vec())
    .bind(compact.into_bytes())
    .bind(signer.to_string())
    .bind(header.message_type.as_str())
    .bind(category)
    .bind(header.status.as_str())
    .bind(recipient.lane.as_str())
    .bind(recipient.stream.map(|stream| stream.as_bytes().to_vec()))
    .bind(recipient.number.map(|number| i64::try_from(number).unwrap_or(i64::MAX)))
    .bind(header.created.as_micros())
    .bind(header.expires.map(Timestamp::as_micros))
    .bind(known.received_at.as_micros())
    .bind(known.disposition.as_str())
    .bind(rejection.as_ref().map(|(code, _)| code.clone()))
    .bind(rejection.map(|(_, detail)| detail))
    .bind(known.audit.epoch.as_bytes().to_vec())
    .bind(i64::try_from(known.audit.sequence).unwrap_or(i64::MAX))
    .bind(header.replaces.map(|id| id.as_bytes().to_vec()))
    .execute(tx)
    .await?;
    Ok(())
}
