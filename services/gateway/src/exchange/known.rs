//! The messages received from others, kept for ever: a duplicate is recognised however late it arrives, and answered with
//! the same receipt as the first copy.

use std::collections::{HashMap, HashSet};

use rovuma_envelope::KeyId;
use rovuma_schemas::{
    AgencyCode, DeliveredEntry, Digest, Header, Lane, MessageId, Recipient, RejectedEntry, RejectionCode,
    Status, StreamId, Timestamp, audit::AuditPosition,
};
use rovuma_store::{Binding, Conn, Insert, RowExt, padded_list, with_rows};
use sqlx::{Row as _, any::AnyRow};

use crate::{
    cases::{self, CasePlace},
    error::DbError,
};

/// Maximum bytes of a rejected message that are kept: a partner may sign a page of blanks, which pack to nothing. Its header,
/// its digest and the reason are kept of every one; the sender has the rest.
pub(crate) const REJECTED_KEPT_MAX_BYTES: usize = 4 * 1024;

/// Whether a message was accepted when it first arrived.
#[derive(Clone, Debug)]
pub(crate) enum ReceptionOutcome {
    /// Accepted: it may be acted on.
    Operative,
    /// Stored for the record only: it expired on the way. Its sender gets a rejection.
    Inoperative,
    /// Not accepted.
    Rejected {
        /// The code in the receipt.
        code: RejectionCode,
        /// The reason as a sentence.
        detail: String,
    },
}

impl ReceptionOutcome {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Operative => "operative",
            Self::Inoperative => "inoperative",
            Self::Rejected { .. } => "rejected",
        }
    }

    /// The code and reason of the rejection that answers the message; none when the message was accepted.
    pub(crate) fn rejection(&self) -> Option<(RejectionCode, String)> {
        match self {
            Self::Operative => None,
            Self::Inoperative => Some((RejectionCode::Expired, "it expired before it arrived".to_owned())),
            Self::Rejected { code, detail } => Some((code.clone(), detail.clone())),
        }
    }
}

/// A message in the table `received`, as far as answering it needs.
#[derive(Clone, Debug)]
pub(crate) struct KnownMessage {
    pub(crate) digest: Digest,
    pub(crate) received_at: Timestamp,
    /// When it was last answered: on its arrival, or as a duplicate.
    pub(crate) answered_at: Timestamp,
    pub(crate) outcome: ReceptionOutcome,
    /// The audit event that recorded its arrival.
    pub(crate) audit: AuditPosition,
}

/// The receipt entry that answers a message.
pub(crate) enum OwedReceipt {
    Delivered(DeliveredEntry),
    Rejected(RejectedEntry),
}

impl KnownMessage {
    /// The receipt entry: the same one each time the message arrives again.
    pub(crate) fn receipt(&self, id: MessageId) -> OwedReceipt {
        let (digest, audit) = (self.digest, self.audit.clone());
        match self.outcome.rejection() {
            None => OwedReceipt::Delivered(DeliveredEntry { id, digest, stored_at: self.received_at, audit }),
            Some((code, detail)) => OwedReceipt::Rejected(RejectedEntry {
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

/// The facts that identify a message among those received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageIdentity<'a> {
    pub(crate) recipient: &'a Recipient,
    pub(crate) sender: &'a AgencyCode,
    pub(crate) id: MessageId,
}

impl MessageIdentity<'_> {
    fn key(&self) -> IdentityKey {
        (self.recipient.agency.clone(), self.sender.clone(), self.id)
    }

    fn stream_number(&self) -> Option<StreamNumberKey> {
        let Recipient { agency, lane, stream, number } = self.recipient;
        Some((agency.clone(), self.sender.clone(), *lane, (*stream)?, (*number)?))
    }
}

/// Recipient, sender, id.
type IdentityKey = (AgencyCode, AgencyCode, MessageId);

/// Recipient, sender, lane, stream, number.
type StreamNumberKey = (AgencyCode, AgencyCode, Lane, StreamId, u64);

/// An earlier message that a message collides with.
#[derive(Debug)]
pub(crate) enum EarlierMessage<'r> {
    /// A message with the same recipient, sender and id.
    SameId(&'r KnownMessage),
    /// A message with another id and the same number in the same stream.
    SameNumber,
}

/// The received messages that one transaction must know of: those that it looked up in the store, and those that it adds
/// itself. It looks them up and inserts them many at a time.
#[derive(Debug, Default)]
pub(crate) struct KnownMessages {
    looked_up: HashSet<(IdentityKey, Option<StreamNumberKey>)>,
    by_identity: HashMap<IdentityKey, KnownMessage>,
    by_number: HashMap<StreamNumberKey, MessageId>,
    new_rows: Vec<ReceivedRow>,
    /// The duplicates that this transaction answers, with the time.
    answered: Vec<(IdentityKey, Timestamp)>,
}

/// Two `SELECT`s, so that each uses an index of its own. `CROSS JOIN` keeps SQLite from scanning `received` first.
const LOOK_UP: &str = "
    WITH asked (a_recipient, a_sender, a_id, a_lane, a_stream, a_number) AS (VALUES {})
    SELECT recipient, sender, id, lane, stream, number, digest, received_at, answered_at, disposition, rejection_code,
           rejection_detail, audit_epoch, audit_sequence
    FROM asked CROSS JOIN received WHERE recipient = a_recipient AND sender = a_sender AND id = a_id
    UNION
    SELECT recipient, sender, id, lane, stream, number, digest, received_at, answered_at, disposition, rejection_code,
           rejection_detail, audit_epoch, audit_sequence
    FROM asked CROSS JOIN received
    WHERE sender = a_sender AND stream = a_stream AND recipient = a_recipient AND lane = a_lane
      AND number = a_number";

/// Maximum messages that one statement looks up.
const LOOK_UP_MAX: usize = 64;

impl KnownMessages {
    /// Looks up earlier messages with the identities and stream numbers of these messages.
    pub(crate) async fn look_up(
        &mut self,
        tx: &mut Conn,
        source: &str,
        messages: &[MessageIdentity<'_>],
    ) -> Result<(), DbError> {
        let is_new = |one: &&MessageIdentity<'_>| self.looked_up.insert((one.key(), one.stream_number()));
        let new: Vec<MessageIdentity<'_>> = messages.iter().filter(is_new).copied().collect();
        for chunk in new.chunks(LOOK_UP_MAX) {
            let query = sqlx::query(with_rows(LOOK_UP, (1, 6), chunk.len()));
            let query = padded_list(chunk).fold(query, |query, message| {
                let recipient = message.recipient;
                query
                    .bind(recipient.agency.as_str())
                    .bind(message.sender.as_str())
                    .bind(message.id.as_bytes().to_vec())
                    .bind(recipient.lane.as_str())
                    .bind(recipient.stream.map(|stream| stream.as_bytes().to_vec()))
                    .bind(recipient.number.map(to_column))
            });
            for row in &query.fetch_all(&mut *tx).await? {
                self.add_row(row, source)?;
            }
        }
        Ok(())
    }

    fn add_row(&mut self, row: &AnyRow, source: &str) -> Result<(), DbError> {
        let (recipient, sender): (AgencyCode, AgencyCode) = (row.parsed("recipient")?, row.parsed("sender")?);
        let id = row.message_id("id")?;
        if let (Some(stream), Some(number)) = (row.opt_store_id("stream")?, row.opt_count("number")?) {
            let key = (recipient.clone(), sender.clone(), row.parsed("lane")?, stream, number);
            self.by_number.insert(key, id);
        }
        self.by_identity.insert((recipient, sender, id), read(row, source)?);
        Ok(())
    }

    /// The earlier message with the same identity, or else with the same stream number. The message must have been
    /// [looked up](Self::look_up).
    pub(crate) fn find(&self, message: &MessageIdentity<'_>) -> Option<EarlierMessage<'_>> {
        match self.by_identity.get(&message.key()) {
            Some(known) => Some(EarlierMessage::SameId(known)),
            None => message
                .stream_number()
                .filter(|key| self.by_number.contains_key(key))
                .map(|_| EarlierMessage::SameNumber),
        }
    }

    /// Adds a verified message, with the outcome that its receipt reports. [`write`](Self::write) inserts it.
    pub(crate) fn add(&mut self, message: NewMessage<'_>) {
        let NewMessage { header, recipient, digest, compact, signer, facet, known } = message;
        let (jws, header_json) = match known.outcome {
            ReceptionOutcome::Rejected { .. } if compact.len() > REJECTED_KEPT_MAX_BYTES => {
                (None, serde_json::to_vec(header).ok())
            }
            _ => (Some(compact), None),
        };
        let identity = MessageIdentity { recipient, sender: &header.sender.agency, id: header.id };
        // A later message of this transaction may reuse the number or the id: it must find this one.
        if let Some(key) = identity.stream_number() {
            self.by_number.insert(key, header.id);
        }
        // A rejected message belongs to no case and replaces nothing, whatever its header says.
        let (case, original) = match known.outcome {
            ReceptionOutcome::Rejected { .. } => (CasePlace::default(), header.id),
            ReceptionOutcome::Operative | ReceptionOutcome::Inoperative => {
                (CasePlace::of_header(header), header.replaces.unwrap_or(header.id))
            }
        };
        self.new_rows.push(ReceivedRow {
            recipient: recipient.clone(),
            sender: header.sender.agency.clone(),
            id: header.id,
            digest,
            jws,
            header: header_json,
            signer: signer.to_string(),
            message_type: header.message_type.clone(),
            facet,
            status: header.status,
            created: header.created,
            expires: header.expires,
            replaces: header.replaces,
            original,
            case,
            known: known.clone(),
        });
        self.by_identity.insert(identity.key(), known);
    }

    /// Notes that a duplicate of a known message is answered now. [`write`](Self::write) records it.
    pub(crate) fn answered(&mut self, message: &MessageIdentity<'_>, now: Timestamp) {
        if let Some(known) = self.by_identity.get_mut(&message.key()) {
            known.answered_at = now;
            self.answered.push((message.key(), now));
        }
    }

    /// Inserts the added messages into the table `received`, and records which duplicates are answered.
    pub(crate) async fn write(&mut self, tx: &mut Conn) -> sqlx::Result<()> {
        for ((recipient, sender, id), at) in self.answered.drain(..) {
            sqlx::query(
                "UPDATE received SET answered_at = $1 WHERE recipient = $2 AND sender = $3 AND id = $4",
            )
            .bind(at.as_micros())
            .bind(recipient.as_str().to_owned())
            .bind(sender.as_str().to_owned())
            .bind(id.as_bytes().to_vec())
            .execute(&mut *tx)
            .await?;
        }
        let rows = std::mem::take(&mut self.new_rows);
        RECEIVED.rows(tx, &rows, |query, row| row.bind(query)).await?;
        for row in rows.iter().filter(|row| row.original != row.id) {
            link(tx, row).await?;
        }
        Ok(())
    }
}

/// The oldest known message of the chain that `$1`'s message of `$2`, replacing `$3`, belongs to.
const ORIGINAL: &str = "SELECT original FROM received WHERE recipient = $1 AND sender = $2 AND id = $3";

/// Sets the oldest message of `$4`, and of the messages whose oldest it was until it came itself. The limit bounds what one
/// message can cost: a partner may sign any number of messages that replace one.
const LINK: &str = "
    UPDATE received SET original = $3 WHERE seq IN (
        SELECT seq FROM received WHERE recipient = $1 AND sender = $2 AND id = $4
        UNION
        SELECT seq FROM (SELECT seq FROM received WHERE recipient = $1 AND original = $4 AND sender = $2 LIMIT 64) AS later)";

/// Resolves the chain of a message that replaces another to its oldest message, in whatever order the messages arrive.
async fn link(tx: &mut Conn, row: &ReceivedRow) -> sqlx::Result<()> {
    let (recipient, sender) = (row.recipient.agency.as_str(), row.sender.as_str());
    let replaced = row.original.as_bytes().to_vec();
    let query = sqlx::query(ORIGINAL).bind(recipient).bind(sender).bind(replaced.clone());
    let original = match query.fetch_optional(&mut *tx).await? {
        Some(older) => older.try_get::<Vec<u8>, _>("original")?,
        None => replaced,
    };
    let query = sqlx::query(LINK).bind(recipient).bind(sender).bind(original);
    query.bind(row.id.as_bytes().to_vec()).execute(tx).await?;
    Ok(())
}

fn read(row: &AnyRow, source: &str) -> Result<KnownMessage, DbError> {
    let outcome = match row.try_get::<&str, _>("disposition")? {
        "operative" => ReceptionOutcome::Operative,
        "inoperative" => ReceptionOutcome::Inoperative,
        _ => ReceptionOutcome::Rejected {
            code: row.parsed("rejection_code")?,
            detail: row.try_get::<Option<String>, _>("rejection_detail")?.unwrap_or_default(),
        },
    };
    Ok(KnownMessage {
        digest: row.digest("digest")?,
        received_at: row.instant("received_at")?,
        answered_at: match row.opt_instant("answered_at")? {
            Some(at) => at,
            None => row.instant("received_at")?,
        },
        outcome,
        audit: AuditPosition {
            source: source.to_owned(),
            epoch: row.store_id("audit_epoch")?,
            sequence: row.count("audit_sequence")?,
        },
    })
}

/// A verified message that the store does not have yet.
pub(crate) struct NewMessage<'a> {
    pub(crate) header: &'a Header,
    pub(crate) recipient: &'a Recipient,
    pub(crate) digest: Digest,
    pub(crate) compact: String,
    pub(crate) signer: &'a KeyId,
    pub(crate) facet: Option<String>,
    pub(crate) known: KnownMessage,
}

/// A row of the table `received`.
#[derive(Debug)]
struct ReceivedRow {
    recipient: Recipient,
    sender: AgencyCode,
    id: MessageId,
    digest: Digest,
    /// The signed bytes; none of a rejected message that was larger than [`REJECTED_KEPT_MAX_BYTES`].
    jws: Option<String>,
    /// The signed header as JSON, if the signed bytes are not kept.
    header: Option<Vec<u8>>,
    signer: String,
    message_type: String,
    facet: Option<String>,
    status: Status,
    created: Timestamp,
    expires: Option<Timestamp>,
    replaces: Option<MessageId>,
    /// The message that it replaces, until [`link`] knows of an older one.
    original: MessageId,
    case: CasePlace,
    known: KnownMessage,
}

const RECEIVED: Insert = Insert {
    into: concat!(
        "INSERT INTO received (recipient, sender, id, digest, jws, key_id, message_type, facet, status, lane, stream,
                               number, created_at, expires_at, received_at, disposition, rejection_code,
                               rejection_detail, audit_epoch, audit_sequence, replaces, original, header, ",
        cases::columns!(),
        ")"
    ),
    columns: 23 + cases::COLUMNS,
    then: "",
};

impl ReceivedRow {
    fn bind<'q>(&'q self, query: Binding<'q>) -> Binding<'q> {
        let rejection = match &self.known.outcome {
            ReceptionOutcome::Rejected { code, detail } => Some((code.to_string(), detail.as_str())),
            ReceptionOutcome::Operative | ReceptionOutcome::Inoperative => None,
        };
        let (code, detail) = rejection.unzip();
        let query = query
            .bind(self.recipient.agency.as_str())
            .bind(self.sender.as_str())
            .bind(self.id.as_bytes().to_vec())
            .bind(self.digest.as_bytes().to_vec())
            .bind(self.jws.as_deref().map(str::as_bytes))
            .bind(self.signer.as_str())
            .bind(self.message_type.as_str())
            .bind(self.facet.as_deref())
            .bind(self.status.as_str())
            .bind(self.recipient.lane.as_str())
            .bind(self.recipient.stream.map(|stream| stream.as_bytes().to_vec()))
            .bind(self.recipient.number.map(to_column))
            .bind(self.created.as_micros())
            .bind(self.expires.map(Timestamp::as_micros))
            .bind(self.known.received_at.as_micros())
            .bind(self.known.outcome.as_str())
            .bind(code)
            .bind(detail)
            .bind(self.known.audit.epoch.as_bytes().to_vec())
            .bind(to_column(self.known.audit.sequence))
            .bind(self.replaces.map(|id| id.as_bytes().to_vec()))
            .bind(self.original.as_bytes().to_vec())
            .bind(self.header.as_deref());
        self.case.bind(query)
    }
}

/// A number as a `BIGINT`. Numbers count up from 1, so none reaches the limit.
fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
