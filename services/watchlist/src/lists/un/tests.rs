use std::fmt::Write as _;

use rstest::rstest;

use super::*;
use crate::lists::{ListSource, Outcome, RecordSink, SinkError};

struct Kept(Vec<Record>);

impl RecordSink for Kept {
    fn record(&mut self, record: Record) -> Result<(), SinkError> {
        self.0.push(record);
        Ok(())
    }
}

fn list(content: &str) -> (Vec<Record>, Outcome) {
    let (xml, mut kept) = (format!("<CONSOLIDATED_LIST>{content}</CONSOLIDATED_LIST>"), Kept(Vec::new()));
    let outcome = crate::lists::read(ListSource::Un, &mut xml.as_bytes(), None, &mut kept).expect("a list");
    (kept.0, outcome)
}

/// An individual with these elements.
fn individual(elements: &str) -> (Record, Outcome) {
    let (mut records, outcome) = list(&format!(
        "<INDIVIDUALS><INDIVIDUAL><DATAID>7</DATAID><FIRST_NAME>X</FIRST_NAME>{elements}</INDIVIDUAL></INDIVIDUALS>"
    ));
    (records.remove(0), outcome)
}

fn born(elements: &str) -> (Vec<ListedBirth>, Outcome) {
    let (record, outcome) =
        individual(&format!("<INDIVIDUAL_DATE_OF_BIRTH>{elements}</INDIVIDUAL_DATE_OF_BIRTH>"));
    (record.births, outcome)
}

#[test]
fn an_individual_is_read_whole() {
    let (record, _) = individual(
        "<SECOND_NAME>Y &amp; Z</SECOND_NAME><FOURTH_NAME>\n  A&#66;C </FOURTH_NAME><GENDER>Female</GENDER>\
         <REFERENCE_NUMBER>QDi.001</REFERENCE_NUMBER><UN_LIST_TYPE>Al-Qaida</UN_LIST_TYPE>\
         <NATIONALITY><VALUE>Libya</VALUE><VALUE>Libya</VALUE><VALUE>Democratic Republic of the Congo</VALUE></NATIONALITY>",
    );
    assert_eq!(record.names, [ListedName::whole("X Y & Z ABC", NameQuality::Primary)]);
    assert_eq!((record.sex, record.reference.as_deref()), (Some('F'), Some("QDi.001")));
    assert_eq!(
        (record.programs, record.nationalities),
        (vec!["Al-Qaida".to_owned()], vec!["LBY".to_owned(), "COD".to_owned()])
    );
    assert_eq!((record.is_organisation, record.line, record.alias_of), (false, 1, None));
}

#[test]
fn an_entity_is_an_organisation() {
    let (records, outcome) = list(
        "<INDIVIDUALS/>\n<ENTITIES>\n<ENTITY><DATAID>8</DATAID><FIRST_NAME>RAHAT LTD.</FIRST_NAME>\
         <ENTITY_ALIAS><QUALITY>a.k.a.</QUALITY><ALIAS_NAME>Rahat Trading</ALIAS_NAME></ENTITY_ALIAS></ENTITY></ENTITIES>",
    );
    let record = records.first().expect("a record");
    assert!(record.is_organisation);
    assert_eq!(record.line, 3);
    assert_eq!(record.names.last().map(|name| name.quality), Some(NameQuality::Good));
    assert_eq!(
        (outcome.counts.persons, outcome.counts.organisations, outcome.counts.aliases_good),
        (0, 1, 1)
    );
    assert_eq!(outcome.sections, [("entities".to_owned(), 1), ("individuals".to_owned(), 0)].into());
}

#[test]
fn a_section_that_is_missing_is_not_counted_as_empty() {
    let (_, outcome) =
        list("<ENTITIES><ENTITY><DATAID>8</DATAID><FIRST_NAME>X</FIRST_NAME></ENTITY></ENTITIES>");
    assert_eq!(outcome.sections.get("individuals"), None);
}

#[test]
fn a_bad_record_loses_no_other() {
    let (records, outcome) = list(
        "<INDIVIDUALS><INDIVIDUAL><FIRST_NAME>X</FIRST_NAME></INDIVIDUAL>\n<INDIVIDUAL><DATAID>2</DATAID></INDIVIDUAL>\n\
         <PERSON/>\n<INDIVIDUAL><DATAID>3</DATAID><FIRST_NAME>Z</FIRST_NAME></INDIVIDUAL></INDIVIDUALS><SHIPS><a><b/></a></SHIPS>",
    );
    assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["3"]);
    let mut told = String::new();
    for skipped in &outcome.skipped {
        writeln!(told, "{} {:?} {}", skipped.line, skipped.record, skipped.reason).expect("text");
    }
    assert_eq!(
        told,
        "1 None the record's id is empty or too long: \"\"\n\
         2 Some(\"2\") the record has no name, document or vehicle\n\
         3 None \"PERSON\" is no record of individuals\n\
         4 None the section \"SHIPS\" is not known\n"
    );
}

#[rstest]
#[case::day("<TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1978-04-28</DATE>", "1978-04-28")]
#[case::day_with_a_zone("<DATE>1978-04-28-04:00</DATE>", "1978-04-28")]
#[case::about_a_year("<TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><YEAR>1955</YEAR>", "1955~")]
#[case::about_a_day("<TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><DATE>1955-02-03</DATE>", "1955~")]
#[case::between(
    "<TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1977</FROM_YEAR><TO_YEAR>1982</TO_YEAR>",
    "1977/1982"
)]
#[case::month_in_the_note("<TYPE_OF_DATE>EXACT</TYPE_OF_DATE><NOTE>Nov. 1973 </NOTE>", "1973-11")]
fn dates_are_as_precise_as_the_list(#[case] elements: &str, #[case] iso: &str) {
    let (births, outcome) = born(elements);
    assert_eq!(births.iter().filter_map(dates::to_iso).collect::<Vec<_>>(), [iso]);
    assert_eq!(outcome.skipped, []);
}

#[test]
fn an_empty_date_is_none_and_a_note_is_kept_in_words() {
    assert_eq!(born("<TYPE_OF_DATE/>").0, []);
    let births = born("<NOTE>about forty years old</NOTE>").0;
    assert_eq!(
        births.first().map(|birth| (birth.precision, birth.text.as_str())),
        Some((BirthPrecision::Unknown, "about forty years old"))
    );
}

#[rstest]
#[case::approximately_nothing("<TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><YEAR>null</YEAR>")]
#[case::backwards("<TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1982</FROM_YEAR><TO_YEAR>1977</TO_YEAR>")]
#[case::half_a_range("<TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1982</FROM_YEAR>")]
#[case::no_such_day("<DATE>1978-02-30</DATE>")]
#[case::letters("<DATE>ééééééééééé</DATE>")]
fn bad_dates_are_told_and_left_out(#[case] elements: &str) {
    let (births, outcome) = born(elements);
    assert_eq!(births, []);
    assert_eq!(outcome.counts.skipped, 1);
}

#[test]
fn an_innocent_holders_document_is_marked() {
    let (record, outcome) = individual(
        "<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>A1234567</NUMBER>\
         <COUNTRY_OF_ISSUE>Tunisia</COUNTRY_OF_ISSUE><NOTE>MISUSE of another's identity</NOTE></INDIVIDUAL_DOCUMENT>\
         <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>B1234567</NUMBER></INDIVIDUAL_DOCUMENT>\
         <INDIVIDUAL_DOCUMENT/>",
    );
    let misused: Vec<_> = record.documents.iter().map(|document| document.is_misused).collect();
    assert_eq!(misused, [true, false]);
    let document = record.documents.first().expect("a document");
    assert_eq!(
        (document.issuer.as_deref(), document.note.as_deref()),
        (Some("TUN"), Some("MISUSE of another's identity"))
    );
    assert_eq!(outcome.counts.documents, 2);
}

#[test]
fn what_no_machine_can_read_is_kept_and_said() {
    let (record, _) = individual(
        "<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>National Identification Number</TYPE_OF_DOCUMENT>\
         <NOTE>Moroccan national identity card DE- 473900</NOTE></INDIVIDUAL_DOCUMENT>\
         <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT2>Diplomatic passport</TYPE_OF_DOCUMENT2><NUMBER>Libya A12345</NUMBER>\
         <ISSUING_COUNTRY>Tunisia</ISSUING_COUNTRY><COUNTRY_OF_ISSUE>Atlantis</COUNTRY_OF_ISSUE></INDIVIDUAL_DOCUMENT>\
         <NATIONALITY><VALUE>Atlantis</VALUE></NATIONALITY>\
         <INDIVIDUAL_ALIAS><ALIAS_NAME>A</ALIAS_NAME><NOTE>B; C</NOTE></INDIVIDUAL_ALIAS>",
    );
    let [first, second] = record.documents.as_slice() else { panic!("two documents") };
    assert_eq!((first.number.as_deref(), first.document_type.as_str()), (None, "national_id"));
    assert_eq!(first.text, "National Identification Number Moroccan national identity card DE- 473900");
    assert_eq!((second.document_type.as_str(), second.issuer.as_deref()), ("passport", Some("TUN")));
    assert_eq!(
        record.remarks,
        [
            "the note of an alias may have further names: \"B; C\"",
            "a nationality is not understood: \"Atlantis\"",
            "no machine can read the number of a document: \
             \"National Identification Number Moroccan national identity card DE- 473900\"",
            "the issuer of a document is not understood: \"Atlantis\"",
            "a document names two issuers, TUN and LBY",
        ]
    );
}
