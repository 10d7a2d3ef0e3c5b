//! What leaves: number in each recipient's stream, sign once per country, put into the outbox and write
//! the audit event, all in the caller's one transaction.

use std::{collections::BTreeMap, sync::Arc};

use rovuma_envelope::{Jws, SignerFault, Typ};
use rovuma_outbox::{OutgoingCopy, OutgoingMessage, StreamPosition};
use rovuma_schemas::{
    AgencyCode, Body, CountryCode, Header, Lane, Message, MessageId, MessageType, Recipient, Sender, Status,
    Timestamp, ValidDraft, Version, audit::AuditAction,
};
use rovuma_store::{Conn, DeferredRows, FutureExt, Insert, Store, WriteError};
use rovuma_trail::AuditRecord;

use crate::{
    cases::{self, CasePlace},
    error::DbError,
    events::EventKind,
    exchange::Exchange,
};

/// A draft to be sent, and on whose word.
pub(crate) struct Release<'a> {
    /// The draft's id, which becomes the message's.
    pub(crate) id: MessageId,
    /// The draft, checked against this moment.
    pub(crate) draft: &'a ValidDraft,
    /// Who sends.
    pub(crate) sender: Sender,
    /// The person or machine that released it.
    pub(crate) released_by: &'a str,
    /// Their session.
    pub(crate) session: Option<String>,
    /// The time.
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
    /// The store.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The agency that is to sign is not served here.
    #[error("agency {agency} is not served by this gateway")]
    NotServed {
        /// The agency.
        agency: AgencyCode,
    },
    /// The key would not sign.
    #[error("signing for {agency}: {fault}")]
    Signer {
        /// The agency.
        agency: AgencyCode,
        /// Why not.
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

/// Sends a draft: one signature per country, one copy per recipient.
///
/// # Errors
/// [`SendError`]; then the caller's transaction must be taken back, and no number is used.
pub(crate) async fn release(
    tx: &mut Conn,
    exchange: &Exchange,
    request: Release<'_>,
) -> Result<Released, SendError> {
    let (mut positions, mut digests) = (Vec::new(), Vec::new());
    let draft = request.draft;
    let case =
        CasePlace::of_release(draft.message_type(), &request.sender.agency, request.id, draft.in_reply_to());
    for (country, recipients) in by_country(request.draft.recipients()) {
        let copies = number(tx, exchange, &request, recipients).await?;
        let header = header_of(&request, &case, &copies);
        let message = request.draft.clone().into_message(header);
        let outgoing = sign(exchange, country, &message, copies)?;
        digests.push((country, outgoing.jws.digest()));
        exchange.sent.keep(tx, &outgoing, &request, &case);
        exchange.outbox.enqueue(tx, &outgoing, request.now);
        let placed =
            outgoing.copies.into_iter().filter_map(|copy| Some((copy.recipient, copy.lane, copy.place?)));
        positions.extend(placed);
    }
    let agency = &request.sender.agency;
    let mut act = AuditRecord::new(request.now, request.released_by, AuditAction::MessageSend)
        .agency(agency)
        .object("message", request.id)
        .detail("type", request.draft.message_type())
        .detail("recipients", list(&positions));
    act = act.reference(request.draft.reference().map(|line| line.as_str()));
    // With it the two countries' logs are laid side by side: the recipient's names the same.
    act = match digests.as_slice() {
        [(_, digest)] => act.detail("digest", digest),
        several => {
            several.iter().fold(act, |act, (country, digest)| act.detail(format!("digest.{country}"), digest))
        }
    };
    act.session = request.session;
    exchange.base.trail.record(tx, &act).await?;
    exchange.base.events.record(tx, agency, EventKind::MessageReleased, Some(&request.id), 1, request.now);
    Ok(Released { positions })
}

/// A transport message of one of our agencies to another agency: a receipt, a stream or link message.
/// It has no number, never expires on the way, and is not answered.
///
/// # Errors
/// [`SendError`] when the agency is not ours or its key does not sign.
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
    let copy = OutgoingCopy { recipient: to.clone(), lane, place: None };
    sign(exchange, to.country(), &Message::transport(header, body), vec![copy])
}

/// Puts a message into the outbox that nothing else is decided with.
///
/// # Errors
/// [`WriteError`] when the store does not take it.
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

async fn number(
    tx: &mut Conn,
    exchange: &Exchange,
    request: &Release<'_>,
    recipients: Vec<&AgencyCode>,
) -> Result<Vec<OutgoingCopy>, SendError> {
    let lane = request.draft.lane();
    let mut copies = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        let place = exchange.outbox.next_stream_position(tx, &request.sender.agency, recipient, lane).await?;
        copies.push(OutgoingCopy { recipient: recipient.clone(), lane, place: Some(place) });
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
    case.clone().put_into(&mut header);
    header
}

/// What the header says of those whom a signature is for.
pub(super) fn recipients(copies: &[OutgoingCopy]) -> Vec<Recipient> {
    let recipient = |copy: &OutgoingCopy| Recipient {
        agency: copy.recipient.clone(),
        lane: copy.lane,
        stream: copy.place.map(|place| place.stream),
        number: copy.place.map(|place| place.number),
    };
    copies.iter().map(recipient).collect()
}

/// Signs a message with its sender's present key, for the recipients in one country.
///
/// # Errors
/// [`SendError`] when the sender is not ours or its key does not sign.
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

/// What has left: the exact bytes signed are the evidence, one row a country.
#[derive(Debug)]
pub(crate) struct SentMessages(Arc<DeferredRows<Sent>>);

#[derive(Debug)]
struct Sent {
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
                           digest, jws, ",
        cases::columns!(),
        ")"
    ),
    columns: 12 + cases::COLUMNS,
    then: "",
};

impl SentMessages {
    /// Those of `store`.
    pub(crate) fn of(store: &Store) -> Self {
        Self(DeferredRows::new(store, SENT, |query, row: &Sent| {
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
                .bind(row.compact.as_slice());
            row.case.bind(query)
        }))
    }

    fn keep(&self, tx: &mut Conn, outgoing: &OutgoingMessage, request: &Release<'_>, case: &CasePlace) {
        let row = Sent {
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

fn list(places: &[(AgencyCode, Lane, StreamPosition)]) -> String {
    let each = |(agency, lane, place): &(AgencyCode, Lane, StreamPosition)| {
        format!("{agency}/{lane}/{}", place.number)
    };
    places.iter().map(each).collect::<Vec<_>>().join(" ")
}
