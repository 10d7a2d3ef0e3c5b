//! A message as the API shows it.

use rovuma_envelope::{Jws, Unverified};
use rovuma_policy::{Act, Permit, act};
use rovuma_schemas::{
    AgencyCode, Body, CountryCode, Digest, Evaluation, HandlingCode, Header, LegalBasisCode, Message,
    MessageId, ParseFault, PurposeCode, StreamId, Timestamp, UrgencyLevel,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    error::DbError,
    families,
    gateway::Gateway,
    http::{error::ApiError, inbox::InboxRow},
    messages::{
        copies::CopyView,
        found::Found,
        receipts::{self, Receipt},
        received::{self, Received},
        sent::{self, Sent},
    },
};

/// A message: what was signed, and what this gateway knows of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct MessageView {
    /// `received` or `sent`.
    direction: &'static str,
    /// The signed header.
    #[schema(value_type = Object)]
    header: Header,
    /// The codes of its terms, without free text. Absent where the type has no terms, or a rejected message
    /// could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<TermCodes>,
    /// Where what it says stands now, by time alone: of an alert `active` or `expired`. Absent where the type has no terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// The whole signed payload, as it was signed: header, terms and body (`schemas/json/received/`). Absent in the
    /// view `metadata`, and of a rejected message that is no JSON which can be read safely.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    payload: Option<Box<RawValue>>,
    /// How it arrived; only of a received message.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<ReceivedView>,
    /// How it left; only of a sent message.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<SentView>,
}

/// Terms without free text.
#[derive(Debug, Serialize, ToSchema)]
struct TermCodes {
    #[schema(value_type = String)]
    urgency: UrgencyLevel,
    #[schema(value_type = String)]
    purpose: PurposeCode,
    #[schema(value_type = String)]
    legal_basis: LegalBasisCode,
    #[schema(value_type = String)]
    handling: HandlingCode,
    #[schema(value_type = Object)]
    evaluation: Evaluation,
}

/// How a message arrived.
#[derive(Debug, Serialize, ToSchema)]
struct ReceivedView {
    /// As in the inbox.
    row: InboxRow,
    /// SHA-256 of the compact JWS.
    #[schema(value_type = String)]
    digest: Digest,
    /// The key that signed it (RFC 7638 thumbprint).
    key_id: String,
    /// The sender's stream to the agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    stream: Option<StreamId>,
    /// Its number in that stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    /// When it stopped being worth transporting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// Who read it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_by: Option<String>,
}

/// How a message left.
#[derive(Debug, Serialize, ToSchema)]
struct SentView {
    /// Who released it.
    released_by: String,
    /// When it stops being worth transporting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// The message that was issued in its place, to those who had not confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    replaced_by: Option<MessageId>,
    /// One signature per country.
    signed: Vec<Signed>,
    /// Where each recipient's copy stands.
    copies: Vec<CopyView>,
    /// What recipients signed about it.
    receipts: Vec<Receipt>,
}

/// One country's signature.
#[derive(Debug, Serialize, ToSchema)]
struct Signed {
    /// The country.
    #[schema(value_type = String)]
    country: CountryCode,
    /// SHA-256 of the compact JWS, which receipts name.
    #[schema(value_type = String)]
    digest: Digest,
    /// The recipients that this signature names.
    #[schema(value_type = Vec<String>)]
    recipients: Vec<AgencyCode>,
}

/// The whole message.
///
/// # Errors
/// The store's failure, or damage in it.
pub(super) async fn content(
    gateway: &Gateway,
    permit: &Permit<act::MessageRead>,
    found: Found,
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
    found: Found,
) -> Result<MessageView, ApiError> {
    view(gateway, permit, found, false).await
}

/// Not for others: whether the content may be shown is in the two functions above.
async fn view<A: Act>(
    gateway: &Gateway,
    permit: &Permit<A>,
    found: Found,
    with_content: bool,
) -> Result<MessageView, ApiError> {
    if *permit.resource() != found.resource() {
        return Err(ApiError::failed("a permit for another message"));
    }
    match found {
        Found::Received(received) => of_received(gateway, *received, with_content).await,
        Found::Sent(sent) => of_sent(gateway, *sent, with_content).await,
    }
}

async fn of_received(gateway: &Gateway, received: Received, content: bool) -> Result<MessageView, ApiError> {
    let mut conn = gateway.base.store.read().acquire().await?;
    let jws = received::jws(&mut conn, received.seq).await?;
    let arrived = ReceivedView {
        digest: received.digest,
        key_id: received.key_id.clone(),
        stream: received.stream,
        number: received.number,
        expires: received.expires_at,
        read_by: received.read_by.clone(),
        row: received.into(),
    };
    let view = of_payload("received", jws, content, gateway.base.now())?;
    Ok(MessageView { received: Some(arrived), ..view })
}

async fn of_sent(gateway: &Gateway, sent: Sent, content: bool) -> Result<MessageView, ApiError> {
    let mut conn = gateway.base.store.read().acquire().await?;
    let countries = sent::signed(&mut conn, &sent.agency, &sent.id).await?;
    let receipts = receipts::of_message(&mut conn, &sent.agency, &sent.id).await?;
    drop(conn);
    let copies = gateway.exchange.outbox.copies_of(sent.id).await?;
    let first = countries.first().ok_or_else(|| DbError::damaged("sent message", "no signature"))?;
    let view = of_payload("sent", first.jws.clone(), content, gateway.base.now())?;
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
        receipts,
        copies: copies.into_iter().map(CopyView::from).collect(),
    };
    Ok(MessageView { sent: Some(left), ..view })
}

/// What the signed bytes say. They were verified before they were stored; a message that was rejected need not
/// be one, so its header is read as it was when it was verified.
fn of_payload(
    direction: &'static str,
    stored: Jws,
    content: bool,
    now: Timestamp,
) -> Result<MessageView, DbError> {
    let stored = Unverified::new(stored);
    let header = stored.unverified_header().map_err(|fault| DbError::damaged("header", fault))?;
    let bytes = stored.unverified_jws().unverified_payload();
    let parsed = Message::parse(bytes);
    let unreadable = matches!(parsed, Err(ParseFault::NotJson(_) | ParseFault::TooLarge { .. }));
    let parsed = parsed.ok();
    let state = parsed.as_ref().and_then(|message| match &message.body {
        Body::Operational(body) => Some(families::of(body.family()).state(body, header.created, now)),
        _ => None,
    });
    let terms = parsed.and_then(|message| message.terms);
    let terms = terms.map(|terms| TermCodes {
        urgency: terms.urgency.level,
        purpose: terms.purpose,
        legal_basis: terms.legal_basis,
        handling: terms.handling.code,
        evaluation: terms.evaluation,
    });
    let payload = if content && !unreadable { Some(raw(bytes)?) } else { None };
    Ok(MessageView { direction, header, terms, state, payload, received: None, sent: None })
}

fn raw(stored: &[u8]) -> Result<Box<RawValue>, DbError> {
    let text = std::str::from_utf8(stored).map_err(|fault| DbError::damaged("payload", fault))?;
    RawValue::from_string(text.to_owned()).map_err(|fault| DbError::damaged("payload", fault))
}
