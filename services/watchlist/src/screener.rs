//! A watchlist's store and index without the service around them.

use std::collections::BTreeSet;

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{FutureExt, OpenError, Store, StoreConfig, WriteError};
use thiserror::Error;

use crate::{
    at_rest::AtRest,
    entries::{self, Change},
    error::DbError,
    screening::{Crossing, Index, Judged, Listed, Looked, Question, Rules, Scan, Unreadable, judge},
    service,
    standings::{self, ListStanding},
};

/// Entries that are written in one transaction.
const WRITTEN_TOGETHER: usize = 2000;

/// Screens scans against entries that it keeps as the service does: each as JSON in a row of the store, its numbers in the index.
///
/// It is public for programs that measure the engine with a large list. They would otherwise keep the entries in memory, and measure
/// neither the reading of an entry nor the memory of a service. It knows no gateway, no caller and no audit log: a program that serves
/// officers is [`WatchlistService`](crate::WatchlistService).
pub struct Screener {
    store: Store,
    index: Index,
    /// The lists that it has.
    lists: BTreeSet<String>,
    agency: AgencyCode,
    rules: Rules,
}

/// Why the store of a [`Screener`] could not be used.
#[derive(Debug, Error)]
pub enum ScreenerError {
    /// It could not be opened.
    #[error("cannot open the store")]
    Open(#[from] OpenError),
    /// It could not be read or written.
    #[error("the store: {0}")]
    Query(String),
}

impl Screener {
    /// Opens a store, which a service must not have open, and builds the index of what is in it. It screens for `agency`.
    ///
    /// # Errors
    /// [`ScreenerError`] when the store cannot be opened or read.
    pub async fn open(config: &StoreConfig, agency: AgencyCode) -> Result<Self, ScreenerError> {
        let store = Store::open(config, &service::migrations()).await?;
        let index = service::index(&store, &AtRest::Plain).await?;
        let mut conn = store.read().acquire().await.map_err(DbError::from)?;
        let lists = entries::keys(&mut conn).await?.into_iter().collect();
        drop(conn);
        Ok(Self { store, index, lists, agency, rules: Rules::default() })
    }

    /// Adds entries to a list, each in the place of the one of the same record. A verdict of the service then names the list, as one that
    /// was imported at `now`.
    ///
    /// # Errors
    /// [`ScreenerError`] when the store refuses to write them.
    pub async fn add(
        &mut self,
        list: &str,
        entries: Vec<(String, Listed)>,
        now: Timestamp,
    ) -> Result<(), ScreenerError> {
        let mut waiting = entries.into_iter().peekable();
        while waiting.peek().is_some() {
            let chunk: Vec<_> = waiting.by_ref().take(WRITTEN_TOGETHER).collect();
            let list = list.to_owned();
            let work = self.store.write(move |tx| {
                async move {
                    let mut change = Change::default();
                    for (record, listed) in chunk {
                        entries::put(tx, &AtRest::Plain, &list, &record, listed, &mut change).await?;
                    }
                    Ok::<_, DbError>(change)
                }
                .boxed()
            });
            self.index.apply(&work.await?);
        }
        self.lists.insert(list.to_owned());
        let (list, standing) = (list.to_owned(), imported(now));
        let write =
            self.store.write(move |tx| async move { standings::store(tx, &list, &standing).await }.boxed());
        Ok(write.await?)
    }

    /// Screens a scan: looks it up, reads the entries that may be meant, and judges them.
    ///
    /// # Errors
    /// [`ScreenerError`] when the store cannot be read. A text that cannot be read is no error.
    pub async fn screen(
        &self,
        scan: &Scan,
        crossing: Option<&Crossing>,
        now: Timestamp,
    ) -> Result<Result<Judged, Unreadable>, ScreenerError> {
        let looked = match Looked::look(scan, &self.index) {
            Ok(looked) => looked,
            Err(unreadable) => return Ok(Err(unreadable)),
        };
        let mut conn = self.store.read().acquire().await.map_err(DbError::from)?;
        let found = entries::read(&mut conn, &AtRest::Plain, &looked.candidates, &self.lists).await?;
        drop(conn);
        let question = Question { scan, crossing, rules: &self.rules, agency: &self.agency, now };
        Ok(Ok(judge(&question, looked, found)))
    }
}

fn imported(now: Timestamp) -> ListStanding {
    ListStanding {
        source: "csv".to_owned(),
        version: 1,
        loaded_at: Some(now),
        heard_at: Some(now),
        is_loading: false,
    }
}

impl From<DbError> for ScreenerError {
    fn from(fault: DbError) -> Self {
        Self::Query(fault.to_string())
    }
}

impl From<WriteError<DbError>> for ScreenerError {
    fn from(fault: WriteError<DbError>) -> Self {
        Self::Query(fault.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screening::{ListedNumber, ListedSubject, NumberKind, ScanKind, Verdict};

    fn entry(value: &str) -> Listed {
        let number = ListedNumber {
            kind: NumberKind::Document,
            value: value.to_owned(),
            value_to: None,
            qualifier: None,
            document_type: None,
            is_misused: false,
            key: None,
        };
        let subjects = vec![ListedSubject { numbers: vec![number], ..ListedSubject::default() }];
        Listed { list: "test".to_owned(), reference: value.to_owned(), alert: None, subjects }
    }

    async fn verdict(screener: &Screener, text: &str, now: Timestamp) -> Verdict {
        let scan = Scan { text: text.to_owned(), kind: Some(ScanKind::Document), ..Scan::default() };
        screener.screen(&scan, None, now).await.expect("a store").expect("a number").verdict
    }

    #[tokio::test]
    async fn what_is_added_is_found_and_is_there_when_the_store_is_opened_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = StoreConfig::at(format!("sqlite:{}", folder.path().join("list.db").display()));
        let now = "2026-11-30T12:00:00Z".parse().expect("an instant");
        let mut screener =
            Screener::open(&config, "mz.prm".parse().expect("an agency")).await.expect("opened");
        screener
            .add("test", vec![("1".to_owned(), entry("AB1")), ("2".to_owned(), entry("AB2"))], now)
            .await
            .expect("added");
        screener.add("test", vec![("2".to_owned(), entry("AB3"))], now).await.expect("replaced");
        check(&screener, now).await;
        drop(screener);
        check(
            &Screener::open(&config, "mz.prm".parse().expect("an agency")).await.expect("opened again"),
            now,
        )
        .await;
    }

    async fn check(screener: &Screener, now: Timestamp) {
        for (text, expected) in [("ab-1", Verdict::Hit), ("AB2", Verdict::NoHit), ("AB3", Verdict::Hit)] {
            assert_eq!(verdict(screener, text, now).await, expected, "{text}");
        }
    }
}
