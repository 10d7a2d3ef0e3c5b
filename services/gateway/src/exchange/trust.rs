//! The trust lists: pins the authorities, watches the lists' files, and loads a list when its file changes.

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

use crate::{
    config::{TrustConfig, TrustListConfig},
    error::DbError,
    exchange::Exchange,
};
use pending::Pending;
use record::Loaded;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Why an authority cannot be pinned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PinFault {
    /// An authority key's file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
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
    /// The pins contradict each other.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// The serials of earlier lists cannot be read from the store.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A trust store with the configured authorities pinned. It refuses lists older than those loaded before the last stop.
pub(crate) async fn pinned(config: &TrustConfig, store: &Store) -> Result<SharedTrust, PinFault> {
    let mut pins = pins(config)?;
    for pin in &mut pins {
        pin.minimum_serial = last_serial(store, pin.country).await?;
    }
    trust_store(config, pins)
}

/// Refuses authorities that [`pinned`] would refuse.
pub(crate) fn check(config: &TrustConfig) -> Result<(), PinFault> {
    trust_store(config, pins(config)?).map(drop)
}

/// The trust in the authorities of the configuration, with this one list.
pub(super) fn with_list(config: &TrustConfig, json: &[u8], now: Timestamp) -> Result<TrustStore, PinFault> {
    let pinned = trust_store(config, pins(config)?)?;
    let (trust, _) = pinned.current().with_list(json, now)?;
    Ok(trust)
}

/// The configured authorities, as yet without serials of earlier lists.
fn pins(config: &TrustConfig) -> Result<Vec<Pin>, PinFault> {
    let pin = |list: &TrustListConfig| {
        let path = &list.authority_file;
        let key = std::fs::read(path).map_err(|source| PinFault::Read { path: path.clone(), source })?;
        let authority =
            PublicKey::from_jwk(&key).map_err(|fault| PinFault::Key { path: path.clone(), fault })?;
        Ok(Pin { country: list.country, authority, minimum_serial: 0 })
    };
    config.lists.iter().map(pin).collect()
}

fn trust_store(config: &TrustConfig, pins: Vec<Pin>) -> Result<SharedTrust, PinFault> {
    let policy = TrustPolicy { list_grace: DAY * config.list_grace_days, ..TrustPolicy::default() };
    Ok(SharedTrust::new(TrustStore::new(policy, pins)?))
}

async fn last_serial(store: &Store, country: CountryCode) -> Result<u64, DbError> {
    let query = sqlx::query("SELECT serial FROM trust_seen WHERE country = $1").bind(country.as_str());
    let row = query.fetch_optional(store.read()).await?;
    Ok(row.map(|row| row.count("serial")).transpose()?.unwrap_or(0))
}

/// The files of the lists, the last known state of each, and the work that loaded lists leave to do.
pub(crate) struct ListFiles {
    files: Vec<ListFile>,
    expiries: Expiries,
    registered: Vec<(ExpiryKind, String)>,
    pending: Pending,
}

struct ListFile {
    country: CountryCode,
    path: PathBuf,
    state: Option<FileState>,
}

/// The state of a list's file when it was last read. Only a change of state is acted on.
#[derive(PartialEq, Eq)]
enum FileState {
    /// It had this content, which was loaded or refused.
    Content(Digest),
    /// It had a list from the future by our clock. The clock may be corrected, so the list is tried again.
    Early(Digest),
    /// It could not be read.
    Unreadable,
}

impl ListFiles {
    /// The configured files, none of them read yet.
    pub(crate) fn new(config: &TrustConfig, expiries: Expiries) -> Self {
        let file = |list: &crate::config::TrustListConfig| ListFile {
            country: list.country,
            path: list.file.clone(),
            state: None,
        };
        let files = config.lists.iter().map(file).collect();
        Self { files, expiries, registered: Vec::new(), pending: Pending::default() }
    }

    /// Reloads the files at this interval until a soft shutdown.
    pub(crate) async fn watch(mut self, exchange: Arc<Exchange>, every: Duration, shutdown: Shutdown) {
        while shutdown.pause(every).await {
            self.reload(&exchange).await;
        }
    }

    /// Loads every list that is new, and does the work that must follow a list, or that an earlier run left undone.
    pub(crate) async fn reload(&mut self, exchange: &Arc<Exchange>) {
        let mut is_new = false;
        for file in &mut self.files {
            if let Some(loaded) = file.load_if_new(exchange).await {
                self.pending.add(exchange, loaded);
                is_new = true;
            }
        }
        if is_new {
            self.register_expiries(exchange);
        }
        self.pending.run(exchange).await;
    }

    /// Registers when lists and the keys of our own agencies expire, for the metrics. A partner must renew its own keys.
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
    /// Loads the list in the file if it is new. Returns the list loaded.
    async fn load_if_new(&mut self, exchange: &Exchange) -> Option<Loaded> {
        let json = match tokio::fs::read(&self.path).await {
            Ok(json) => json,
            Err(fault) => {
                if self.state.replace(FileState::Unreadable) != Some(FileState::Unreadable) {
                    tracing::error!(country = %self.country, path = %self.path.display(), %fault, "the file of a trust list cannot be read");
                }
                return None;
            }
        };
        let content = digest(&json);
        if self.state == Some(FileState::Content(content)) {
            return None;
        }
        let now = exchange.base.now();
        match self.check_country(&json).and_then(|()| exchange.trust.offer(&json, now)) {
            Ok(offered) => {
                self.state = Some(FileState::Content(content));
                loaded(offered, now)
            }
            Err(fault) => {
                self.refuse(exchange, content, &fault, now).await;
                None
            }
        }
    }

    /// Logs and records a refusal once. If recording fails, the next reload tries again.
    async fn refuse(&mut self, exchange: &Exchange, content: Digest, fault: &TrustFault, now: Timestamp) {
        let state = match fault {
            TrustFault::Clock { .. } => FileState::Early(content),
            _ => FileState::Content(content),
        };
        if self.state.as_ref() == Some(&state) {
            return;
        }
        tracing::error!(country = %self.country, %fault, "trust list refused");
        match record::refused(exchange, self.country, fault, now).await {
            Ok(()) => self.state = Some(state),
            Err(fault) => {
                tracing::error!(country = %self.country, %fault, "the refusal of a trust list was not recorded");
            }
        }
    }

    /// Refuses a list of another country than the file is configured for.
    fn check_country(&self, json: &[u8]) -> Result<(), TrustFault> {
        let got = SignedTrustList::from_json(json)?.unverified_content().country;
        if got == self.country {
            Ok(())
        } else {
            Err(TrustFault::OtherCountry { expected: self.country, got })
        }
    }
}

fn loaded(offered: OfferOutcome, now: Timestamp) -> Option<Loaded> {
    match offered {
        OfferOutcome::Unchanged { .. } => None,
        OfferOutcome::Replaced { country, serial, .. } => {
            tracing::info!(%country, serial, "trust list loaded");
            Some(Loaded { country, serial, at: now })
        }
    }
}
