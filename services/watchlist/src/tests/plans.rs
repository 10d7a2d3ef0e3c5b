//! Every statement that asks the watchlist's store is led by an index.

use rovuma_plans::{Statement, Tables, assert_led, in_sources};

use super::support::Bench;
use crate::{coverage, crossed, entries, expected, hits};

/// Everything that asks the watchlist's store.
const SOURCES: [&str; 3] = ["src", "../crates/trail/src", "../crates/store/src"];

/// Tables that stay small, and why.
const SMALL: &[(&str, &str)] = &[
    ("imported", "one row an imported list"),
    ("list", "one row a list"),
    ("covered_post", "one row a border post"),
    ("proposal", "one row an imported list"),
    ("rule_version", "one row each time that two people change a rule"),
    ("store", "one row"),
    ("to_look_back", "what alerts changed a moment ago"),
    ("trail_end", "one row a restore"),
];

/// Statements for which SQLite sorts what it found, and why that stays little.
const SORTS: &[(&str, &str)] =
    &[("FROM crossed", "the crossings of one number, or of the numbers of one series, within two days")];

/// Indexes that hold only what is still to be done.
const BACKLOGS: &[&str] = &["hit_to_forward"];

const TABLES: Tables = Tables { small: SMALL, backlogs: BACKLOGS, sorts: SORTS, value: |_, _, _| None };

/// Statements with the indexes that must lead to what they ask for.
const LED_BY: [(&str, &str); 8] = [
    (coverage::IN_FORCE, "coverage_in_force"),
    (coverage::IS_WITHDRAWN, "coverage_by_case"),
    (entries::FIND, "entry_by_record"),
    (crossed::FIND, "crossed_by_number"),
    (expected::AT_POST, "expected_at_post"),
    (expected::HAS_COME, "hit_by_about"),
    (hits::OPEN, "hit_by_place"),
    (hits::DUE, "hit_to_forward"),
];

#[tokio::test]
async fn every_statement_is_led_by_an_index() {
    let bench = Bench::new().await;
    let found = in_sources(env!("CARGO_MANIFEST_DIR"), &SOURCES);
    let mut all: Vec<(Statement, Vec<&str>)> =
        found.into_iter().map(|statement| (statement, Vec::new())).collect();
    assert!(all.len() > 40, "only {} statements were found", all.len());
    for (sql, index) in LED_BY {
        let found = all.iter_mut().find(|(statement, _)| statement.sql == sql);
        found.unwrap_or_else(|| panic!("no statement is {sql:?}")).1.push(index);
    }
    assert_led(&bench.watchlist.store, &bench.store_url, &TABLES, &all).await;
}
