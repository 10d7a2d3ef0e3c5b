//! What has been taken from others, for ever: so that a duplicate is known however late it comes, and
//! answered with the first receipt again.

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

/// A message as it is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) recipient: &'a Recipient,
    pub(crate) sender: &'a AgencyCode,
    pub(crate) id: MessageId,
}

impl Asked<'_> {
    fn identity(&self) -> Identity {
        (self.recipient.agency.clone(), self.sender.clone(), self.id)
    }

    fn place(&self) -> Option<Place> {
        let Recipient { agency, lane, stream, number } = self.recipient;
        Some((agency.clone(), self.sender.clone(), *lane, (*stream)?, (*number)?))
    }
}

/// Recipient, sender, id.
type Identity = (AgencyCode, AgencyCode, MessageId);

/// Recipient, sender, lane, stream, number.
type Place = (AgencyCode, AgencyCode, Lane, StreamId, u64);

/// What was taken before that a message may not take the place of.
#[derive(Debug)]
pub(crate) enum Taken<'r> {
    /// A message under its id.
    Id(&'r Known),
    /// Another message under its stream number.
    Number,
}

/// What one transaction needs to know of what was taken before, and what it takes itself: asked for and written
/// many messages at a time.
#[derive(Debug, Default)]
pub(crate) struct Register {
    asked: HashSet<(Identity, Option<Place>)>,
    known: HashMap<Identity, Known>,
    places: HashMap<Place, MessageId>,
    taken: Vec<Row>,
}

/// Each part answers from an index of its own: `CROSS JOIN` keeps SQLite from beginning with the table.
const LOOK_UP: &str = "
    WITH asked (a_recipient, a_sender, a_id, a_lane, a_stream, a_number) AS (VALUES {})
    SELECT recipient, sender, id, lane, stream, number, digest, received_at, disposition, rejection_code,
           rejection_detail, audit_epoch, audit_sequence
    FROM asked CROSS JOIN received WHERE recipient = a_recipient AND sender = a_sender AND id = a_id
    UNION
    SELECT recipient, sender, id, lane, stream, number, digest, received_at, disposition, rejection_code,
           rejection_detail, audit_epoch, audit_sequence
    FROM asked CROSS JOIN received
    WHERE sender = a_sender AND stream = a_stream AND recipient = a_recipient AND lane = a_lane
      AND number = a_number";

/// Messages looked for in one statement at most.
const LOOK_UP_MAX: usize = 64;

impl Register {
    /// Looks for what was taken before under the identities and stream numbers of these messages.
    ///
    /// # Errors
    /// [`DbError`] when the store does not answer, or what it holds is damaged.
    pub(crate) async fn look_up(
        &mut self,
        tx: &mut Conn,
        source: &str,
        messages: &[Asked<'_>],
    ) -> Result<(), DbError> {
        let is_new = |asked: &&Asked<'_>| self.asked.insert((asked.identity(), asked.place()));
        let new: Vec<Asked<'_>> = messages.iter().filter(is_new).copied().collect();
        for chunk in new.chunks(LOOK_UP_MAX) {
            let query = sqlx::query(with_rows(LOOK_UP, (1, 6), chunk.len()));
            let query = padded_list(chunk).fold(query, |query, asked| {
                let recipient = asked.recipient;
                query
                    .bind(recipient.agency.as_str())
                    .bind(asked.sender.as_str())
                    .bind(asked.id.as_bytes().to_vec())
                    .bind(recipient.lane.as_str())
                    .bind(recipient.stream.map(|stream| stream.as_bytes().to_vec()))
                    .bind(recipient.number.map(to_column))
            });
            for row in &query.fetch_all(&mut *tx).await? {
                self.add(row, source)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, row: &AnyRow, source: &str) -> Result<(), DbError> {
        let (recipient, sender): (AgencyCode, AgencyCode) = (row.parsed("recipient")?, row.parsed("sender")?);
        let id = row.message_id("id")?;
        if let (Some(stream), Some(number)) = (row.opt_store_id("stream")?, row.opt_count("number")?) {
            let place = (recipient.clone(), sender.clone(), row.parsed("lane")?, stream, number);
            self.places.insert(place, id);
        }
        self.known.insert((recipient, sender, id), known(row, source)?);
        Ok(())
    }

    /// What was taken under the message's identity, and else under its stream number. The message must have been
    /// [looked up](Self::look_up).
    pub(crate) fn find(&self, asked: &Asked<'_>) -> Option<Taken<'_>> {
        match self.known.get(&asked.identity()) {
            Some(known) => Some(Taken::Id(known)),
            None => asked.place().filter(|place| self.places.contains_key(place)).map(|_| Taken::Number),
        }
    }

    /// Keeps a verified message with the answer it is given.
    pub(crate) fn keep(&mut self, arrival: Arrival<'_>) {
        let Arrival { header, recipient, digest, compact, signer, facet, known } = arrival;
        let asked = Asked { recipient, sender: &header.sender.agency, id: header.id };
        if let Some(place) = asked.place() {
            self.places.insert(place, header.id);
        }
        self.taken.push(Row {
            recipient: recipient.clone(),
            sender: header.sender.agency.clone(),
            id: header.id,
            digest,
            compact,
            signer: signer.to_string(),
            message_type: header.message_type.clone(),
            facet,
            status: header.status,
            created: header.created,
            expires: header.expires,
            replaces: header.replaces,
            case: CasePlace::of_header(header),
            known: known.clone(),
        });
        self.known.insert(asked.identity(), known);
    }

    /// Writes what was kept.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub(crate) async fn write(&mut self, tx: &mut Conn) -> sqlx::Result<()> {
        let taken = std::mem::take(&mut self.taken);
        RECEIVED.rows(tx, &taken, |query, row| row.bind(query)).await
    }
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
    pub(crate) facet: Option<String>,
    pub(crate) known: Known,
}

/// A row of the table `received`.
#[derive(Debug)]
struct Row {
    recipient: Recipient,
    sender: AgencyCode,
    id: MessageId,
    digest: Digest,
    compact: String,
    signer: String,
    message_type: String,
    facet: Option<String>,
    status: Status,
    created: Timestamp,
    expires: Option<Timestamp>,
    replaces: Option<MessageId>,
    case: CasePlace,
    known: Known,
}

const RECEIVED: Insert = Insert {
    into: concat!(
        "INSERT INTO received (recipient, sender, id, digest, jws, key_id, message_type, facet, status, lane, stream,
                               number, created_at, expires_at, received_at, disposition, rejection_code,
                               rejection_detail, audit_epoch, audit_sequence, replaces, ",
        cases::columns!(),
        ")"
    ),
    columns: 21 + cases::COLUMNS,
    then: "",
};

impl Row {
    fn bind<'q>(&'q self, query: Binding<'q>) -> Binding<'q> {
        let rejection = match &self.known.disposition {
            Disposition::Rejected { code, detail } => Some((code.to_string(), detail.as_str())),
            Disposition::Operative | Disposition::Inoperative => None,
        };
        let (code, detail) = rejection.unzip();
        let query = query
            .bind(self.recipient.agency.as_str())
            .bind(self.sender.as_str())
            .bind(self.id.as_bytes().to_vec())
            .bind(self.digest.as_bytes().to_vec())
            .bind(self.compact.as_bytes())
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
            .bind(self.known.disposition.as_str())
            .bind(code)
            .bind(detail)
            .bind(self.known.audit.epoch.as_bytes().to_vec())
            .bind(to_column(self.known.audit.sequence))
            .bind(self.replaces.map(|id| id.as_bytes().to_vec()));
        self.case.bind(query)
    }
}

/// Numbers as a store keeps them.
fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
