//! Everything that a search finds, as a file.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use rovuma_schemas::audit::AuditObject;
use rovuma_store::FutureExt as _;
use serde_json::Value;

use super::support::{Api, sequences};

async fn csv(api: &Api, path: &str) -> (StatusCode, axum::http::HeaderMap, String) {
    let token = api.person("auditor-1", "mz.prm", &["auditor"]);
    api.raw(&token, Request::get(path).header("accept", "text/csv"), Body::empty()).await
}

#[tokio::test]
async fn all_of_it_is_handed_out_however_many_reads_that_takes() {
    let mut api = Api::new().await;
    for _ in 0..451 {
        api.store_event(|_| {}).await;
    }
    api.store_event(|event| event.agency = Some("mz.senami".parse().expect("an agency"))).await;
    let (status, whole) = api.auditor("/v1/export?order=oldest").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(sequences(&whole), (1..=451).collect::<Vec<u64>>());
    assert_eq!(
        (whole["count"].as_u64(), whole["end"].as_u64()),
        (Some(451), Some(453)),
        "and what began the log"
    );
    // The export is an event of the log, and no part of itself.
    let logged = api.own("export").await;
    assert_eq!((logged[0].details["found"].as_str(), logged[0].details["form"].as_str()), ("451", "json"));
    assert_eq!(logged[0].details["end"], "453");
    let (_, headers, table) = csv(&api, "/v1/export?action=message.read").await;
    assert_eq!(headers["rovuma-count"], "451");
    assert_eq!(
        table.split("\r\n").count(),
        1 + 451 + 1,
        "a heading, the rows, and what follows the last end of line"
    );
    assert_eq!(api.own("export").await[1].details["filter.action"], "message.read");
}

#[tokio::test]
async fn a_table_has_what_the_events_say_and_no_formula() {
    let mut api = Api::new().await;
    let event = api
        .store_event(|event| {
            event.object = Some(AuditObject::new("key", "-HqESBXe9eUqBAyGrluKHgy7GbnrNwBfUlllbew9CAU"));
            event.reason = Some("=HYPERLINK(\"http://evil.example\",\"open\")".to_owned());
            event.details.insert("reference".to_owned(), "PRM, \"0417\"\nsecond line".to_owned());
        })
        .await;
    let (_, headers, table) = csv(&api, "/v1/export?object_kind=key").await;
    assert!(headers["content-type"].to_str().expect("text").starts_with("text/csv"));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let columns = reader.headers().expect("a heading").clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let cell = |name: &str| &rows[0][columns.iter().position(|column| column == name).expect(name)];
    assert_eq!(rows.len(), 1);
    assert_eq!(cell("actor"), event.actor);
    assert_eq!(cell("reference"), "PRM, \"0417\"\nsecond line");
    assert_eq!(cell("object"), "'-HqESBXe9eUqBAyGrluKHgy7GbnrNwBfUlllbew9CAU");
    assert!(cell("reason").starts_with("'="), "{table}");
    let details: Value = serde_json::from_str(cell("details")).expect("JSON");
    assert_eq!(details["reference"], event.details["reference"]);
}

#[tokio::test]
async fn more_than_a_file_or_a_table_of_numbers_holds_is_refused_and_the_way_out_told() {
    let mut api = Api::new().await;
    api.store_event(|_| {}).await;
    // Only what is counted: one more than is exported, each in an hour of its own.
    let fill = api.bench.store().write(|tx| {
        async move {
            for text in [
                "INSERT INTO lineage (lineage_id, source, epoch, opened_at, last_sequence, last_digest)
                 VALUES (900, 'mz.many', $1, 1, 0, $1)",
                "INSERT INTO entry (entry_index, lineage_id, sequence, digest, leaf, stored_at)
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 100000)
                 SELECT 1000 + i, 900, i, $1, $1, 1 FROM n",
                "INSERT INTO entry_search (entry_index, at, actor, agency, action, outcome, reference_key)
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 100000)
                 SELECT 1000 + i, i * 3600000000, 'a', 'mz.prm', 'x', 'success', $1 FROM n",
            ] {
                sqlx::query(text).bind(vec![0_u8; 16]).execute(&mut *tx).await?;
            }
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    fill.await.expect("filled");
    api.settle_at(1000 + 100_002).await;
    for path in ["/v1/export?action=x", "/v1/evidence?action=x", "/v1/counts/hour/all?action=x"] {
        let (status, problem) = api.auditor(path).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("range")), "{path}");
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains("shorter time"), "{path}: {detail}");
    }
    assert!(api.own("export").await.is_empty(), "nothing was handed out");
}
