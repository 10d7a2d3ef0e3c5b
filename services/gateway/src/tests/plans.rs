//! How SQLite looks messages up in a store with many of them: by an index each time.

use rovuma_schemas::MessageId;
use sqlx::{AssertSqlSafe, Row, SqlSafeStr, SqlStr};

use super::support::{Fixture, agency, motorcycle};
use crate::{
    cases::{self, NarrowedIds},
    messages::{inbox, lookup, received, sent, sent_list},
};

/// Multiplies the one row of a table by inserting copies of it with other ids. Every twentieth answers, and every fiftieth
/// replaces another.
async fn fill(fixture: &Fixture, table: &str, columns: &str, values: &str) {
    fixture
        .execute(format!(
            "INSERT INTO {table} (id, in_reply_to, replaces, original, {columns})
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
             SELECT randomblob(16), CASE i % 20 WHEN 0 THEN randomblob(16) END,
                    CASE i % 50 WHEN 0 THEN randomblob(16) END, randomblob(16), {values}
             FROM {table}, n"
        ))
        .await;
}

async fn plan(fixture: &Fixture, query: SqlStr) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", query.as_str()));
    let rows = sqlx::query(explain).fetch_all(fixture.gateway.base.store.read()).await.expect("explains");
    rows.iter().map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn every_list_and_look_up_uses_an_index() {
    if rovuma_lab::postgres::tests_use_postgres() {
        // PostgreSQL makes new plans as tables grow.
        return;
    }
    let fixture = Fixture::start().await;
    fixture.person("officer-1", "mz.prm", &["liaison_officer"]).issue(&motorcycle()).await;
    fixture.receive("mz.prm", 1, &motorcycle()).await;
    let common = "digest, jws, message_type, facet, status, lane, case_kind, case_owner, turn";
    fill(
        &fixture,
        "sent",
        &format!("{common}, country, agency, released_by, case_id, created_at"),
        &format!("{common}, country, agency, released_by, randomblob(16), created_at + i"),
    )
    .await;
    let unchanged = format!(
        "{common}, recipient, sender, key_id, received_at, disposition, audit_epoch, audit_sequence, created_at"
    );
    fill(&fixture, "received", &format!("{unchanged}, case_id"), &format!("{unchanged}, randomblob(16)"))
        .await;

    let case = rovuma_schemas::CaseId {
        kind: "alert".to_owned(),
        owner: agency("mz.prm"),
        id: MessageId::draw(fixture.gateway.base.now()),
    };
    let by_case = |count| NarrowedIds { case: Some(&case), ids: vec![case.id; count] };
    let by_reply = |count| NarrowedIds { case: None, ids: vec![case.id; count] };
    let replaced_by = "SEARCH n USING INDEX sent_by_replaced (agency=? AND replaces=?)";
    let received_replaced_by =
        "SEARCH n USING INDEX received_by_replaced (recipient=? AND sender=? AND replaces=?)";
    let mut statements: Vec<(&str, SqlStr, Vec<&str>)> = vec![
        (
            "sent",
            sent_list::statement(None),
            vec!["SEARCH sent USING INDEX sent_by_agency (agency=?", replaced_by],
        ),
        (
            "inbox",
            inbox::statement(None),
            vec!["SEARCH received USING INDEX received_by_arrival (recipient=?", received_replaced_by],
        ),
        (
            "sent by id",
            sent::LOAD.into_sql_str(),
            vec!["SEARCH sent USING INDEX sent_by_id (id=? AND agency=?)", replaced_by],
        ),
        (
            "signed",
            sent::SIGNED.into_sql_str(),
            vec!["SEARCH sent USING INDEX sqlite_autoindex_sent_1 (id=?"],
        ),
        (
            "received by id",
            received::ALL.into_sql_str(),
            vec!["SEARCH received USING INDEX received_by_id (id=? AND recipient=?", received_replaced_by],
        ),
        (
            "elsewhere",
            lookup::ELSEWHERE.into_sql_str(),
            vec!["SEARCH sent USING COVERING INDEX", "(id=?)", "received_by_id (id=?"],
        ),
        (
            "ids of a sent message",
            cases::SENT_IDS.into_sql_str(),
            vec!["INDEX sent_by_original (agency=? AND original=?)", "sent_by_id (id=? AND agency=?)"],
        ),
        (
            "ids of a received message",
            cases::RECEIVED_IDS.into_sql_str(),
            vec![
                "SEARCH named USING INDEX received_by_id (id=? AND recipient=?)",
                "SEARCH same USING INDEX received_by_original (recipient=? AND original=? AND sender=?)",
                "SEARCH received USING INDEX received_by_original (recipient=? AND original=?)",
            ],
        ),
    ];
    for count in [1, 5] {
        statements.extend([
            (
                "sent of a case",
                sent_list::statement(Some(&by_case(count))),
                vec![
                    "INDEX sent_by_case (agency=? AND case_id=?)",
                    "sqlite_autoindex_sent_1 (id=? AND country=?)",
                ],
            ),
            (
                "sent in reply",
                sent_list::statement(Some(&by_reply(count))),
                vec![
                    "sent_by_reply (agency=? AND in_reply_to=?)",
                    "sqlite_autoindex_sent_1 (id=? AND country=?)",
                ],
            ),
            (
                "inbox of a case",
                inbox::statement(Some(&by_case(count))),
                vec![
                    "INDEX received_by_case (recipient=? AND case_id=?)",
                    "SEARCH received USING INTEGER PRIMARY KEY",
                    received_replaced_by,
                ],
            ),
            (
                "inbox in reply",
                inbox::statement(Some(&by_reply(count))),
                vec![
                    "received_by_reply (recipient=? AND in_reply_to=?)",
                    "SEARCH received USING INTEGER PRIMARY KEY",
                ],
            ),
        ]);
    }
    for (name, statement, expected) in statements {
        let plan = plan(&fixture, statement).await;
        for step in expected {
            assert!(plan.iter().any(|found| found.contains(step)), "{name}: no {step} in {plan:#?}");
        }
        for step in &plan {
            assert!(
                !step.starts_with("SCAN") || step.starts_with("SCAN narrowed"),
                "{name}: {step} in {plan:#?}"
            );
        }
    }
}
