//! How the database finds what each statement of a service asks for, in a store with much in every table: by an index, whichever database it
//! is. A statement that reads a growing table from end to end, or sorts what it found, grows slow with the years.
//!
//! For tests: whatever is not as it should be is a panic that says what.

mod explainer;
mod statements;

use rovuma_store::Store;

use explainer::{Explainer, execute};
pub use statements::{Statement, in_sources};

/// What a service knows of its tables.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// Tables that stay small, and why. All others grow.
    pub small: &'static [(&'static str, &'static str)],
    /// Indexes that hold only what is still to be done: reading such an index is reading the backlog.
    pub backlogs: &'static [&'static str],
    /// Statements for which SQLite sorts what it found, by a part of their text, and why that stays little. PostgreSQL is not asked: its plan
    /// for every value of the parameters, which is the one to be seen here, is not the one that it takes for a list.
    pub sorts: &'static [(&'static str, &'static str)],
    /// The expression of row number `i` for a column, in a store of some age, where the column's type does not say enough. It is asked for a table
    /// and a column, and whether the database is PostgreSQL.
    pub value: fn(&str, &str, bool) -> Option<&'static str>,
}

/// Fills the store, and asserts that each statement is led by an index, and by those that stand beside it: without counts of the tables, as
/// SQLite has none in a new store, and with them. `url` is the store's.
///
/// # Panics
/// When one is not, with its plan.
pub async fn assert_led(store: &Store, url: &str, tables: &Tables, statements: &[(Statement, Vec<&str>)]) {
    let growing = Explainer::connect(url).await.fill(store, tables).await;
    for is_counted in [false, true] {
        if is_counted {
            execute(store, "ANALYZE".to_owned()).await;
        }
        let mut database = Explainer::connect(url).await;
        let mut faults = Vec::new();
        for (statement, indexes) in statements {
            let Some(plan) = database.explain(&statement.sql).await else { continue };
            let text = plan.join("\n");
            let mut found = database.faults(tables, (&statement.sql, &plan), &growing);
            // A server that knows that a table is small may read it in the order of its key instead.
            if !(is_counted && database.is_postgres) {
                let missing = indexes.iter().filter(|index| !text.contains(**index));
                found.extend(missing.map(|index| format!("no {index}")));
            }
            if !found.is_empty() {
                faults.push(format!("{}: {found:?}\n{}\n{text}", statement.file, statement.sql));
            }
        }
        assert!(faults.is_empty(), "counted: {is_counted}\n{}", faults.join("\n\n"));
    }
}
