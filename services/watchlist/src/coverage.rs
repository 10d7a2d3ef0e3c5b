//! Tells the issuers of alerts at which border posts what crosses is screened for them, and since when it no longer is: the gateway signs it.
//!
//! What is to be told is in the store with the change itself, so that nothing that is killed forgets it. Told twice, the gateway says it
//! once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rovuma_api::answers::gateway::ScreenedAlert;
use rovuma_runtime::Shutdown;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use thiserror::Error;

use crate::{
    error::DbError,
    peer::PeerFault,
    watchlist::{OwnAgency, Watchlist},
};

/// Maximum alerts of one report: the gateway takes no more.
const REPORTED_TOGETHER: i64 = 64;

/// How often the store is looked at without being woken: something may have failed.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(10);

/// How long it is kept that something was told, without which it would be told again, and said no second time.
const KEPT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Why something could not be told.
#[derive(Debug, Error)]
enum CoverageFault {
    #[error(transparent)]
    Peer(#[from] PeerFault),
    #[error("the store: {0}")]
    Read(#[from] DbError),
    #[error("the store: {0}")]
    Write(#[from] WriteError<DbError>),
}

/// Notes what must be told of an alert as an agency's gateway shows it: the version that is screened for, or that it was withdrawn. Of own
/// alerts, and of one that time ended, nobody is told.
pub(crate) async fn note(
    tx: &mut Conn,
    agency: &AgencyCode,
    alert: &ScreenedAlert,
    now: Timestamp,
) -> Result<(), DbError> {
    let version = match alert.state.as_str() {
        "active" | "suspended" => alert.version,
        "withdrawn" => 0,
        _ => return Ok(()),
    };
    if alert.case.owner == *agency {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO coverage (agency, owner, case_id, version, since, due) VALUES ($1, $2, $3, $4, $5, 1)
         ON CONFLICT (agency, owner, case_id)
         DO UPDATE SET version = excluded.version, since = excluded.since, due = 1
         WHERE coverage.version <> excluded.version",
    )
    .bind(agency.as_str())
    .bind(alert.case.owner.as_str())
    .bind(alert.case.id.as_bytes().to_vec())
    .bind(i64::from(version))
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}

/// Tells the issuers until the service stops.
pub(crate) async fn run(watchlist: Arc<Watchlist>, agency: Arc<OwnAgency>, shutdown: Shutdown) {
    while !shutdown.is_stopping() {
        if let Err(fault) = tell_all(&watchlist, &agency, &shutdown).await {
            let agency = &agency.config.code;
            tracing::warn!(%agency, %fault, "the issuers of alerts are not told at which posts they are screened for: trying again");
        }
        tokio::select! {
            () = agency.to_tell.notified() => {}
            () = tokio::time::sleep(LOOKED_AT_EVERY) => {}
            () = shutdown.soft() => {}
        }
    }
}

/// An alert whose issuer is to be told.
struct Due {
    owner: AgencyCode,
    id: MessageId,
    version: u64,
    since: Timestamp,
}

impl Due {
    fn report(&self) -> Value {
        let mut report = json!({ "owner": self.owner, "id": self.id, "since": self.since });
        if self.version > 0 {
            report["version"] = json!(self.version);
        }
        report
    }
}

async fn tell_all(
    watchlist: &Watchlist,
    agency: &OwnAgency,
    shutdown: &Shutdown,
) -> Result<(), CoverageFault> {
    while !shutdown.is_stopping() {
        let mut conn = watchlist.store.read().acquire().await.map_err(DbError::from)?;
        let due = due(&mut conn, &agency.config.code).await?;
        drop(conn);
        if due.is_empty() {
            return Ok(());
        }
        let alerts: Vec<Value> = due.iter().map(Due::report).collect();
        let report = json!({ "posts": watchlist.posts, "alerts": alerts });
        let key = MessageId::draw(watchlist.now()).to_string();
        let _: BTreeMap<String, Value> =
            agency.gateway.post("/v1/screening/listed", &report, &key, watchlist.now()).await?;
        let code = agency.config.code.clone();
        let write = watchlist.store.write(move |tx| {
            async move {
                for told in &due {
                    told_of(tx, &code, told).await?;
                }
                Ok::<_, DbError>(())
            }
            .boxed()
        });
        write.await?;
    }
    Ok(())
}

/// What an agency has to tell, the oldest first.
pub(crate) const DUE: &str = "
    SELECT owner, case_id, version, since FROM coverage WHERE due = 1 AND agency = $1 ORDER BY since LIMIT $2";

async fn due(conn: &mut Conn, agency: &AgencyCode) -> Result<Vec<Due>, DbError> {
    let rows = sqlx::query(DUE).bind(agency.as_str()).bind(REPORTED_TOGETHER).fetch_all(conn).await?;
    let due = |row: &AnyRow| {
        Ok(Due {
            owner: row.parsed("owner")?,
            id: row.message_id("case_id")?,
            version: row.count("version")?,
            since: row.instant("since")?,
        })
    };
    rows.iter().map(due).collect()
}

/// Notes that the issuer was told, unless something else is to be told meanwhile.
async fn told_of(tx: &mut Conn, agency: &AgencyCode, told: &Due) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE coverage SET due = 0 WHERE agency = $1 AND owner = $2 AND case_id = $3 AND version = $4 AND since = $5",
    )
    .bind(agency.as_str())
    .bind(told.owner.as_str())
    .bind(told.id.as_bytes().to_vec())
    .bind(i64::try_from(told.version).unwrap_or(i64::MAX))
    .bind(told.since.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes what was told long ago.
pub(crate) async fn prune(tx: &mut Conn, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("DELETE FROM coverage WHERE due = 0 AND since < $1")
        .bind(now.minus(KEPT).as_micros())
        .execute(tx)
        .await?;
    Ok(())
}
