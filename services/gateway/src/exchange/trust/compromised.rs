//! A key found to be compromised flags what it signed and is stored: nobody may act on it unasked. A key of
//! our own sounds an alarm: what it signed is refused until it is issued again under another.

use rovuma_envelope::KeyId;
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};

use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    exchange::Exchange,
};

/// Flags the stored messages of every key that the lists now call compromised, and alarms their recipients.
///
/// # Errors
/// [`WriteError`] when the store does not take it.
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

/// Alarms every agency of ours that signs with a key which the list of our own country calls compromised.
///
/// # Errors
/// [`WriteError`] when the store does not take it.
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
                    "{agency} signs with it: recipients refuse what it signed. Configure and list a new key; what \
                     has no receipt by then is issued again under it by itself"
                );
                alarm::raise(tx, agency, AlarmKind::CompromisedKey, &key.to_string(), &detail, now).await?;
            }
            Ok(())
        }
        .boxed()
    });
    job.await
}

/// Every key that signed a message which is not flagged.
async fn signers(exchange: &Exchange) -> Result<Vec<(AgencyCode, KeyId)>, DbError> {
    let rows = sqlx::query("SELECT DISTINCT sender, key_id FROM received WHERE compromised_at IS NULL")
        .fetch_all(exchange.base.store.read())
        .await?;
    rows.iter().map(|row| Ok((row.parsed("sender")?, row.parsed("key_id")?))).collect()
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
    let detail = format!("messages of {sender} that are stored were signed with it");
    for recipient in &recipients {
        alarm::raise(tx, recipient, AlarmKind::CompromisedKey, &key.to_string(), &detail, now).await?;
    }
    Ok(())
}
