//! The lists: how often each has changed, how old the knowledge of it is, and whether a verdict may rest on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rovuma_api::answers::watchlist::{ListFile, ListUsed};
use rovuma_schemas::{AgencyCode, Digest, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use crate::{error::DbError, imports::key_of};

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
pub(crate) struct ListStandings(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    lists: BTreeMap<String, ListStanding>,
    /// The keys of the imports in force, by list.
    imports: BTreeMap<String, String>,
    in_force: Arc<BTreeSet<String>>,
}

impl Known {
    fn set_in_force(&mut self) {
        self.in_force = Arc::new(self.imports.values().cloned().collect());
    }
}

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
        let rows = sqlx::query("SELECT id, source, version, loaded_at, heard_at FROM list")
            .fetch_all(&mut *conn)
            .await?;
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
        let mut known = Known { lists, imports: BTreeMap::new(), in_force: Arc::default() };
        for row in &sqlx::query("SELECT list, import FROM imported").fetch_all(conn).await? {
            let list: String = row.try_get("list")?;
            let key = key_of(&list, row.message_id("import")?);
            known.imports.insert(list, key);
        }
        known.set_in_force();
        Ok(Self(Mutex::new(known)))
    }

    /// The keys of the imports in force. Whoever looks something up compares it before and after: it is the same set, at the same address,
    /// as long as no list changed.
    pub(crate) fn in_force(&self) -> Arc<BTreeSet<String>> {
        Arc::clone(&self.lock().in_force)
    }

    /// The key of the import of a list that is in force.
    pub(crate) fn key(&self, list: &str) -> Option<String> {
        self.lock().imports.get(list).cloned()
    }

    /// How many imported lists there are.
    pub(crate) fn imported(&self) -> usize {
        self.lock().imports.len()
    }

    /// Puts an import in force.
    pub(crate) fn put_imported(&self, list: &str, standing: ListStanding, key: String) {
        let mut known = self.lock();
        known.lists.insert(list.to_owned(), standing);
        known.imports.insert(list.to_owned(), key);
        known.set_in_force();
    }

    /// Takes an imported list out of force.
    pub(crate) fn remove_imported(&self, list: &str) {
        let mut known = self.lock();
        known.lists.remove(list);
        known.imports.remove(list);
        known.set_in_force();
    }

    /// Changes what is known of a list.
    pub(crate) fn update(&self, id: &str, change: impl FnOnce(&mut ListStanding)) {
        if let Some(list) = self.lock().lists.get_mut(id) {
            change(list);
        }
    }

    /// What is known of a list.
    pub(crate) fn get(&self, id: &str) -> Option<ListStanding> {
        self.lock().lists.get(id).cloned()
    }

    /// Every list as a verdict shows it.
    pub(crate) fn used(&self, now: Timestamp, stale_after: StaleAfter) -> Vec<ListUsed> {
        self.lock().lists.iter().map(|(id, list)| used(id, list, now, stale_after)).collect()
    }

    /// Every list.
    pub(crate) fn all(&self) -> BTreeMap<String, ListStanding> {
        self.lock().lists.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn used(id: &str, list: &ListStanding, now: Timestamp, stale_after: StaleAfter) -> ListUsed {
    let limit = if list.source == "alerts" { stale_after.alerts } else { stale_after.imported };
    let age = list.heard_at.map(|heard| now.since(heard));
    let state = match (age, list.loaded_at) {
        (_, None) | (None, _) => "missing",
        // Heard in the future: the clock was set back, and nobody knows how old the list is.
        _ if list.heard_at.is_some_and(|heard| heard > now) => "stale",
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
         ON CONFLICT (id) DO UPDATE SET source = $2, version = $3, loaded_at = $4, heard_at = $5",
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

/// The file of an imported list that is in force.
#[derive(Clone, Debug)]
pub(crate) struct ImportedFile {
    pub(crate) digest: Digest,
    pub(crate) file: ListFile,
}

/// The file of an imported list; none of other lists.
pub(crate) async fn file(conn: &mut Conn, list: &str) -> Result<Option<ImportedFile>, DbError> {
    let row = sqlx::query("SELECT digest, body FROM imported WHERE list = $1")
        .bind(list)
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let body: &str = row.try_get("body")?;
    let file = serde_json::from_str(body).map_err(|fault| DbError::damaged("list file", fault))?;
    Ok(Some(ImportedFile { digest: row.digest("digest")?, file }))
}

/// Writes down what is known of the file of a list that is in force.
pub(crate) async fn set_file(tx: &mut Conn, list: &str, file: &ListFile) -> Result<(), DbError> {
    let body = serde_json::to_string(file).map_err(|fault| DbError::damaged("list file", fault))?;
    sqlx::query("UPDATE imported SET body = $2 WHERE list = $1").bind(list).bind(body).execute(tx).await?;
    Ok(())
}
