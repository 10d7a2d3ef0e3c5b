//! Migrations: each crate and service brings its own, in a range of versions of its own, per database.

use std::collections::BTreeMap;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::{Conn, OpenError, database::Database};

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
    /// For PostgreSQL: the same tables and columns.
    pub postgres: &'static [Step],
}

/// The steps in a crate's folder `migrations`, each there for both databases: `migrations!(111 "trail")` is
/// `sqlite/111_trail.sql` and `postgres/111_trail.sql`.
#[macro_export]
macro_rules! migrations {
    (@step $database:literal $version:literal $name:literal) => {
        $crate::Step {
            version: $version,
            name: $name,
            sql: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/migrations/", $database, "/", $version, "_", $name, ".sql"
            )),
        }
    };
    ($($version:literal $name:literal),+) => {
        $crate::Migrations {
            sqlite: &[$($crate::migrations!(@step "sqlite" $version $name)),+],
            postgres: &[$($crate::migrations!(@step "postgres" $version $name)),+],
        }
    };
}

/// The store's own tables.
pub(crate) const OWN: Migrations = crate::migrations!(101 "store", 102 "witness");

/// Brings the database up to the newest step of every set. Steps that a newer build has applied are
/// left alone, so that the older build still runs on them.
pub(crate) async fn run(conn: &mut Conn, database: &Database, sets: &[Migrations]) -> Result<(), OpenError> {
    let steps = std::iter::once(&OWN).chain(sets).flat_map(|set| database.steps(set));
    let mut migrator = Migrator::with_migrations(merge(steps)?);
    migrator.set_ignore_missing(true);
    migrator.run_direct(None, conn.plain(), false).await?;
    Ok(())
}

fn merge(steps: impl Iterator<Item = &'static Step>) -> Result<Vec<Migration>, OpenError> {
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
        const CLASH: &[Step] = &[Step { version: 101, name: "clash", sql: "" }];
        let refused = merge(OWN.sqlite.iter().chain(CLASH)).expect_err("101 is the store's");
        assert!(matches!(refused, OpenError::VersionTaken { version: 101, .. }), "{refused}");
    }
}
