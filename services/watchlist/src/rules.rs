//! The rules in the store: proposed by one person, in force once another approves.

use std::sync::Arc;

use rovuma_api::answers::watchlist::{RuleProposal, RuleRow};
use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::{
    error::DbError,
    screening::{Rule, RuleCode, Rules},
};

/// The versions that are the last of their rule: the last approved one, and a proposal after it.
const LAST: &str = "
    SELECT code, version, forwards, reason, proposed_by, proposed_at, approved_by, approved_at FROM rule_version AS r
    WHERE version >= (SELECT coalesce(max(version), 0) FROM rule_version WHERE code = r.code AND approved_by IS NOT NULL)
    ORDER BY code, version";

/// A version of a rule as it is kept.
#[derive(Clone, Debug)]
struct Version {
    rule: Rule,
    reason: String,
    proposed_by: String,
    proposed_at: Timestamp,
    approved_by: Option<String>,
    approved_at: Option<Timestamp>,
}

/// The rules in force.
pub(crate) async fn in_force(conn: &mut Conn) -> Result<Arc<Rules>, DbError> {
    let approved = versions(conn).await?.into_iter().filter(|version| version.approved_by.is_some());
    Ok(Arc::new(Rules::new(approved.map(|version| version.rule).collect())))
}

/// Every rule, with the proposal that waits for a second person.
pub(crate) async fn rows(conn: &mut Conn) -> Result<Vec<RuleRow>, DbError> {
    let versions = versions(conn).await?;
    let rules = in_force(conn).await?;
    let row = |rule: &Rule| {
        let of_rule = || versions.iter().filter(|version| version.rule.code == rule.code);
        let approved = of_rule().find(|version| version.approved_by.is_some());
        let proposal = of_rule().rfind(|version| version.approved_by.is_none());
        RuleRow {
            code: rule.code.as_str().to_owned(),
            version: rule.version,
            forwards: rule.forwards,
            reason: approved.map(|version| version.reason.clone()),
            proposed_by: approved.map(|version| version.proposed_by.clone()),
            approved_by: approved.and_then(|version| version.approved_by.clone()),
            approved_at: approved.and_then(|version| version.approved_at),
            proposal: proposal.map(|version| RuleProposal {
                version: version.rule.version,
                forwards: version.rule.forwards,
                reason: version.reason.clone(),
                proposed_by: version.proposed_by.clone(),
                proposed_at: version.proposed_at,
            }),
        }
    };
    Ok(rules.all().iter().map(row).collect())
}

async fn versions(conn: &mut Conn) -> Result<Vec<Version>, DbError> {
    let rows = sqlx::query(LAST).fetch_all(conn).await?;
    // A rule of a later version of this service has no part here.
    let known = rows.iter().filter_map(|row| version(row).transpose());
    known.collect()
}

fn version(row: &AnyRow) -> Result<Option<Version>, DbError> {
    let Some(code) = RuleCode::from_word(row.try_get("code")?) else { return Ok(None) };
    let version = u32::try_from(row.count("version")?).map_err(|fault| DbError::damaged("rule", fault))?;
    Ok(Some(Version {
        rule: Rule { code, version, forwards: row.count("forwards")? != 0 },
        reason: row.try_get("reason")?,
        proposed_by: row.try_get("proposed_by")?,
        proposed_at: row.instant("proposed_at")?,
        approved_by: row.try_get("approved_by")?,
        approved_at: row.opt_instant("approved_at")?,
    }))
}

/// Proposes a change, in the place of a proposal that nobody has approved. Returns its version.
pub(crate) async fn propose(
    tx: &mut Conn,
    code: RuleCode,
    forwards: bool,
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<u32, DbError> {
    // A number of its own for each proposal: what is approved is what was read.
    let row = sqlx::query("SELECT coalesce(max(version), 1) + 1 AS next FROM rule_version WHERE code = $1")
        .bind(code.as_str())
        .fetch_one(&mut *tx)
        .await?;
    let version = u32::try_from(row.count("next")?).map_err(|fault| DbError::damaged("rule", fault))?;
    sqlx::query(
        "INSERT INTO rule_version (code, version, forwards, reason, proposed_by, proposed_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(code.as_str())
    .bind(i64::from(version))
    .bind(i64::from(forwards))
    .bind(reason)
    .bind(by)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(version)
}

/// What became of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    /// The version is in force.
    Approved,
    /// Nothing is proposed, or another version than the one that was read.
    NothingProposed,
    /// The proposer cannot approve.
    OwnProposal,
}

/// Approves the proposal of this version.
pub(crate) async fn approve(
    tx: &mut Conn,
    code: RuleCode,
    wanted: u32,
    by: &str,
    now: Timestamp,
) -> Result<Approval, DbError> {
    let proposed = |version: &Version| version.rule.code == code && version.approved_by.is_none();
    let last = versions(tx).await?.into_iter().rev().find(proposed);
    let Some(proposal) = last.filter(|version| version.rule.version == wanted) else {
        return Ok(Approval::NothingProposed);
    };
    if proposal.proposed_by == by {
        return Ok(Approval::OwnProposal);
    }
    sqlx::query(
        "UPDATE rule_version SET approved_by = $3, approved_at = $4 WHERE code = $1 AND version = $2",
    )
    .bind(code.as_str())
    .bind(i64::from(wanted))
    .bind(by)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(Approval::Approved)
}
