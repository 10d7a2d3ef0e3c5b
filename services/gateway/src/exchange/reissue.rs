//! Issuing again what a compromised key signed and its recipients have not confirmed: nobody will take it any more.
//! The same content is signed with the present key, under a new id that names the old one.

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
use crate::{error::DbError, events::EventKind, exchange::Exchange};

/// Messages issued again in one transaction: others want to write too.
const PAGE: u32 = 64;

/// What came of a look at all agencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reissued {
    /// Messages issued again.
    pub(crate) messages: u64,
    /// An agency's present key is not valid yet: there may be more to do when it is.
    pub(crate) must_wait: bool,
}

/// Issues again, for every agency of ours whose present key is in force, what a key of its own signed that our
/// country's list calls compromised.
///
/// An agency whose present key is not in force waits for another list or another key, and is looked at again
/// when one comes.
///
/// # Errors
/// [`WriteError`] when the store does not take it, or the key does not sign. What was done before stays done.
pub(crate) async fn all(exchange: &Arc<Exchange>) -> Result<Reissued, WriteError<SendError>> {
    let trust = exchange.trust.current();
    let mut all = Reissued::default();
    for (agency, own) in exchange.agencies.iter() {
        let compromised = compromised_keys(&trust, agency);
        if compromised.is_empty() {
            continue;
        }
        match trust.key_state(agency, own.signer.key_id(), exchange.base.now()) {
            KeyState::Valid { .. } => {
                all.messages += of_agency(exchange, agency, &Arc::new(compromised)).await?;
            }
            KeyState::NotYetValid => all.must_wait = true,
            _ => {}
        }
    }
    Ok(all)
}

type Keys = BTreeMap<KeyId, PublicKey>;

fn compromised_keys(trust: &TrustStore, agency: &AgencyCode) -> Keys {
    let listed = trust.agency(agency).map(|listed| listed.signing_keys.as_slice()).unwrap_or_default();
    let compromised = listed.iter().filter(|entry| trust.is_compromised(agency, &entry.kid));
    compromised.map(|entry| (entry.kid, entry.key)).collect()
}

async fn of_agency(
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
                let mut again = 0;
                for signed in page.chunk_by(|one, next| one.id == next.id) {
                    again += u64::from(message(tx, &shared, &keys, signed, now).await?);
                }
                Ok::<_, SendError>(again)
            }
            .boxed()
        });
        messages += job.await?;
    }
}

/// Issues one message again, for all countries that it was signed for with such a key. Whether it was.
async fn message(
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
        let Some(message) = written_by(compromised, old) else { continue };
        let (reason, goes_again) = fate(&message, now);
        let copies = exchange.outbox.take_back(tx, exchange, (old.id, old.country), &reason, now).await?;
        if copies.is_empty() || !goes_again {
            continue;
        }
        recipients.extend(copies.iter().map(|copy| copy.recipient.clone()));
        let sender = message.header.sender.agency.clone();
        again(tx, exchange, id, old, message, copies, now).await?;
        replaced = Some((old.id, sender));
    }
    let Some((old, sender)) = replaced else { return Ok(false) };
    let recipients: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    let act = AuditRecord::new(now, SYSTEM, AuditAction::MessageReissue)
        .agency(&sender)
        .object("message", id)
        .detail("replaces", old)
        .detail("recipients", recipients.join(" "));
    exchange.base.trail.record(tx, &act).await?;
    exchange.base.events.record(tx, &sender, EventKind::MessageReleased, Some(&id), 1, now);
    Ok(true)
}

/// What the bytes say, if one of the keys signed exactly them: what was altered in the store since is not signed
/// again.
fn written_by(compromised: &Keys, old: &Unreceipted) -> Option<Message> {
    let jws = old.jws.as_ref()?;
    let key = compromised.get(&jws.unverified_key_id(Typ::MESSAGE).ok()?)?;
    let read = jws.verify_with(key, Typ::MESSAGE).map_err(|fault| fault.to_string());
    let read = read.and_then(|payload| Message::parse(payload).map_err(|fault| fault.to_string()));
    match read {
        Ok(message) if message.header.id == old.id => Some(message),
        Ok(_) => {
            tracing::error!(message.id = %old.id, "not issued again: another message is stored under its id");
            None
        }
        Err(fault) => {
            tracing::error!(message.id = %old.id, fault, "not issued again: its stored bytes are not what was signed");
            None
        }
    }
}

/// Why its numbers become void, and whether it goes again. Stream, link and audit messages speak of a moment that is
/// over: the next ones are on their way.
fn fate(message: &Message, now: Timestamp) -> (VoidReason, bool) {
    if message.header.expires.is_some_and(|expires| expires <= now) {
        return (VoidReason::Expired, false);
    }
    (VoidReason::Replaced, message.body.message_type().class().is_reissued())
}

async fn again(
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
        let place = match copy.place {
            Some(_) => Some(
                exchange.outbox.next_stream_position(tx, &copy.sender, &copy.recipient, copy.lane).await?,
            ),
            None => None,
        };
        renumbered.push(OutgoingCopy { recipient: copy.recipient, lane: copy.lane, place });
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
        keep(tx, &outgoing, old).await?;
    }
    exchange.outbox.enqueue(tx, &outgoing, now);
    Ok(())
}

/// Keeps what was signed. All but what is new is as it was: who released it answers for what it says.
async fn keep(tx: &mut Conn, outgoing: &OutgoingMessage, old: &Unreceipted) -> Result<(), DbError> {
    let compact = outgoing.jws.to_compact().into_bytes();
    sqlx::query(
        "INSERT INTO sent (id, country, agency, message_type, facet, status, lane, created_at,
                           expires_at, released_by, digest, jws, replaces, case_kind, case_owner, case_id, turn, seen,
                           first_created, in_reply_to)
         SELECT $1, country, agency, message_type, facet, status, lane, $2,
                expires_at, released_by, $3, $4, id, case_kind, case_owner, case_id, turn, seen,
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
