//! The SQL in which migrations are written: one text for both databases, rendered for each.
//!
//! It is the SQL that SQLite and PostgreSQL share, with three words of its own where they differ:
//!
//! | word | SQLite | PostgreSQL |
//! |---|---|---|
//! | `BYTES` | `BLOB` | `BYTEA` |
//! | `INTEGER_KEY` | `INTEGER NOT NULL PRIMARY KEY` | `BIGINT NOT NULL PRIMARY KEY` |
//! | `SERIAL_KEY` | `INTEGER PRIMARY KEY AUTOINCREMENT` | `BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY` |
//!
//! The caller chooses an `INTEGER_KEY`; the database draws a `SERIAL_KEY`, always higher than any before. Everything else
//! that only one database understands (triggers, functions, `WITHOUT ROWID`) stands in a block, whose lines are taken
//! as they are, for that database alone:
//!
//! ```sql
//! --@ only sqlite
//! CREATE TRIGGER …
//! --@ end
//! ```
//!
//! A line that begins with `--@` is a marker and nothing else may be. Words are replaced as whole words, in capitals,
//! outside comments, quotes and blocks. Literals end on the line on which they begin, and there are no `/* */` comments.
//! Type words that mean something else, or nothing, to one of the two databases are refused outside blocks.

/// The SQL of one of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A migration that is not written in the common dialect. Lines count from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// A line begins with `--@` and is no known marker.
    #[error(
        "line {line}: {text:?} is no marker: expected `--@ only sqlite`, `--@ only postgres` or `--@ end`"
    )]
    UnknownMarker {
        /// The line.
        line: usize,
        /// Its text.
        text: String,
    },
    /// A block begins within another.
    #[error("line {line}: the block begun on line {begun} has no `--@ end` before the next begins")]
    Nested {
        /// The line of the inner block's beginning.
        line: usize,
        /// The line of the outer block's beginning.
        begun: usize,
    },
    /// A block ends that did not begin.
    #[error("line {line}: `--@ end` without a block")]
    EndWithoutBlock {
        /// The line.
        line: usize,
    },
    /// The text ends within a block.
    #[error("the block begun on line {begun} has no `--@ end`")]
    BlockNotEnded {
        /// The line of the block's beginning.
        begun: usize,
    },
    /// A quote has no end on its line.
    #[error("line {line}: a quote is not closed on the line on which it was opened")]
    OpenQuote {
        /// The line.
        line: usize,
    },
    /// A comment between `/*` and `*/`.
    #[error("line {line}: write comments with `--`")]
    BlockComment {
        /// The line.
        line: usize,
    },
    /// A type word of one database, outside a block.
    #[error("line {line}: {word} does not mean the same in both databases: write {instead}")]
    ForeignWord {
        /// The line.
        line: usize,
        /// The word.
        word: String,
        /// The word to write instead.
        instead: &'static str,
    },
}

/// Words of the common dialect, with what SQLite and PostgreSQL have for them.
const WORDS: [(&str, &str, &str); 3] = [
    ("BYTES", "BLOB", "BYTEA"),
    ("INTEGER_KEY", "INTEGER NOT NULL PRIMARY KEY", "BIGINT NOT NULL PRIMARY KEY"),
    ("SERIAL_KEY", "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
];

/// Words that do not serve both databases, with what does. An `INTEGER` has 64 bits in SQLite and 32 in PostgreSQL.
const FOREIGN: [(&str, &str); 8] = [
    ("BLOB", "BYTES"),
    ("BYTEA", "BYTES"),
    ("INT", "BIGINT"),
    ("INTEGER", "BIGINT, or INTEGER_KEY"),
    ("BOOLEAN", "BIGINT"),
    ("BIGSERIAL", "SERIAL_KEY"),
    ("AUTOINCREMENT", "SERIAL_KEY"),
    ("ROWID", "a block `--@ only sqlite`"),
];

impl Dialect {
    /// Renders `sql` for this database, line by line: line numbers in the database's messages are those of `sql`.
    pub(crate) fn render(self, sql: &str) -> Result<String, DialectError> {
        let mut rendered = String::with_capacity(sql.len());
        let mut block: Option<Block> = None;
        for (line, text) in (1..).zip(sql.lines()) {
            if let Some(marker) = text.trim().strip_prefix(MARKER) {
                block = match (marker.trim(), block) {
                    ("end", Some(_)) => None,
                    ("end", None) => return Err(DialectError::EndWithoutBlock { line }),
                    ("only sqlite" | "only postgres", Some(Block { begun, .. })) => {
                        return Err(DialectError::Nested { line, begun });
                    }
                    ("only sqlite", None) => Some(Block { begun: line, dialect: Self::Sqlite }),
                    ("only postgres", None) => Some(Block { begun: line, dialect: Self::Postgres }),
                    _ => return Err(DialectError::UnknownMarker { line, text: text.trim().to_owned() }),
                };
            } else {
                match block {
                    None => self.render_line(line, text, &mut rendered)?,
                    Some(Block { dialect, .. }) if dialect == self => rendered.push_str(text),
                    Some(_) => {}
                }
            }
            rendered.push('\n');
        }
        match block {
            Some(Block { begun, .. }) => Err(DialectError::BlockNotEnded { begun }),
            None => Ok(rendered),
        }
    }

    /// Renders a line outside blocks.
    fn render_line(self, line: usize, text: &str, rendered: &mut String) -> Result<(), DialectError> {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                // A doubled quote within a literal reads as the end of one literal and the beginning of the next.
                '\'' | '"' => match rest[1..].find(first) {
                    Some(closing) => closing + 2,
                    None => return Err(DialectError::OpenQuote { line }),
                },
                '-' if rest.contains(MARKER) && rest.starts_with("--") => {
                    return Err(DialectError::UnknownMarker { line, text: text.trim().to_owned() });
                }
                '-' if rest.starts_with("--") => rest.len(),
                '/' if rest.starts_with("/*") => return Err(DialectError::BlockComment { line }),
                first if is_of_word(first) => rest.find(|other| !is_of_word(other)).unwrap_or(rest.len()),
                other => other.len_utf8(),
            };
            let (token, after) = rest.split_at(length);
            rendered.push_str(self.render_token(line, token)?);
            rest = after;
        }
        Ok(())
    }

    /// Literals and comments come here too, and are no words of either list: they keep their quotes and hyphens.
    fn render_token(self, line: usize, token: &str) -> Result<&str, DialectError> {
        if let Some((_, sqlite, postgres)) = WORDS.iter().find(|(word, ..)| *word == token) {
            return Ok(match self {
                Self::Sqlite => sqlite,
                Self::Postgres => postgres,
            });
        }
        match FOREIGN.iter().find(|(word, _)| word.eq_ignore_ascii_case(token)) {
            Some((_, instead)) => Err(DialectError::ForeignWord { line, word: token.to_owned(), instead }),
            None => Ok(token),
        }
    }
}

/// The beginning of a marker.
const MARKER: &str = "--@";

/// A block for one database, and the line on which it began.
#[derive(Clone, Copy)]
struct Block {
    begun: usize,
    dialect: Dialect,
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_as_whole_words_outside_comments_and_quotes() {
        let sql = "CREATE TABLE t (\n  n SERIAL_KEY, -- not BYTES\n  size_BYTES BIGINT,\n  b BYTES DEFAULT 'BYTES ''--'\n);";
        let sqlite = "CREATE TABLE t (\n  n INTEGER PRIMARY KEY AUTOINCREMENT, -- not BYTES\n  size_BYTES BIGINT,\n  \
                      b BLOB DEFAULT 'BYTES ''--'\n);\n";
        assert_eq!(Dialect::Sqlite.render(sql).as_deref(), Ok(sqlite));
        let postgres = sqlite
            .replace("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
            .replace("BLOB", "BYTEA");
        assert_eq!(Dialect::Postgres.render(sql), Ok(postgres));
        assert_eq!(
            Dialect::Sqlite.render("a INTEGER_KEY"),
            Ok("a INTEGER NOT NULL PRIMARY KEY\n".to_owned())
        );
        assert_eq!(
            Dialect::Postgres.render("a INTEGER_KEY"),
            Ok("a BIGINT NOT NULL PRIMARY KEY\n".to_owned())
        );
    }

    #[test]
    fn a_block_is_for_one_database_and_taken_as_it_is() {
        let sql = "A\n--@ only sqlite\nB INTEGER '\n--@ end\n--@ only postgres\nC BYTES\n--@ end\nD";
        assert_eq!(Dialect::Sqlite.render(sql).as_deref(), Ok("A\n\nB INTEGER '\n\n\n\n\nD\n"));
        assert_eq!(Dialect::Postgres.render(sql).as_deref(), Ok("A\n\n\n\n\nC BYTES\n\nD\n"));
    }

    #[test]
    fn what_is_not_in_the_dialect_is_refused() {
        let refused = |sql: &str| {
            let fault = Dialect::Sqlite.render(sql).expect_err(sql);
            assert_eq!(
                Dialect::Postgres.render(sql).expect_err(sql),
                fault,
                "both databases refuse the same"
            );
            fault
        };
        for sql in
            ["--@ only mysql", "--@", "--@ only", "--@ end sqlite", "--@ only sqlite -- why", "a --@ end"]
        {
            assert!(matches!(refused(sql), DialectError::UnknownMarker { line: 1, .. }), "{sql}");
        }
        let only = "--@ only sqlite\n";
        let nested = DialectError::Nested { line: 2, begun: 1 };
        assert_eq!(refused(&format!("{only}--@ only postgres\n--@ end\n--@ end")), nested);
        assert_eq!(refused("\n--@ end"), DialectError::EndWithoutBlock { line: 2 });
        assert_eq!(refused(only), DialectError::BlockNotEnded { begun: 1 });
        assert_eq!(refused("a 'b\nc'"), DialectError::OpenQuote { line: 1 });
        assert_eq!(refused("/* a */"), DialectError::BlockComment { line: 1 });
        for word in ["BLOB", "bytea", "Integer", "INT", "BOOLEAN", "BIGSERIAL", "AUTOINCREMENT", "ROWID"] {
            assert!(
                matches!(refused(&format!("a\nb {word}")), DialectError::ForeignWord { line: 2, .. }),
                "{word}"
            );
        }
    }
}
