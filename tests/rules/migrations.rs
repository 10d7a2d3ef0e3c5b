//! An older build keeps running on the schema of a newer one: a step after a folder's first only adds what the older
//! build can do without knowing.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Every `.sql` below `folder`.
fn steps_below(folder: &Path, steps: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            steps_below(&entry, steps);
        } else if entry.extension().is_some_and(|ending| ending == "sql") {
            steps.push(entry);
        }
    }
}

/// The version in the name of a step: `1001_gateway.sql`.
fn version(step: &Path) -> u32 {
    let name = step.file_name().and_then(|name| name.to_str()).expect("a name");
    let version = name.split_once('_').and_then(|(version, _)| version.parse().ok());
    version.unwrap_or_else(|| panic!("{} has no version", step.display()))
}

/// The steps that are not the first of their folder.
fn later_steps(mut steps: Vec<PathBuf>) -> Vec<PathBuf> {
    steps.sort_by_key(|step| (step.parent().map(Path::to_owned), version(step)));
    steps.windows(2).filter(|pair| pair[0].parent() == pair[1].parent()).map(|pair| pair[1].clone()).collect()
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
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services");
    let mut steps = Vec::new();
    steps_below(&services, &mut steps);
    let folder = |step: &PathBuf| step.parent().expect("a folder").to_owned();
    let folders: BTreeSet<PathBuf> = steps.iter().map(folder).collect();
    // The reader found every folder, and no step is where `migrations!` does not look.
    let expected =
        ["audit", "crates/outbox", "crates/store", "crates/trail", "gateway", "identity", "watchlist"];
    assert_eq!(folders, expected.map(|part| services.join(part).join("migrations")).into());
    for step in later_steps(steps) {
        for statement in statements(&fs::read_to_string(&step).expect("a step")) {
            assert!(
                an_older_build_can_live_with(&statement),
                "{}: an older build on this schema could fail: {statement}",
                step.display()
            );
        }
    }
}

#[test]
fn a_step_is_later_when_its_folder_has_one_before_it() {
    let steps = ["b/1002_y.sql", "a/201_x.sql", "b/999_v.sql", "b/1001_w.sql", "c/1003_z.sql"];
    assert_eq!(
        later_steps(steps.map(PathBuf::from).into()),
        ["b/1001_w.sql", "b/1002_y.sql"].map(PathBuf::from)
    );
}

#[test]
fn the_reader_refuses_what_an_older_build_would_fail_on() {
    let all = |sql| statements(sql).iter().all(|statement| an_older_build_can_live_with(statement));
    assert!(all("-- Why.\nALTER TABLE a ADD COLUMN b BYTES;\nCREATE INDEX c\n    ON a (b);"));
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
