//! Lists of values in a query text, padded to few sizes so that prepared statements are used again.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// The size to which a list of `count` values is padded: the next power of two.
fn padded(count: usize) -> usize {
    count.next_power_of_two()
}

/// `before` with `{}` replaced by a list of placeholders from `$first` on, long enough for `count` values.
/// Only numbers come into the text.
pub fn with_list(before: &'static str, first: usize, count: usize) -> SqlStr {
    let list: Vec<String> = (first..first + padded(count)).map(|index| format!("${index}")).collect();
    AssertSqlSafe(before.replace("{}", &list.join(", "))).into_sql_str()
}

/// `before` with `{}` replaced by a list of rows of `columns` placeholders each, from `$first` on, long enough for
/// `count` rows.
pub fn with_rows(before: &'static str, (first, columns): (usize, usize), count: usize) -> SqlStr {
    let row = |row: usize| {
        let row = (first + row * columns..).take(columns).map(|index| format!("${index}"));
        format!("({})", row.collect::<Vec<_>>().join(", "))
    };
    let list: Vec<String> = (0..padded(count)).map(row).collect();
    AssertSqlSafe(before.replace("{}", &list.join(", "))).into_sql_str()
}

/// The values of a padded list: the last value is repeated to fill it.
pub fn padded_list<T: Clone>(values: &[T]) -> impl Iterator<Item = T> {
    let last = values.last().cloned();
    let fill = padded(values.len()) - values.len();
    values.iter().cloned().chain(last.into_iter().flat_map(move |last| std::iter::repeat_n(last, fill)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_padded_to_few_sizes() {
        assert_eq!(with_list("IN ({})", 3, 3).as_str(), "IN ($3, $4, $5, $6)");
        assert_eq!(with_rows("VALUES {}", (3, 2), 2).as_str(), "VALUES ($3, $4), ($5, $6)");
        assert_eq!(padded_list(&[7, 8, 9]).collect::<Vec<_>>(), [7, 8, 9, 9]);
        assert_eq!(padded_list(&[7]).collect::<Vec<_>>(), [7]);
    }
}
