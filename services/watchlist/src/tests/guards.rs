//! Who may import what: second persons, roles, and bounds.

use std::time::Duration;

use axum::body::{Body, Bytes};
use serde_json::{Value, json};

use super::{imports::passports, support::Bench};

#[tokio::test]
async fn a_list_that_shrinks_waits_for_another_person() {
    let bench = Bench::new().await;
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..100_100)).await.0, 200);
    let (status, problem) = bench.import("stolen?source=csv", passports(100_000..100_089)).await;
    assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("needs_second_person")), "{problem}");
    let detail = problem["detail"].as_str().expect("figures");
    assert!(detail.contains("89 records") && detail.contains("100: fewer_records"), "{detail}");
    assert_eq!(bench.verdict("AB100099").await, "hit", "the old list stays");
    let proposal = bench.list("stolen").await["proposal"].clone();
    assert_eq!(
        (&proposal["act"], &proposal["records_before"]),
        (&json!("import"), &json!(100)),
        "{proposal}"
    );

    let (status, problem) = bench.approve("supervisor-1", "stolen").await;
    assert_eq!((status.as_u16(), &problem["code"]), (403, &json!("second_person")));

    // What waits outlives a restart.
    let bench = bench.restarted().await;
    assert_eq!(bench.list("stolen").await["proposal"], proposal);
    assert_eq!(bench.approve("supervisor-2", "stolen").await.0, 200);
    assert_eq!(
        (bench.verdict("AB100099").await, bench.verdict("AB100088").await),
        ("no_hit".into(), "hit".into())
    );
    let row = bench.list("stolen").await;
    assert_eq!((&row["entries"], &row["proposal"]), (&json!(89), &Value::Null));
    assert_eq!(bench.rows("staged").await, 0);
    assert_eq!(bench.approve("supervisor-2", "stolen").await.0, 404, "it is done");
    let steps: Vec<_> = bench.recorded().await.into_iter().map(|(_, step)| step).collect();
    assert_eq!(steps, ["loaded", "proposed", "second_person", "approved", "not_found"]);
}

#[tokio::test]
async fn what_waits_lapses_after_a_day_and_is_replaced_by_what_comes_after() {
    let bench = Bench::new().await;
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..100_100)).await.0, 200);
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..100_010)).await.0, 409);
    bench.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(bench.approve("supervisor-2", "stolen").await.0, 404);
    assert_eq!(bench.list("stolen").await["proposal"], Value::Null);

    assert_eq!(bench.import("stolen?source=csv", passports(100_000..100_010)).await.0, 409);
    let seen = bench.list("stolen").await["proposal"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..100_020)).await.0, 409);
    assert_eq!(bench.rows("staged").await, 30, "the first of the two is removed by the next import");
    let token = bench.person("supervisor-2", &["supervisor"]);
    let (status, problem) = bench.import_as(&token, &format!("stolen/approval?proposal={seen}"), "").await;
    assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("proposal_changed")));
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..100_101)).await.0, 200);
    assert_eq!(bench.approve("supervisor-2", "stolen").await.0, 404);
    assert_eq!((bench.rows("staged").await, bench.rows("entry").await), (0, 101));
}

#[tokio::test]
async fn a_list_is_taken_out_by_two() {
    let bench = Bench::new().await;
    assert_eq!(bench.propose_removal("stolen").await.0, 404);
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..100_100)).await.0, 200);
    let (status, proposal) = bench.propose_removal("stolen").await;
    assert_eq!((status.as_u16(), &proposal["act"]), (202, &json!("removal")), "{proposal}");
    assert_eq!(bench.verdict("AB100000").await, "hit");
    assert_eq!(bench.approve("supervisor-1", "stolen").await.0, 403);
    assert_eq!(bench.approve("supervisor-2", "stolen").await.0, 200);
    assert_eq!(bench.verdict("AB100000").await, "no_hit");
    assert_eq!((bench.list("stolen").await, bench.rows("entry").await), (Value::Null, 0));
    let bench = bench.restarted().await;
    assert_eq!(bench.list("stolen").await, Value::Null);
}

#[tokio::test]
async fn only_who_administers_imports() {
    let bench = Bench::new().await;
    let file = passports(100_000..100_001);
    for role in ["border_officer", "liaison_officer", "analyst", "auditor", "data_protection_officer"] {
        let token = bench.person("somebody", &[role]);
        let (status, problem) = bench.import_as(&token, "stolen?source=csv", file.clone()).await;
        assert_eq!(status, 403, "{role}: {problem}");
        let (status, problem) = bench.import_as(&token, "stolen/approval", "").await;
        assert_eq!(status, 403, "{role}: {problem}");
    }
    let refused = bench.recorded().await;
    assert!(
        refused.len() == 10 && refused.iter().all(|(action, _)| action == "access.refuse"),
        "{refused:?}"
    );
    let admin = bench.person("admin-1", &["agency_admin"]);
    assert_eq!(bench.import_as(&admin, "stolen?source=csv", file).await.0, 200);
}

#[tokio::test]
async fn the_seventeenth_list_is_refused() {
    let bench = Bench::new().await;
    for list in 1..=16 {
        assert_eq!(bench.import(&format!("list-{list}?source=csv"), passports(list..list + 2)).await.0, 200);
    }
    let (status, problem) = bench.import("list-17?source=csv", passports(1..3)).await;
    assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("lists_full")), "{problem}");
    assert_eq!(bench.import("list-16?source=csv", passports(1..4)).await.0, 200);
}

#[tokio::test]
async fn requests_have_a_form() {
    let bench = Bench::new().await;
    let too_long = "a".repeat(33);
    for path in [
        "alerts?source=csv",
        "a?source=csv",
        "A1?source=csv",
        &format!("{too_long}?source=csv"),
        "un%23x?source=csv",
        "stolen",
        "stolen?source=xml",
        "stolen?source=csv&dated=2026-12-01",
        "stolen?source=csv&dated=yesterday",
        "stolen?source=csv&aliases_bytes=7",
        "stolen?source=csv&dryrun=true",
    ] {
        let (status, problem) = bench.import(path, passports(1..2)).await;
        assert_eq!(status, 400, "{path}: {problem}");
    }
    assert_eq!(bench.rows("entry").await, 0);
}

#[tokio::test]
async fn a_list_may_be_longer_than_other_bodies_and_has_a_limit_too() {
    let bench = Bench::new().await;
    let (status, report) = bench.import("stolen?source=csv", passports(100_000..140_000)).await;
    assert_eq!(status, 200, "more than 1 MiB: {report}");
    let token = bench.person("supervisor-1", &["supervisor"]);
    let request = axum::http::Request::post("/v1/lists/stolen?source=csv")
        .header("content-type", "application/octet-stream")
        .header("content-length", crate::imports::LIST_MAX_BYTES + 1);
    let never = Body::from_stream(futures::stream::pending::<std::io::Result<Bytes>>());
    let (status, problem) = bench.send(&token, request.header("expect", "100-continue"), never).await;
    assert_eq!((status.as_u16(), &problem["code"]), (413, &json!("body_too_large")), "{problem}");
}
