//! Holds cases back from erasure, lets them go, and lists what will be erased and what is held back.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, CaseId, Timestamp, audit::AuditAction};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use super::due::{self, QUIET_FOR};
use crate::{
    audit,
    base::Base,
    cases::{kept::CaseKey, project::NEVER},
    error::DbError,
    events::EventKind,
};

/// A hold of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// A code of the list `retention_grounds`.
    pub(crate) ground: String,
    /// The file or decision behind it.
    pub(crate) reason: String,
    /// The first instant at which it no longer holds.
    pub(crate) until: Timestamp,
    /// The subject who set it.
    pub(crate) set_by: String,
    /// When the hold was set.
    pub(crate) set_at: Timestamp,
}

/// What retention does with a case.
#[derive(Clone, Debug)]
pub(crate) struct CaseRetention {
    /// The case.
    pub(crate) case: CaseId,
    /// Its state.
    pub(crate) state: String,
    /// How many messages it has.
    pub(crate) messages: u64,
    /// The end of the last day on which its data may be kept.
    pub(crate) retain_until: Option<Timestamp>,
    /// When its content is to be erased; none while no end is known.
    pub(crate) erase_at: Option<Timestamp>,
    /// Whether a message of ours in it has no receipt yet, which erasure waits for.
    pub(crate) is_unsettled: bool,
    /// Whether the next run erases it.
    pub(crate) is_due: bool,
    /// The hold that keeps it from being erased.
    pub(crate) hold: Option<Hold>,
}

/// What retention does with the cases of an agency.
#[derive(Debug, Default)]
pub(crate) struct Outlook {
    /// How many cases are to be erased by the instant asked for and are not held back.
    pub(crate) upcoming_count: u64,
    /// The first of them.
    pub(crate) upcoming: Vec<CaseRetention>,
    /// How many cases are held back.
    pub(crate) held_count: u64,
    /// Those whose holds end first.
    pub(crate) held: Vec<CaseRetention>,
}

/// Maximum cases that an outlook names of each kind.
const NAMED_MAX: i64 = 200;

/// `$1` is the present time. The subqueries of a hold are answered from the key of its table.
macro_rules! columns {
    () => {
        concat!(
            "f.kind, f.owner, f.case_id, f.messages, f.retain_until, f.erase_at, f.changed_at,
             CASE WHEN f.until_at > $1 THEN f.state WHEN f.until_2 > $1 THEN f.state_2 ELSE f.state_3 END AS state_now,
             CASE WHEN ",
            due::unsettled_copy!(),
            " IS NULL THEN 0 ELSE 1 END AS unsettled, held.ground, held.reason, held.until_at AS held_until, held.set_by, held.set_at"
        )
    };
}

/// Conditions on the cases of `$2` that are to be erased by `$3`. The agency is written so that no index of it tempts the database away
/// from that of the time.
macro_rules! upcoming {
    () => {
        concat!(
            "f.erased_at IS NULL AND f.erase_at <= $3 AND (f.agency || '') = $2 AND ",
            due::live_hold!(),
            " IS NULL"
        )
    };
}

/// The cases that are to be erased, the first ones first.
pub(crate) const UPCOMING: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM case_file AS f LEFT JOIN case_hold AS held ON held.agency = f.agency AND held.owner = f.owner
        AND held.case_id = f.case_id AND held.kind = f.kind AND held.until_at > $1
      WHERE ",
    upcoming!(),
    " ORDER BY f.erase_at LIMIT $4"
);

/// How many they are.
pub(crate) const UPCOMING_COUNT: &str =
    concat!("SELECT COUNT(*) AS cases FROM case_file AS f WHERE ", upcoming!());

/// The cases that are held back.
pub(crate) const HELD: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM case_hold AS held CROSS JOIN case_file AS f
      WHERE held.agency = $2 AND held.until_at > $1 AND f.agency = held.agency AND f.owner = held.owner
        AND f.case_id = held.case_id AND f.kind = held.kind AND f.erased_at IS NULL ORDER BY held.until_at LIMIT $3"
);

/// How many they are.
pub(crate) const HELD_COUNT: &str = "
    SELECT COUNT(*) AS cases FROM case_hold AS held CROSS JOIN case_file AS f
    WHERE held.agency = $2 AND held.until_at > $1 AND f.agency = held.agency AND f.owner = held.owner
      AND f.case_id = held.case_id AND f.kind = held.kind AND f.erased_at IS NULL";

/// One case.
pub(crate) const ONE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM case_file AS f LEFT JOIN case_hold AS held ON held.agency = f.agency AND held.owner = f.owner
        AND held.case_id = f.case_id AND held.kind = f.kind AND held.until_at > $1
      WHERE f.agency = $2 AND f.owner = $3 AND f.case_id = $4 AND f.kind = $5"
);

/// What retention does with the cases of the permit's agency by `until`.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn outlook(
    conn: &mut Conn,
    permit: &Permit<act::RetentionRead>,
    until: Timestamp,
    now: Timestamp,
) -> Result<Outlook, DbError> {
    let agency = permit.resource().owner();
    let about = |statement: &'static str| sqlx::query(statement).bind(now.as_micros()).bind(agency.as_str());
    let by = until.as_micros();
    let upcoming = about(UPCOMING).bind(by).bind(NAMED_MAX).fetch_all(&mut *conn).await?;
    let upcoming_count = about(UPCOMING_COUNT).bind(by).fetch_one(&mut *conn).await?.count("cases")?;
    let held = about(HELD).bind(NAMED_MAX).fetch_all(&mut *conn).await?;
    let held_count = about(HELD_COUNT).fetch_one(&mut *conn).await?.count("cases")?;
    Ok(Outlook {
        upcoming_count,
        upcoming: upcoming.iter().map(|row| read(row, now)).collect::<Result<_, _>>()?,
        held_count,
        held: held.iter().map(|row| read(row, now)).collect::<Result<_, _>>()?,
    })
}

/// What retention does with one case.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn one(
    conn: &mut Conn,
    key: &CaseKey,
    now: Timestamp,
) -> Result<Option<CaseRetention>, DbError> {
    let query = key.bind(sqlx::query(ONE).bind(now.as_micros()));
    query.fetch_optional(conn).await?.as_ref().map(|row| read(row, now)).transpose()
}

/// Holds the case back from erasure, in place of a hold that it has, and records it.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn hold(
    tx: &mut Conn,
    base: &Base,
    permit: &Permit<act::CaseHold>,
    key: &CaseKey,
    hold: &Hold,
) -> Result<(), DbError> {
    let query = sqlx::query(
        "INSERT INTO case_hold (agency, owner, case_id, kind, ground, reason, until_at, set_by, set_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (agency, owner, case_id, kind) DO UPDATE SET
             ground = excluded.ground, reason = excluded.reason, until_at = excluded.until_at, set_by = excluded.set_by,
             set_at = excluded.set_at",
    );
    key.bind(query)
        .bind(hold.ground.as_str())
        .bind(hold.reason.as_str())
        .bind(hold.until.as_micros())
        .bind(hold.set_by.as_str())
        .bind(hold.set_at.as_micros())
        .execute(&mut *tx)
        .await?;
    // The reason is free text, so the log has the ground and the end.
    let event = audit::by(permit.actor(), AuditAction::CaseHold, hold.set_at)
        .object("case", key.case())
        .detail("ground", &hold.ground)
        .detail("until", hold.until);
    base.trail.record(tx, &event).await?;
    changed(tx, base, &key.agency, key, hold.set_at);
    Ok(())
}

/// Lets the case go, and records it. Returns whether it was held back.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn free(
    tx: &mut Conn,
    base: &Base,
    permit: &Permit<act::CaseHold>,
    key: &CaseKey,
    now: Timestamp,
) -> Result<bool, DbError> {
    let query = sqlx::query(
        "DELETE FROM case_hold WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4 AND until_at > $5",
    );
    let freed = key.bind(query).bind(now.as_micros()).execute(&mut *tx).await?.rows_affected() > 0;
    if freed {
        let event = audit::by(permit.actor(), AuditAction::CaseFree, now).object("case", key.case());
        base.trail.record(tx, &event).await?;
        changed(tx, base, &key.agency, key, now);
    }
    Ok(freed)
}

fn changed(tx: &mut Conn, base: &Base, agency: &AgencyCode, key: &CaseKey, now: Timestamp) {
    base.events.record(tx, agency, EventKind::CaseChanged, Some(&key.id), 0, now);
}

fn read(row: &AnyRow, now: Timestamp) -> Result<CaseRetention, DbError> {
    let instant = |column: &str| {
        let micros: i64 = row.try_get(column)?;
        (micros != NEVER).then(|| row.instant(column)).transpose()
    };
    let hold = match row.try_get::<Option<String>, _>("ground")? {
        Some(ground) => Some(Hold {
            ground,
            reason: row.try_get("reason")?,
            until: row.instant("held_until")?,
            set_by: row.try_get("set_by")?,
            set_at: row.instant("set_at")?,
        }),
        None => None,
    };
    let (erase_at, is_unsettled) = (instant("erase_at")?, row.count("unsettled")? == 1);
    let is_quiet = row.instant("changed_at")? <= now.minus(QUIET_FOR);
    let is_over = erase_at.is_some_and(|at| at <= now);
    Ok(CaseRetention {
        case: CaseId {
            kind: row.try_get("kind")?,
            owner: row.parsed("owner")?,
            id: row.message_id("case_id")?,
        },
        state: row.try_get("state_now")?,
        messages: row.count("messages")?,
        retain_until: instant("retain_until")?,
        erase_at,
        is_unsettled,
        is_due: is_over && is_quiet && !is_unsettled && hold.is_none(),
        hold,
    })
}
