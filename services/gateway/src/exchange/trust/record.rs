//! Records loaded and refused lists in the audit log, and the last serial of each country in the store.

use rovuma_envelope::TrustFault;
use rovuma_schemas::{CountryCode, Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt, WriteError};
use rovuma_trail::AuditRecord;

use crate::{error::DbError, exchange::Exchange, exchange::SYSTEM};

/// A list that was loaded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loaded {
    pub(super) country: CountryCode,
    pub(super) serial: u64,
    pub(super) at: Timestamp,
}

/// Records that a list was loaded, and its serial: older lists are refused from then on.
pub(super) async fn loaded(exchange: &Exchange, loaded: Loaded) -> Result<(), WriteError<DbError>> {
    let record = AuditRecord::new(loaded.at, SYSTEM, AuditAction::TrustLoad)
        .object("trust_list", loaded.country)
        .detail("serial", loaded.serial);
    let trail = exchange.base.trail.clone();
    let job = exchange.base.store.write(move |tx| {
        async move {
            trail.record(tx, &record).await?;
            store_serial(tx, loaded).await
        }
        .boxed()
    });
    job.await
}

/// Records that a list was refused.
pub(super) async fn refused(
    exchange: &Exchange,
    country: CountryCode,
    fault: &TrustFault,
    now: Timestamp,
) -> Result<(), WriteError<DbError>> {
    let record = AuditRecord::new(now, SYSTEM, AuditAction::TrustRefuse)
        .object("trust_list", country)
        .refused(code(fault));
    let trail = exchange.base.trail.clone();
    let job = exchange.base.store.write(move |tx| {
        async move {
            trail.record(tx, &record).await?;
            Ok(())
        }
        .boxed()
    });
    job.await
}

async fn store_serial(tx: &mut Conn, loaded: Loaded) -> Result<(), DbError> {
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

/// The code of the refusal in the audit log.
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
