//! Migrations: each crate and service brings its own, in a range of versions of its own, written once for both databases.

mod dialect;

use std::collections::BTreeMap;

use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

pub(crate) use dialect::Dialect;
pub use dialect::DialectError;

use crate::{Conn, OpenError};

/// One step of a database's schema.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its position in the order of all steps: store and trail 1xx, outbox 2xx, a service from 1001.
    pub version: i64,
    /// Its name, as in its file's name.
    pub name: &'static str,
    /// Its statements, run in one transaction. They are SQL that both databases understand, with `BYTES`, `INTEGER_KEY`
    /// and `SERIAL_KEY` where their types differ, and blocks from `--@ only sqlite` or `--@ only postgres` to `--@ end`
    /// for what only one of them has.
    pub sql: &'static str,
}

/// The steps that one crate or service brings.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// The steps.
    pub steps: &'static [Step],
}

/// The steps in a crate's folder `migrations`: `migrations!(111 "trail")` is `111_trail.sql`.
#[macro_export]
macro_rules! migrations {
    ($($version:literal $name:literal),+) => {
        $crate::Migrations {
            steps: &[$($crate::Step {
                version: $version,
                name: $name,
                sql: include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/migrations/", $version, "_", $name, ".sql"
                )),
            }),+],
        }
    };
}

/// The store's own tables.
pub(crate) const OWN: Migrations = crate::migrations!(101 "store");

/// Brings the database up to the newest step of every set. Steps that a newer build has applied are
/// left alone, so that the older build still runs on them.
pub(crate) async fn run(conn: &mut Conn, dialect: Dialect, sets: &[Migrations]) -> Result<(), OpenError> {
    let steps = std::iter::once(&OWN).chain(sets).flat_map(|set| set.steps);
    let mut migrator = Migrator::with_migrations(merge(steps, dialect)?);
    migrator.set_ignore_missing(true);
    Ok(conn.migrate(&migrator).await?)
}

fn merge(steps: impl Iterator<Item = &'static Step>, dialect: Dialect) -> Result<Vec<Migration>, OpenError> {
    let mut merged: BTreeMap<i64, Step> = BTreeMap::new();
    for step in steps {
        if let Some(other) = merged.insert(step.version, *step) {
            return Err(OpenError::VersionTaken {
                version: step.version,
                first: other.name,
                second: step.name,
            });
        }
    }
    merged.into_values().map(|step| to_sqlx(step, dialect)).collect()
}

fn to_sqlx(step: Step, dialect: Dialect) -> Result<Migration, OpenError> {
    let Step { version, name, sql } = step;
    let sql = dialect.render(sql).map_err(|source| OpenError::Dialect { version, name, source })?;
    // Rendered from a constant of this build: no value comes into it.
    let sql = AssertSqlSafe(sql).into_sql_str();
    Ok(Migration::new(version, name.into(), MigrationType::Simple, sql, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_version_belongs_to_one_step() {
        const CLASH: &[Step] = &[Step { version: 101, name: "clash", sql: "" }];
        let refused = merge(OWN.steps.iter().chain(CLASH), Dialect::Sqlite).expect_err("101 is the store's");
        assert!(matches!(refused, OpenError::VersionTaken { version: 101, .. }), "{refused}");
    }
}
