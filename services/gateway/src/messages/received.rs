//! A message that one of our agencies has received.

use rovuma_envelope::Jws;
use rovuma_schemas::{
    AgencyCode, Digest, Epoch, Header, Lane, MessageId, StreamId, Timestamp, audit::AuditPosition,
};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::{
    cases::CasePlace,
    error::DbError,
    exchange::stream::{
        IncomingStreamKey,
        void::{self, VoidNumber},
    },
};

/// A row of the table `received`. Its bytes were verified before they were stored.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The order of arrival at this gateway.
    pub(crate) seq: i64,
    /// The agency whose copy it is.
    pub(crate) recipient: AgencyCode,
    /// The agency that signed the message.
    pub(crate) sender: AgencyCode,
    /// The message.
    pub(crate) id: MessageId,
    /// SHA-256 of its compact JWS.
    pub(crate) digest: Digest,
    /// The key that signed it.
    pub(crate) key_id: String,
    /// The message's type.
    pub(crate) message_type: String,
    /// The code by which the family's messages are listed: the category of an alert.
    pub(crate) facet: Option<String>,
    /// In earnest, exercise or test.
    pub(crate) status: String,
    /// The lane it came by.
    pub(crate) lane: Lane,
    /// The sender's stream.
    pub(crate) stream: Option<StreamId>,
    /// The message's number in that stream.
    pub(crate) number: Option<u64>,
    /// The instant of the release, by the sender's clock.
    pub(crate) created_at: Timestamp,
    /// The transport expiry.
    pub(crate) expires_at: Option<Timestamp>,
    /// The instant at which it was stored here.
    pub(crate) received_at: Timestamp,
    /// Whether it may be acted on.
    pub(crate) disposition: Disposition,
    /// The code of the reason for which it was rejected.
    pub(crate) rejection_code: Option<String>,
    /// The epoch of our audit log in which the entry of its arrival is.
    pub(crate) audit_epoch: Epoch,
    /// The number of that entry.
    pub(crate) audit_sequence: u64,
    /// The instant of the first read.
    pub(crate) read_at: Option<Timestamp>,
    /// The subject who read it first.
    pub(crate) read_by: Option<String>,
    /// The instant at which the key that signed it was found to be compromised.
    pub(crate) compromised_at: Option<Timestamp>,
    /// The sender's message that it replaces, as the sender says.
    pub(crate) replaces: Option<MessageId>,
    /// The sender's message that stands in its place, the last one should there be several.
    pub(crate) replaced_by: Option<MessageId>,
    /// The message's place in its case.
    pub(crate) place: CasePlace,
    /// The instant at which its content was erased at the end of its case's retention.
    pub(crate) erased_at: Option<Timestamp>,
}

/// Whether a received message may be acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Disposition {
    /// It may be acted on.
    Operative,
    /// The message had expired on the way: stored as a fact, not to be acted on.
    Inoperative,
    /// Verified and rejected; the sender has a receipt that says why.
    Rejected,
}

impl Disposition {
    /// Every disposition.
    pub(crate) const ALL: [Self; 3] = [Self::Operative, Self::Inoperative, Self::Rejected];

    /// The word in the store and the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Operative => "operative",
            Self::Inoperative => "inoperative",
            Self::Rejected => "rejected",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// The columns that [`read`] takes from the table `received`.
macro_rules! columns {
    () => {
        concat!(
            $crate::cases::columns!(),
            ", seq, recipient, sender, id, digest, key_id, message_type, facet, status, lane, stream, number,
         created_at, expires_at, received_at, disposition, rejection_code, audit_epoch, audit_sequence,
         read_at, read_by, compromised_at, replaces, erased_at,
         (SELECT n.id FROM received n
          WHERE n.recipient = received.recipient AND n.sender = received.sender AND n.replaces = received.id
            AND n.disposition = 'operative'
          ORDER BY n.seq DESC LIMIT 1) AS replaced_by"
        )
    };
}
pub(super) use columns;

/// The statement of [`all`].
pub(crate) const ALL: &str =
    concat!("SELECT ", columns!(), " FROM received WHERE recipient = $1 AND id = $2 ORDER BY seq");

/// The copies of `recipient` under this id, in the order of arrival: one for each sender that used it. Ids are
/// the senders' to draw, so one may use another's.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn all(
    conn: &mut Conn,
    recipient: &AgencyCode,
    id: &MessageId,
) -> Result<Vec<Received>, DbError> {
    let rows = sqlx::query(ALL).bind(recipient.as_str()).bind(id.as_bytes().to_vec()).fetch_all(conn).await?;
    rows.iter().map(read).collect()
}

/// The status in which the sender had made the message's number void; none when there is none.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn void(conn: &mut Conn, received: &Received) -> Result<Option<VoidNumber>, DbError> {
    let (Some(stream), Some(number)) = (received.stream, received.number) else { return Ok(None) };
    let key = IncomingStreamKey {
        recipient: received.recipient.clone(),
        sender: received.sender.clone(),
        lane: received.lane,
        stream,
    };
    void::find(conn, &key, number).await
}

/// What is kept of the signed bytes.
pub(crate) enum Kept {
    /// The exact bytes that were received and verified.
    Whole(Jws),
    /// The header alone, of a rejected message that was too large to be kept.
    Header(Box<Header>),
}

/// What is kept of a message's signed bytes.
///
/// # Errors
/// [`DbError`] when the store does not answer, or what it holds is damaged.
pub(crate) async fn kept(conn: &mut Conn, seq: i64) -> Result<Kept, DbError> {
    let query = sqlx::query("SELECT jws, header FROM received WHERE seq = $1").bind(seq);
    let row = query.fetch_one(conn).await?;
    match row.try_get::<Option<Vec<u8>>, _>("jws")? {
        Some(bytes) => Ok(Kept::Whole(compact(&bytes)?)),
        None => {
            let header: Vec<u8> = row.try_get("header")?;
            let header =
                serde_json::from_slice(&header).map_err(|fault| DbError::damaged("header", fault))?;
            Ok(Kept::Header(header))
        }
    }
}

/// A JWS from its stored compact serialisation.
pub(super) fn compact(bytes: &[u8]) -> Result<Jws, DbError> {
    let text = std::str::from_utf8(bytes).map_err(|fault| DbError::damaged("jws", fault))?;
    Jws::from_compact(text).map_err(|fault| DbError::damaged("jws", fault))
}

pub(super) fn read(row: &AnyRow) -> Result<Received, DbError> {
    let disposition: &str = row.try_get("disposition")?;
    Ok(Received {
        seq: row.try_get("seq")?,
        recipient: row.parsed("recipient")?,
        sender: row.parsed("sender")?,
        id: row.message_id("id")?,
        digest: row.digest("digest")?,
        key_id: row.try_get("key_id")?,
        message_type: row.try_get("message_type")?,
        facet: row.try_get("facet")?,
        status: row.try_get("status")?,
        lane: row.parsed("lane")?,
        stream: row.opt_store_id("stream")?,
        number: row.opt_count("number")?,
        created_at: row.instant("created_at")?,
        expires_at: row.opt_instant("expires_at")?,
        received_at: row.instant("received_at")?,
        disposition: Disposition::from_word(disposition)
            .ok_or_else(|| DbError::damaged("received message", "an unknown disposition"))?,
        rejection_code: row.try_get("rejection_code")?,
        audit_epoch: row.store_id("audit_epoch")?,
        audit_sequence: row.count("audit_sequence")?,
        read_at: row.opt_instant("read_at")?,
        read_by: row.try_get("read_by")?,
        compromised_at: row.opt_instant("compromised_at")?,
        replaces: row.opt_message_id("replaces")?,
        replaced_by: row.opt_message_id("replaced_by")?,
        place: CasePlace::read(row)?,
        erased_at: row.opt_instant("erased_at")?,
    })
}

impl Received {
    /// The position of the entry of its arrival in the audit log of `source`.
    pub(crate) fn audit(&self, source: &str) -> AuditPosition {
        AuditPosition { source: source.to_owned(), epoch: self.audit_epoch, sequence: self.audit_sequence }
    }
}
