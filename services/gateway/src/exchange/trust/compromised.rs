//! Acts on keys that a new list calls compromised: flags the stored messages that they signed, so that nobody acts on them
//! unaware, and raises an alarm if one of our own agencies signs with such a key, because recipients refuse what it signed.

use rovuma_envelope::{KeyId, TrustStore};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};

use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    exchange::Exchange,
};

/// Flags the stored messages of every key that the lists now call compromised, and raises an alarm for their recipients.
pub(super) async fn flag(exchange: &Exchange) -> Result<(), WriteError<DbError>> {
    let now = exchange.base.now();
    for (sender, key) in compromised_keys(&exchange.trust.current()) {
        if !has_signed(exchange, &sender, &key).await.map_err(WriteError::Job)? {
            continue;
        }
        exchange
            .base
            .store
            .write(move |tx| async move { flag_key(tx, &sender, &key, now).await }.boxed())
            .await?;
    }
    Ok(())
}

/// Raises an alarm for every agency of ours that signs with a key which our own country's list calls compromised.
pub(super) async fn alarm_own(exchange: &Exchange) -> Result<(), WriteError<DbError>> {
    let now = exchange.base.now();
    let trust = exchange.trust.current();
    let keys = exchange.agencies.iter().map(|(agency, own)| (agency.clone(), *own.signer.key_id()));
    let keys: Vec<_> = keys.filter(|(agency, key)| trust.is_compromised(agency, key)).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let job = exchange.base.store.write(move |tx| {
        async move {
            for (agency, key) in &keys {
                let detail = format!(
                    "{agency} signs with this key: recipients refuse what it signed. Configure and list a new key; \
                     messages without a receipt are then reissued under it automatically"
                );
                alarm::raise(tx, agency, AlarmKind::CompromisedKey, &key.to_string(), &detail, now).await?;
            }
            Ok(())
        }
        .boxed()
    });
    job.await
}

/// The keys that the lists call compromised, with the agencies that they belong to.
fn compromised_keys(trust: &TrustStore) -> Vec<(AgencyCode, KeyId)> {
    let mut keys = Vec::new();
    for agency in trust.agencies() {
        let compromised =
            agency.signing_keys.iter().filter(|key| trust.is_compromised(&agency.code, &key.kid));
        keys.extend(compromised.map(|key| (agency.code.clone(), key.kid)));
    }
    keys
}

/// Whether the key signed a stored message that is not flagged yet. Asked outside the writer, because it is rarely so.
async fn has_signed(exchange: &Exchange, sender: &AgencyCode, key: &KeyId) -> Result<bool, DbError> {
    let row = sqlx::query(
        "SELECT 1 FROM received WHERE compromised_at IS NULL AND sender = $1 AND key_id = $2 LIMIT 1",
    )
    .bind(sender.as_str())
    .bind(key.to_string())
    .fetch_optional(exchange.base.store.read())
    .await?;
    Ok(row.is_some())
}

async fn flag_key(tx: &mut Conn, sender: &AgencyCode, key: &KeyId, now: Timestamp) -> Result<(), DbError> {
    let rows = sqlx::query(
        "UPDATE received SET compromised_at = $1
         WHERE sender = $2 AND key_id = $3 AND compromised_at IS NULL RETURNING recipient",
    )
    .bind(now.as_micros())
    .bind(sender.as_str())
    .bind(key.to_string())
    .fetch_all(&mut *tx)
    .await?;
    let mut recipients: Vec<AgencyCode> =
        rows.iter().map(|row| row.parsed("recipient")).collect::<sqlx::Result<_>>()?;
    recipients.sort();
    recipients.dedup();
    let detail = format!("stored messages of {sender} were signed with this key");
    for recipient in &recipients {
        alarm::raise(tx, recipient, AlarmKind::CompromisedKey, &key.to_string(), &detail, now).await?;
    }
    Ok(())
}
