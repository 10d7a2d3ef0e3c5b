//! A list of 100 MB is imported in little memory. Run by hand: `cargo test -p rovuma-watchlist large -- --ignored --nocapture`.

use std::time::Instant;

use axum::body::{Body, Bytes};

use super::support::Bench;

const LIST_BYTES: usize = 100 * 1024 * 1024;
const MEMORY_MAX_KIB: u64 = 64 * 1024;

/// About what one record of the UN's list has.
const RECORD_WORDS: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes without optimisation; its figures are for people"]
async fn a_hundred_megabytes() {
    let bench = Bench::new().await;
    let before = peak_memory_kib();
    let head = "<CONSOLIDATED_LIST><INDIVIDUALS>\n".to_owned();
    let records = LIST_BYTES / record(0).len();
    let pieces = std::iter::once(head)
        .chain((0..records).map(record))
        .chain(["</INDIVIDUALS><ENTITIES/></CONSOLIDATED_LIST>".to_owned()])
        .map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
    let begun = Instant::now();
    let (status, report) =
        bench.import("un?source=un", Body::from_stream(futures::stream::iter(pieces))).await;
    let (seconds, peak) = (begun.elapsed().as_secs_f64(), peak_memory_kib());
    assert_eq!(status, 200, "{report}");
    eprintln!("{records} records in {seconds:.1} s, peak memory {peak} KiB, {before} KiB before the import");
    assert_eq!(bench.verdict("AB100007").await, "hit");
    assert!(peak < MEMORY_MAX_KIB, "{peak} KiB");
}

fn record(number: usize) -> String {
    format!(
        "<INDIVIDUAL><DATAID>{number}</DATAID><FIRST_NAME>ERIC</FIRST_NAME><COMMENTS1>{}</COMMENTS1><INDIVIDUAL_DOCUMENT>\
         <TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>AB{}</NUMBER><ISSUING_COUNTRY>Mozambique</ISSUING_COUNTRY>\
         </INDIVIDUAL_DOCUMENT></INDIVIDUAL>\n",
        "word ".repeat(RECORD_WORDS),
        100_000 + number
    )
}

/// The most memory that this process has had (`VmHWM`).
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
