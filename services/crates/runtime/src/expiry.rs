//! Expiry dates of keys, certificates and trust lists. Each has a metric, so that none expires unnoticed, and the service
//! warns at 60, 30 and 7 days.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rovuma_schemas::Timestamp;
use serde::Serialize;
use tracing::{error, warn};

use crate::{SharedClock, Shutdown};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often the expiry dates are checked; a warning is repeated once a day.
const CHECK_EVERY: Duration = Duration::from_secs(60 * 60);

/// The kind of thing that expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryKind {
    /// A signing or sealing key.
    Key,
    /// An X.509 certificate.
    Certificate,
    /// A trust list's *next update*.
    TrustList,
}

impl ExpiryKind {
    /// The word in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::TrustList => "trust_list",
        }
    }
}

impl fmt::Display for ExpiryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How soon something expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryLevel {
    /// More than 60 days away.
    Fine,
    /// Within 60 days.
    Within60Days,
    /// Within 30 days.
    Within30Days,
    /// Within 7 days.
    Within7Days,
    /// It has expired.
    Expired,
}

impl ExpiryLevel {
    /// The level of something that expires at `not_after`, at the time `now`.
    pub fn of(not_after: Timestamp, now: Timestamp) -> Self {
        let left = not_after.since(now);
        match () {
            () if not_after <= now => Self::Expired,
            () if left <= DAY * 7 => Self::Within7Days,
            () if left <= DAY * 30 => Self::Within30Days,
            () if left <= DAY * 60 => Self::Within60Days,
            () => Self::Fine,
        }
    }

    const fn rank(self) -> u32 {
        match self {
            Self::Fine => 0,
            Self::Within60Days => 1,
            Self::Within30Days => 2,
            Self::Within7Days => 3,
            Self::Expired => 4,
        }
    }
}

/// A certificate file whose expiry cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file cannot be read.
    #[error("cannot read the certificate {path}")]
    Read {
        /// The file.
        path: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no PEM certificate.
    #[error("no PEM certificate in {path}")]
    NotPem {
        /// The file.
        path: String,
    },
}

/// Expiry dates by kind and name. Clones share one state.
#[derive(Clone, Debug)]
pub struct Expiries {
    clock: SharedClock,
    entries: Arc<Mutex<BTreeMap<(ExpiryKind, String), Expiry>>>,
}

#[derive(Clone, Copy, Debug)]
struct Expiry {
    not_after: Timestamp,
    /// The level and time of the last warning.
    warned: Option<(ExpiryLevel, Timestamp)>,
}

impl Expiries {
    /// No expiry dates yet.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, entries: Arc::default() }
    }

    /// Adds `name`, or replaces its expiry date. Warns at once when that is near.
    pub fn register(&self, kind: ExpiryKind, name: impl Into<String>, not_after: Timestamp) {
        let key = (kind, name.into());
        metrics::gauge!("rovuma_expiry_timestamp_seconds", "kind" => kind.as_str(), "name" => key.1.clone())
            .set(seconds(not_after));
        self.entries().insert(key, Expiry { not_after, warned: None });
        self.check();
    }

    /// Adds every certificate of a PEM file, under the file's name (and its number when there are several).
    ///
    /// # Errors
    /// [`CertificateError`] when the file cannot be read or holds none.
    pub fn register_certificates(&self, path: &Path) -> Result<(), CertificateError> {
        for (number, not_after) in certificate_ends(path)?.into_iter().enumerate() {
            let suffix = if number == 0 { String::new() } else { format!("#{}", number + 1) };
            self.register(ExpiryKind::Certificate, format!("{}{suffix}", path.display()), not_after);
        }
        Ok(())
    }

    /// Removes `name`, because another has replaced it.
    pub fn remove(&self, kind: ExpiryKind, name: &str) {
        self.entries().remove(&(kind, name.to_owned()));
        metrics::gauge!("rovuma_expiry_timestamp_seconds", "kind" => kind.as_str(), "name" => name.to_owned())
            .set(0.0);
    }

    /// Everything that expires within 60 days, or has expired, the nearest first.
    pub fn near(&self) -> Vec<(ExpiryKind, String, Timestamp, ExpiryLevel)> {
        let now = self.clock.now();
        let mut near: Vec<_> = self
            .entries()
            .iter()
            .map(|((kind, name), entry)| {
                (*kind, name.clone(), entry.not_after, ExpiryLevel::of(entry.not_after, now))
            })
            .filter(|(.., level)| *level > ExpiryLevel::Fine)
            .collect();
        near.sort_by_key(|(_, _, not_after, _)| *not_after);
        near
    }

    /// Warns of everything that expires soon, once for each level and then once a day.
    pub fn check(&self) {
        let now = self.clock.now();
        for ((kind, name), entry) in self.entries().iter_mut() {
            let level = ExpiryLevel::of(entry.not_after, now);
            metrics::gauge!("rovuma_expiry_level", "kind" => kind.as_str(), "name" => name.clone())
                .set(f64::from(level.rank()));
            let is_due = entry.warned.is_none_or(|(last, at)| last != level || now.since(at) >= DAY);
            if level > ExpiryLevel::Fine && is_due {
                warn_of(*kind, name, entry.not_after, level, now);
            }
            if is_due {
                entry.warned = Some((level, now));
            }
        }
    }

    pub(crate) async fn watch(self, shutdown: Shutdown) {
        while shutdown.pause(CHECK_EVERY).await {
            self.check();
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<(ExpiryKind, String), Expiry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn warn_of(kind: ExpiryKind, name: &str, not_after: Timestamp, level: ExpiryLevel, now: Timestamp) {
    let days = not_after.since(now).as_secs() / DAY.as_secs();
    match level {
        ExpiryLevel::Expired => error!(%kind, name, %not_after, "has expired: replace it now"),
        _ => warn!(%kind, name, %not_after, days_left = days, "expires soon: replace it in time"),
    }
}

fn seconds(instant: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "whole seconds of a calendar date fit 52 bits")]
    let seconds = (instant.as_micros() / 1_000_000) as f64;
    seconds
}

/// The *not after* of each certificate in a PEM file (RFC 5280, 4.1.2.5).
pub(crate) fn certificate_ends(path: &Path) -> Result<Vec<Timestamp>, CertificateError> {
    let shown = || path.display().to_string();
    let pem = std::fs::read(path).map_err(|source| CertificateError::Read { path: shown(), source })?;
    let ends: Vec<Timestamp> = x509_parser::pem::Pem::iter_from_buffer(&pem)
        .filter_map(Result::ok)
        .filter(|block| block.label == "CERTIFICATE")
        .filter_map(|block| {
            let seconds = block.parse_x509().ok()?.validity().not_after.timestamp();
            Timestamp::from_micros(seconds.checked_mul(1_000_000)?).ok()
        })
        .collect();
    if ends.is_empty() { Err(CertificateError::NotPem { path: shown() }) } else { Ok(ends) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    #[test]
    fn levels_change_at_60_30_and_7_days() {
        let now: Timestamp = "2026-11-23T18:00:00Z".parse().expect("RFC 3339");
        let level = |days| ExpiryLevel::of(now.plus(DAY * days), now);
        assert_eq!(level(61), ExpiryLevel::Fine);
        assert_eq!(level(60), ExpiryLevel::Within60Days);
        assert_eq!(level(30), ExpiryLevel::Within30Days);
        assert_eq!(level(7), ExpiryLevel::Within7Days);
        assert_eq!(level(0), ExpiryLevel::Expired);
        assert_eq!(ExpiryLevel::of(now.minus(DAY), now), ExpiryLevel::Expired);
    }

    #[test]
    fn the_nearest_comes_first_and_a_renewal_clears_it() {
        let now: Timestamp = "2026-11-23T18:00:00Z".parse().expect("RFC 3339");
        let expiries = Expiries::new(ManualClock::at(now).shared());
        expiries.register(ExpiryKind::Key, "mz.prm", now.plus(DAY * 20));
        expiries.register(ExpiryKind::TrustList, "tz", now.plus(DAY * 3));
        expiries.register(ExpiryKind::Key, "mz.sernic", now.plus(DAY * 300));
        let names: Vec<_> = expiries.near().into_iter().map(|(_, name, ..)| name).collect();
        assert_eq!(names, ["tz", "mz.prm"]);
        expiries.register(ExpiryKind::TrustList, "tz", now.plus(DAY * 90));
        assert_eq!(expiries.near().len(), 1);
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("not.pem");
        std::fs::write(&path, "hello").expect("written");
        let expiries = Expiries::new(crate::SystemClock::shared());
        assert!(matches!(expiries.register_certificates(&path), Err(CertificateError::NotPem { .. })));
    }
}
