//! Inserting many rows with few statements.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, any::AnyArguments, query::Query};

use crate::Conn;

/// A query that takes its values one after another.
pub type Binding<'q> = Query<'q, sqlx::Any, AnyArguments>;

/// Maximum rows of one statement: beyond this, one more statement makes no difference.
const ROWS_MAX: usize = 64;

/// An `INSERT` of any number of rows. It cuts them into statements whose numbers of rows are powers of two, so that there
/// are few texts and each is prepared once.
#[derive(Clone, Copy, Debug)]
pub struct Insert {
    /// The statement up to `VALUES`: `INSERT INTO post (name, place)`.
    pub into: &'static str,
    /// The number of values of a row.
    pub columns: usize,
    /// The statement after the rows: `ON CONFLICT DO NOTHING`, or empty.
    pub then: &'static str,
}

impl Insert {
    /// Inserts the rows in their order; `bind` binds the values of one.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer, or refuses a row.
    pub async fn rows<'r, R>(
        &self,
        tx: &mut Conn,
        rows: &'r [R],
        bind: impl Fn(Binding<'r>, &'r R) -> Binding<'r>,
    ) -> sqlx::Result<()> {
        let mut left = rows;
        while !left.is_empty() {
            let (now, later) = left.split_at(size(left.len()));
            let text = self.text(now.len(), Placeholders::of(tx));
            let query = now.iter().fold(sqlx::query(text), &bind);
            query.execute(&mut *tx).await?;
            left = later;
        }
        Ok(())
    }

    /// The text of a statement. Only numbers and the caller's constants come into it.
    fn text(&self, rows: usize, placeholders: Placeholders) -> SqlStr {
        let mut text = format!("{} VALUES ", self.into);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.columns {
                text.push_str(if column == 0 { "" } else { ", " });
                placeholders.write(&mut text, row * self.columns + column + 1);
            }
            text.push(')');
        }
        text.push(' ');
        text.push_str(self.then);
        AssertSqlSafe(text).into_sql_str()
    }
}

/// The two ways of writing a placeholder.
#[derive(Clone, Copy, Debug)]
enum Placeholders {
    /// `?`. SQLite looks up each numbered placeholder among all: for hundreds of values that takes longer than the insert.
    Anonymous,
    /// `$1`.
    Numbered,
}

impl Placeholders {
    fn of(conn: &Conn) -> Self {
        if conn.is_file() { Self::Anonymous } else { Self::Numbered }
    }

    fn write(self, text: &mut String, number: usize) {
        match self {
            Self::Anonymous => text.push('?'),
            // Writing into a string cannot fail.
            Self::Numbered => {
                let _ = write!(text, "${number}");
            }
        }
    }
}

/// The largest power of two up to `left` and [`ROWS_MAX`].
fn size(left: usize) -> usize {
    if left >= ROWS_MAX { ROWS_MAX } else { 1 << left.ilog2() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_few_sizes() {
        let sizes = |mut left| {
            let mut sizes = Vec::new();
            while left > 0 {
                sizes.push(size(left));
                left -= size(left);
            }
            sizes
        };
        assert_eq!(sizes(203), [64, 64, 64, 8, 2, 1]);
        assert_eq!(sizes(1), [1]);
        let insert = Insert { into: "INSERT INTO a (b, c)", columns: 2, then: "" };
        let text = |placeholders| insert.text(2, placeholders).as_str().to_owned();
        assert_eq!(text(Placeholders::Numbered), "INSERT INTO a (b, c) VALUES ($1, $2), ($3, $4) ");
        assert_eq!(text(Placeholders::Anonymous), "INSERT INTO a (b, c) VALUES (?, ?), (?, ?) ");
    }
}
