//! What is expected at a border post: what an alert of ours is about left the other country there, as a hit that was reported to us says, and has
//! not come to us yet. A ferry takes 45 minutes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use rovuma_api::answers::gateway::HitOnAlert;
use rovuma_schemas::{AgencyCode, CaseId, MessageId, Timestamp, hit::Direction};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};
use sqlx::{Row, any::AnyRow};

use crate::{
    at_rest::AtRest,
    entries::{self, ALERTS},
    error::DbError,
    hits,
    screening::{Listed, normal},
    watchlist::Watchlist,
};

/// How long it is expected, from when it was found: as long as the gateway lists hits.
pub(crate) const EXPECTED_FOR: Duration = Duration::from_secs(6 * 60 * 60);

/// What is kept of one reporter for one agency, and read of it: more than a post can look out for. Beyond, the oldest goes, and only that
/// reporter's.
const OF_REPORTER_MAX: i64 = 256;

/// What is shown of one reporter: whoever reports a whole series hides nothing that others report.
const SHOWN_OF_REPORTER_MAX: usize = 25;

/// What is read of one post: all that ten reporters may have there.
const READ_MAX: i64 = 10 * OF_REPORTER_MAX;

/// What is shown of one post: nobody looks out for more.
const SHOWN_MAX: usize = 100;

/// What is expected at a post.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The hit that says so.
    pub(crate) hit: HitOnAlert,
    /// The number that was found, as numbers are compared.
    pub(crate) number: String,
    /// Until when it is expected.
    pub(crate) until: Timestamp,
    /// The alert, in the views of all agencies of ours.
    pub(crate) alert: Listed,
}

/// Keeps hits on alerts of this agency as its gateway says they are.
pub(crate) async fn take(
    watchlist: &Watchlist,
    agency: &AgencyCode,
    hits: Vec<HitOnAlert>,
) -> Result<(), WriteError<DbError>> {
    if hits.is_empty() {
        return Ok(());
    }
    let (posts, agency, now) = (watchlist.posts.clone(), agency.clone(), watchlist.now());
    let at_rest = Arc::clone(&watchlist.at_rest);
    let write = watchlist.store.write(move |tx| {
        async move {
            for hit in hits {
                let until = until(&hit, now);
                let is_ours = posts.iter().any(|post| post.as_str() == hit.post);
                if is_ours && is_coming(&hit, &agency) && until > now {
                    put(tx, &at_rest, &agency, &hit, until).await?;
                } else {
                    remove(tx, &agency, &hit.case).await?;
                }
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await
}

/// Whether what was found is on its way into this agency's country. What was seized, and what turned out to be something else, is not.
fn is_coming(hit: &HitOnAlert, agency: &AgencyCode) -> bool {
    let is_leaving = hit.direction == Direction::Exit && hit.case.owner.country() != agency.country();
    is_leaving && hit.stands && hit.state != "action" && hit.state != "closed"
}

/// Until when it is expected. A reporter whose clock is ahead, or who says so, does not keep it longer.
fn until(hit: &HitOnAlert, now: Timestamp) -> Timestamp {
    hit.found_at.min(now).plus(EXPECTED_FOR)
}

async fn put(
    tx: &mut Conn,
    at_rest: &AtRest,
    agency: &AgencyCode,
    hit: &HitOnAlert,
    until: Timestamp,
) -> Result<(), DbError> {
    let body = serde_json::to_string(hit).map_err(|fault| DbError::damaged("expected hit", fault))?;
    sqlx::query(
        "INSERT INTO expected (agency, owner, case_id, post, until, body) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (agency, owner, case_id) DO UPDATE
         SET post = $4, until = CASE WHEN expected.until < $5 THEN expected.until ELSE $5 END, body = $6",
    )
    .bind(agency.as_str())
    .bind(hit.case.owner.as_str())
    .bind(hit.case.id.as_bytes().to_vec())
    .bind(hit.post.as_str())
    .bind(until.as_micros())
    .bind(at_rest.write(body, &place(hit.case.id))?)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "DELETE FROM expected WHERE agency = $1 AND owner = $2 AND (until, case_id) < (
             SELECT until, case_id FROM expected WHERE agency = $1 AND owner = $2
             ORDER BY until DESC, case_id DESC LIMIT 1 OFFSET $3)",
    )
    .bind(agency.as_str())
    .bind(hit.case.owner.as_str())
    .bind(OF_REPORTER_MAX - 1)
    .execute(tx)
    .await?;
    Ok(())
}

async fn remove(tx: &mut Conn, agency: &AgencyCode, hit: &CaseId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM expected WHERE agency = $1 AND owner = $2 AND case_id = $3")
        .bind(agency.as_str())
        .bind(hit.owner.as_str())
        .bind(hit.id.as_bytes().to_vec())
        .execute(tx)
        .await?;
    Ok(())
}

/// Removes what an agency's gateway, asked for all, did not name.
pub(crate) async fn forget_others(
    watchlist: &Watchlist,
    agency: &AgencyCode,
    seen: BTreeSet<CaseId>,
) -> Result<(), WriteError<DbError>> {
    let agency = agency.clone();
    let write = watchlist.store.write(move |tx| {
        async move {
            let rows = sqlx::query("SELECT owner, case_id FROM expected WHERE agency = $1")
                .bind(agency.as_str())
                .fetch_all(&mut *tx)
                .await?;
            for row in &rows {
                let hit = CaseId {
                    kind: "hit".to_owned(),
                    owner: row.parsed("owner")?,
                    id: row.message_id("case_id")?,
                };
                if !seen.contains(&hit) {
                    remove(tx, &agency, &hit).await?;
                }
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await
}

/// What was reported towards a post and is not past its time, the last first.
pub(crate) const AT_POST: &str =
    "SELECT case_id, until, body FROM expected WHERE post = $1 AND until > $2 ORDER BY until DESC LIMIT $3";

/// Whether something was found here: by number, at a post, at an instant or later. What is only alike may be somebody else.
pub(crate) const HAS_COME: &str = "SELECT 1 FROM hit WHERE about = $1 AND last_at >= $2 AND (post || '') = $3 AND state NOT IN ('review', 'rejected') LIMIT 1";

/// What is expected at a post at `now`, the last found first: each number of each alert once, of alerts that are in force and have that number,
/// and nothing that has come.
pub(crate) async fn at(
    watchlist: &Watchlist,
    conn: &mut Conn,
    post: &str,
    now: Timestamp,
) -> Result<Vec<Expected>, DbError> {
    let query = sqlx::query(AT_POST).bind(post).bind(now.as_micros()).bind(READ_MAX);
    let (mut expected, mut known, mut of_reporter) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
    for row in &query.fetch_all(&mut *conn).await? {
        let Some((until, hit)) = read(row, &watchlist.at_rest)? else { continue };
        let shown: &mut usize = of_reporter.entry(hit.case.owner.clone()).or_default();
        let Some(number) = hit.value.as_deref().and_then(normal) else { continue };
        let about = hits::about(ALERTS, &entries::record_of(&hit.alert), &number);
        if *shown >= SHOWN_OF_REPORTER_MAX || !known.insert(about.clone()) {
            continue;
        }
        let alert = entries::alert(conn, &watchlist.at_rest, &hit.alert, watchlist.own()).await?;
        // Whoever reports what the alert does not have fills no list.
        let Some(alert) = alert.filter(|alert| alert.is_live(now) && alert.has(&number)) else { continue };
        let mark = watchlist.at_rest.mark(&about);
        let come =
            sqlx::query(HAS_COME).bind(mark.as_ref()).bind(until.minus(EXPECTED_FOR).as_micros()).bind(post);
        if come.fetch_optional(&mut *conn).await?.is_none() {
            *shown += 1;
            expected.push(Expected { hit, number, until, alert });
        }
        if expected.len() == SHOWN_MAX {
            break;
        }
    }
    Ok(expected)
}

/// One that does not read back hides no other.
fn read(row: &AnyRow, at_rest: &AtRest) -> Result<Option<(Timestamp, HitOnAlert)>, DbError> {
    let (body, case): (&str, MessageId) = (row.try_get("body")?, row.message_id("case_id")?);
    let hit = at_rest.read(body, &place(case)).and_then(|body| {
        serde_json::from_str(&body).map_err(|fault| DbError::damaged("expected hit", fault))
    });
    match hit {
        Ok(hit) => Ok(Some((row.instant("until")?, hit))),
        Err(fault) => {
            tracing::error!(%fault, "something that is expected at a post cannot be read back");
            Ok(None)
        }
    }
}

/// The place of an expected hit's body, where it is sealed.
fn place(hit: MessageId) -> String {
    format!("expected {hit}")
}

/// Removes what is no longer expected.
pub(crate) async fn prune(tx: &mut Conn, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("DELETE FROM expected WHERE until <= $1").bind(now.as_micros()).execute(tx).await?;
    Ok(())
}
