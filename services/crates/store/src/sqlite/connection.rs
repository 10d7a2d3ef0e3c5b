//! A connection to a SQLite file. It answers on the thread that asks: handing a statement to another thread and its rows
//! back costs more than most statements.

use std::{path::Path, sync::Arc, time::Instant};

use rusqlite::{CachedStatement, OpenFlags, config::DbConfig, types::ValueRef};
use sqlx::any::{AnyQueryResult, AnyRow, AnyTypeInfo, AnyTypeInfoKind, AnyValue};
use sqlx_core::{
    HashMap,
    any::{AnyColumn, AnyValueKind},
    ext::ustr::UStr,
};
use tracing::warn;

use super::{BUSY_TIMEOUT, SLOW_STATEMENT, STATEMENTS_PREPARED, error::to_sqlx};
use crate::statement::{RowsWanted, Statement, StatementOutput};

/// A connection to the file of a store.
#[derive(Debug)]
pub(crate) struct FileConnection(rusqlite::Connection);

impl FileConnection {
    /// Opens the file, which must be there.
    pub(crate) fn open(path: &Path) -> sqlx::Result<Self> {
        // One caller at a time has the connection: SQLite need not lock it.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let inner = rusqlite::Connection::open_with_flags(path, flags).map_err(to_sqlx)?;
        inner.busy_timeout(BUSY_TIMEOUT).map_err(to_sqlx)?;
        inner.set_prepared_statement_cache_capacity(STATEMENTS_PREPARED);
        // A plan does not depend on values. Otherwise a statement beside a partial index is prepared again for each new value, which
        // takes longer than to run it.
        inner.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(to_sqlx)?;
        Ok(Self(inner))
    }

    /// Runs a statement and reads the rows that are wanted.
    pub(crate) fn run(&mut self, statement: &Statement, wanted: RowsWanted) -> sqlx::Result<StatementOutput> {
        let began = Instant::now();
        let answer = self.answer(statement, wanted);
        let took = began.elapsed();
        if took > SLOW_STATEMENT {
            warn!(took_ms = took.as_millis(), statement = statement.text.as_str(), "a statement took long");
        }
        answer
    }

    fn answer(&self, statement: &Statement, wanted: RowsWanted) -> sqlx::Result<StatementOutput> {
        if statement.values.is_none() && wanted == RowsWanted::Effect {
            self.0.execute_batch(statement.text.as_str()).map_err(to_sqlx)?;
            return Ok(StatementOutput::default());
        }
        let values = statement.values.as_ref().map_or(&[][..], |values| &values.values.0);
        let text = numbered(statement.text.as_str());
        let mut prepared = self.0.prepare_cached(&text).map_err(to_sqlx)?;
        let answer = self.read(&mut prepared, values, wanted);
        if !statement.is_kept {
            prepared.discard();
        }
        answer
    }

    fn read(
        &self,
        prepared: &mut CachedStatement<'_>,
        values: &[AnyValueKind],
        wanted: RowsWanted,
    ) -> sqlx::Result<StatementOutput> {
        let parameters = prepared.parameter_count();
        // What is only explained needs no values.
        if values.len() < parameters && prepared.is_explain() == 0 {
            let fault = format!("a statement with {parameters} parameters was given {} values", values.len());
            return Err(sqlx::Error::Encode(fault.into()));
        }
        for (index, value) in values.iter().take(parameters).enumerate() {
            bind(prepared, index + 1, value)?;
        }
        let is_read_only = prepared.readonly();
        let columns = Columns::of(prepared);
        let mut found = prepared.raw_query();
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(to_sqlx)? {
            if wanted != RowsWanted::Effect {
                rows.push(columns.row(row)?);
            }
            if wanted == RowsWanted::First {
                break;
            }
        }
        drop(found);
        let rows_affected = if is_read_only { 0 } else { self.0.changes() };
        Ok(StatementOutput { rows, result: AnyQueryResult { rows_affected, last_insert_id: None } })
    }
}

/// The text with `$1` as `?1`. SQLite takes `$1` too, but as a name: it numbers names in the order in which they occur, and
/// searches all of them for each.
fn numbered(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('$') {
        return text.into();
    }
    let mut numbered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        numbered.push_str(before);
        numbered.push(if after.starts_with(|next: char| next.is_ascii_digit()) { '?' } else { '$' });
        rest = after;
    }
    numbered.push_str(rest);
    numbered.into()
}

fn bind(prepared: &mut CachedStatement<'_>, index: usize, value: &AnyValueKind) -> sqlx::Result<()> {
    let bound = match value {
        AnyValueKind::Null(_) => prepared.raw_bind_parameter(index, rusqlite::types::Null),
        AnyValueKind::Bool(value) => prepared.raw_bind_parameter(index, value),
        AnyValueKind::SmallInt(value) => prepared.raw_bind_parameter(index, value),
        AnyValueKind::Integer(value) => prepared.raw_bind_parameter(index, value),
        AnyValueKind::BigInt(value) => prepared.raw_bind_parameter(index, value),
        AnyValueKind::Real(value) => prepared.raw_bind_parameter(index, value),
        AnyValueKind::Double(value) => prepared.raw_bind_parameter(index, value),
        AnyValueKind::Text(value) => prepared.raw_bind_parameter(index, value.as_str()),
        AnyValueKind::TextSlice(value) => prepared.raw_bind_parameter(index, value.as_ref()),
        AnyValueKind::Blob(value) => prepared.raw_bind_parameter(index, value.as_slice()),
        other => {
            return Err(sqlx::Error::Encode(format!("SQLite has no values such as {other:?}").into()));
        }
    };
    bound.map_err(to_sqlx)
}

/// The columns of a statement's rows.
struct Columns {
    names: Arc<HashMap<UStr, usize>>,
    columns: Vec<AnyColumn>,
}

impl Columns {
    fn of(prepared: &CachedStatement<'_>) -> Self {
        let column = |(ordinal, name): (usize, &str)| AnyColumn {
            ordinal,
            name: UStr::new(name),
            // SQLite's values have types, its columns have none.
            type_info: AnyTypeInfo { kind: AnyTypeInfoKind::Null },
        };
        let columns: Vec<_> = prepared.column_names().into_iter().enumerate().map(column).collect();
        let names = columns.iter().map(|column| (column.name.clone(), column.ordinal)).collect();
        Self { names: Arc::new(names), columns }
    }

    fn row(&self, row: &rusqlite::Row<'_>) -> sqlx::Result<AnyRow> {
        let value = |column: &AnyColumn| {
            let value = row.get_ref(column.ordinal).map_err(to_sqlx)?;
            let kind = kind(value).map_err(|source| sqlx::Error::ColumnDecode {
                index: column.name.to_string(),
                source: source.into(),
            })?;
            Ok(AnyValue { kind })
        };
        let values = self.columns.iter().map(value).collect::<sqlx::Result<_>>()?;
        Ok(AnyRow { column_names: self.names.clone(), columns: self.columns.clone(), values })
    }
}

fn kind(value: ValueRef<'_>) -> Result<AnyValueKind, std::str::Utf8Error> {
    Ok(match value {
        ValueRef::Null => AnyValueKind::Null(AnyTypeInfoKind::Null),
        ValueRef::Integer(value) => AnyValueKind::BigInt(value),
        ValueRef::Real(value) => AnyValueKind::Double(value),
        ValueRef::Text(value) => AnyValueKind::Text(Arc::new(str::from_utf8(value)?.to_owned())),
        ValueRef::Blob(value) => AnyValueKind::Blob(Arc::new(value.to_vec())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_numbers() {
        assert_eq!(numbered("a = $1 AND b = $12 OR c = '$.x'"), "a = ?1 AND b = ?12 OR c = '$.x'");
        assert_eq!(numbered("VALUES (?, ?)"), "VALUES (?, ?)");
    }
}
