//! What became of a list, in the audit log and in the store's memory of serials.

use rovuma_envelope::TrustFault;
use rovuma_schemas::{CountryCode, Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt, WriteError};
use rovuma_trail::AuditRecord;

use crate::{error::DbError, exchange::Exchange, exchange::SYSTEM};

/// A list that was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loaded {
    pub(super) country: CountryCode,
    pub(super) serial: u64,
    pub(super) at: Timestamp,
}

/// Records that a list was taken, and that none older is from now on.
///
/// # Errors
/// [`WriteError`] when the store does not take it.
pub(super) async fn loaded(exchange: &Exchange, loaded: Loaded) -> Result<(), WriteError<DbError>> {
    let act = AuditRecord::new(loaded.at, SYSTEM, AuditAction::TrustLoad)
        .object("trust_list", loaded.country)
        .detail("serial", loaded.serial);
    let trail = exchange.base.trail.clone();
    let job = exchange.base.store.write(move |tx| {
        async move {
            trail.record(tx, &act).await?;
            note_serial(tx, loaded).await
        }
        .boxed()
    });
    job.await
}

/// Records that a list was refused.
///
/// # Errors
/// [`WriteError`] when the store does not take it.
pub(super) async fn refused(
    exchange: &Exchange,
    country: CountryCode,
    fault: &TrustFault,
    now: Timestamp,
) -> Result<(), WriteError<DbError>> {
    let act = AuditRecord::new(now, SYSTEM, AuditAction::TrustRefuse)
        .object("trust_list", country)
        .refused(code(fault));
    let trail = exchange.base.trail.clone();
    let job = exchange.base.store.write(move |tx| {
        async move {
            trail.record(tx, &act).await?;
            Ok(())
        }
        .boxed()
    });
    job.await
}

async fn note_serial(tx: &mut Conn, loaded: Loaded) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO trust_seen (country, serial, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (country) DO UPDATE SET serial = excluded.serial, seen_at = excluded.seen_at",
    )
    .bind(loaded.country.as_str())
    .bind(i64::try_from(loaded.serial).unwrap_or(i64::MAX))
    .bind(loaded.at.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}

/// The refusal's word in the audit log.
const fn code(fault: &TrustFault) -> &'static str {
    match fault {
        TrustFault::TooLarge { .. } => "too_large",
        TrustFault::Jws(_) => "not_a_jws",
        TrustFault::Content(_) => "content",
        TrustFault::NotPinned { .. } | TrustFault::PinnedTwice { .. } => "not_pinned",
        TrustFault::OtherCountry { .. } => "other_country",
        TrustFault::Signature { .. } => "signature",
        TrustFault::Older { .. } => "older",
        TrustFault::SameSerial { .. } => "same_serial",
        TrustFault::NoSuccession { .. } | TrustFault::OtherSuccessor { .. } => "succession",
        TrustFault::Clock { .. } => "clock",
    }
}
