//! A list of 100 MB is read in little memory. Run by hand: `cargo test --release -- --ignored --nocapture --test-threads=1`.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Seek as _, Write as _},
    time::Instant,
};

use rstest::rstest;

use super::*;

const LIST_BYTES: u64 = 100 * 1024 * 1024;
const MEMORY_MAX_KIB: u64 = 64 * 1024;

/// Counts, keeps nothing.
struct Count(u64);

impl RecordSink for Count {
    fn record(&mut self, _: Record) -> Result<(), SinkError> {
        self.0 += 1;
        Ok(())
    }
}

#[rstest]
#[case(ListSource::Un)]
#[case(ListSource::Ofac)]
#[case(ListSource::Csv)]
#[ignore = "takes seconds and 100 MB of disk; its figures are for people"]
fn a_hundred_megabytes(#[case] source: ListSource) {
    let mut file = written(source);
    let aliases: String =
        (0..100_000).map(|number| format!("{number},2,\"aka\",\"DELOS REYES, Feliciano\",-0- \n")).collect();
    let mut aliases = aliases.as_bytes();
    let more: Option<&mut dyn BufRead> = if source == ListSource::Ofac { Some(&mut aliases) } else { None };
    file.rewind().expect("a file");
    let (mut count, begun) = (Count(0), Instant::now());
    let outcome = read(source, &mut BufReader::new(file), more, &mut count).expect("a list");
    let (seconds, peak) = (begun.elapsed().as_secs_f64(), peak_memory_kib());
    eprintln!(
        "{source}: {} records in {seconds:.1} s, peak memory {peak} KiB, skipped {}",
        count.0, outcome.counts.skipped
    );
    assert!(peak < MEMORY_MAX_KIB, "{peak} KiB");
}

fn written(source: ListSource) -> File {
    let file = tempfile::tempfile().expect("a file");
    let mut out = BufWriter::new(file);
    let (head, record, tail) = match source {
        ListSource::Un => {
            let xml = un_xml(&format!(
                "<INDIVIDUAL_DATE_OF_BIRTH><YEAR>1971</YEAR></INDIVIDUAL_DATE_OF_BIRTH><COMMENTS1>{}</COMMENTS1>\
                 <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>Libya B/002210</NUMBER></INDIVIDUAL_DOCUMENT>",
                "word ".repeat(300)
            ));
            let (head, rest) = xml.split_once("<INDIVIDUAL>").expect("a record");
            let (record, tail) = rest.split_once("</INDIVIDUAL>").expect("a record");
            (head.to_owned(), format!("<INDIVIDUAL>{record}</INDIVIDUAL>\n"), tail.to_owned())
        }
        ListSource::Ofac => {
            let remarks = "DOB 14 Mar 1974; nationality Syria; Passport B12345 (Iran) expires 03 May 2020; a.k.a. 'PACHO'.";
            (String::new(), ofac_line(7, "DELOS REYES, Feliciano", "SDGT", remarks), "\u{1A}".to_owned())
        }
        ListSource::Csv => (
            "id,surname,given,birth,doc_type,doc_issuer,doc_number\n".to_owned(),
            "1,MUÇÁ,João,1985-07-03,passport,MOZ,AB 123001\n".to_owned(),
            String::new(),
        ),
    };
    out.write_all(head.as_bytes()).expect("written");
    for _ in 0..LIST_BYTES / record.len() as u64 {
        out.write_all(record.as_bytes()).expect("written");
    }
    out.write_all(tail.as_bytes()).expect("written");
    out.into_inner().expect("written")
}

/// The most memory that this process has had (`VmHWM`).
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
