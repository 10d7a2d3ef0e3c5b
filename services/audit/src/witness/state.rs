//! Who the partners are, and since when they have not cosigned.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rovuma_schemas::{CountryCode, Timestamp};
use rovuma_store::{Readers, RowExt};
use rovuma_tlog::{NoteKey, Policy, UnverifiedCheckpoint, Verdict};

use crate::{audit::audit_source_name, error::DbError};

/// The countries whose audit services the policy names as witnesses.
#[derive(Clone, Debug)]
pub(crate) struct Partners {
    own: CountryCode,
    policy: Arc<Policy>,
}

impl Partners {
    pub(crate) fn of(own: CountryCode, policy: &Arc<Policy>) -> Self {
        Self { own, policy: Arc::clone(policy) }
    }

    /// Every partner, with the name that the policy calls it and the key that it cosigns with.
    pub(crate) fn all(&self) -> impl Iterator<Item = (CountryCode, &str, &NoteKey)> {
        let country = |key: &NoteKey| {
            let country = key.name().split_once('.')?.0.parse().ok()?;
            (key.name() == audit_source_name(country)).then_some(country)
        };
        let known = self.policy.witnesses().filter_map(move |(name, key)| Some((country(key)?, name, key)));
        known.filter(|(country, ..)| *country != self.own)
    }

    /// The keys that a partner cosigns with: two while one takes over from another.
    pub(crate) fn keys(&self, partner: CountryCode) -> Vec<NoteKey> {
        self.all().filter(|(country, ..)| *country == partner).map(|(.., key)| key.clone()).collect()
    }

    /// The partners that have not cosigned a head.
    pub(super) fn missing(&self, note: &[u8]) -> Vec<CountryCode> {
        let judged = UnverifiedCheckpoint::read(note).map(|read| self.policy.judge(read));
        let Ok(Verdict::Good(checkpoint) | Verdict::Unwitnessed { checkpoint, .. }) = judged else {
            return Vec::new();
        };
        let did = |name: &str| checkpoint.cosigned().iter().any(|word| word.witness == name);
        self.all().filter(|(_, name, _)| !did(name)).map(|(country, ..)| country).collect()
    }

    /// Whether the policy names a log.
    pub(super) fn names(&self, origin: &str) -> bool {
        self.policy.logs().iter().any(|log| log.name() == origin)
    }

    /// Whether a log is of this country: `tz.audit/2026` is of `tz`.
    pub(crate) fn owns(country: CountryCode, origin: &str) -> bool {
        let year = origin.strip_prefix(&audit_source_name(country)).and_then(|rest| rest.strip_prefix('/'));
        year.is_some_and(|year| !year.is_empty())
    }
}

/// A head may wait so long for its cosignatures before it counts as unwitnessed: a slow line is no alarm.
const GRACE: Duration = Duration::from_secs(15);

/// Since when the log has had no good head, for everybody who asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Arc<Mutex<Option<Timestamp>>>);

impl Watch {
    /// Since when heads wait for cosignatures in vain; none while all is well.
    pub(crate) fn unwitnessed_since(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks in the store since when heads wait.
    pub(crate) async fn look(&self, pool: &Readers, now: Timestamp) -> Result<(), DbError> {
        let row = sqlx::query(
            "SELECT MIN(c.made_at) AS since FROM checkpoint c JOIN tree t ON t.origin = c.origin
             WHERE c.settled_at IS NULL AND t.abandoned_at IS NULL AND c.size >
               (SELECT COALESCE(MAX(g.size), -1) FROM checkpoint g
                WHERE g.origin = c.origin AND g.settled_at IS NOT NULL)",
        )
        .fetch_one(pool)
        .await?;
        let since = row.opt_instant("since")?.filter(|since| now.since(*since) >= GRACE);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
        metrics::gauge!("rovuma_audit_unwitnessed").set(if since.is_some() { 1.0 } else { 0.0 });
        Ok(())
    }

    /// Whether it has been so for longer than `bound`.
    pub(crate) fn is_beyond(&self, bound: Option<Duration>, now: Timestamp) -> bool {
        bound.zip(self.unwitnessed_since()).is_some_and(|(bound, since)| now.since(since) >= bound)
    }
}
