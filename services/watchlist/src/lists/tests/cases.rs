//! Each case of `watchlist.jsonl` about lists, under its id.

use super::*;

#[test]
fn doc_un_country_in_number() {
    let numbers = [
        "Libya B/002210",
        "Diplomatic Passport: Z30321794",
        "No34409/129",
        "381110042 (Expired 25 Jan. 2016)",
        "German travel document (“Reiseausweis”) A 0139243",
    ];
    let elements: String = numbers
        .map(|number| {
            format!("<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>{number}</NUMBER></INDIVIDUAL_DOCUMENT>")
        })
        .concat();
    let (record, _) = un(&elements);
    let found: Vec<_> = record.documents.iter().map(|document| document.number.as_deref()).collect();
    assert_eq!(found, ["B002210", "Z30321794", "34409129", "381110042", "A0139243"].map(Some));
    let issuers: Vec<_> = record.documents.iter().map(|document| document.issuer.as_deref()).collect();
    assert_eq!(issuers, [Some("LBY"), None, None, None, Some("DEU")]);
    let expired = record.documents.get(3).expect("a document");
    assert_eq!(expired.note.as_deref(), Some("Expired 25 Jan. 2016"));
}

#[test]
fn doc_un_type_words() {
    let types = [
        "Passport",
        "Numéro de passeport ",
        "Número de pasaporte",
        "National Identification\n            Number",
    ];
    let elements: String = types
        .map(|kind| {
            format!("<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>{kind}</TYPE_OF_DOCUMENT><NUMBER>A123</NUMBER></INDIVIDUAL_DOCUMENT>")
        })
        .concat();
    let (record, _) = un(&elements);
    let found: Vec<_> = record.documents.iter().map(|document| document.document_type.as_str()).collect();
    assert_eq!(found, ["passport", "passport", "passport", "national_id"]);
}

#[test]
fn un_exact_year() {
    let (record, outcome) = un(
        "<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><YEAR>1971</YEAR></INDIVIDUAL_DATE_OF_BIRTH>",
    );
    let birth = record.births.first().expect("a date");
    assert_eq!((birth.precision, birth.year, birth.month), (BirthPrecision::Year, Some(1971), None));
    assert_eq!(outcome.counts.births.get("year"), Some(&1));
}

#[test]
fn un_many_dates() {
    let dates = ["1974-03-14", "1974-04-13", "1974-04-14", "1970-08-01"];
    let elements: String = dates
        .map(|date| format!("<INDIVIDUAL_DATE_OF_BIRTH><DATE>{date}</DATE></INDIVIDUAL_DATE_OF_BIRTH>"))
        .concat();
    let found: Vec<_> = un(&elements).0.births.iter().filter_map(crate::lists::dates::to_iso).collect();
    assert_eq!(found, dates);
}

#[test]
fn un_alias_list() {
    let (record, outcome) = un(
        "<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Abas Rashidi; Abbas Rashedi; Abas Rashedi</ALIAS_NAME></INDIVIDUAL_ALIAS>",
    );
    let names: Vec<_> = record.names.iter().map(|name| name.full.as_str()).collect();
    assert_eq!(names, ["ERIC BADEGE", "Abas Rashidi", "Abbas Rashedi", "Abas Rashedi"]);
    assert_eq!(outcome.counts.aliases_good, 3);
}

#[test]
fn un_alias_empty() {
    let (record, outcome) = un("<INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS>");
    assert_eq!(record.names.len(), 1);
    assert_eq!(outcome.counts.aliases_good, 0);
}

#[test]
fn un_truncated_file() {
    let xml = b"<CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL><DATAID>id1</CONSOLIDATED_LIST>";
    let error = read_all(ListSource::Un, xml, None).expect_err("refused");
    assert!(matches!(error, ListError::Line { line: 1, .. }), "{error}");
}

#[test]
fn un_bad_date() {
    let (record, outcome) = un(
        "<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>abc</FROM_YEAR><TO_YEAR>1956</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>\
         <INDIVIDUAL_DATE_OF_BIRTH><YEAR>1956</YEAR></INDIVIDUAL_DATE_OF_BIRTH>",
    );
    assert_eq!(record.births.len(), 1, "the other date is kept");
    let skipped = outcome.skipped.first().expect("told");
    assert_eq!((skipped.line, skipped.record.as_deref()), (4, Some("7")));
    assert_eq!(skipped.reason, "the birth date is not understood: \"BETWEEN abc 1956\"");
}

#[test]
fn ofac_null() {
    let (record, _) = ofac("-0- X", "-0- ", "-0- ");
    assert_eq!(record.programs, Vec::<String>::new());
    assert_eq!(record.names.len(), 1, "a name that only begins like null is one");
    assert_eq!(record.remarks, Vec::<String>::new());
}

#[test]
fn ofac_short_record() {
    let mut list: String = (1..7380).map(|number| ofac_line(number, "X, Y", "SDGT", "-0- ")).collect();
    list.push_str("||||\n");
    let error = read_all(ListSource::Ofac, list.as_bytes(), None).expect_err("refused");
    assert_eq!(error.to_string(), "line 7380 has 1 field of 12");
}

#[test]
fn ofac_weak_alias() {
    let (record, outcome) =
        ofac("X, Y", "SDGT", "DOB 14 Mar 1974; a.k.a. 'AHMED, A.'; a.k.a. ''FOOPIE''; a.k.a. ''FUPI''.");
    let names: Vec<_> = record.names.iter().skip(1).map(|name| (name.full.as_str(), name.quality)).collect();
    assert_eq!(names, ["A. AHMED", "FOOPIE", "FUPI"].map(|name| (name, NameQuality::Weak)));
    assert_eq!(outcome.counts.aliases_weak, 3);
}

#[test]
fn ofac_dob_forms() {
    let (record, outcome) =
        ofac("X, Y", "SDGT", "DOB 14 Mar 1974; alt. DOB Sep 1938; alt. DOB 1946; alt. DOB circa 1951.");
    let precisions: Vec<_> = record.births.iter().map(|birth| birth.precision).collect();
    assert_eq!(
        precisions,
        [BirthPrecision::Day, BirthPrecision::Month, BirthPrecision::Year, BirthPrecision::About]
    );
    assert_eq!(record.births.last().expect("a date").year, Some(1951));
    assert_eq!(outcome.counts.births.values().sum::<u64>(), 4);
}

#[test]
fn ofac_programs() {
    assert_eq!(ofac("X, Y", "SDNTK] [FTO] [SDGT", "-0- ").0.programs, ["SDNTK", "FTO", "SDGT"]);
}

#[test]
fn ofac_name_suffix() {
    let (record, _) = ofac("DELOS REYES, Feliciano Semborio, Jr.", "SDGT", "-0- ");
    let name = record.names.first().expect("a name");
    assert_eq!(name.surname.as_deref(), Some("DELOS REYES"));
    assert_eq!(name.given.as_deref(), Some("Feliciano Semborio"));
    assert_eq!(name.suffix.as_deref(), Some("Jr."));
    assert_eq!(name.full, "Feliciano Semborio DELOS REYES Jr.");
}

#[test]
fn csv_roundtrip() {
    let csv = "id;surname;given;birth;doc_type;doc_issuer;doc_number;doc_number_to;plate;plate_country;nationality\n\
               1;MUÇÁ;João;1985-07-03;passport;MOZ;AB 123001;AB 123100;ABC 123 MC;MOZ;Tanzania|MOZ\n\
               2;X;Y;07/03/1985;;;;;;;\n";
    let (records, outcome) = read_all(ListSource::Csv, csv.as_bytes(), None).expect("a list");
    assert_eq!(outcome.skipped.len(), 1);
    let skipped = outcome.skipped.first().expect("told");
    assert_eq!((skipped.line, skipped.record.as_deref()), (3, Some("2")));
    assert_eq!(skipped.reason, "birth \"07/03/1985\" is no ISO date: write 1985-07-03, 1985-07 or 1985");
    let exported = write_csv(&records);
    let (mut again, outcome) = read_all(ListSource::Csv, exported.as_bytes(), None).expect("a list");
    assert_eq!(outcome.skipped, []);
    // The date that was refused is gone, and with it the warning about it.
    again.last_mut().expect("a record").remarks.clone_from(&records.last().expect("a record").remarks);
    assert_eq!(again, records);
}

#[test]
fn csv_encoding() {
    let mut csv = b"id,full\n1,".to_vec();
    csv.extend(b"\x4a\x6f\xe3\x6f\x20\x4d\x75\xe7\xe1\n");
    let (records, outcome) = read_all(ListSource::Csv, &csv, None).expect("a list");
    assert_eq!(
        records.first().and_then(|record| record.names.first()).map(|name| name.full.as_str()),
        Some("João Muçá")
    );
    assert_eq!(outcome.encoding, "Windows-1252");
    assert_eq!(outcome.warnings, ["the list is not UTF-8 and was read as Windows-1252"]);
}
