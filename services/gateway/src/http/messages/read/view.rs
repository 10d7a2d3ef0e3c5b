//! A message as the API shows it.

use rovuma_api::answers::gateway::{MessageView, ReceivedView, SentView, Signed, TermCodes};
use rovuma_envelope::{Jws, Unverified};
use rovuma_policy::{Act, Permit, act};
use rovuma_schemas::{AgencyCode, CaseId, Header, Message, ParseFault};
use rovuma_store::Conn;
use serde_json::value::RawValue;

use crate::{
    cases::{kept::CaseKey, list},
    error::DbError,
    gateway::Gateway,
    http::{copies, error::ApiError, messages::receipt_view},
    messages::{
        lookup::OwnMessage,
        receipts,
        received::{self, Kept, Received},
        sent::{self, Sent},
    },
};

/// The whole message.
///
/// # Errors
/// The store's failure, or damage in it.
pub(super) async fn content(
    gateway: &Gateway,
    permit: &Permit<act::MessageRead>,
    found: OwnMessage,
) -> Result<MessageView, ApiError> {
    view(gateway, permit, found, true).await
}

/// Header facts and codes.
///
/// # Errors
/// The store's failure, or damage in it.
pub(super) async fn metadata(
    gateway: &Gateway,
    permit: &Permit<act::MessageReadMetadata>,
    found: OwnMessage,
) -> Result<MessageView, ApiError> {
    view(gateway, permit, found, false).await
}

/// Not for others: whether the content may be shown is in the two functions above.
async fn view<A: Act>(
    gateway: &Gateway,
    permit: &Permit<A>,
    found: OwnMessage,
    with_content: bool,
) -> Result<MessageView, ApiError> {
    if *permit.resource() != found.resource() {
        return Err(ApiError::failed("a permit for another message"));
    }
    match found {
        OwnMessage::Received(received) => of_received(gateway, *received, with_content).await,
        OwnMessage::Sent(sent) => of_sent(gateway, *sent, with_content).await,
    }
}

async fn of_received(gateway: &Gateway, received: Received, content: bool) -> Result<MessageView, ApiError> {
    let mut conn = gateway.base.store.read().acquire().await?;
    let kept = received::kept(&mut conn, received.seq).await?;
    let state = state(gateway, &mut conn, &received.recipient, received.place.case.as_ref()).await?;
    let arrived = ReceivedView {
        digest: received.digest,
        key_id: received.key_id.clone(),
        stream: received.stream,
        number: received.number,
        expires: received.expires_at,
        read_by: received.read_by.clone(),
        row: received.into(),
    };
    let view = match kept {
        Kept::Whole(jws) => of_payload("received", jws, content)?,
        Kept::Header(header) => of_header("received", *header),
    };
    Ok(MessageView { received: Some(arrived), state, ..view })
}

async fn of_sent(gateway: &Gateway, sent: Sent, content: bool) -> Result<MessageView, ApiError> {
    let mut conn = gateway.base.store.read().acquire().await?;
    let countries = sent::signed(&mut conn, &sent.agency, &sent.id).await?;
    let receipts = receipts::of_message(&mut conn, &sent.agency, &sent.id).await?;
    let state = state(gateway, &mut conn, &sent.agency, sent.place.case.as_ref()).await?;
    drop(conn);
    let copies = gateway.exchange.outbox.copies_of(sent.id).await?;
    let first = countries.first().ok_or_else(|| DbError::damaged("sent message", "no signature"))?;
    let view = of_payload("sent", first.jws.clone(), content)?;
    let signed = countries.iter().map(|one| {
        let of_country = copies.iter().filter(|copy| copy.country == one.country);
        let recipients = of_country.map(|copy| copy.recipient.clone()).collect();
        Signed { country: one.country, digest: one.digest, recipients }
    });
    let left = SentView {
        released_by: sent.released_by,
        expires: sent.expires_at,
        replaced_by: sent.replaced_by,
        signed: signed.collect(),
        receipts: receipts.into_iter().map(receipt_view).collect(),
        copies: copies.into_iter().map(copies::view).collect(),
    };
    Ok(MessageView { sent: Some(left), state, ..view })
}

/// The state at present of the case that the message stands in.
async fn state(
    gateway: &Gateway,
    conn: &mut Conn,
    agency: &AgencyCode,
    case: Option<&CaseId>,
) -> Result<Option<String>, DbError> {
    let Some(case) = case else { return Ok(None) };
    let row = list::one(conn, &CaseKey::new(agency, case), gateway.base.now()).await?;
    Ok(row.map(|row| row.state))
}

/// The content of the signed bytes. They were verified before they were stored; a message that was rejected need not
/// be one, so its header is read as it was when it was verified.
fn of_payload(direction: &'static str, stored: Jws, content: bool) -> Result<MessageView, DbError> {
    let stored = Unverified::new(stored);
    let header = stored.unverified_header().map_err(|fault| DbError::damaged("header", fault))?;
    let bytes = stored.unverified_jws().unverified_payload();
    let parsed = Message::parse(bytes);
    let unreadable = matches!(parsed, Err(ParseFault::NotJson(_) | ParseFault::TooLarge { .. }));
    let parsed = parsed.ok();
    let terms = parsed.and_then(|message| message.terms);
    let terms = terms.map(|terms| TermCodes {
        urgency: terms.urgency.level,
        purpose: terms.purpose,
        legal_basis: terms.legal_basis,
        handling: terms.handling.code.as_str().to_owned(),
        evaluation: terms.evaluation,
    });
    let payload = if content && !unreadable { Some(raw(bytes)?) } else { None };
    Ok(MessageView { terms, payload, ..of_header(direction, header) })
}

/// A message of which nothing but the header is shown.
fn of_header(direction: &'static str, header: Header) -> MessageView {
    let direction = direction.to_owned();
    MessageView { direction, header, terms: None, state: None, payload: None, received: None, sent: None }
}

fn raw(stored: &[u8]) -> Result<Box<RawValue>, DbError> {
    let text = std::str::from_utf8(stored).map_err(|fault| DbError::damaged("payload", fault))?;
    RawValue::from_string(text.to_owned()).map_err(|fault| DbError::damaged("payload", fault))
}
