//! Inserting many rows with few statements.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, any::AnyArguments, query::Query};

use crate::Conn;

/// A query whose values are being bound.
pub type Binding<'q> = Query<'q, sqlx::Any, AnyArguments>;

/// Rows of one statement at most: beyond this a statement more makes no difference.
const ROWS_MAX: usize = 64;

/// An `INSERT` of any number of rows. Sizes are powers of two, so that there are few texts and each is prepared
/// once.
#[derive(Clone, Copy, Debug)]
pub struct Insert {
    /// `INSERT INTO post (name, place)`, without `VALUES`.
    pub into: &'static str,
    /// How many values a row has.
    pub columns: usize,
    /// What follows the rows: `ON CONFLICT DO NOTHING`, or nothing.
    pub then: &'static str,
}

impl Insert {
    /// Inserts the rows in their order; `bind` binds the values of one.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer, or does not take a row.
    pub async fn rows<'r, R>(
        &self,
        tx: &mut Conn,
        rows: &'r [R],
        bind: impl Fn(Binding<'r>, &'r R) -> Binding<'r>,
    ) -> sqlx::Result<()> {
        let mut left = rows;
        while !left.is_empty() {
            let (now, later) = left.split_at(size(left.len()));
            let query = now.iter().fold(sqlx::query(self.text(now.len())), &bind);
            query.execute(&mut *tx).await?;
            left = later;
        }
        Ok(())
    }

    /// Nothing but numbers comes into the text.
    fn text(&self, rows: usize) -> SqlStr {
        let mut text = format!("{} VALUES ", self.into);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.columns {
                let comma = if column == 0 { "" } else { ", " };
                // Writing into a text cannot fail.
                let _ = write!(text, "{comma}${}", row * self.columns + column + 1);
            }
            text.push(')');
        }
        text.push(' ');
        text.push_str(self.then);
        AssertSqlSafe(text).into_sql_str()
    }
}

/// The largest power of two that is not more than `left`, within [`ROWS_MAX`].
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
        assert_eq!(insert.text(2).as_str(), "INSERT INTO a (b, c) VALUES ($1, $2), ($3, $4) ");
    }
}
