//! Reissues messages that a compromised key signed and their recipients have not confirmed, or have lost since and requested
//! again, because nobody accepts them any more. The same content is signed with the present key, under a new id, and names the old one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rovuma_envelope::{KeyId, KeyState, PublicKey, TrustStore, Typ};
use rovuma_outbox::{MovedCopy, OutgoingCopy, OutgoingMessage, Unreceipted};
use rovuma_schemas::{AgencyCode, Header, Message, MessageId, Timestamp, VoidReason, audit::AuditAction};
use rovuma_store::{Conn, FutureExt, WriteError};
use rovuma_trail::AuditRecord;

use super::{
    SYSTEM,
    send::{self, SendError},
};
use crate::{cases::project, error::DbError, events::EventKind, exchange::Exchange};

/// Maximum outbox rows handled in one transaction, so that other writers get their turn.
const PAGE: u32 = 64;

/// The result of one run over all agencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reissued {
    /// Messages reissued.
    pub(crate) messages: u64,
    /// Whether some agency's present key is not valid yet, so that there may be more to do when it is.
    pub(crate) must_wait: bool,
}

/// Reissues, for every agency of ours whose present key is in force, the messages that its keys signed which our country's
/// list calls compromised.
///
/// An agency whose present key is not in force is tried again when another list or key comes. An error leaves what was
/// reissued before it.
pub(crate) async fn all_agencies(exchange: &Arc<Exchange>) -> Result<Reissued, WriteError<SendError>> {
    let trust = exchange.trust.current();
    let mut all = Reissued::default();
    for (agency, own) in exchange.agencies.iter() {
        let compromised = compromised_keys(&trust, agency);
        if compromised.is_empty() {
            continue;
        }
        match trust.key_state(agency, own.signer.key_id(), exchange.base.now()) {
            KeyState::Valid { .. } => {
                all.messages += one_agency(exchange, agency, &Arc::new(compromised)).await?;
            }
            KeyState::NotYetValid => all.must_wait = true,
            _ => {}
        }
    }
    Ok(all)
}

/// Reissues what `recipient` requested again of `agency`, of the messages that a compromised key signed: its store may have been
/// restored from before it had them, and it does not accept them a second time. Returns how many. Each message is reissued
/// once for such a request, as its new number is another, signed by another key.
///
/// When no present key is in force they leave as they are, are refused, and are requested once more.
pub(super) async fn requested(
    tx: &mut Conn,
    exchange: &Exchange,
    (agency, recipient): (&AgencyCode, &AgencyCode),
    now: Timestamp,
) -> Result<u64, SendError> {
    let trust = exchange.trust.current();
    let compromised = compromised_keys(&trust, agency);
    let Some(own) = exchange.agencies.get(agency).filter(|_| !compromised.is_empty()) else { return Ok(0) };
    if !matches!(trust.key_state(agency, own.signer.key_id(), now), KeyState::Valid { .. }) {
        return Ok(0);
    }
    let mut reissued = 0;
    let requested = exchange.outbox.requested_after_receipt(tx, (agency, recipient)).await?;
    for signed in requested.chunk_by(|one, next| one.id == next.id) {
        reissued += u64::from(reissue_message(tx, exchange, &compromised, signed, now).await?);
    }
    Ok(reissued)
}

type Keys = BTreeMap<KeyId, PublicKey>;

fn compromised_keys(trust: &TrustStore, agency: &AgencyCode) -> Keys {
    let listed = trust.agency(agency).map(|listed| listed.signing_keys.as_slice()).unwrap_or_default();
    let compromised = listed.iter().filter(|entry| trust.is_compromised(agency, &entry.kid));
    compromised.map(|entry| (entry.kid, entry.key)).collect()
}

async fn one_agency(
    exchange: &Arc<Exchange>,
    agency: &AgencyCode,
    compromised: &Arc<Keys>,
) -> Result<u64, WriteError<SendError>> {
    let (mut after, mut messages) = (i64::MIN, 0);
    loop {
        let page = exchange.outbox.unreceipted(agency, after, PAGE).await;
        let page = page.map_err(|fault| WriteError::Job(fault.into()))?;
        let Some(last) = page.last() else { return Ok(messages) };
        after = last.position;
        let (shared, keys, now) = (Arc::clone(exchange), Arc::clone(compromised), exchange.base.now());
        let job = exchange.base.store.write(move |tx| {
            async move {
                let mut reissued = 0;
                // A message has one row for each country that it was signed for.
                for signed in page.chunk_by(|one, next| one.id == next.id) {
                    reissued += u64::from(reissue_message(tx, &shared, &keys, signed, now).await?);
                }
                Ok::<_, SendError>(reissued)
            }
            .boxed()
        });
        messages += job.await?;
    }
}

/// Reissues one message, for all countries for which such a key signed it. Returns whether there was one.
async fn reissue_message(
    tx: &mut Conn,
    exchange: &Exchange,
    compromised: &Keys,
    signed: &[Unreceipted],
    now: Timestamp,
) -> Result<bool, SendError> {
    let id = MessageId::draw(now);
    let mut replaced = None;
    let mut recipients = BTreeSet::new();
    for old in signed {
        let Some(message) = verified_message(compromised, old) else { continue };
        let (reason, is_reissued) = void_reason(&message, now);
        let copies = exchange.outbox.take_back(tx, exchange, (old.id, old.country), &reason, now).await?;
        if copies.is_empty() || !is_reissued {
            continue;
        }
        recipients.extend(copies.iter().map(|copy| copy.recipient.clone()));
        let sender = message.header.sender.agency.clone();
        reissue_copies(tx, exchange, id, old, message, copies, now).await?;
        replaced = Some((old.id, sender));
    }
    let Some((old, sender)) = replaced else { return Ok(false) };
    let recipients: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    let record = AuditRecord::new(now, SYSTEM, AuditAction::MessageReissue)
        .agency(&sender)
        .object("message", id)
        .detail("replaces", old)
        .detail("recipients", recipients.join(" "));
    exchange.base.trail.record(tx, &record).await?;
    exchange.base.events.record(tx, &sender, EventKind::MessageReleased, Some(&id), 1, now);
    Ok(true)
}

/// The message in the stored bytes, if one of the compromised keys signed exactly these: bytes altered in the store since
/// are not signed again.
fn verified_message(compromised: &Keys, old: &Unreceipted) -> Option<Message> {
    let jws = old.jws.as_ref()?;
    let key = compromised.get(&jws.unverified_key_id(Typ::MESSAGE).ok()?)?;
    let read = jws.verify_with(key, Typ::MESSAGE).map_err(|fault| fault.to_string());
    let read = read.and_then(|payload| Message::parse(payload).map_err(|fault| fault.to_string()));
    match read {
        Ok(message) if message.header.id == old.id => Some(message),
        Ok(_) => {
            tracing::error!(message.id = %old.id, "not reissued: another message is stored under its id");
            None
        }
        Err(fault) => {
            tracing::error!(message.id = %old.id, fault, "not reissued: its stored bytes are not the signed ones");
            None
        }
    }
}

/// The reason for which the message's numbers become void, and whether it is reissued. Stream and node messages report a
/// moment that has passed: the next ones are on their way.
fn void_reason(message: &Message, now: Timestamp) -> (VoidReason, bool) {
    if message.header.expires.is_some_and(|expires| expires <= now) {
        return (VoidReason::Expired, false);
    }
    (VoidReason::Replaced, message.body.message_type().class().is_reissued())
}

/// Signs the message anew for the copies that were taken back, and puts it into the outbox.
async fn reissue_copies(
    tx: &mut Conn,
    exchange: &Exchange,
    id: MessageId,
    old: &Unreceipted,
    message: Message,
    copies: Vec<MovedCopy>,
    now: Timestamp,
) -> Result<(), SendError> {
    let mut renumbered = Vec::with_capacity(copies.len());
    for copy in copies {
        let position = match copy.position {
            Some(_) => Some(
                exchange.outbox.next_stream_position(tx, &copy.sender, &copy.recipient, copy.lane).await?,
            ),
            None => None,
        };
        renumbered.push(OutgoingCopy { recipient: copy.recipient, lane: copy.lane, position });
    }
    let header = Header {
        id,
        recipients: send::recipients(&renumbered),
        created: now,
        replaces: Some(old.id),
        first_created: message.header.first_created.or(Some(message.header.created)),
        ..message.header
    };
    let message = Message { header, ..message };
    let outgoing = send::sign(exchange, old.country, &message, renumbered)?;
    if message.body.message_type().class().is_numbered() {
        insert_sent(tx, &outgoing, old).await?;
        let recipients: Vec<AgencyCode> = outgoing.copies.iter().map(|copy| copy.recipient.clone()).collect();
        let in_case = send::own_part(&message, &recipients);
        project::add(tx, &exchange.base, in_case.into_iter().collect(), now).await?;
    }
    exchange.outbox.enqueue(tx, &outgoing, now);
    Ok(())
}

/// Inserts the reissued message into the table `sent`. It keeps `released_by`: that person answers for the content.
async fn insert_sent(tx: &mut Conn, outgoing: &OutgoingMessage, old: &Unreceipted) -> Result<(), DbError> {
    let compact = outgoing.jws.to_compact().into_bytes();
    sqlx::query(
        "INSERT INTO sent (id, country, agency, message_type, facet, status, lane, created_at,
                           expires_at, released_by, digest, jws, replaces, original, case_kind, case_owner, case_id, turn, seen,
                           first_created, in_reply_to)
         SELECT $1, country, agency, message_type, facet, status, lane, $2,
                expires_at, released_by, $3, $4, id, original, case_kind, case_owner, case_id, turn, seen,
                COALESCE(first_created, created_at), in_reply_to
         FROM sent WHERE id = $5 AND country = $6",
    )
    .bind(outgoing.id.as_bytes().to_vec())
    .bind(outgoing.created.as_micros())
    .bind(rovuma_envelope::digest(&compact).as_bytes().to_vec())
    .bind(compact)
    .bind(old.id.as_bytes().to_vec())
    .bind(old.country.as_str())
    .execute(tx)
    .await?;
    Ok(())
}
