//! Held messages: the trust list that would verify them has not come yet. They are neither received nor quarantined; each
//! new trust list tries them again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rovuma_envelope::{Jws, digest};
use rovuma_schemas::{AgencyCode, Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt, WriteError};
use rovuma_trail::AuditRecord;
use sqlx::Row;

use super::{
    SYSTEM,
    accept::{Acceptor, DeliveryContext},
    open::{DeliveryVerifier, OpenedMessage, check_lane},
    send::SendError,
};
use crate::{error::DbError, exchange::Exchange};

/// A message that waits for a trust list.
#[derive(Clone, Debug)]
pub(crate) struct HeldMessage {
    pub(crate) recipient: AgencyCode,
    pub(crate) exchange: String,
    pub(crate) queue: String,
    pub(crate) unverified_sender: String,
    pub(crate) jws: Jws,
    pub(crate) reason: &'static str,
}

/// A held message read back from the store, to be tried again.
#[derive(Clone, Debug)]
struct HeldRetry {
    seq: i64,
    recipient: AgencyCode,
    exchange: String,
    queue: String,
    jws: Jws,
}

/// Maximum held messages that one transaction tries again: a new list may decide the backlog of a long cut, which must not be
/// in memory at once.
const RETRY_BATCH: i64 = 64;

/// Maximum held messages of one sender for one agency over one exchange, by the name that they bear: nobody has verified it, and
/// what somebody writes in the name of one agency must not take the room of the others. Each is an audit event, too.
const HELD_SENDER_MAX: i64 = 256;

/// Maximum bytes of those messages: four times what an honest sender has on its way to one recipient without a receipt.
const HELD_SENDER_MAX_BYTES: i64 = 4 * 1024 * 1024;

/// Maximum held messages for one agency over one exchange: names can be invented, as long as a country's list is not there.
const HELD_MAX: i64 = 4_096;

/// Whether the hold has room for one more message in the name of this sender, and for one more at all. Both counts end at their bound.
pub(crate) async fn sender_has_room(tx: &mut Conn, held: &HeldMessage) -> Result<bool, DbError> {
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM held WHERE recipient = $1 AND exchange = $2 LIMIT $4) AS of_door)
                    AS of_door,
                COUNT(*) AS of_sender, CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS kept
         FROM held WHERE recipient = $1 AND exchange = $2 AND unverified_sender = $3",
    )
    .bind(held.recipient.as_str())
    .bind(held.exchange.as_str())
    .bind(held.unverified_sender.as_str())
    .bind(HELD_MAX)
    .fetch_one(tx)
    .await?;
    let (of_door, of_sender, kept): (i64, i64, i64) =
        (row.try_get("of_door")?, row.try_get("of_sender")?, row.try_get("kept")?);
    Ok(of_door < HELD_MAX && of_sender < HELD_SENDER_MAX && kept < HELD_SENDER_MAX_BYTES)
}

/// Maximum bytes of held messages for one agency over one exchange: nothing about them is verified, and they must not fill
/// the disk. An honest partner has at most 1 MiB per recipient and lane on its way without a receipt, so this is room for
/// twenty of its agencies; it sends again a message that finds no room.
const HELD_MAX_BYTES: i64 = 64 * 1024 * 1024;

/// Whether there is room for one more message.
pub(crate) async fn has_room(tx: &mut Conn, held: &HeldMessage) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT kept_bytes FROM held_total WHERE recipient = $1 AND exchange = $2")
        .bind(held.recipient.as_str())
        .bind(held.exchange.as_str())
        .fetch_optional(tx)
        .await?;
    let kept: i64 = row.map(|row| row.try_get("kept_bytes")).transpose()?.unwrap_or(0);
    Ok(kept < HELD_MAX_BYTES)
}

/// Whether the same bytes are held for the same agency already.
pub(crate) async fn is_held(tx: &mut Conn, held: &HeldMessage) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT seq FROM held WHERE recipient = $1 AND digest = $2")
        .bind(held.recipient.as_str())
        .bind(held.jws.digest().as_bytes().as_slice())
        .fetch_optional(tx)
        .await?;
    Ok(row.is_some())
}

/// Adds to the size of what is held for an agency over an exchange, or takes away from it.
async fn add_to_total(tx: &mut Conn, recipient: &str, exchange: &str, bytes: i64) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO held_total (recipient, exchange, kept_bytes) VALUES ($1, $2, $3)
         ON CONFLICT (recipient, exchange) DO UPDATE SET kept_bytes = held_total.kept_bytes + excluded.kept_bytes",
    )
    .bind(recipient)
    .bind(exchange)
    .bind(bytes)
    .execute(tx)
    .await?;
    Ok(())
}

/// Stores a message as held.
pub(crate) async fn insert(tx: &mut Conn, held: &HeldMessage, now: Timestamp) -> Result<(), DbError> {
    let compact = held.jws.to_compact().into_bytes();
    let size_bytes = i64::try_from(compact.len()).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO held
             (recipient, exchange, queue, lane, unverified_sender, digest, size_bytes, reason, held_at, tried_at,
              jws)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)",
    )
    .bind(held.recipient.as_str())
    .bind(held.exchange.as_str())
    .bind(held.queue.as_str())
    // A queue's name ends in its lane.
    .bind(held.queue.rsplit('.').next().unwrap_or_default())
    .bind(held.unverified_sender.as_str())
    .bind(digest(&compact).as_bytes().as_slice())
    .bind(size_bytes)
    .bind(held.reason)
    .bind(now.as_micros())
    .bind(compact)
    .execute(&mut *tx)
    .await?;
    add_to_total(tx, held.recipient.as_str(), &held.exchange, size_bytes).await
}

/// Maximum time for which a message is held: after it even the right list would refuse the message as too late, and what is
/// not verified must be deleted some day.
const HELD_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Deletes the messages that have been held for longer than [`HELD_FOR`], and records their number.
pub(crate) async fn expire(exchange: &Arc<Exchange>, now: Timestamp) -> Result<(), WriteError<SendError>> {
    let oldest = now.minus(HELD_FOR).as_micros();
    // Asked outside the writer, because there is nearly always nothing to do.
    let is_due = sqlx::query("SELECT seq FROM held WHERE held_at < $1 LIMIT 1")
        .bind(oldest)
        .fetch_optional(exchange.base.store.read())
        .await
        .map_err(|fault| WriteError::Job(fault.into()))?;
    if is_due.is_none() {
        return Ok(());
    }
    let job = exchange.clone();
    let write = exchange.base.store.write(move |tx| {
        async move {
            let gone = delete_older(tx, oldest).await?;
            let record = AuditRecord::new(now, SYSTEM, AuditAction::MessageQuarantine)
                .object("held", "expired")
                .refused("held_too_long")
                .detail("messages", gone);
            job.base.trail.record(tx, &record).await?;
            Ok(())
        }
        .boxed()
    });
    write.await
}

/// Deletes the messages held since before `oldest`, in microseconds, and returns their number.
async fn delete_older(tx: &mut Conn, oldest: i64) -> Result<u64, DbError> {
    let rows = sqlx::query("SELECT recipient, exchange, size_bytes FROM held WHERE held_at < $1")
        .bind(oldest)
        .fetch_all(&mut *tx)
        .await?;
    let mut sizes: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for row in &rows {
        let place = (row.try_get("recipient")?, row.try_get("exchange")?);
        *sizes.entry(place).or_default() += row.try_get::<i64, _>("size_bytes")?;
    }
    for ((recipient, exchange), bytes) in sizes {
        add_to_total(tx, recipient, exchange, -bytes).await?;
    }
    Ok(sqlx::query("DELETE FROM held WHERE held_at < $1").bind(oldest).execute(tx).await?.rows_affected())
}

/// The next held messages after the row `after`, oldest first.
async fn load_after(tx: &mut Conn, after: i64) -> Result<Vec<HeldRetry>, DbError> {
    sqlx::query("SELECT seq, recipient, exchange, queue, jws FROM held WHERE seq > $1 ORDER BY seq LIMIT $2")
        .bind(after)
        .bind(RETRY_BATCH)
        .fetch_all(tx)
        .await?
        .iter()
        .map(|row| {
            Ok(HeldRetry {
                seq: row.try_get("seq")?,
                recipient: row.try_get::<String, _>("recipient")?.parse()?,
                exchange: row.try_get("exchange")?,
                queue: row.try_get("queue")?,
                jws: super::stored_jws(&row.try_get::<Vec<u8>, _>("jws")?)?,
            })
        })
        .collect()
}

/// Records that a message was tried again and is still held, for this reason.
async fn record_attempt(tx: &mut Conn, seq: i64, reason: &str, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("UPDATE held SET tried_at = $1, reason = $2 WHERE seq = $3")
        .bind(now.as_micros())
        .bind(reason)
        .bind(seq)
        .execute(tx)
        .await?;
    Ok(())
}

/// Tries every held message again after a new trust list, one transaction for each batch of [`RETRY_BATCH`]. Returns how many
/// were decided. After an error, those that were not tried stay held.
pub(crate) async fn retry(exchange: &Arc<Exchange>) -> Result<usize, WriteError<SendError>> {
    let (mut after, mut freed) = (0, 0);
    loop {
        let job = exchange.clone();
        let batch =
            exchange.base.store.write(move |tx| async move { retry_batch(tx, &job, after).await }.boxed());
        match batch.await? {
            Some((last, decided)) => (after, freed) = (last, freed + decided),
            None => return Ok(freed),
        }
    }
}

/// Tries one batch again. Returns the last row tried and how many were decided; nothing when none was left.
async fn retry_batch(
    tx: &mut Conn,
    exchange: &Exchange,
    after: i64,
) -> Result<Option<(i64, usize)>, SendError> {
    let waiting = load_after(tx, after).await?;
    let Some(last) = waiting.last().map(|held| held.seq) else { return Ok(None) };
    let now = exchange.base.now();
    let trust = exchange.trust.current();
    let verifier = DeliveryVerifier { agencies: &exchange.agencies, trust: &trust, now };
    let mut acceptor = Acceptor::new(exchange, now);
    let mut decided = 0;
    for held in waiting {
        let Some(origin) = verifier.origin_of(&held.exchange) else { continue };
        // A queue's name ends in its lane.
        let lane = held.queue.rsplit('.').next().and_then(|lane| lane.parse().ok());
        let message = check_lane(verifier.verify_message(held.jws.clone(), origin, &held.recipient), lane);
        if let OpenedMessage::Held { reason, .. } = &message {
            record_attempt(tx, held.seq, reason.log_code(), now).await?;
            continue;
        }
        let compact = held.jws.to_compact().into_bytes();
        let context = DeliveryContext {
            queue: &held.queue,
            exchange: &held.exchange,
            unverified_routing_key: "held",
            body: &compact,
        };
        acceptor.message(tx, &context, Some(&held.recipient), digest(&compact), message).await?;
        sqlx::query("DELETE FROM held WHERE seq = $1").bind(held.seq).execute(&mut *tx).await?;
        let size_bytes = i64::try_from(compact.len()).unwrap_or(i64::MAX);
        add_to_total(tx, held.recipient.as_str(), &held.exchange, -size_bytes).await?;
        decided += 1;
    }
    acceptor.finish(tx).await?;
    Ok(Some((last, decided)))
}

#[cfg(test)]
mod tests {
    use rovuma_envelope::{Jws, SigningKey, Typ};
    use rovuma_store::{FutureExt, Store, StoreConfig};

    use super::*;

    fn held(exchange: &str) -> HeldMessage {
        let key = SigningKey::from_pkcs8_pem(&SigningKey::generate_pem().expect("a key")).expect("a key");
        HeldMessage {
            recipient: "tz.tpf".parse().expect("an agency"),
            exchange: exchange.to_owned(),
            queue: "inbox.national.normal".to_owned(),
            unverified_sender: "mz.prm".to_owned(),
            jws: Jws::sign(Typ::MESSAGE, b"{}".to_vec(), &key).expect("signed"),
            reason: "unknown_key",
        }
    }

    #[tokio::test]
    async fn nobody_can_fill_the_disk_with_what_must_be_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = rovuma_lab::postgres::test_store(folder.path(), "gateway").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[crate::service::MIGRATIONS]).await.expect("a store");
        let rooms = store.write(|tx| {
            async move {
                let now = Timestamp::system_now();
                let before = has_room(tx, &held("ingress.mz")).await?;
                insert(tx, &held("ingress.mz"), now).await?;
                add_to_total(tx, "tz.tpf", "ingress.mz", HELD_MAX_BYTES).await?;
                let after = has_room(tx, &held("ingress.mz")).await?;
                let other_exchange = has_room(tx, &held("ingress.zm")).await?;
                Ok::<_, DbError>((before, after, other_exchange))
            }
            .boxed()
        });
        assert_eq!(rooms.await.expect("asked"), (true, false, true));
    }

    /// 47 KB of unsigned words in the name of one agency once filled the hold of all.
    #[tokio::test]
    async fn one_name_does_not_take_the_room_of_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = rovuma_lab::postgres::test_store(folder.path(), "gateway").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[crate::service::MIGRATIONS]).await.expect("a store");
        let named = |sender: &str| HeldMessage { unverified_sender: sender.to_owned(), ..held("ingress.mz") };
        let rooms = store.write(move |tx| {
            async move {
                let now = Timestamp::system_now();
                for _ in 0..HELD_SENDER_MAX - 1 {
                    insert(tx, &named("mz.prm"), now).await?;
                }
                let before = sender_has_room(tx, &named("mz.prm")).await?;
                insert(tx, &named("mz.prm"), now).await?;
                let by_rows = sender_has_room(tx, &named("mz.prm")).await?;
                let other = sender_has_room(tx, &named("mz.sernic")).await?;
                insert(tx, &named("mz.sernic"), now).await?;
                sqlx::query("UPDATE held SET size_bytes = $1 WHERE unverified_sender = 'mz.sernic'")
                    .bind(HELD_SENDER_MAX_BYTES)
                    .execute(&mut *tx)
                    .await?;
                let by_bytes = sender_has_room(tx, &named("mz.sernic")).await?;
                Ok::<_, DbError>((before, by_rows, other, by_bytes))
            }
            .boxed()
        });
        assert_eq!(rooms.await.expect("asked"), (true, false, true, false));
    }

    #[tokio::test]
    async fn invented_names_have_a_bound_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = rovuma_lab::postgres::test_store(folder.path(), "gateway").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[crate::service::MIGRATIONS]).await.expect("a store");
        let rooms = store.write(|tx| {
            async move {
                let now = Timestamp::system_now();
                let mut named = held("ingress.mz");
                let pem = SigningKey::generate_pem().expect("a key");
                let key = SigningKey::from_pkcs8_pem(&pem).expect("a key");
                for number in 0..HELD_MAX {
                    let payload = number.to_string().into_bytes();
                    named.jws = Jws::sign(Typ::MESSAGE, payload, &key).expect("signed");
                    named.unverified_sender = format!("mz.a{number}");
                    insert(tx, &named, now).await?;
                }
                let full = sender_has_room(tx, &named).await?;
                Ok::<_, DbError>((full, sender_has_room(tx, &held("ingress.zm")).await?))
            }
            .boxed()
        });
        assert_eq!(rooms.await.expect("asked"), (false, true));
    }

    #[tokio::test]
    async fn the_total_is_what_is_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = rovuma_lab::postgres::test_store(folder.path(), "gateway").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[crate::service::MIGRATIONS]).await.expect("a store");
        let totals = store.write(|tx| {
            async move {
                let now = Timestamp::system_now();
                insert(tx, &held("ingress.mz"), now.minus(Duration::from_secs(2))).await?;
                insert(tx, &held("ingress.mz"), now).await?;
                let both = total(tx).await?;
                let gone = delete_older(tx, now.as_micros()).await?;
                Ok::<_, DbError>((both, gone, total(tx).await?))
            }
            .boxed()
        });
        let (both, gone, rest) = totals.await.expect("written");
        assert_eq!((both.0 == both.1, gone, rest.0 == rest.1), (true, 1, true), "{both:?} {rest:?}");
        assert_eq!(both.0, 2 * rest.0);
    }

    /// The bytes that are held, and the total that says so.
    async fn total(tx: &mut Conn) -> Result<(i64, i64), DbError> {
        let row = sqlx::query(
            "SELECT (SELECT CAST(SUM(size_bytes) AS BIGINT) FROM held) AS held,
                    (SELECT CAST(SUM(kept_bytes) AS BIGINT) FROM held_total) AS total",
        )
        .fetch_one(tx)
        .await?;
        Ok((row.try_get("held")?, row.try_get("total")?))
    }

    #[tokio::test]
    async fn what_is_held_is_known_when_it_comes_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = rovuma_lab::postgres::test_store(folder.path(), "gateway").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[crate::service::MIGRATIONS]).await.expect("a store");
        let message = held("ingress.mz");
        let puts = store.write(|tx| {
            async move {
                let before = is_held(tx, &message).await?;
                insert(tx, &message, Timestamp::system_now()).await?;
                Ok::<_, DbError>((before, is_held(tx, &message).await?))
            }
            .boxed()
        });
        assert_eq!(puts.await.expect("put"), (false, true));
    }
}
