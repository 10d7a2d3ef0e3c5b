//! The trust lists: pinned authorities, files, and what happens when a file changes.

mod compromised;

use std::{path::PathBuf, sync::Arc, time::Duration};

use rovuma_envelope::{
    Pin, PublicKey, SharedTrust, SignedTrustList, TrustFault, TrustPolicy, TrustStore, digest,
    trust::{Expiring, Offered},
};
use rovuma_runtime::{Expiries, ExpiryKind, Shutdown};
use rovuma_schemas::{CountryCode, Digest, Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt, RowExt, Store};
use rovuma_trail::Act;

use crate::{
    config::TrustConfig,
    error::DbError,
    exchange::{SYSTEM, held},
    gateway::Gateway,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Authorities that cannot be pinned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PinFault {
    /// An authority key's file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// An authority key's file holds no key.
    #[error("{}: {fault}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: rovuma_envelope::BadPublicKey,
    },
    /// The pins do not go together.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// The serials seen cannot be read.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The authorities as pinned, and no list older than those seen before the last stop.
///
/// # Errors
/// [`PinFault`], naming the file.
pub(crate) async fn pinned(config: &TrustConfig, store: &Store) -> Result<SharedTrust, PinFault> {
    let mut pins = Vec::with_capacity(config.lists.len());
    for list in &config.lists {
        let path = &list.authority_file;
        let read = |source| PinFault::Read { path: path.clone(), source };
        let key = tokio::fs::read(path).await.map_err(read)?;
        let authority =
            PublicKey::from_jwk(&key).map_err(|fault| PinFault::Key { path: path.clone(), fault })?;
        let minimum_serial = serial_seen(store, list.country).await?;
        pins.push(Pin { country: list.country, authority, minimum_serial });
    }
    let policy = TrustPolicy { list_grace: DAY * config.list_grace_days, ..TrustPolicy::default() };
    Ok(SharedTrust::new(TrustStore::new(policy, pins)?))
}

async fn serial_seen(store: &Store, country: CountryCode) -> Result<u64, DbError> {
    let query = sqlx::query("SELECT serial FROM trust_seen WHERE country = $1").bind(country.as_str());
    let row = query.fetch_optional(store.read()).await?;
    Ok(row.map(|row| row.count("serial")).transpose()?.unwrap_or(0))
}

/// The files of the lists, and what was last found in each.
pub(crate) struct ListFiles {
    files: Vec<ListFile>,
    expiries: Expiries,
    registered: Vec<(ExpiryKind, String)>,
}

struct ListFile {
    country: CountryCode,
    path: PathBuf,
    seen: Option<Seen>,
}

/// What was found in a file: only a change is news.
#[derive(PartialEq, Eq)]
enum Seen {
    Content(Digest),
    Unreadable,
}

impl ListFiles {
    /// Files that have not been looked at.
    pub(crate) fn new(config: &TrustConfig, expiries: Expiries) -> Self {
        let file = |list: &crate::config::TrustListConfig| ListFile {
            country: list.country,
            path: list.file.clone(),
            seen: None,
        };
        Self { files: config.lists.iter().map(file).collect(), expiries, registered: Vec::new() }
    }

    /// Looks at the files again and again until a soft shutdown.
    pub(crate) async fn watch(mut self, gateway: Arc<Gateway>, every: Duration, shutdown: Shutdown) {
        while shutdown.pause(every).await {
            self.look(&gateway).await;
        }
    }

    /// Takes every list that is new. After one was taken, messages that waited for it are tried again.
    pub(crate) async fn look(&mut self, gateway: &Arc<Gateway>) {
        let mut is_new = false;
        for file in &mut self.files {
            is_new |= file.look(gateway).await;
        }
        if !is_new {
            return;
        }
        self.register_expiries(gateway);
        if let Err(fault) = compromised::flag(gateway).await {
            tracing::error!(%fault, "messages of compromised keys were not flagged; the next list tries again");
        }
        match held::retry(gateway).await {
            Ok(0) => {}
            Ok(freed) => tracing::info!(freed, "held messages were decided by the new list"),
            Err(fault) => tracing::error!(%fault, "held messages stay held until the next list"),
        }
    }

    /// Ends of lists, and of the keys of our own agencies: a partner's keys are the partner's to renew.
    fn register_expiries(&mut self, gateway: &Gateway) {
        for (kind, name) in self.registered.drain(..) {
            self.expiries.remove(kind, &name);
        }
        for expiry in gateway.trust.current().expiries() {
            let (kind, name) = match expiry.what {
                Expiring::List(country) => (ExpiryKind::TrustList, country.to_string()),
                Expiring::SigningKey(agency, key) if gateway.agencies.serves(&agency) => {
                    (ExpiryKind::Key, format!("{agency} signing {key}"))
                }
                Expiring::SealingKey(agency, key) if gateway.agencies.serves(&agency) => {
                    (ExpiryKind::Key, format!("{agency} sealing {key}"))
                }
                Expiring::SigningKey(..) | Expiring::SealingKey(..) => continue,
            };
            self.expiries.register(kind, name.clone(), expiry.not_after);
            self.registered.push((kind, name));
        }
    }
}

impl ListFile {
    /// Whether a new list was taken.
    async fn look(&mut self, gateway: &Gateway) -> bool {
        let content = tokio::fs::read(&self.path).await;
        let seen = content.as_ref().map_or(Seen::Unreadable, |json| Seen::Content(digest(json)));
        if self.seen.as_ref() == Some(&seen) {
            return false;
        }
        let now = gateway.now();
        let taken = match content {
            Ok(json) => self.offer(gateway, &json, now).await,
            Err(fault) => {
                tracing::error!(country = %self.country, path = %self.path.display(), %fault, "no trust list");
                Ok(false)
            }
        };
        match taken {
            Ok(is_new) => {
                self.seen = Some(seen);
                is_new
            }
            Err(fault) => {
                tracing::error!(country = %self.country, %fault, "what became of a trust list was not recorded");
                false
            }
        }
    }

    /// Offers a list and records what became of it.
    async fn offer(&self, gateway: &Gateway, json: &[u8], now: Timestamp) -> Result<bool, DbError> {
        match self.own(json).and_then(|()| gateway.trust.offer(json, now)) {
            Ok(Offered::Unchanged { .. }) => Ok(false),
            Ok(Offered::Replaced { country, serial, .. }) => {
                tracing::info!(%country, serial, "trust list loaded");
                record(gateway, loaded(country, serial, now), Some((country, serial)), now).await?;
                Ok(true)
            }
            Err(fault) => {
                tracing::error!(country = %self.country, %fault, "trust list refused");
                let act = Act::new(now, SYSTEM, AuditAction::TrustRefuse)
                    .object("trust_list", self.country)
                    .refused(code(&fault));
                record(gateway, act, None, now).await?;
                Ok(false)
            }
        }
    }

    /// A file holds the list of the country that it was configured for.
    fn own(&self, json: &[u8]) -> Result<(), TrustFault> {
        let got = SignedTrustList::from_json(json)?.unverified_content().country;
        if got == self.country {
            Ok(())
        } else {
            Err(TrustFault::OtherCountry { expected: self.country, got })
        }
    }
}

fn loaded(country: CountryCode, serial: u64, now: Timestamp) -> Act {
    Act::new(now, SYSTEM, AuditAction::TrustLoad).object("trust_list", country).detail("serial", serial)
}

async fn record(
    gateway: &Gateway,
    act: Act,
    seen: Option<(CountryCode, u64)>,
    now: Timestamp,
) -> Result<(), DbError> {
    let trail = gateway.trail.clone();
    gateway
        .store
        .write(move |tx| {
            async move {
                trail.record(tx, &act).await?;
                if let Some((country, serial)) = seen {
                    note_serial(tx, country, serial, now).await?;
                }
                Ok::<_, DbError>(())
            }
            .boxed()
        })
        .await
        .map_err(|fault| match fault {
            rovuma_store::WriteError::Job(fault) => fault,
            other => DbError::Sql(sqlx::Error::Io(std::io::Error::other(other.map_job(|_| "").to_string()))),
        })
}

async fn note_serial(
    tx: &mut Conn,
    country: CountryCode,
    serial: u64,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO trust_seen (country, serial, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (country) DO UPDATE SET serial = excluded.serial, seen_at = excluded.seen_at",
    )
    .bind(country.as_str())
    .bind(i64::try_from(serial).unwrap_or(i64::MAX))
    .bind(now.as_micros())
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
