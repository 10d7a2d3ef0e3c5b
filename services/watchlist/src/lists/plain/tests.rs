use rstest::rstest;

use crate::lists::{ListSource, NameQuality, Outcome, Record, RecordSink, SinkError, read, write_csv};

struct Kept(Vec<Record>);

impl RecordSink for Kept {
    fn record(&mut self, record: Record) -> Result<(), SinkError> {
        self.0.push(record);
        Ok(())
    }
}

fn list(csv: &str) -> (Vec<Record>, Outcome) {
    let mut kept = Kept(Vec::new());
    let outcome = read(ListSource::Csv, &mut csv.as_bytes(), None, &mut kept).expect("a list");
    (kept.0, outcome)
}

fn reasons(outcome: &Outcome) -> Vec<&str> {
    outcome.skipped.iter().map(|skipped| skipped.reason.as_str()).collect()
}

#[rstest]
#[case::commas("full,ID,birth\nX,1,1985\n")]
#[case::semicolons("birth;full;id\r\n1985;X;1\r\n")]
#[case::byte_order_mark("\u{feff}id,full,birth\n1,X,1985")]
#[case::quotes("\"id\",\"full\",\"birth\"\n\"1\",\"X\",\"1985\"\n")]
#[case::rows_that_were_emptied("id,full,birth\n,,\n1,X,1985\n,,\n")]
fn columns_stand_in_any_order(#[case] csv: &str) {
    let (records, outcome) = list(csv);
    let record = records.first().expect("a record");
    assert_eq!((record.id.as_str(), record.births.len(), records.len()), ("1", 1, 1));
    assert_eq!(record.names.first().map(|name| name.full.as_str()), Some("X"));
    assert_eq!(outcome.skipped, []);
}

#[test]
fn an_alias_is_a_record_of_its_own_that_names_the_other() {
    let (records, outcome) =
        list("id,surname,given,alias_of,quality\n2,RUMULI,,1,weak\n1,MUÇÁ,João,,\n3,MUSSA,João,1,\n");
    let found: Vec<_> = records
        .iter()
        .flat_map(|record| {
            record.names.iter().map(|name| (record.alias_of.as_deref(), name.full.as_str(), name.quality))
        })
        .collect();
    assert_eq!(
        found,
        [
            (Some("1"), "RUMULI", NameQuality::Weak),
            (None, "João MUÇÁ", NameQuality::Primary),
            (Some("1"), "João MUSSA", NameQuality::Good),
        ]
    );
    assert_eq!((outcome.counts.persons, outcome.counts.aliases_good, outcome.counts.aliases_weak), (1, 1, 1));
    assert_eq!(outcome.sections, [("aliases".to_owned(), 2), ("records".to_owned(), 1)].into());
}

#[test]
fn documents_ranges_and_vehicles_are_read() {
    let (records, outcome) = list(
        "id,doc_type,doc_issuer,doc_number,doc_number_to,plate,plate_country,vin\n\
         1,passport,Tanzania,AB 123001,AB-123100,,,\n2,,,,,abc 123 mc,MOZ,MC22-123456\n",
    );
    let document = records.first().and_then(|record| record.documents.first()).expect("a document");
    assert_eq!(
        (document.number.as_deref(), document.number_to.as_deref()),
        (Some("AB123001"), Some("AB123100"))
    );
    assert_eq!((document.issuer.as_deref(), document.text.as_str()), (Some("TZA"), "AB123001 to AB123100"));
    let vehicle = records.last().and_then(|record| record.vehicles.first()).expect("a vehicle");
    assert_eq!((vehicle.plate.as_deref(), vehicle.plate_country.as_deref()), (Some("ABC123MC"), Some("MOZ")));
    assert_eq!(vehicle.vin.as_deref(), Some("MC22123456"));
    assert_eq!((outcome.counts.documents, outcome.counts.ranges, outcome.counts.vehicles), (1, 1, 1));
}

#[rstest]
#[case("birth", "07/03/1985", "birth \"07/03/1985\" is no ISO date: write 1985-07-03, 1985-07 or 1985")]
#[case("sex", "male", "sex \"male\" is not understood: write F, M or X")]
#[case("quality", "best", "quality \"best\" is not understood: write primary, good or weak")]
#[case(
    "nationality",
    "MOZ|ZZ",
    "nationality \"MOZ|ZZ\" is not understood: write codes such as MOZ, with | between them"
)]
#[case("doc_issuer", "ZZ", "doc_issuer \"ZZ\" is not understood: write a code such as MOZ")]
#[case("doc_type", "log", "doc_type \"log\" is not a known type: the document is taken as other")]
#[case("doc_type", "visa", "doc_number \"\" is missing: the document is left out")]
#[case(
    "doc_number",
    "Libya B/002210",
    "doc_number \"Libya B/002210\" is no number alone: a person must read it"
)]
#[case("plate", "АВС 123", "plate \"АВС 123\" is no plate")]
#[case("vin", "1234567", "vin \"1234567\" is no VIN or frame number of 8 to 17 characters")]
#[case(
    "vin",
    "00000000000000000",
    "vin \"00000000000000000\" is no VIN or frame number of 8 to 17 characters"
)]
fn a_bad_value_is_told_and_the_record_kept(#[case] column: &str, #[case] value: &str, #[case] reason: &str) {
    let (records, outcome) = list(&format!("id,full,{column}\n1,X,{value}\n2,Y,\n"));
    assert_eq!(records.len(), 2);
    assert!(reasons(&outcome).contains(&reason), "{:?}", outcome.skipped);
    let skipped = outcome.skipped.first().expect("told");
    assert_eq!((skipped.line, skipped.record.as_deref()), (2, Some("1")));
    assert!(records.first().expect("a record").remarks.iter().any(|remark| remark == reason));
}

#[rstest]
#[case::backwards("AB200,AB100")]
#[case::longer("AB99,AB100")]
#[case::words("AB100,up")]
#[case::other_letters("AB123001,AC123100")]
fn a_bad_range_is_one_number(#[case] numbers: &str) {
    let (records, outcome) = list(&format!("id,doc_number,doc_number_to\n1,{numbers}\n"));
    let document = records.first().and_then(|record| record.documents.first()).expect("a document");
    assert!(document.number.is_some() && document.number_to.is_none());
    assert_eq!(outcome.counts.skipped, 1);
}

#[test]
fn rows_without_an_id_or_content_are_told() {
    let (records, outcome) = list("id,full,sex\n,X,F\n2,,F\n3,Z,F\n");
    assert_eq!(records.len(), 1);
    assert_eq!(
        reasons(&outcome),
        ["the record's id is empty or too long: \"\"", "the record has no name, document or vehicle"]
    );
}

/// A row names the record that it adds to by its id, which is no longer than an id may be.
#[test]
fn a_row_that_adds_to_a_record_with_too_long_an_id_is_told() {
    let (records, outcome) = list(&format!("id,full,alias_of\n1,X,\n2,Y,{}\n", "9".repeat(65)));
    assert_eq!(records.len(), 1);
    assert_eq!(reasons(&outcome), ["the id of the record that it adds to is too long"]);
}

#[test]
fn an_alias_is_not_primary() {
    let (records, outcome) = list("id,full,alias_of,quality\n2,X,1,primary\n");
    let quality = records.first().and_then(|record| record.names.first()).map(|name| name.quality);
    assert_eq!(quality, Some(NameQuality::Good));
    assert_eq!(reasons(&outcome), ["quality \"primary\" is not what an alias is: write good or weak"]);
}

#[test]
fn lost_letters_are_told() {
    let (records, _) = list("id,full\n1,Jo\u{fffd}o\n");
    assert_eq!(
        records.first().expect("a record").remarks,
        ["a name has lost letters before the list came here"]
    );
}

#[test]
fn an_export_is_no_formula() {
    let (records, _) = list("id,full\n1,\"=HYPERLINK(\"\"x\"\")\"\n");
    let exported = write_csv(&records);
    assert!(exported.contains("\"'=HYPERLINK(\"\"x\"\")\""), "{exported}");
    assert_eq!(list(&exported).0, records);
}
