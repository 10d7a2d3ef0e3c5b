use super::*;
use crate::lists::{BirthPrecision, ListSource, Outcome, RecordSink, SinkError};

struct Kept(Vec<Record>);

impl RecordSink for Kept {
    fn record(&mut self, record: Record) -> Result<(), SinkError> {
        self.0.push(record);
        Ok(())
    }
}

fn list(sdn: &str, alt: Option<&str>) -> (Vec<Record>, Outcome) {
    let (mut kept, mut alt) = (Kept(Vec::new()), alt.map(str::as_bytes));
    let alt = alt.as_mut().map(|alt| alt as &mut dyn BufRead);
    let outcome = crate::lists::read(ListSource::Ofac, &mut sdn.as_bytes(), alt, &mut kept).expect("a list");
    (kept.0, outcome)
}

fn line(number: &str, name: &str, kind: &str, remarks: &str) -> String {
    format!("{number},\"{name}\",{kind},\"SDGT\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,{remarks}\r\n")
}

fn person(remarks: &str) -> (Record, Outcome) {
    let (mut records, outcome) =
        list(&line("7", "X, Y", "\"individual\"", &format!("\"{remarks}\"")), Some(""));
    (records.remove(0), outcome)
}

#[test]
fn the_last_byte_of_the_file_is_no_record() {
    let (records, outcome) =
        list(&format!("{}\u{1A}", line("7", "X, Y", "\"individual\"", "-0- ")), Some(""));
    assert_eq!(records.len(), 1);
    assert_eq!(outcome.warnings, Vec::<String>::new());
}

#[test]
fn a_missing_end_and_missing_aliases_are_told() {
    let (_, outcome) = list(&line("7", "X, Y", "\"individual\"", "-0- "), None);
    assert_eq!(
        outcome.warnings,
        [
            "without the file of aliases, alt.csv, most names of the list are missing",
            "the list does not end with the byte 0x1A, as OFAC's files do: its end may be missing",
        ]
    );
}

#[test]
fn the_sections_are_the_types() {
    let sdn = [
        line("1", "CECOEX, S.A.", "-0- ", "\"a.k.a. 'BNC'.\""),
        line("2", "HERMANN", "\"vessel\"", "-0- "),
        line("3", "EP-GOM", "\"aircraft\"", "-0- "),
        line("4", "X, Y", "\"individual\"", "-0- "),
        line("5", "X, Y", "\"robot\"", "-0- "),
        line("x", "X, Y", "\"individual\"", "-0- "),
    ]
    .concat();
    let (records, outcome) = list(&sdn, Some(""));
    let counts = ["aircraft", "entity", "individual", "vessel"].map(|section| (section.to_owned(), 1));
    assert_eq!(outcome.sections, counts.into());
    assert_eq!((outcome.counts.persons, outcome.counts.organisations), (1, 3));
    let company = records.first().expect("a record");
    assert_eq!(
        company.names,
        [
            ListedName::whole("CECOEX, S.A.", NameQuality::Primary),
            ListedName::whole("BNC", NameQuality::Weak)
        ]
    );
    let told: Vec<_> =
        outcome.skipped.iter().map(|skipped| (skipped.line, skipped.reason.as_str())).collect();
    assert_eq!(told, [(5, "the type \"robot\" is not known"), (6, "the record's number is none: \"x\"")]);
}

#[test]
fn aliases_are_found_however_the_files_are_sorted() {
    let sdn =
        [line("9", "A, B", "\"individual\"", "-0- "), line("7", "X, Y", "\"individual\"", "-0- ")].concat();
    let alt = "7,2,\"aka\",\"ZETT, Y\",-0- \r\n9,1,\"fka\",\"C, B\",-0- \r\n7,3,\"aka\",\"YE\",-0- \r\n8,4,\"aka\",\"NOBODY\",-0- \r\nx,5,\"aka\",\"N\",-0- \r\n\u{1A}";
    let (records, outcome) = list(&sdn, Some(alt));
    let names: Vec<Vec<_>> =
        records.iter().map(|record| record.names.iter().map(|name| name.full.as_str()).collect()).collect();
    assert_eq!(names, [vec!["B A", "B C"], vec!["Y X", "Y ZETT", "YE"]]);
    assert_eq!(outcome.counts.aliases_good, 3);
    let told: Vec<_> =
        outcome.skipped.iter().map(|skipped| (skipped.line, skipped.reason.as_str())).collect();
    assert_eq!(
        told,
        [
            (5, "file of aliases: the record's number is none: \"x\""),
            (4, "file of aliases: the list has no record 8 for the name \"NOBODY\""),
        ]
    );
}

#[test]
fn remarks_are_told_apart() {
    let (record, outcome) = person(
        "DOB 1953 to 1958; alt. DOB 01 Jan 1951 to 31 Dec 1953; POB Giza, Egypt; nationality Syria; alt. nationality Iraq; \
         citizen Syria; Gender Female; Passport B12345 (Iran) expires 03 May 2020; National ID No. 1910958130007; \
         Kenyan ID No. 12773667; Secondary sanctions risk: sections 510.201; Linked To: ABC.",
    );
    let births: Vec<_> =
        record.births.iter().map(|birth| (birth.precision, birth.year, birth.to_year)).collect();
    assert_eq!(
        births,
        [
            (BirthPrecision::Between, Some(1953), Some(1958)),
            (BirthPrecision::Between, Some(1951), Some(1953)),
        ]
    );
    assert_eq!((record.nationalities, record.sex), (vec!["SYR".to_owned(), "IRQ".to_owned()], Some('F')));
    let documents: Vec<_> = record
        .documents
        .iter()
        .map(|document| {
            let parts = (document.number.as_deref(), document.issuer.as_deref(), document.note.as_deref());
            (document.document_type.as_str(), parts)
        })
        .collect();
    assert_eq!(
        documents,
        [
            ("passport", (Some("B12345"), Some("IRN"), Some("expires 03 May 2020"))),
            ("national_id", (Some("1910958130007"), None, None)),
            ("national_id", (Some("12773667"), Some("KEN"), None)),
        ]
    );
    assert_eq!((outcome.counts.documents, outcome.counts.skipped), (3, 0));
}

#[test]
fn a_bad_date_is_told_and_the_record_kept() {
    let (record, outcome) = person("DOB 30 Feb 1974; alt. DOB 1975.");
    assert_eq!(record.births.len(), 1);
    let skipped = outcome.skipped.first().expect("told");
    assert_eq!((skipped.line, skipped.record.as_deref()), (1, Some("7")));
    assert_eq!(skipped.reason, "the birth date is not understood: \"30 Feb 1974\"");
}

#[test]
fn a_statement_that_is_cut_is_not_read() {
    let cut = |length: usize| {
        let head = "DOB 1974; ";
        let tail = "; Passport B1234";
        format!("{head}{}{tail}", "x".repeat(length - head.len() - tail.len()))
    };
    let (record, _) = person(&cut(1000));
    assert_eq!(record.remarks, ["remarks are cut at 1000 characters"]);
    assert_eq!(record.documents, []);
    assert_eq!(record.births.len(), 1);
    let (record, _) = person(&cut(999));
    assert_eq!(record.remarks, Vec::<String>::new());
    assert_eq!(record.documents.len(), 1);
}

#[test]
fn what_no_machine_can_read_is_kept_and_said() {
    let (record, _) = person("Passport C 1415363 - 16/2/1421H; Passport NO34409/129; nationality Atlantis");
    assert_eq!(record.documents.first().map(|document| document.number.clone()), Some(None));
    assert_eq!(
        record.remarks,
        [
            "no machine can read the number of a document: \"Passport C 1415363 - 16/2/1421H\"",
            "the document number NO34409129 may begin with the abbreviation of number",
            "a nationality is not understood: \"Atlantis\"",
        ]
    );
}
