//! Every statement that asks the gateway's store is led by an index.

use rovuma_plans::{Statement, Tables, assert_led, in_sources};
use rovuma_schemas::MessageId;
use sqlx::SqlSafeStr as _;

use super::support::{Fixture, agency};
use crate::{
    alarm,
    cases::{self, NarrowedIds},
    drafts::{list, restricted},
    messages::{inbox, sent_list},
    retention, screening,
};

/// Everything that asks the gateway's store.
const SOURCES: [&str; 5] =
    ["src", "../crates/outbox/src", "../crates/trail/src", "../crates/api/src", "../crates/store/src"];

/// Tables that stay small, and why. All others grow with the messages.
const SMALL: &[(&str, &str)] = &[
    ("held_total", "one row an agency and exchange"),
    ("outbox_lease", "one row a recipient and lane"),
    ("outbox_partner", "one row a partner"),
    ("outbox_stream", "one row a pair, lane and restore"),
    ("quarantine", "at most as many rows as QUARANTINE_MAX_ROWS"),
    ("quarantine_total", "one row"),
    ("retention_run", "one row a job"),
    ("store", "one row"),
    ("stream_in", "one row a pair, lane and restore"),
    ("stream_word", "one row a pair and type"),
    ("trail_end", "one row a restore"),
    ("trust_seen", "one row a country"),
];

/// Indexes that hold only what is still to be done: reading such an index is reading the backlog.
const BACKLOGS: &[&str] = &[
    "outbox_copy_again",
    "outbox_copy_waiting",
    "outbox_copy_waiting_plain",
    "outbox_copy_queued",
    "outbox_copy_expiring",
];

/// Statements for which SQLite sorts what it found, by a part of their text, and why that stays little.
const SORTS: &[(&str, &str)] = &[
    ("AS both_parts", "the cases whose state has changed by time, until the upkeep has moved them on"),
    ("AND f.due_at <= $10", "the cases in which somebody must act by an instant"),
    ("AND f.reference >= $12", "the cases of a file number, or of its first characters"),
    ("AND f.short_reference = $14", "the case of a short reference"),
    ("ORDER BY held.until_at", "the cases that an agency holds back"),
    ("WITH narrowed", "the messages of one case, or the answers to one message"),
    ("FROM receipt WHERE message_id = $1", "the receipts of one message"),
    ("FROM receipt JOIN receipt_jws", "the receipts of one message"),
    ("FROM received WHERE recipient = $1 AND id = $2", "the messages under one id"),
    ("state = 1 AND due_at <= $3", "what has left without a receipt, which the window bounds"),
    ("AS unsettled", "one row for each recipient and lane"),
    ("FROM outbox_stream s WHERE s.sender = $1", "one row for each lane and restore"),
    ("SELECT m.id, m.country, m.compact, f.position", "what waits without a receipt"),
];

/// Statements with the indexes that must lead to what they ask for.
fn expected() -> Vec<(Statement, Vec<&'static str>)> {
    let case = rovuma_schemas::CaseId {
        kind: "alert".to_owned(),
        owner: agency("mz.prm"),
        id: MessageId::draw("2026-11-23T18:00:00Z".parse().expect("RFC 3339")),
    };
    let by_case = |count| NarrowedIds { case: Some(&case), ids: vec![case.id; count] };
    let by_reply = |count| NarrowedIds { case: None, ids: vec![case.id; count] };
    let (sent, received) = ("sent_by_replaced", "received_by_replaced");
    let mut all = vec![
        ("sent", sent_list::statement(None, false), vec!["sent_by_agency", sent]),
        ("sent by copy", sent_list::statement(None, true), vec!["sent_by_agency", "outbox_copy_identity"]),
        ("inbox", inbox::statement(None, false), vec!["received_by_arrival", received]),
        ("unread inbox", inbox::statement(None, true), vec!["received_unread", received]),
        ("alarms", alarm::PAGE.into_sql_str(), vec!["alarm_by_place"]),
        ("open drafts", list::statement(false), vec!["draft_open"]),
        ("drafts by state", list::statement(true), vec!["draft_by_agency"]),
        ("cases", cases::list::ALL.into_sql_str(), vec!["case_file_by_opening"]),
        (
            "cases by state",
            cases::list::BY_STATE.into_sql_str(),
            vec!["case_file_by_state", "case_file_by_until"],
        ),
        (
            "cases by ball",
            cases::list::BY_BALL.into_sql_str(),
            vec!["case_file_by_ball", "case_file_by_until"],
        ),
        ("cases by facet", cases::list::BY_FACET.into_sql_str(), vec!["case_file_by_facet"]),
        ("cases by due", cases::list::BY_DUE.into_sql_str(), vec!["case_file_by_due"]),
        ("cases by reference", cases::list::BY_REFERENCE.into_sql_str(), vec!["case_file_by_reference"]),
        (
            "cases by short reference",
            cases::list::BY_SHORT_REFERENCE.into_sql_str(),
            vec!["case_file_by_short_reference"],
        ),
        ("requests of a period", cases::list::OPENED.into_sql_str(), vec!["case_file_by_opening"]),
        (
            "questions for leave",
            crate::families::permission::leave::ASKED.into_sql_str(),
            vec!["case_party_by_partner"],
        ),
        ("cases by group", cases::list::BY_GROUP.into_sql_str(), vec!["case_file_by_group"]),
        (
            "messages with a clock",
            rovuma_store::with_list(cases::deliveries::WITH_CLOCK, 2, 4),
            vec!["case_message_by_id"],
        ),
        ("cases that hang on one", cases::beside::HANGING.into_sql_str(), vec!["case_file_by_about"]),
        ("an identifier of a case", cases::beside::HAS.into_sql_str(), vec![]),
        ("a delivery", cases::deliveries::DELIVERED.into_sql_str(), vec![]),
        ("cases past their limit", crate::reminders::OVERDUE.into_sql_str(), vec!["case_file_by_due"]),
        ("what others mention", restricted::FIND.into_sql_str(), vec![]),
        ("cases to erase", retention::due::DUE.into_sql_str(), vec!["case_file_to_erase"]),
        ("cases to erase of an agency", retention::hold::UPCOMING.into_sql_str(), vec!["case_file_to_erase"]),
        ("their number", retention::hold::UPCOMING_COUNT.into_sql_str(), vec!["case_file_to_erase"]),
        (
            "a case to erase",
            retention::due::STILL_DUE.into_sql_str(),
            vec!["sent_by_case", "outbox_copy_identity"],
        ),
        ("held cases", retention::hold::HELD.into_sql_str(), vec![]),
        ("their number", retention::hold::HELD_COUNT.into_sql_str(), vec![]),
        ("retention of a case", retention::hold::ONE.into_sql_str(), vec![]),
        ("alerts in force", screening::IN_FORCE.into_sql_str(), vec!["case_file_screened"]),
        (
            "copies on which posts act",
            rovuma_store::with_list(screening::report::COPIES, 2, 4),
            vec!["received_by_id"],
        ),
        ("what posts have said", screening::report::KEEP.into_sql_str(), vec![]),
        ("hits on alerts", screening::hits::RECENT.into_sql_str(), vec!["case_file_hits"]),
        ("hits under one id", screening::hits::OF_ID.into_sql_str(), vec!["case_file_by_id"]),
        ("alerts under one id", screening::OF_ID.into_sql_str(), vec!["case_file_by_id"]),
        ("cases by partner", cases::list::BY_PARTNER.into_sql_str(), vec!["case_party_by_partner"]),
    ];
    for count in [1, 5] {
        all.extend([
            ("bytes of messages sent", rovuma_store::with_list(cases::signed::SENT, 2, count), vec![]),
            (
                "bytes of messages received",
                rovuma_store::with_list(cases::signed::RECEIVED, 2, count),
                vec!["received_by_id"],
            ),
            ("sent of a case", sent_list::statement(Some(&by_case(count)), false), vec!["sent_by_case"]),
            ("sent in reply", sent_list::statement(Some(&by_reply(count)), false), vec!["sent_by_reply"]),
            (
                "sent of a case by copy",
                sent_list::statement(Some(&by_case(count)), true),
                vec!["sent_by_case"],
            ),
            ("inbox of a case", inbox::statement(Some(&by_case(count)), false), vec!["received_by_case"]),
            ("inbox in reply", inbox::statement(Some(&by_reply(count)), true), vec!["received_by_reply"]),
        ]);
    }
    all.into_iter()
        .map(|(name, sql, indexes)| {
            (Statement { file: name.to_owned(), sql: sql.as_str().to_owned() }, indexes)
        })
        .collect()
}

/// Look-ups by a part of their text, with the index that must lead to what they ask for.
const LOOKUPS: [(&str, &str); 15] = [
    ("FROM sent WHERE agency = $1 AND id = $2 LIMIT 1", "sent_by_id"),
    ("FROM received WHERE recipient = $1 AND id = $2", "received_by_id"),
    ("UNION ALL SELECT 1 FROM received WHERE id = $1", "received_by_id"),
    ("SELECT same.id, same.original FROM received AS named", "received_by_original"),
    ("FROM draft\n             WHERE agency = $1 AND author = $2", "draft_by_author"),
    ("FROM held\n         WHERE recipient = $1 AND seq < $2", "held_by_arrival"),
    ("FROM domain_event WHERE agency = $1 AND seq > $2", "domain_event_by_agency"),
    ("FROM outbox_copy WHERE message IN", "outbox_copy_identity"),
    ("FROM received WHERE compromised_at IS NULL AND sender = $1", "received_by_key"),
    ("AS certificate FROM sent", "sent_by_case"),
    ("AS certificate FROM received\n    WHERE recipient", "received_by_case"),
    ("FROM conflict\n    WHERE recipient = $1 AND case_owner", "conflict_by_case"),
    ("FROM conflict WHERE recipient = $1 AND erased_at IS NULL AND id IN", "conflict_by_id"),
    ("ORDER BY turn DESC LIMIT 8", "received_by_case"),
    ("UPDATE idempotency SET status", "idempotency_by_location"),
];

/// Mostly settled, read and released, as in a store of some age.
fn value(table: &str, column: &str, is_postgres: bool) -> Option<&'static str> {
    match (table, column) {
        ("draft", "state") => {
            Some("CASE i % 50 WHEN 0 THEN 'draft' WHEN 1 THEN 'returned' ELSE 'released' END")
        }
        ("outbox_copy", "state") => {
            Some("CASE i % 100 WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 3 WHEN 3 THEN 4 ELSE 2 END")
        }
        ("outbox_copy", "stream") if is_postgres => Some("decode(md5(random()::text), 'hex')"),
        ("outbox_copy", "stream") => Some("randomblob(16)"),
        ("outbox_copy", "number") => Some("i"),
        ("received", "disposition") => Some("'operative'"),
        ("received", "read_at") => Some("CASE i % 50 WHEN 0 THEN NULL ELSE i END"),
        // A receipt refers to its bytes.
        ("receipt_jws", "digest") | ("receipt", "receipt_digest") if is_postgres => {
            Some("decode(lpad(to_hex(i), 64, '0'), 'hex')")
        }
        ("receipt_jws", "digest") | ("receipt", "receipt_digest") => Some("CAST(printf('%032d', i) AS BLOB)"),
        _ => None,
    }
}

#[tokio::test]
async fn every_statement_is_led_by_an_index() {
    let fixture = Fixture::start().await;
    let found = in_sources(env!("CARGO_MANIFEST_DIR"), &SOURCES);
    let mut all: Vec<(Statement, Vec<&str>)> =
        found.into_iter().map(|statement| (statement, Vec::new())).collect();
    assert!(all.len() > 80, "only {} statements were found", all.len());
    for (part, index) in LOOKUPS {
        let found = all.iter_mut().find(|(statement, _)| statement.sql.contains(part));
        found.unwrap_or_else(|| panic!("no statement has {part:?}")).1.push(index);
    }
    all.extend(expected());
    let tables = Tables { small: SMALL, backlogs: BACKLOGS, sorts: SORTS, value };
    assert_led(&fixture.gateway.base.store, &fixture.config.store.url, &tables, &all).await;
}
