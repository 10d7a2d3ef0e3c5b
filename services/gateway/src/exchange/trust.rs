//! The trust lists: pinned authorities, files, and what happens when a file changes.

mod compromised;
mod pending;
mod record;

use std::{path::PathBuf, sync::Arc, time::Duration};

use rovuma_envelope::{
    Pin, PublicKey, SharedTrust, SignedTrustList, TrustFault, TrustPolicy, TrustStore, digest,
    trust::{Expiring, OfferOutcome},
};
use rovuma_runtime::{Expiries, ExpiryKind, Shutdown};
use rovuma_schemas::{CountryCode, Digest, Timestamp};
use rovuma_store::{RowExt, Store};

use crate::{config::TrustConfig, error::DbError, exchange::Exchange};
use pending::Pending;
use record::Loaded;

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
    pending: Pending,
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
    /// A list that our clock says is of the future. The clock may be mended, so it is offered again.
    Early(Digest),
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
        let files = config.lists.iter().map(file).collect();
        Self { files, expiries, registered: Vec::new(), pending: Pending::default() }
    }

    /// Looks at the files again and again until a soft shutdown.
    pub(crate) async fn watch(mut self, exchange: Arc<Exchange>, every: Duration, shutdown: Shutdown) {
        while shutdown.pause(every).await {
            self.look(&exchange).await;
        }
    }

    /// Takes every list that is new, and does what must follow one, or was left to do after an earlier one.
    pub(crate) async fn look(&mut self, exchange: &Arc<Exchange>) {
        let mut is_new = false;
        for file in &mut self.files {
            if let Some(loaded) = file.look(exchange).await {
                self.pending.add(exchange, loaded);
                is_new = true;
            }
        }
        if is_new {
            self.register_expiries(exchange);
        }
        self.pending.settle(exchange).await;
    }

    /// Ends of lists, and of the keys of our own agencies: a partner's keys are the partner's to renew.
    fn register_expiries(&mut self, exchange: &Exchange) {
        for (kind, name) in self.registered.drain(..) {
            self.expiries.remove(kind, &name);
        }
        for expiry in exchange.trust.current().expiries() {
            let (kind, name) = match expiry.what {
                Expiring::List(country) => (ExpiryKind::TrustList, country.to_string()),
                Expiring::SigningKey(agency, key) if exchange.agencies.serves(&agency) => {
                    (ExpiryKind::Key, format!("{agency} signing {key}"))
                }
                Expiring::SealingKey(agency, key) if exchange.agencies.serves(&agency) => {
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
    /// The list, when a new one was taken.
    async fn look(&mut self, exchange: &Exchange) -> Option<Loaded> {
        let json = match tokio::fs::read(&self.path).await {
            Ok(json) => json,
            Err(fault) => {
                if self.seen.replace(Seen::Unreadable) != Some(Seen::Unreadable) {
                    tracing::error!(country = %self.country, path = %self.path.display(), %fault, "no trust list");
                }
                return None;
            }
        };
        let content = digest(&json);
        if self.seen == Some(Seen::Content(content)) {
            return None;
        }
        let now = exchange.base.now();
        match self.own(&json).and_then(|()| exchange.trust.offer(&json, now)) {
            Ok(offered) => {
                self.seen = Some(Seen::Content(content));
                taken(offered, now)
            }
            Err(fault) => {
                self.refuse(exchange, content, &fault, now).await;
                None
            }
        }
    }

    /// Tells once of a refusal, and keeps it in mind when it is told.
    async fn refuse(&mut self, exchange: &Exchange, content: Digest, fault: &TrustFault, now: Timestamp) {
        let found = match fault {
            TrustFault::Clock { .. } => Seen::Early(content),
            _ => Seen::Content(content),
        };
        if self.seen.as_ref() == Some(&found) {
            return;
        }
        tracing::error!(country = %self.country, %fault, "trust list refused");
        match record::refused(exchange, self.country, fault, now).await {
            Ok(()) => self.seen = Some(found),
            Err(fault) => {
                tracing::error!(country = %self.country, %fault, "the refusal of a trust list was not recorded");
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

fn taken(offered: OfferOutcome, now: Timestamp) -> Option<Loaded> {
    match offered {
        OfferOutcome::Unchanged { .. } => None,
        OfferOutcome::Replaced { country, serial, .. } => {
            tracing::info!(%country, serial, "trust list loaded");
            Some(Loaded { country, serial, at: now })
        }
    }
}
