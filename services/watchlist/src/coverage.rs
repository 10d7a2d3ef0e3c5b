//! Tells the issuers of alerts at which border posts what crosses is screened for them, and since when it no longer is: the gateway signs it.
//!
//! What is to be told is in the store with the change itself, so that nothing that is killed forgets it. Told twice, the gateway says it
//! once.

use std::{sync::Arc, time::Duration};

use rovuma_api::answers::gateway::{SaidOfListed, ScreenedAlert};
use rovuma_runtime::Shutdown;
use rovuma_schemas::{AgencyCode, CaseId, MessageId, Timestamp, subjects::CrossingCode};
use rovuma_store::{Conn, FutureExt, RowExt, Store, WriteError};
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

/// How long it is kept what was said of an alert: longer than an alert is in force.
const KEPT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The version of an alert that was withdrawn.
const WITHDRAWN: i64 = 0;

/// The version of an alert of which nothing is said at present: time ended it, or it was never said.
const NOT_SCREENED: i64 = -1;

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

/// Notes an alert as an agency's gateway shows it, and as it is screened for: its issuer is told of the version that is, and of a withdrawal. Of
/// own alerts, and of one that cannot be found at a post, nobody is told: what was said before stays, until the alert ends. A withdrawal stands,
/// whatever comes later.
pub(crate) async fn note(
    tx: &mut Conn,
    agency: &AgencyCode,
    (alert, can_be_found): (&ScreenedAlert, bool),
    has_posts: bool,
    now: Timestamp,
) -> Result<(), DbError> {
    let is_reported = has_posts && alert.case.owner != *agency;
    let version = match alert.state.as_str() {
        "withdrawn" => WITHDRAWN,
        "active" if can_be_found => i64::from(alert.version),
        "active" | "suspended" => return forget_unsaid(tx, Some(agency), &alert.case).await,
        _ => NOT_SCREENED,
    };
    if version != WITHDRAWN && !is_reported {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO coverage (agency, owner, case_id, version, since, due) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (agency, owner, case_id)
         DO UPDATE SET version = excluded.version, since = excluded.since, due = excluded.due
         WHERE coverage.version <> excluded.version AND coverage.version <> 0",
    )
    .bind(agency.as_str())
    .bind(alert.case.owner.as_str())
    .bind(alert.case.id.as_bytes().to_vec())
    .bind(version)
    .bind(now.as_micros())
    .bind(i64::from(is_reported && version != NOT_SCREENED))
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether an agency of ours has the alert's withdrawal: then nobody here screens for it, though another's copy of it is still on its way.
pub(crate) const IS_WITHDRAWN: &str =
    "SELECT 1 FROM coverage WHERE owner = $1 AND case_id = $2 AND version = 0 LIMIT 1";

pub(crate) async fn is_withdrawn(conn: &mut Conn, case: &CaseId) -> Result<bool, DbError> {
    let query = sqlx::query(IS_WITHDRAWN).bind(case.owner.as_str()).bind(case.id.as_bytes().to_vec());
    Ok(query.fetch_optional(conn).await?.is_some())
}

/// The alerts for which an agency's posts said that they screen, a page after a row.
pub(crate) const IN_FORCE: &str = "
    SELECT owner, case_id FROM coverage
    WHERE agency = $1 AND version > 0 AND (owner, case_id) > ($2, $3) ORDER BY owner, case_id LIMIT $4";

/// Reads for which alerts an agency's posts said that they screen, after `after`.
pub(crate) async fn in_force(
    conn: &mut Conn,
    agency: &AgencyCode,
    after: Option<&(AgencyCode, MessageId)>,
    limit: i64,
) -> Result<Vec<(AgencyCode, MessageId)>, DbError> {
    let rows = sqlx::query(IN_FORCE)
        .bind(agency.as_str())
        .bind(after.map_or("", |(owner, _)| owner.as_str()))
        .bind(after.map(|(_, id)| id.as_bytes().to_vec()).unwrap_or_default())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok((row.parsed("owner")?, row.message_id("case_id")?))).collect()
}

/// Notes that an alert is not here any more, without a withdrawal: its issuer is told nothing.
pub(crate) async fn note_gone(
    tx: &mut Conn,
    agency: &AgencyCode,
    (owner, id): &(AgencyCode, MessageId),
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE coverage SET version = -1, due = 0 WHERE agency = $1 AND owner = $2 AND case_id = $3 AND version > 0",
    )
    .bind(agency.as_str())
    .bind(owner.as_str())
    .bind(id.as_bytes().to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

/// What is due of an alert, and not said yet, is not said: by this agency of ours, or by any.
pub(crate) async fn forget_unsaid(
    tx: &mut Conn,
    agency: Option<&AgencyCode>,
    case: &CaseId,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE coverage SET version = -1, due = 0
         WHERE owner = $1 AND case_id = $2 AND version > 0 AND (due + 0) = 1 AND ($3 = '' OR (agency || '') = $3)",
    )
    .bind(case.owner.as_str())
    .bind(case.id.as_bytes().to_vec())
    .bind(agency.map_or("", AgencyCode::as_str))
    .execute(tx)
    .await?;
    Ok(())
}

/// Compares the border posts of the configuration with those of which something was said: a post that is new says of every alert that it
/// screens for it. What a post said that is gone stands: nobody can take back since when it did.
pub(crate) async fn compare_posts(
    store: &Store,
    posts: &[CrossingCode],
    own: Vec<AgencyCode>,
    now: Timestamp,
) -> Result<(), WriteError<DbError>> {
    let posts: Vec<String> = posts.iter().map(|post| post.as_str().to_owned()).collect();
    let write = store.write(move |tx| {
        async move {
            let mut is_new = false;
            for post in &posts {
                let add =
                    sqlx::query("INSERT INTO covered_post (post) VALUES ($1) ON CONFLICT (post) DO NOTHING");
                is_new |= add.bind(post.as_str()).execute(&mut *tx).await?.rows_affected() == 1;
            }
            for agency in own.iter().filter(|_| is_new) {
                sqlx::query("UPDATE coverage SET due = 1, since = $2 WHERE agency = $1 AND version > 0")
                    .bind(agency.as_str())
                    .bind(now.as_micros())
                    .execute(&mut *tx)
                    .await?;
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await
}

/// Tells the issuers until the service stops.
pub(crate) async fn run(watchlist: Arc<Watchlist>, agency: Arc<OwnAgency>, shutdown: Shutdown) {
    while !shutdown.is_stopping() {
        if let Err(fault) = report_due(&watchlist, &agency, &shutdown).await {
            let agency = &agency.config.code;
            tracing::warn!(%agency, %fault, "the issuers of alerts are not told at which posts they are screened for: trying again");
        }
        tokio::select! {
            () = agency.to_report.notified() => {}
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
    fn is(&self, case: &CaseId) -> bool {
        case.owner == self.owner && case.id == self.id
    }

    fn report(&self) -> Value {
        let mut report = json!({ "owner": self.owner, "id": self.id, "since": self.since });
        if self.version > 0 {
            report["version"] = json!(self.version);
        }
        report
    }
}

async fn report_due(
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
        let said: SaidOfListed =
            agency.gateway.post("/v1/screening/listed", &report, &key, watchlist.now()).await?;
        let code = agency.config.code.clone();
        let write = watchlist.store.write(move |tx| {
            async move {
                for reported in &due {
                    let is_taken = said.taken.iter().any(|taken| reported.is(taken));
                    mark_reported(tx, &code, reported, is_taken).await?;
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

/// Notes what was reported, unless something else is to be reported meanwhile. What the gateway did not take is no longer its issuer's last
/// word, or its end has come: nothing was said, so that it is reported when the alert comes into force again.
async fn mark_reported(
    tx: &mut Conn,
    agency: &AgencyCode,
    reported: &Due,
    is_taken: bool,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE coverage SET due = 0, version = CASE WHEN $6 = 1 OR version = 0 THEN version ELSE -1 END
         WHERE agency = $1 AND owner = $2 AND case_id = $3 AND version = $4 AND since = $5",
    )
    .bind(agency.as_str())
    .bind(reported.owner.as_str())
    .bind(reported.id.as_bytes().to_vec())
    .bind(i64::try_from(reported.version).unwrap_or(i64::MAX))
    .bind(reported.since.as_micros())
    .bind(i64::from(is_taken))
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
