//! A list is in force whole or not at all.

use axum::body::{Body, Bytes};
use futures::StreamExt as _;
use rovuma_schemas::MessageId;
use serde_json::{Value, json};

use super::support::Bench;
use crate::imports::{self, Upload};

/// A CSV of passports with the numbers AB100000 and on.
pub(super) fn passports(numbers: std::ops::Range<u32>) -> String {
    let mut csv = "id,full,birth,doc_type,doc_issuer,doc_number\n".to_owned();
    for number in numbers {
        csv += &format!("r{number},João Muçá,1985-07-03,passport,MOZ,AB {number}\n");
    }
    csv
}

const UN: &str = "<CONSOLIDATED_LIST><INDIVIDUALS>\n<INDIVIDUAL><DATAID>7</DATAID><FIRST_NAME>ERIC</FIRST_NAME>\
    <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>AB 123001</NUMBER>\
    <ISSUING_COUNTRY>Mozambique</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT></INDIVIDUAL>\n</INDIVIDUALS>\
    <ENTITIES><ENTITY><DATAID>8</DATAID><FIRST_NAME>FRONT</FIRST_NAME></ENTITY></ENTITIES></CONSOLIDATED_LIST>";

#[tokio::test]
async fn what_is_imported_is_found_and_never_told_to_another_state() {
    let bench = Bench::new().await;
    assert_eq!(bench.verdict("AB100005").await, "no_hit");
    let (status, report) =
        bench.import("stolen?source=csv&dated=2026-11-29", passports(100_000..100_010)).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!((&report["result"], &report["counts"]["persons"]), (&json!("loaded"), &json!(10)));
    let screening = bench.screen("AB100005").await;
    assert_eq!(screening["verdict"], "hit", "{screening}");
    let hit = &screening["hits"][0];
    assert_eq!((&hit["list"], &hit["reference"]), (&json!("stolen"), &json!("r100005")));
    assert_eq!((&hit["action"], &hit["forwarded"]), (&json!("inform_only"), &json!(false)));
    assert!(hit["not_forwarded"].as_array().expect("reasons").contains(&json!("imported_list")), "{hit}");
    assert_eq!(bench.rows("hit WHERE state = 'queued'").await, 0);
    let row = bench.list("stolen").await;
    assert_eq!((&row["entries"], &row["source"]), (&json!(10), &json!("csv")), "{row}");
    assert_eq!((&row["file"]["dated"], &row["list"]["state"]), (&json!("2026-11-29"), &json!("current")));
    assert_eq!(bench.recorded().await, [("list.import".to_owned(), "loaded".to_owned())]);
    let bench = bench.restarted().await;
    assert_eq!(bench.verdict("AB100005").await, "hit");
}

#[tokio::test]
async fn a_new_version_replaces_the_old_one_whole() {
    let bench = Bench::new().await;
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..101_200)).await.0, 200);
    assert_eq!(bench.import("stolen?source=csv", passports(100_100..101_300)).await.0, 200);
    assert_eq!(bench.verdict("AB100099").await, "no_hit");
    for number in ["AB100100", "AB101299"] {
        let screening = bench.screen(number).await;
        assert_eq!(screening["hits"].as_array().map(Vec::len), Some(1), "{screening}");
    }
    assert_eq!(bench.list("stolen").await["list"]["version"], 2);
    assert_eq!((bench.rows("entry").await, bench.rows("staged").await), (1_200, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_while_a_list_is_replaced_finds_its_entry_once() {
    let bench = Bench::new().await;
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..101_000)).await.0, 200);
    let replace = async {
        for end in [101_001, 101_002, 101_003] {
            assert_eq!(bench.import("stolen?source=csv", passports(100_000..end)).await.0, 200);
        }
    };
    let mut replace = std::pin::pin!(replace);
    let mut scans = 0;
    loop {
        let screening = tokio::select! {
            () = &mut replace => break,
            screening = bench.screen("AB100500") => screening,
        };
        assert_eq!(screening["hits"].as_array().map(Vec::len), Some(1), "{screening}");
        scans += 1;
    }
    assert!(scans > 10, "{scans} scans");
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let bench = Bench::new().await;
    let (status, report) = bench.import("stolen?source=csv&dry_run=true", passports(100_000..100_010)).await;
    assert_eq!(
        (status.as_u16(), &report["result"], &report["counts"]["documents"]),
        (200, &json!("dry_run"), &json!(10))
    );
    assert_eq!(bench.list("stolen").await, Value::Null);
    assert_eq!((bench.rows("entry").await, bench.rows("staged").await), (0, 0));
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..100_100)).await.0, 200);
    let (status, report) = bench.import("stolen?source=csv&dry_run=true", passports(100_000..100_050)).await;
    assert_eq!((status.as_u16(), &report["reasons"]), (200, &json!(["fewer_records"])));
    assert_eq!((&report["records_before"], &report["file"]["records"]), (&json!(100), &json!(50)));
    assert_eq!(bench.rows("proposal").await, 0);
}

#[tokio::test]
async fn the_same_file_twice_is_no_change_and_keeps_the_list_current() {
    let bench = Bench::new().await;
    let file = passports(100_000..100_010);
    assert_eq!(bench.import("stolen?source=csv", file.clone()).await.0, 200);
    bench.clock.advance(std::time::Duration::from_secs(20 * 24 * 60 * 60));
    assert_eq!(bench.list("stolen").await["list"]["state"], "stale");
    let (status, report) = bench.import("stolen?source=csv&dated=2026-12-01", file).await;
    assert_eq!((status.as_u16(), &report["result"]), (200, &json!("unchanged")), "{report}");
    let row = bench.list("stolen").await;
    assert_eq!((&row["list"]["version"], &row["list"]["state"]), (&json!(1), &json!("current")));
    assert_eq!(row["file"]["dated"], "2026-12-01");
    assert_eq!(bench.rows("staged").await, 0);
}

#[tokio::test]
async fn a_truncated_file_never_replaces() {
    let bench = Bench::new().await;
    assert_eq!(bench.import("un?source=un", UN).await.0, 200);
    for cut in [UN.len() - 1, UN.len() / 2, UN.find("</INDIVIDUALS>").expect("there")] {
        let (status, problem) = bench.import("un?source=un", UN[..cut].to_owned()).await;
        assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("list_refused")), "{problem}");
    }
    let (status, problem) = bench.import("un?source=un", "").await;
    assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("list_refused")), "{problem}");
    assert_eq!(bench.verdict("AB123001").await, "hit");
    assert_eq!(bench.list("un").await["list"]["version"], 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_never_replaces() {
    let bench = Bench::new().await;
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..102_000)).await.0, 200);
    // The part that arrives is a whole file in its form.
    let part = Bytes::from(passports(100_000..101_999));
    let broken = futures::stream::iter([Ok(part), Err(std::io::Error::other("the line broke"))]);
    let (status, problem) = bench.import("stolen?source=csv", Body::from_stream(broken)).await;
    assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("bad_request")), "{problem}");
    assert_eq!(bench.verdict("AB101999").await, "hit");
    assert_eq!(bench.list("stolen").await["list"]["version"], 1);
}

#[tokio::test]
async fn what_a_killed_import_leaves_behind_is_not_in_force_and_is_removed() {
    let bench = Bench::new().await;
    assert_eq!(bench.import("stolen?source=csv", passports(100_000..100_010)).await.0, 200);
    // Everything that an import writes before its last transaction.
    let import = MessageId::draw(bench.now());
    let upload = Upload {
        list: "stolen".to_owned(),
        source: crate::lists::ListSource::Csv,
        aliases_bytes: None,
        body: Body::from(passports(200_000..200_700)),
    };
    imports::read(&bench.watchlist, upload, Some(import)).await.expect("read");
    let key = imports::key_of("stolen", import);
    imports::copy(&bench.watchlist, import, &key).await.expect("copied");
    assert_eq!((bench.rows("staged").await, bench.rows("entry").await), (700, 710));
    assert_eq!(bench.verdict("AB200000").await, "no_hit");
    let bench = bench.restarted().await;
    assert_eq!((bench.rows("staged").await, bench.rows("entry").await), (0, 10));
    assert_eq!(
        (bench.verdict("AB200000").await, bench.verdict("AB100000").await),
        ("no_hit".into(), "hit".into())
    );
}

#[tokio::test]
async fn an_import_whose_caller_goes_away_is_removed_by_the_next() {
    let bench = Bench::new().await;
    let begun = Bytes::from(passports(100_000..103_000));
    let endless = futures::stream::iter([Ok::<_, std::io::Error>(begun)]).chain(futures::stream::pending());
    let upload = bench.import("stolen?source=csv", Body::from_stream(endless));
    let staged = async {
        while bench.rows("staged").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = upload => panic!("{answer:?}"),
        () = staged => {}
    }
    assert_eq!(bench.import("stolen?source=csv", passports(200_000..200_010)).await.0, 200);
    assert_eq!((bench.rows("staged").await, bench.rows("entry").await), (0, 10));
}

#[tokio::test]
async fn lines_about_one_person_are_one_entry() {
    let bench = Bench::new().await;
    let csv = "id,full,alias_of,doc_type,doc_issuer,doc_number,plate,plate_country,vin\n\
               x,Joe Doe,a,passport,MOZ,AB 300001,,,\n\
               a,João Muçá,,passport,MOZ,AB 300002,ABC 123 MC,MOZ,MD2A21EZ0EWA00001\n\
               a,Somebody Else,,passport,MOZ,AB 300003,,,\n\
               y,Jane Doe,nobody,passport,MOZ,AB 300004,,,\n";
    let (status, report) = bench.import("own?source=csv", csv).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!(report["warnings"].as_array().map(Vec::len), Some(2), "{report}");
    for (number, reference) in
        [("AB300001", "a"), ("AB300002", "a"), ("AB300003", "a"), ("AB300004", "nobody")]
    {
        let screening = bench.screen(number).await;
        assert_eq!(
            (&screening["verdict"], &screening["hits"][0]["reference"]),
            (&json!("hit"), &json!(reference))
        );
    }
    assert_eq!(bench.list("own").await["entries"], 3);
}

#[tokio::test]
async fn ofac_sends_two_files_in_one_body() {
    let bench = Bench::new().await;
    let aliases = "7,2,\"aka\",\"DELOS REYES, Feliciano\",-0- \n\u{1A}";
    let list = "7,\"REYES, F\",\"individual\",\"SDGT\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"Passport AB400001 (Mozambique).\"\r\n\u{1A}";
    let body = format!("{aliases}{list}");
    let path = format!("ofac?source=ofac&aliases_bytes={}", aliases.len());
    let (status, report) = bench.import(&path, body.clone()).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!((&report["counts"]["persons"], &report["counts"]["aliases_good"]), (&json!(1), &json!(1)));
    assert_eq!(bench.verdict("AB400001").await, "hit");
    let (status, problem) = bench.import("ofac?source=ofac&aliases_bytes=100000", body).await;
    assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("list_refused")), "{problem}");
}
