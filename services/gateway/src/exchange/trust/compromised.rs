//! Acts on keys that a new list calls compromised: flags the stored messages that they signed, so that nobody acts on them
//! unaware, and raises an alarm if one of our own agencies signs with such a key, because recipients refuse what it signed.

use rovuma_envelope::KeyId;
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};
use sqlx::Row;

use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    exchange::Exchange,
};

/// Flags the stored messages of every key that the lists now call compromised, and raises an alarm for their recipients.
pub(super) async fn flag(exchange: &Exchange) -> Result<(), WriteError<DbError>> {
    let now = exchange.base.now();
    let trust = exchange.trust.current();
    let keys = signers(exchange).await.map_err(WriteError::Job)?;
    for (sender, key) in keys.into_iter().filter(|(sender, key)| trust.is_compromised(sender, key)) {
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

/// The next key in order that signed a stored message which is not flagged. DISTINCT would read the index of all messages.
const NEXT_SIGNER: &str = "
    SELECT sender, key_id FROM received WHERE compromised_at IS NULL AND (sender, key_id) > ($1, $2)
    ORDER BY sender, key_id LIMIT 1";

/// The keys that signed stored messages which are not flagged, each found by one step in the index.
async fn signers(exchange: &Exchange) -> Result<Vec<(AgencyCode, KeyId)>, DbError> {
    let mut conn = exchange.base.store.read().acquire().await?;
    let (mut signers, mut last) = (Vec::new(), (String::new(), String::new()));
    loop {
        let query = sqlx::query(NEXT_SIGNER).bind(last.0.as_str()).bind(last.1.as_str());
        let Some(row) = query.fetch_optional(&mut *conn).await? else { return Ok(signers) };
        signers.push((row.parsed("sender")?, row.parsed("key_id")?));
        last = (row.try_get("sender")?, row.try_get("key_id")?);
    }
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
