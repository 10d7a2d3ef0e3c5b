//! The lists: how often each has changed, how old the knowledge of it is, and whether a verdict may rest on it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rovuma_api::answers::watchlist::ListUsed;
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use crate::error::DbError;

/// What is known of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListStanding {
    /// `alerts`, `un`, `ofac`, `csv`.
    pub(crate) source: String,
    /// How often it has changed.
    pub(crate) version: u64,
    /// When it was last whole.
    pub(crate) loaded_at: Option<Timestamp>,
    /// When its source was last heard.
    pub(crate) heard_at: Option<Timestamp>,
    /// Whether a new version is being loaded.
    pub(crate) is_loading: bool,
}

/// Every list, by name.
#[derive(Debug, Default)]
pub(crate) struct ListStandings(Mutex<BTreeMap<String, ListStanding>>);

/// After which time a list is stale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StaleAfter {
    pub(crate) alerts: Duration,
    pub(crate) imported: Duration,
}

/// The name of the list of an agency's alerts.
pub(crate) fn alerts_of(agency: &AgencyCode) -> String {
    format!("alerts.{agency}")
}

impl ListStandings {
    /// The lists of the store, and those of these agencies, which are missing until they come.
    pub(crate) async fn load(conn: &mut Conn, agencies: &[AgencyCode]) -> Result<Self, DbError> {
        let missing = |agency| {
            let standing = ListStanding {
                source: "alerts".to_owned(),
                version: 0,
                loaded_at: None,
                heard_at: None,
                is_loading: false,
            };
            (alerts_of(agency), standing)
        };
        let mut lists: BTreeMap<_, _> = agencies.iter().map(missing).collect();
        let rows =
            sqlx::query("SELECT id, source, version, loaded_at, heard_at FROM list").fetch_all(conn).await?;
        for row in &rows {
            let (id, source): (String, String) = (row.try_get("id")?, row.try_get("source")?);
            // An agency that left the installation has no list any more.
            if source == "alerts" && !lists.contains_key(&id) {
                continue;
            }
            let standing = ListStanding {
                source,
                version: row.count("version")?,
                loaded_at: row.opt_instant("loaded_at")?,
                heard_at: row.opt_instant("heard_at")?,
                is_loading: false,
            };
            lists.insert(id, standing);
        }
        Ok(Self(Mutex::new(lists)))
    }

    /// Changes what is known of a list.
    pub(crate) fn update(&self, id: &str, change: impl FnOnce(&mut ListStanding)) {
        if let Some(list) = self.lock().get_mut(id) {
            change(list);
        }
    }

    /// What is known of a list.
    pub(crate) fn get(&self, id: &str) -> Option<ListStanding> {
        self.lock().get(id).cloned()
    }

    /// Every list as a verdict shows it.
    pub(crate) fn used(&self, now: Timestamp, stale_after: StaleAfter) -> Vec<ListUsed> {
        self.lock().iter().map(|(id, list)| used(id, list, now, stale_after)).collect()
    }

    /// Every list.
    pub(crate) fn all(&self) -> BTreeMap<String, ListStanding> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, ListStanding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn used(id: &str, list: &ListStanding, now: Timestamp, stale_after: StaleAfter) -> ListUsed {
    let limit = if list.source == "alerts" { stale_after.alerts } else { stale_after.imported };
    let age = list.heard_at.map(|heard| now.since(heard));
    let state = match (age, list.loaded_at) {
        (_, None) | (None, _) => "missing",
        (Some(age), _) if age > limit => "stale",
        _ if list.is_loading => "loading",
        _ => "current",
    };
    ListUsed {
        id: id.to_owned(),
        version: list.version,
        age_s: age.map(|age| age.as_secs()),
        state: state.to_owned(),
    }
}

/// Writes what is known of a list down.
pub(crate) async fn store(tx: &mut Conn, id: &str, list: &ListStanding) -> Result<(), DbError> {
    let version = i64::try_from(list.version).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO list (id, source, version, loaded_at, heard_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO UPDATE SET version = $3, loaded_at = $4, heard_at = $5",
    )
    .bind(id)
    .bind(list.source.as_str())
    .bind(version)
    .bind(list.loaded_at.map(Timestamp::as_micros))
    .bind(list.heard_at.map(Timestamp::as_micros))
    .execute(tx)
    .await?;
    Ok(())
}
