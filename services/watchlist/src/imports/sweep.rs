//! Removes what is not in force: what killed imports left behind, lapsed proposals, and the entries of lists that were replaced.

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
};

use rovuma_schemas::{MessageId, Timestamp};
use rovuma_store::{FutureExt, RowExt, Store, WriteError};

use super::enforce::PAGE_RECORDS;
use crate::{at_rest::AtRest, entries, error::DbError, screening::Index, watchlist::Watchlist};

/// Removes what is not in force, from store and index.
pub(crate) async fn sweep(watchlist: &Watchlist) -> Result<(), WriteError<DbError>> {
    clean(
        (&watchlist.store, &watchlist.at_rest),
        Some(&watchlist.index),
        &watchlist.lists.in_force(),
        watchlist.now(),
    )
    .await
}

/// Removes what is not in force, from the store, and from the index if there is one yet.
pub(crate) async fn clean(
    (store, at_rest): (&Store, &AtRest),
    index: Option<&RwLock<Index>>,
    in_force: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(), WriteError<DbError>> {
    let lapsed = store.write(move |tx| {
        async move {
            let delete = sqlx::query("DELETE FROM proposal WHERE ends <= $1").bind(now.as_micros());
            Ok::<_, DbError>(delete.execute(tx).await?.rows_affected())
        }
        .boxed()
    });
    lapsed.await?;
    for import in abandoned(store).await.map_err(WriteError::Job)? {
        drop_staged(store, import).await?;
    }
    let keys = async {
        let mut conn = store.read().acquire().await?;
        entries::keys(&mut conn).await
    };
    for key in keys.await.map_err(WriteError::Job)? {
        if !in_force.contains(&key) {
            drop_entries((store, at_rest), index, &key).await?;
        }
    }
    Ok(())
}

/// The imports whose records are staged and for which no proposal waits. Each is found by the index, whatever it has staged.
async fn abandoned(store: &Store) -> Result<Vec<MessageId>, DbError> {
    let mut conn = store.read().acquire().await?;
    let (mut abandoned, mut after) = (Vec::new(), Vec::new());
    loop {
        let next = sqlx::query("SELECT import FROM staged WHERE import > $1 ORDER BY import LIMIT 1");
        let Some(row) = next.bind(after.clone()).fetch_optional(&mut *conn).await? else {
            return Ok(abandoned);
        };
        let import = row.message_id("import")?;
        after = import.as_bytes().to_vec();
        let waits = sqlx::query("SELECT 1 FROM proposal WHERE import = $1").bind(after.clone());
        if waits.fetch_optional(&mut *conn).await?.is_none() {
            abandoned.push(import);
        }
    }
}

/// Deletes the records of an import, a page in each transaction.
pub(super) async fn drop_staged(store: &Store, import: MessageId) -> Result<(), WriteError<DbError>> {
    loop {
        let write = store.write(move |tx| {
            async move {
                let delete = sqlx::query(
                    "DELETE FROM staged WHERE import = $1 AND record IN
                         (SELECT record FROM staged WHERE import = $1 ORDER BY record LIMIT $2)",
                );
                let delete = delete.bind(import.as_bytes().to_vec()).bind(PAGE_RECORDS).execute(tx);
                Ok::<_, DbError>(delete.await?.rows_affected())
            }
            .boxed()
        });
        if write.await? == 0 {
            return Ok(());
        }
    }
}

/// Deletes the entries under a key, a page in each transaction. The index loses them first: a number that is free may be given to another
/// entry at once.
pub(super) async fn drop_entries(
    (store, at_rest): (&Store, &AtRest),
    index: Option<&RwLock<Index>>,
    key: &str,
) -> Result<(), WriteError<DbError>> {
    loop {
        let page = async {
            let mut conn = store.read().acquire().await?;
            entries::first_of(&mut conn, at_rest, key, PAGE_RECORDS).await
        };
        let page = page.await.map_err(WriteError::Job)?;
        if page.is_empty() {
            return Ok(());
        }
        if let Some(index) = index {
            let mut index = index.write().unwrap_or_else(PoisonError::into_inner);
            page.iter().for_each(|(entry, listed)| index.remove(*entry, listed));
        }
        let numbers: Vec<_> = page.into_iter().map(|(entry, _)| entry).collect();
        let write = store.write(move |tx| async move { entries::delete(tx, &numbers).await }.boxed());
        write.await?;
    }
}
