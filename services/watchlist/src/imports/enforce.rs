//! Puts an import in force in the place of the list before it, or takes a list out of force.

use std::sync::Arc;

use rovuma_api::answers::watchlist::ListFile;
use rovuma_schemas::{Digest, MessageId};
use rovuma_store::{Conn, FutureExt, WriteError};
use rovuma_trail::AuditRecord;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{key_of, proposals, staging, sweep};
use crate::{
    entries::{self, Change},
    error::DbError,
    standings::{self, ListStanding},
    watchlist::Watchlist,
};

/// Records that one transaction copies or deletes, and for which the index is locked: a scan waits for no more than these, some milliseconds.
pub(super) const PAGE_RECORDS: i64 = 500;

/// An import that is whole, and that nobody else must approve.
#[derive(Debug)]
pub(crate) struct Enforced {
    /// The name of the list.
    pub(crate) list: String,
    pub(crate) source: String,
    /// The import whose records are staged.
    pub(crate) import: MessageId,
    pub(crate) file: ListFile,
    pub(crate) digest: Digest,
    /// The audit event, which is written with the change.
    pub(crate) act: AuditRecord,
}

/// Puts an import in force. The work goes on when the caller goes away: store and index must not part.
pub(crate) async fn change(
    watchlist: &Arc<Watchlist>,
    turn: OwnedSemaphorePermit,
    new: Enforced,
) -> Result<(), WriteError<DbError>> {
    let at = Arc::clone(watchlist);
    to_its_end(watchlist, turn, async move { put_in_force(&at, new).await }).await
}

/// Takes a list out of force. The work goes on when the caller goes away.
pub(crate) async fn remove(
    watchlist: &Arc<Watchlist>,
    turn: OwnedSemaphorePermit,
    list: String,
    act: AuditRecord,
) -> Result<(), WriteError<DbError>> {
    let at = Arc::clone(watchlist);
    to_its_end(watchlist, turn, async move { take_out(&at, list, act).await }).await
}

async fn to_its_end<W>(
    watchlist: &Watchlist,
    turn: OwnedSemaphorePermit,
    work: W,
) -> Result<(), WriteError<DbError>>
where
    W: Future<Output = Result<(), WriteError<DbError>>> + Send + 'static,
{
    let (done, ended) = oneshot::channel();
    watchlist.tasks.spawn("import", async move {
        let result = work.await;
        drop(turn);
        // Fails when the caller went away.
        let _ = done.send(result);
    });
    ended.await.unwrap_or(Err(WriteError::Closed))
}

async fn put_in_force(watchlist: &Watchlist, new: Enforced) -> Result<(), WriteError<DbError>> {
    let (list, import, key) = (new.list.clone(), new.import, key_of(&new.list, new.import));
    if let Err(fault) = copy(watchlist, import, &key).await {
        sweep_or_log(watchlist).await;
        return Err(fault);
    }
    let now = watchlist.now();
    let before = watchlist.lists.get(&list);
    let standing = ListStanding {
        source: new.source.clone(),
        version: before.map_or(0, |before| before.version) + 1,
        loaded_at: Some(now),
        heard_at: Some(now),
        is_loading: false,
    };
    let (trail, stored) = (watchlist.trail.clone(), standing.clone());
    let write = watchlist.store.write(move |tx| {
        async move {
            put_imported(tx, &new).await?;
            standings::store(tx, &new.list, &stored).await?;
            proposals::forget(tx, &new.list).await?;
            trail.record(tx, &new.act).await?;
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    if let Err(fault) = write.await {
        sweep_or_log(watchlist).await;
        return Err(fault);
    }
    watchlist.lists.put_imported(&list, standing, key);
    sweep_or_log(watchlist).await;
    Ok(())
}

async fn take_out(watchlist: &Watchlist, list: String, act: AuditRecord) -> Result<(), WriteError<DbError>> {
    let (trail, name) = (watchlist.trail.clone(), list.clone());
    let write = watchlist.store.write(move |tx| {
        async move {
            sqlx::query("DELETE FROM imported WHERE list = $1").bind(name.as_str()).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM list WHERE id = $1").bind(name.as_str()).execute(&mut *tx).await?;
            proposals::forget(tx, &name).await?;
            trail.record(tx, &act).await?;
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await?;
    watchlist.lists.remove_imported(&list);
    sweep_or_log(watchlist).await;
    Ok(())
}

/// Copies the records of an import to where they are screened once their key is in force.
pub(crate) async fn copy(
    watchlist: &Watchlist,
    import: MessageId,
    key: &str,
) -> Result<(), WriteError<DbError>> {
    let mut after = String::new();
    loop {
        let page = async {
            let mut conn = watchlist.store.read().acquire().await?;
            staging::page(&mut conn, import, &after, PAGE_RECORDS).await
        };
        let page = page.await.map_err(WriteError::Job)?;
        let Some((last, ..)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        let key = key.to_owned();
        let at_rest = Arc::clone(&watchlist.at_rest);
        let write = watchlist
            .store
            .write(move |tx| async move { entries::add(tx, &at_rest, &key, page).await }.boxed());
        let turn = watchlist.changing.lock().await;
        let added = write.await?;
        watchlist.apply(&Change { removed: Vec::new(), added });
        drop(turn);
    }
}

async fn put_imported(tx: &mut Conn, new: &Enforced) -> Result<(), DbError> {
    let body = serde_json::to_string(&new.file).map_err(|fault| DbError::damaged("list file", fault))?;
    sqlx::query(
        "INSERT INTO imported (list, import, digest, body) VALUES ($1, $2, $3, $4)
         ON CONFLICT (list) DO UPDATE SET import = $2, digest = $3, body = $4",
    )
    .bind(new.list.as_str())
    .bind(new.import.as_bytes().to_vec())
    .bind(new.digest.as_bytes().to_vec())
    .bind(body)
    .execute(tx)
    .await?;
    Ok(())
}

/// What is left over is never in force, and the next import removes it.
async fn sweep_or_log(watchlist: &Watchlist) {
    if let Err(fault) = sweep::sweep(watchlist).await {
        tracing::warn!(%fault, "what an import left behind could not be removed");
    }
}
