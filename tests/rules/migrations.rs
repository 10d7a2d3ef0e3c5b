//! An older build keeps running on the schema of a newer one: a step after a folder's first only adds what the older
//! build can do without knowing.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every `.sql` below `folder`, by folder and then by version.
fn steps_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            steps_below(&entry, found);
        } else if entry.extension().is_some_and(|ending| ending == "sql") {
            found.push(entry);
        }
    }
    found.sort();
}

/// The statements of a step, in capitals, without comments, each word parted by one blank.
fn statements(sql: &str) -> Vec<String> {
    let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let code = code.join("\n").to_uppercase();
    code.split(';')
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|text| !text.is_empty())
        .collect()
}

/// New tables, new indices that refuse nothing, and new columns that a row may go without.
fn an_older_build_can_live_with(statement: &str) -> bool {
    let column = |rest: &str| {
        let fills_itself = !rest.contains("NOT NULL") || rest.contains("DEFAULT");
        fills_itself && !rest.contains("UNIQUE") && !rest.contains("PRIMARY KEY") && !rest.contains("CHECK")
    };
    statement.starts_with("CREATE TABLE ")
        || statement.starts_with("CREATE INDEX ")
        || (statement.starts_with("ALTER TABLE ")
            && statement.split_once(" ADD COLUMN ").is_some_and(|(_, rest)| column(rest)))
}

#[test]
fn later_steps_only_add_what_an_older_build_can_do_without() {
    let mut steps = Vec::new();
    steps_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../services"), &mut steps);
    let later: Vec<&PathBuf> =
        steps.windows(2).filter(|pair| pair[0].parent() == pair[1].parent()).map(|pair| &pair[1]).collect();
    assert!(
        later.iter().any(|step| step.ends_with("gateway/migrations/sqlite/1002_replaced.sql")),
        "{later:?}"
    );
    for step in later {
        for statement in statements(&fs::read_to_string(step).expect("a step")) {
            assert!(
                an_older_build_can_live_with(&statement),
                "{}: an older build on this schema could fail: {statement}",
                step.display()
            );
        }
    }
}

#[test]
fn the_reader_refuses_what_an_older_build_would_fail_on() {
    let all = |sql| statements(sql).iter().all(|statement| an_older_build_can_live_with(statement));
    assert!(all("-- Why.\nALTER TABLE a ADD COLUMN b BLOB;\nCREATE INDEX c\n    ON a (b);"));
    assert!(all("ALTER TABLE a ADD COLUMN b BIGINT NOT NULL DEFAULT 0; CREATE TABLE d (e TEXT NOT NULL)"));
    for refused in [
        "ALTER TABLE a ADD COLUMN b BIGINT NOT NULL",
        "ALTER TABLE a ADD COLUMN b BIGINT UNIQUE",
        "ALTER TABLE a DROP COLUMN b",
        "ALTER TABLE a RENAME COLUMN b TO c",
        "ALTER TABLE a RENAME TO b",
        "CREATE UNIQUE INDEX c ON a (b)",
        "CREATE INDEX c ON a (b); DROP TABLE a",
        "UPDATE a SET b = 1",
    ] {
        assert!(!all(refused), "{refused}");
    }
}
