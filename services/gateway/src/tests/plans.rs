//! How the database finds what each statement asks for, in a store with much in every table: by an index, whichever database
//! it is. A statement that reads a growing table from end to end, or sorts what it found, grows slow with the years.

use std::collections::BTreeMap;

use rovuma_schemas::MessageId;
use rovuma_store::Conn;
use sqlx::{AssertSqlSafe, Row, SqlSafeStr as _};

use super::support::{
    Fixture, agency,
    statements::{self, Statement},
};
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

/// Rows of each table: of a tenth of them for each of ten agencies.
const ROWS: u32 = 5_000;

/// Tables that stay small, and why. All others grow with the messages.
const SMALL: [(&str, &str); 12] = [
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
const BACKLOGS: [&str; 5] = [
    "outbox_copy_again",
    "outbox_copy_waiting",
    "outbox_copy_waiting_plain",
    "outbox_copy_queued",
    "outbox_copy_expiring",
];

/// Statements for which SQLite sorts what it found, by a part of their text, and why that stays little. PostgreSQL is not asked:
/// its plan for every value of the parameters, which is the one to be seen here, is not the one that it takes for a list.
const SORTS: [(&str, &str); 13] = [
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

#[tokio::test]
async fn every_statement_is_led_by_an_index() {
    let fixture = Fixture::start().await;
    let mut database = Explainer::connect(&fixture).await;
    let growing = database.fill(&fixture).await;

    let mut all: Vec<(Statement, Vec<&str>)> =
        statements::in_sources(&SOURCES).into_iter().map(|statement| (statement, Vec::new())).collect();
    assert!(all.len() > 80, "only {} statements were found", all.len());
    for (part, index) in LOOKUPS {
        let found = all.iter_mut().find(|(statement, _)| statement.sql.contains(part));
        found.unwrap_or_else(|| panic!("no statement has {part:?}")).1.push(index);
    }
    all.extend(expected());

    // Without counts of the tables, as SQLite has none in a new store; and with them.
    for counted in [false, true] {
        if counted {
            fixture.execute("ANALYZE").await;
        }
        let mut database = Explainer::connect(&fixture).await;
        let mut faults = Vec::new();
        for (statement, indexes) in &all {
            let Some(plan) = database.explain(&statement.sql).await else { continue };
            let text = plan.join("\n");
            let mut found = database.faults(&statement.sql, &plan, &growing);
            // A server that knows that a table is small may read it in the order of its key instead.
            if !(counted && database.is_postgres) {
                let missing = indexes.iter().filter(|index| !text.contains(**index));
                found.extend(missing.map(|index| format!("no {index}")));
            }
            if !found.is_empty() {
                faults.push(format!("{}: {found:?}\n{}\n{text}", statement.file, statement.sql));
            }
        }
        assert!(faults.is_empty(), "counted: {counted}\n{}", faults.join("\n\n"));
    }
}

/// A connection that explains statements.
struct Explainer {
    conn: Conn,
    is_postgres: bool,
}

impl Explainer {
    async fn connect(fixture: &Fixture) -> Self {
        let mut conn = Conn::connect(&fixture.config.store.url).await.expect("connects");
        let is_postgres = rovuma_lab::postgres::tests_use_postgres();
        if is_postgres {
            // The plan that serves every value, as a statement gets it that is used often. Few rows are read from end to end
            // whatever the indexes, so the server is told that this is dear.
            let settings = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off";
            sqlx::raw_sql(settings).execute(&mut conn).await.expect("set");
        }
        Self { conn, is_postgres }
    }

    async fn column(&mut self, sql: String) -> Vec<String> {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut self.conn).await;
        let rows = rows.unwrap_or_else(|fault| panic!("{fault}: {sql}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Puts [`ROWS`] rows into every table, and returns the names of those that grow.
    async fn fill(&mut self, fixture: &Fixture) -> Vec<String> {
        let tables = if self.is_postgres {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'"
        } else {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        };
        let mut tables = self.column(tables.to_owned()).await;
        tables.retain(|table| !table.starts_with('_') && table != "store" && !table.ends_with("_total"));
        tables.sort_by_key(|table| table == "receipt");
        for table in &tables {
            let columns = self.columns(table).await;
            let (names, values): (Vec<_>, Vec<_>) = columns
                .iter()
                .map(|column| {
                    let (name, kind, is_nullable) = (&column.0, column.1.as_str(), column.2);
                    (name.clone(), self.value(table, name, kind, is_nullable))
                })
                .unzip();
            fixture
                .execute(format!(
                    "INSERT INTO {table} ({}) WITH RECURSIVE n (i) AS
                         (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT {} FROM n WHERE true
                     ON CONFLICT DO NOTHING",
                    names.join(", "),
                    values.join(", ")
                ))
                .await;
        }
        tables.retain(|table| SMALL.iter().all(|(small, _)| small != table));
        assert!(tables.len() > 8, "{tables:?}");
        tables
    }

    /// The columns that a row must be given: name, type, whether it may be empty.
    async fn columns(&mut self, table: &str) -> Vec<(String, String, bool)> {
        let text = if self.is_postgres {
            format!(
                "SELECT column_name || '|' || data_type || '|' || is_nullable FROM information_schema.columns
                 WHERE table_name = '{table}' AND is_identity = 'NO' AND column_default IS NULL
                 ORDER BY ordinal_position"
            )
        } else {
            format!(
                "SELECT name || '|' || type || '|' || CASE \"notnull\" WHEN 0 THEN 'YES' ELSE 'NO' END
                 FROM pragma_table_info('{table}') WHERE NOT (type = 'INTEGER' AND pk > 0) ORDER BY cid"
            )
        };
        let columns = self.column(text).await;
        columns
            .iter()
            .map(|column| {
                let parts: Vec<&str> = column.split('|').collect();
                (parts[0].to_owned(), parts[1].to_lowercase(), parts[2] == "YES")
            })
            .collect()
    }

    /// An expression of row number `i` for a column: mostly settled, read and released, as in a store of some age.
    fn value(&self, table: &str, column: &str, kind: &str, is_nullable: bool) -> String {
        let value = match (table, column) {
            ("draft", "state") => {
                "CASE i % 50 WHEN 0 THEN 'draft' WHEN 1 THEN 'returned' ELSE 'released' END"
            }
            ("outbox_copy", "state") => {
                "CASE i % 100 WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 3 WHEN 3 THEN 4 ELSE 2 END"
            }
            ("received", "disposition") => "'operative'",
            // A receipt refers to its bytes.
            ("receipt_jws", "digest") | ("receipt", "receipt_digest") if self.is_postgres => {
                "decode(lpad(to_hex(i), 64, '0'), 'hex')"
            }
            ("receipt_jws", "digest") | ("receipt", "receipt_digest") => "CAST(printf('%032d', i) AS BLOB)",
            ("received", "read_at") => "CASE i % 50 WHEN 0 THEN NULL ELSE i END",
            (_, "agency" | "sender" | "recipient" | "author" | "own") => "'mz.a' || (i % 10)",
            (_, "country" | "lane" | "kind" | "message_type" | "exchange") => "'t' || (i % 3)",
            _ => match kind {
                "blob" if !self.is_postgres => "randomblob(16)",
                "bytea" => "decode(md5(random()::text), 'hex')",
                "text" => "'t' || i",
                _ => "i",
            },
        };
        let is_chosen =
            matches!((table, column), ("received", "read_at") | ("outbox_copy", "stream" | "number"));
        if is_nullable && !is_chosen {
            format!("CASE WHEN i % 20 = 0 THEN {value} END")
        } else {
            value.to_owned()
        }
    }

    /// The steps of the plan; none for a statement that only the other database is asked.
    async fn explain(&mut self, sql: &str) -> Option<Vec<String>> {
        if sql.contains("pg_") || (self.is_postgres && sql.contains("sqlite_")) {
            return None;
        }
        let (sql, types) = with_parameters(sql);
        if !self.is_postgres {
            let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                .fetch_all(&mut self.conn)
                .await;
            let rows = rows.unwrap_or_else(|fault| panic!("{fault}: {sql}"));
            return Some(rows.iter().map(|row| row.get("detail")).collect());
        }
        let parameters = if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
        let nulls = vec!["NULL"; types.len()].join(", ");
        let values = if types.is_empty() { String::new() } else { format!("({nulls})") };
        self.column(format!("PREPARE explained {parameters} AS {sql}")).await;
        let plan = self.column(format!("EXPLAIN (COSTS OFF) EXECUTE explained{values}")).await;
        self.column("DEALLOCATE explained".to_owned()).await;
        Some(plan)
    }

    /// The steps that read a growing table from end to end, or sort.
    fn faults(&self, sql: &str, plan: &[String], growing: &[String]) -> Vec<String> {
        let names = aliases(sql, growing);
        let mut faults = Vec::new();
        for (at, step) in plan.iter().enumerate() {
            let words: Vec<&str> = step.trim_start_matches([' ', '-', '>']).split(' ').collect();
            let is_backlog = words.iter().any(|word| BACKLOGS.contains(word));
            let is_scan = if self.is_postgres {
                // An index without a condition is read from end to end as well.
                let is_index = step.contains("Index Scan") || step.contains("Index Only Scan");
                let conditions = plan[at + 1..].iter().take_while(|line| !line.contains("->"));
                let is_led = conditions.into_iter().any(|line| line.contains("Index Cond"));
                step.contains("Seq Scan") || (is_index && !is_led)
            } else {
                words[0] == "SCAN"
            };
            let reads = if self.is_postgres {
                words.iter().position(|word| *word == "on").and_then(|on| words.get(on + 1))
            } else {
                words.get(1)
            };
            let is_growing = reads
                .is_some_and(|name| names.contains_key(*name) || growing.iter().any(|table| table == name));
            if is_scan && is_growing && !is_backlog {
                faults.push(format!("reads everything: {}", step.trim()));
            }
            let sorts = step.contains("USE TEMP B-TREE FOR ORDER BY");
            if sorts && !names.is_empty() && !SORTS.iter().any(|(part, _)| sql.contains(part)) {
                faults.push(format!("sorts: {}", step.trim()));
            }
        }
        faults
    }
}

/// The names by which a statement calls growing tables.
fn aliases<'a>(sql: &'a str, growing: &[String]) -> BTreeMap<&'a str, &'a str> {
    let words: Vec<&str> =
        sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
    let mut names = BTreeMap::new();
    for (at, table) in words.iter().enumerate().filter(|(_, word)| growing.iter().any(|table| table == *word))
    {
        names.insert(*table, *table);
        let next = words.get(at + 1).copied().unwrap_or_default();
        let alias = if next == "AS" { words.get(at + 2).copied().unwrap_or_default() } else { next };
        // SQL's own words are written in capitals.
        if !alias.is_empty() && alias.chars().all(|c| c.is_lowercase() || c == '_') {
            names.insert(alias, *table);
        }
    }
    names
}

/// The statement with a list of one value, or one row, in place of `{}`, and the types of its parameters for PostgreSQL.
fn with_parameters(sql: &str) -> (String, Vec<String>) {
    let highest = |sql: &str| {
        let numbers = sql.split('$').skip(1).map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>().unwrap_or(0)
        });
        numbers.max().unwrap_or(0)
    };
    let first = highest(sql) + 1;
    let mut row_types = Vec::new();
    let list = match sql.split_once("AS (VALUES {})") {
        None => format!("${first}"),
        Some((before, _)) => {
            let columns =
                before.rsplit_once('(').expect("the columns of a list").1.trim_end().trim_end_matches(')');
            let types = columns.split(',').map(|column| match column.trim().rsplit('_').next() {
                Some("id" | "digest" | "stream") => "bytea",
                Some("number" | "at") => "bigint",
                _ => "text",
            });
            row_types.extend(types.map(str::to_owned));
            let row: Vec<String> =
                (first..).take(row_types.len()).map(|number| format!("${number}")).collect();
            format!("({})", row.join(", "))
        }
    };
    let sql = sql.replace("{}", &list);
    let types = (1..=highest(&sql)).map(|number| {
        let is_used = sql.split('$').skip(1).any(|rest| {
            rest.strip_prefix(&number.to_string())
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        });
        match row_types.get(number.wrapping_sub(first)) {
            Some(kind) => kind.clone(),
            None if is_used => "unknown".to_owned(),
            None => "text".to_owned(),
        }
    });
    let types = types.collect();
    (sql, types)
}
