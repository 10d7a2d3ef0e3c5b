//! A connection that explains statements, in a store that it has filled.

use std::collections::BTreeMap;

use rovuma_store::{Conn, FutureExt, Store};
use sqlx::{AssertSqlSafe, Row};

use crate::Tables;

/// Rows of each table: of a tenth of them for each of ten agencies.
const ROWS: u32 = 5_000;

/// Runs a statement in a transaction of its own.
pub(crate) async fn execute(store: &Store, sql: String) {
    let work = store.write(move |tx| {
        async move { sqlx::query(AssertSqlSafe(sql)).execute(tx).await.map(|_| ()) }.boxed()
    });
    work.await.expect("executed");
}

/// A connection that explains statements.
pub(crate) struct Explainer {
    conn: Conn,
    pub(crate) is_postgres: bool,
}

impl Explainer {
    pub(crate) async fn connect(url: &str) -> Self {
        let mut conn = Conn::connect(url).await.expect("connects");
        let is_postgres = url.starts_with("postgres");
        if is_postgres {
            // The plan that serves every value, as a statement gets it that is used often. Few rows are read from end to end
            // whatever the indexes, so the server is told that this is dear.
            let settings = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off";
            sqlx::raw_sql(settings).execute(&mut conn).await.expect("set");
        }
        Self { conn, is_postgres }
    }

    async fn column(&mut self, sql: String) -> Vec<String> {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut self.conn).await;
        let rows = rows.unwrap_or_else(|fault| panic!("{fault}: {sql}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Puts [`ROWS`] rows into every table, and returns the names of those that grow.
    pub(crate) async fn fill(&mut self, store: &Store, known: &Tables) -> Vec<String> {
        let tables = if self.is_postgres {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'"
        } else {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        };
        let mut tables = self.column(tables.to_owned()).await;
        tables.retain(|table| !table.starts_with('_') && table != "store" && !table.ends_with("_total"));
        tables.sort_by_key(|table| table == "receipt");
        for table in &tables {
            let columns = self.columns(table).await;
            let (names, values): (Vec<_>, Vec<_>) = columns
                .iter()
                .map(|column| {
                    let (name, kind, is_nullable) = (&column.0, column.1.as_str(), column.2);
                    (name.clone(), self.value(known, (table, name), kind, is_nullable))
                })
                .unzip();
            let insert = format!(
                "INSERT INTO {table} ({}) WITH RECURSIVE n (i) AS
                     (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT {} FROM n WHERE true
                 ON CONFLICT DO NOTHING",
                names.join(", "),
                values.join(", ")
            );
            execute(store, insert).await;
        }
        tables.retain(|table| known.small.iter().all(|(small, _)| small != table));
        assert!(!tables.is_empty(), "no table grows");
        tables
    }

    /// The columns that a row must be given: name, type, whether it may be empty.
    async fn columns(&mut self, table: &str) -> Vec<(String, String, bool)> {
        let text = if self.is_postgres {
            format!(
                "SELECT column_name || '|' || data_type || '|' || is_nullable FROM information_schema.columns
                 WHERE table_name = '{table}' AND is_identity = 'NO' AND column_default IS NULL
                 ORDER BY ordinal_position"
            )
        } else {
            format!(
                "SELECT name || '|' || type || '|' || CASE \"notnull\" WHEN 0 THEN 'YES' ELSE 'NO' END
                 FROM pragma_table_info('{table}') WHERE NOT (type = 'INTEGER' AND pk > 0) ORDER BY cid"
            )
        };
        let columns = self.column(text).await;
        columns
            .iter()
            .map(|column| {
                let parts: Vec<&str> = column.split('|').collect();
                (parts[0].to_owned(), parts[1].to_lowercase(), parts[2] == "YES")
            })
            .collect()
    }

    /// An expression of row number `i` for a column.
    fn value(&self, known: &Tables, (table, column): (&str, &str), kind: &str, is_nullable: bool) -> String {
        if let Some(chosen) = (known.value)(table, column, self.is_postgres) {
            return chosen.to_owned();
        }
        let value = match column {
            "agency" | "sender" | "recipient" | "author" | "own" => "'mz.a' || (i % 10)",
            "country" | "lane" | "kind" | "message_type" | "exchange" => "'t' || (i % 3)",
            _ => match kind {
                "blob" if !self.is_postgres => "randomblob(16)",
                "bytea" => "decode(md5(random()::text), 'hex')",
                "text" => "'t' || i",
                _ => "i",
            },
        };
        if is_nullable { format!("CASE WHEN i % 20 = 0 THEN {value} END") } else { value.to_owned() }
    }

    /// The steps of the plan; none for a statement that only the other database is asked.
    pub(crate) async fn explain(&mut self, sql: &str) -> Option<Vec<String>> {
        if sql.contains("pg_") || (self.is_postgres && sql.contains("sqlite_")) {
            return None;
        }
        let (sql, types) = with_parameters(sql);
        if !self.is_postgres {
            let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                .fetch_all(&mut self.conn)
                .await;
            let rows = rows.unwrap_or_else(|fault| panic!("{fault}: {sql}"));
            return Some(rows.iter().map(|row| row.get("detail")).collect());
        }
        let parameters = if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
        let nulls = vec!["NULL"; types.len()].join(", ");
        let values = if types.is_empty() { String::new() } else { format!("({nulls})") };
        self.column(format!("PREPARE explained {parameters} AS {sql}")).await;
        let plan = self.column(format!("EXPLAIN (COSTS OFF) EXECUTE explained{values}")).await;
        self.column("DEALLOCATE explained".to_owned()).await;
        Some(plan)
    }

    /// The steps that read a growing table from end to end, or sort.
    pub(crate) fn faults(
        &self,
        known: &Tables,
        (sql, plan): (&str, &[String]),
        growing: &[String],
    ) -> Vec<String> {
        let names = aliases(sql, growing);
        let mut faults = Vec::new();
        for (at, step) in plan.iter().enumerate() {
            let words: Vec<&str> = step.trim_start_matches([' ', '-', '>']).split(' ').collect();
            let is_backlog = words.iter().any(|word| known.backlogs.contains(word));
            let is_scan = if self.is_postgres {
                // An index without a condition is read from end to end as well.
                let is_index = step.contains("Index Scan") || step.contains("Index Only Scan");
                let conditions = plan[at + 1..].iter().take_while(|line| !line.contains("->"));
                let is_led = conditions.into_iter().any(|line| line.contains("Index Cond"));
                step.contains("Seq Scan") || (is_index && !is_led)
            } else {
                words[0] == "SCAN"
            };
            let reads = if self.is_postgres {
                words.iter().position(|word| *word == "on").and_then(|on| words.get(on + 1))
            } else {
                words.get(1)
            };
            let is_growing = reads
                .is_some_and(|name| names.contains_key(*name) || growing.iter().any(|table| table == name));
            if is_scan && is_growing && !is_backlog {
                faults.push(format!("reads everything: {}", step.trim()));
            }
            let sorts = step.contains("USE TEMP B-TREE FOR ORDER BY");
            if sorts && !names.is_empty() && !known.sorts.iter().any(|(part, _)| sql.contains(part)) {
                faults.push(format!("sorts: {}", step.trim()));
            }
        }
        faults
    }
}

/// The names by which a statement calls growing tables.
fn aliases<'a>(sql: &'a str, growing: &[String]) -> BTreeMap<&'a str, &'a str> {
    let words: Vec<&str> =
        sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
    let mut names = BTreeMap::new();
    for (at, table) in words.iter().enumerate().filter(|(_, word)| growing.iter().any(|table| table == *word))
    {
        names.insert(*table, *table);
        let next = words.get(at + 1).copied().unwrap_or_default();
        let alias = if next == "AS" { words.get(at + 2).copied().unwrap_or_default() } else { next };
        // SQL's own words are written in capitals.
        if !alias.is_empty() && alias.chars().all(|c| c.is_lowercase() || c == '_') {
            names.insert(alias, *table);
        }
    }
    names
}

/// The statement with a list of one value, or one row, in place of `{}`, and the types of its parameters for PostgreSQL.
fn with_parameters(sql: &str) -> (String, Vec<String>) {
    let highest = |sql: &str| {
        let numbers = sql.split('$').skip(1).map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>().unwrap_or(0)
        });
        numbers.max().unwrap_or(0)
    };
    let first = highest(sql) + 1;
    let mut row_types = Vec::new();
    let list = match sql.split_once("AS (VALUES {})") {
        None => format!("${first}"),
        Some((before, _)) => {
            let columns =
                before.rsplit_once('(').expect("the columns of a list").1.trim_end().trim_end_matches(')');
            let types = columns.split(',').map(|column| match column.trim().rsplit('_').next() {
                Some("id" | "digest" | "stream") => "bytea",
                Some("number" | "at") => "bigint",
                _ => "text",
            });
            row_types.extend(types.map(str::to_owned));
            let row: Vec<String> =
                (first..).take(row_types.len()).map(|number| format!("${number}")).collect();
            format!("({})", row.join(", "))
        }
    };
    let sql = sql.replace("{}", &list);
    let types = (1..=highest(&sql)).map(|number| {
        let is_used = sql.split('$').skip(1).any(|rest| {
            rest.strip_prefix(&number.to_string())
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        });
        match row_types.get(number.wrapping_sub(first)) {
            Some(kind) => kind.clone(),
            None if is_used => "unknown".to_owned(),
            None => "text".to_owned(),
        }
    });
    let types = types.collect();
    (sql, types)
}
