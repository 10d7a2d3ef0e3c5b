//! Migrations: each crate and service brings its own, in a range of versions of its own, per database.

use std::collections::BTreeMap;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::{Conn, OpenError};

/// One step of a database's schema.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its place: store and trail 1xx, outbox 2xx, a service from 1001.
    pub version: i64,
    /// What it brings.
    pub name: &'static str,
    /// The statements, run in one transaction.
    pub sql: &'static str,
}

/// The steps that one crate or service brings, for each database.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// For SQLite.
    pub sqlite: &'static [Step],
}

/// The store's own tables.
pub(crate) const OWN: Migrations = Migrations {
    sqlite: &[Step { version: 101, name: "store", sql: include_str!("../migrations/sqlite/101_store.sql") }],
};

/// Brings the database up to the newest step of every set. Steps that a newer build has applied are
/// left alone, so that the older build still runs on them.
pub(crate) async fn run(conn: &mut Conn, sets: &[Migrations]) -> Result<(), OpenError> {
    let mut migrator = Migrator::with_migrations(merge(sets)?);
    migrator.set_ignore_missing(true);
    migrator.run_direct(None, conn, false).await?;
    Ok(())
}

fn merge(sets: &[Migrations]) -> Result<Vec<Migration>, OpenError> {
    let mut merged: BTreeMap<i64, Step> = BTreeMap::new();
    for step in OWN.sqlite.iter().chain(sets.iter().flat_map(|set| set.sqlite)) {
        if let Some(other) = merged.insert(step.version, *step) {
            return Err(OpenError::VersionTaken {
                version: step.version,
                first: other.name,
                second: step.name,
            });
        }
    }
    Ok(merged.into_values().map(to_sqlx).collect())
}

fn to_sqlx(step: Step) -> Migration {
    let sql = SqlSafeStr::into_sql_str(step.sql);
    Migration::new(step.version, step.name.into(), MigrationType::Simple, sql, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_version_belongs_to_one_step() {
        const CLASH: Migrations = Migrations { sqlite: &[Step { version: 101, name: "clash", sql: "" }] };
        let refused = merge(&[CLASH]).expect_err("101 is the store's");
        assert!(matches!(refused, OpenError::VersionTaken { version: 101, .. }), "{refused}");
    }
}
