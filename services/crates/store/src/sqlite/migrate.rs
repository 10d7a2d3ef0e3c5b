//! Applies sqlx's migrations to a file.

use std::time::{Duration, Instant};

use futures::{FutureExt, future::BoxFuture};
use sqlx::{
    AssertSqlSafe, Row, SqlSafeStr, SqlStr,
    migrate::{AppliedMigration, Migrate, MigrateError, Migration},
};

use super::connection::FileConnection;
use crate::statement::{RowsWanted, Statement, StatementOutput};

impl FileConnection {
    fn batch(&mut self, text: SqlStr) -> sqlx::Result<StatementOutput> {
        self.run(&Statement::without_values(text), RowsWanted::Effect)
    }

    /// Runs a text that has the name of the table of migrations in it, and no value.
    fn on_table(&mut self, text: String) -> sqlx::Result<StatementOutput> {
        self.run(&Statement::of(sqlx::query(AssertSqlSafe(text)))?, RowsWanted::All)
    }

    fn apply_in_transaction(&mut self, table: &str, migration: &Migration) -> Result<(), MigrateError> {
        let fault = |fault| MigrateError::ExecuteMigration(fault, migration.version);
        self.batch("BEGIN IMMEDIATE".into_sql_str())?;
        self.batch(migration.sql.clone()).map_err(fault)?;
        let text = format!("INSERT INTO {table} (version, description, checksum) VALUES ($1, $2, $3)");
        let note = sqlx::query(AssertSqlSafe(text))
            .bind(migration.version)
            .bind(migration.description.to_string())
            .bind(migration.checksum.to_vec());
        self.run(&Statement::of(note)?, RowsWanted::Effect)?;
        self.batch("COMMIT".into_sql_str())?;
        Ok(())
    }
}

/// A step that failed is rolled back whole: no file has half of one. The file's lock keeps other processes away.
impl Migrate for FileConnection {
    fn create_schema_if_not_exists<'e>(
        &'e mut self,
        name: &'e str,
    ) -> BoxFuture<'e, Result<(), MigrateError>> {
        async move { Err(MigrateError::CreateSchemasNotSupported(format!("a file has no schema {name}"))) }
            .boxed()
    }

    fn ensure_migrations_table<'e>(&'e mut self, table: &'e str) -> BoxFuture<'e, Result<(), MigrateError>> {
        async move {
            self.on_table(format!(
                "CREATE TABLE IF NOT EXISTS {table} (
                     version INTEGER PRIMARY KEY, description TEXT NOT NULL, checksum BLOB NOT NULL)"
            ))?;
            Ok(())
        }
        .boxed()
    }

    fn dirty_version<'e>(&'e mut self, _table: &'e str) -> BoxFuture<'e, Result<Option<i64>, MigrateError>> {
        async { Ok(None) }.boxed()
    }

    fn list_applied_migrations<'e>(
        &'e mut self,
        table: &'e str,
    ) -> BoxFuture<'e, Result<Vec<AppliedMigration>, MigrateError>> {
        async move {
            let applied = self.on_table(format!("SELECT version, checksum FROM {table} ORDER BY version"))?;
            let migration = |row: &sqlx::any::AnyRow| {
                let checksum: Vec<u8> = row.try_get("checksum")?;
                Ok(AppliedMigration { version: row.try_get("version")?, checksum: checksum.into() })
            };
            applied.rows.iter().map(migration).collect()
        }
        .boxed()
    }

    fn lock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        async { Ok(()) }.boxed()
    }

    fn unlock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        async { Ok(()) }.boxed()
    }

    fn apply<'e>(
        &'e mut self,
        table: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        async move {
            let began = Instant::now();
            let applied = self.apply_in_transaction(table, migration);
            if applied.is_err() {
                // SQLite may have rolled back by itself, and then refuses this.
                let _ = self.batch("ROLLBACK".into_sql_str());
            }
            applied.map(|()| began.elapsed())
        }
        .boxed()
    }

    fn revert<'e>(
        &'e mut self,
        _: &'e str,
        step: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        async move { Err(MigrateError::VersionNotPresent(step.version)) }.boxed()
    }
}
