//! Sends messages: numbers them in each recipient's stream, signs once per country, puts them into the outbox and writes the
//! audit event, all in the caller's transaction.

use std::{collections::BTreeMap, sync::Arc};

use rovuma_envelope::{Jws, SignerFault, Typ};
use rovuma_outbox::{OutgoingCopy, OutgoingMessage, StreamPosition};
use rovuma_schemas::{
    AgencyCode, Body, CaseSoFar, CountryCode, Header, Lane, Message, MessageId, MessageType, Recipient,
    Sender, Status, Timestamp, ValidDraft, Version, audit::AuditAction,
};
use rovuma_store::{Conn, DeferredRows, FutureExt, Insert, Store, WriteError};
use rovuma_trail::AuditRecord;

use crate::{
    cases::{
        self, CasePlace,
        kept::Contribution,
        project::{self, NewInCase},
    },
    error::DbError,
    events::EventKind,
    exchange::Exchange,
};

/// The release of a draft.
pub(crate) struct Release<'a> {
    /// The draft's id, which becomes the message's.
    pub(crate) id: MessageId,
    /// The draft, valid at `now`, with its recipients.
    pub(crate) draft: &'a ValidDraft,
    /// Its place in the case that it follows in; none of an opener.
    pub(crate) following: Option<CasePlace>,
    /// The versions before it in that case.
    pub(crate) earlier: CaseSoFar,
    /// The sender in the message's header.
    pub(crate) sender: Sender,
    /// The person or machine that released it.
    pub(crate) released_by: &'a str,
    /// The releaser's session.
    pub(crate) session: Option<String>,
    /// What else the audit event says, by name.
    pub(crate) details: Vec<(&'static str, String)>,
    /// The time of the release, which becomes the message's.
    pub(crate) now: Timestamp,
}

/// The result of a release.
#[derive(Debug)]
pub(crate) struct Released {
    /// Each recipient's copy and its position in the stream to that recipient.
    pub(crate) positions: Vec<(AgencyCode, Lane, StreamPosition)>,
}

/// Why a message could not be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// This gateway does not serve the sending agency, so it has no key of it.
    #[error("agency {agency} is not served by this gateway")]
    NotServed {
        /// The agency.
        agency: AgencyCode,
    },
    /// Signing failed.
    #[error("signing for {agency}: {fault}")]
    Signer {
        /// The agency.
        agency: AgencyCode,
        /// The reason.
        fault: SignerFault,
    },
}

impl SendError {
    /// Whether the same work may succeed later without a change.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Db(fault) if fault.is_transient())
    }
}

impl From<sqlx::Error> for SendError {
    fn from(fault: sqlx::Error) -> Self {
        Self::Db(DbError::Sql(fault))
    }
}

/// Sends a draft: one signature per country, one copy per recipient. After an error the caller must roll the transaction
/// back; then no number is used.
pub(crate) async fn release(
    tx: &mut Conn,
    exchange: &Exchange,
    request: Release<'_>,
) -> Result<Released, SendError> {
    let (mut positions, mut digests) = (Vec::new(), Vec::new());
    let draft = request.draft;
    let limits = exchange.agreements.limits(&draft.terms().legal_basis);
    let opening = || {
        CasePlace::of_release(draft.message_type(), &request.sender.agency, request.id, draft.in_reply_to())
    };
    let case = request.following.clone().unwrap_or_else(opening);
    let mut in_case = None;
    for (country, recipients) in by_country(request.draft.recipients()) {
        let copies = number_copies(tx, exchange, &request, recipients).await?;
        let header = header_of(&request, &case, &copies);
        let message = request.draft.clone().into_message(header, &request.earlier, &limits);
        in_case = in_case.or_else(|| own_part(&message, request.draft.recipients()));
        let outgoing = sign(exchange, country, &message, copies)?;
        digests.push((country, outgoing.jws.digest()));
        exchange.sent.insert(tx, &outgoing, &request, &case);
        exchange.outbox.enqueue(tx, &outgoing, request.now);
        let numbered =
            outgoing.copies.into_iter().filter_map(|copy| Some((copy.recipient, copy.lane, copy.position?)));
        positions.extend(numbered);
    }
    let agency = &request.sender.agency;
    let mut record = AuditRecord::new(request.now, request.released_by, AuditAction::MessageSend)
        .agency(agency)
        .object("message", request.id)
        .detail("type", request.draft.message_type())
        .detail("recipients", list(&positions));
    record = record.reference(request.draft.reference().map(|line| line.as_str()));
    // The recipient's log names the same digest, so the two countries' logs can be compared. There is one for each country,
    // because the header that is signed for it names its own recipients.
    record = match digests.as_slice() {
        [(_, digest)] => record.detail("digest", digest),
        several => several
            .iter()
            .fold(record, |record, (country, digest)| record.detail(format!("digest.{country}"), digest)),
    };
    record = request.details.into_iter().fold(record, |record, (name, value)| record.detail(name, value));
    record.session = request.session;
    exchange.base.trail.record(tx, &record).await?;
    exchange.base.events.record(tx, agency, EventKind::MessageReleased, Some(&request.id), 1, request.now);
    project::add(tx, &exchange.base, in_case.into_iter().collect(), request.now).await?;
    Ok(Released { positions })
}

/// What a message of ours contributes to its case in our own view. The copies for several countries say the same.
pub(super) fn own_part(message: &Message, recipients: &[AgencyCode]) -> Option<NewInCase> {
    let (Some(terms), Body::Operational(body)) = (&message.terms, &message.body) else { return None };
    let payload = serde_json::to_value(message).ok()?;
    let contribution = Contribution::of(&message.header, Some((terms, body)), &payload)?;
    NewInCase::new(&message.header.sender.agency, &message.header, contribution, recipients.iter().cloned())
}

/// Signs a transport message of one of our agencies to another agency: a receipt, a stream or node message. It has no number,
/// does not expire on the way, and is not answered.
pub(crate) fn transport(
    exchange: &Exchange,
    from: &AgencyCode,
    to: &AgencyCode,
    lane: Lane,
    body: Body,
    now: Timestamp,
) -> Result<OutgoingMessage, SendError> {
    let recipient = Recipient { agency: to.clone(), lane, stream: None, number: None };
    let header = Header {
        id: MessageId::draw(now),
        message_type: body.message_type().to_string(),
        version: Version::CURRENT,
        status: Status::Actual,
        sender: Sender { agency: from.clone(), unit: None, officer: None },
        recipients: vec![recipient],
        created: now,
        expires: None,
        reference: None,
        in_reply_to: None,
        replaces: None,
        first_created: None,
        case: None,
        turn: None,
        seen: BTreeMap::new(),
    };
    let copy = OutgoingCopy { recipient: to.clone(), lane, position: None };
    sign(exchange, to.country(), &Message::transport(header, body), vec![copy])
}

/// Puts a message into the outbox in a transaction of its own.
pub(super) async fn enqueue(
    exchange: &Exchange,
    outgoing: OutgoingMessage,
    now: Timestamp,
) -> Result<(), WriteError<SendError>> {
    let outbox = exchange.outbox.clone();
    let write = exchange.base.store.write(move |tx| {
        async move {
            outbox.enqueue(tx, &outgoing, now);
            Ok(())
        }
        .boxed()
    });
    write.await
}

fn by_country(recipients: &[AgencyCode]) -> BTreeMap<CountryCode, Vec<&AgencyCode>> {
    let mut countries: BTreeMap<CountryCode, Vec<&AgencyCode>> = BTreeMap::new();
    for recipient in recipients {
        countries.entry(recipient.country()).or_default().push(recipient);
    }
    countries
}

/// One numbered copy for each recipient.
async fn number_copies(
    tx: &mut Conn,
    exchange: &Exchange,
    request: &Release<'_>,
    recipients: Vec<&AgencyCode>,
) -> Result<Vec<OutgoingCopy>, SendError> {
    let lane = request.draft.lane();
    let mut copies = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        let position =
            exchange.outbox.next_stream_position(tx, &request.sender.agency, recipient, lane).await?;
        copies.push(OutgoingCopy { recipient: recipient.clone(), lane, position: Some(position) });
    }
    Ok(copies)
}

fn header_of(request: &Release<'_>, case: &CasePlace, copies: &[OutgoingCopy]) -> Header {
    let mut header = Header {
        id: request.id,
        message_type: request.draft.message_type().to_string(),
        version: Version::CURRENT,
        status: request.draft.status(),
        sender: request.sender.clone(),
        recipients: recipients(copies),
        created: request.now,
        expires: request.draft.transport_expiry(request.now),
        reference: request.draft.reference().map(ToString::to_string),
        in_reply_to: None,
        replaces: None,
        first_created: None,
        case: None,
        turn: None,
        seen: BTreeMap::new(),
    };
    case.clone().write_to(&mut header);
    header
}

/// The recipients in the header of a message with these copies.
pub(super) fn recipients(copies: &[OutgoingCopy]) -> Vec<Recipient> {
    let recipient = |copy: &OutgoingCopy| Recipient {
        agency: copy.recipient.clone(),
        lane: copy.lane,
        stream: copy.position.map(|position| position.stream),
        number: copy.position.map(|position| position.number),
    };
    copies.iter().map(recipient).collect()
}

/// Signs a message with its sender's present key, for the recipients in one country.
pub(super) fn sign(
    exchange: &Exchange,
    country: CountryCode,
    message: &Message,
    copies: Vec<OutgoingCopy>,
) -> Result<OutgoingMessage, SendError> {
    let agency = &message.header.sender.agency;
    let own = exchange.agencies.get(agency).ok_or_else(|| SendError::NotServed { agency: agency.clone() })?;
    let jws = Jws::sign(Typ::MESSAGE, message.to_payload(), own.signer.as_ref())
        .map_err(|fault| SendError::Signer { agency: agency.clone(), fault })?;
    Ok(OutgoingMessage {
        id: message.header.id,
        message_type: message.body.message_type(),
        sender: agency.clone(),
        country,
        jws,
        created: message.header.created,
        expires: message.header.expires,
        copies,
    })
}

/// Inserts sent messages, one row a country. The exact signed bytes are the evidence.
#[derive(Debug)]
pub(crate) struct SentMessages(Arc<DeferredRows<SentRow>>);

/// A row of the table `sent`.
#[derive(Debug)]
struct SentRow {
    id: MessageId,
    country: CountryCode,
    agency: AgencyCode,
    message_type: MessageType,
    facet: Option<String>,
    status: Status,
    lane: Lane,
    created: Timestamp,
    expires: Option<Timestamp>,
    released_by: String,
    compact: Vec<u8>,
    case: CasePlace,
}

const SENT: Insert = Insert {
    into: concat!(
        "INSERT INTO sent (id, country, agency, message_type, facet, status, lane, created_at, expires_at, released_by,
                           digest, jws, original, ",
        cases::columns!(),
        ")"
    ),
    columns: 13 + cases::COLUMNS,
    then: "",
};

impl SentMessages {
    /// The sent messages of `store`.
    pub(crate) fn of(store: &Store) -> Self {
        Self(DeferredRows::new(store, SENT, |query, row: &SentRow| {
            let query = query
                .bind(row.id.as_bytes().as_slice())
                .bind(row.country.as_str())
                .bind(row.agency.as_str())
                .bind(row.message_type.as_str())
                .bind(row.facet.as_deref())
                .bind(row.status.as_str())
                .bind(row.lane.as_str())
                .bind(row.created.as_micros())
                .bind(row.expires.map(Timestamp::as_micros))
                .bind(row.released_by.as_str())
                .bind(rovuma_envelope::digest(&row.compact).as_bytes().to_vec())
                .bind(row.compact.as_slice())
                .bind(row.id.as_bytes().as_slice());
            row.case.bind(query)
        }))
    }

    fn insert(&self, tx: &mut Conn, outgoing: &OutgoingMessage, request: &Release<'_>, case: &CasePlace) {
        let row = SentRow {
            id: outgoing.id,
            country: outgoing.country,
            agency: outgoing.sender.clone(),
            message_type: outgoing.message_type,
            facet: request.draft.body().facet().map(str::to_owned),
            status: request.draft.status(),
            lane: request.draft.lane(),
            created: outgoing.created,
            expires: outgoing.expires,
            released_by: request.released_by.to_owned(),
            compact: outgoing.jws.to_compact().into_bytes(),
            case: case.clone(),
        };
        self.0.push(tx, row);
    }
}

/// The recipients in the audit event: `tz.tpf/urgent/17 …`.
fn list(positions: &[(AgencyCode, Lane, StreamPosition)]) -> String {
    let each = |(agency, lane, position): &(AgencyCode, Lane, StreamPosition)| {
        format!("{agency}/{lane}/{}", position.number)
    };
    positions.iter().map(each).collect::<Vec<_>>().join(" ")
}
