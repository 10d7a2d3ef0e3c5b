//! What is refused whole, and what an error says.

use rstest::rstest;

use super::*;

#[rstest]
#[case::empty("", "the list has no records")]
#[case::no_records(
    "<CONSOLIDATED_LIST><INDIVIDUALS/><ENTITIES/></CONSOLIDATED_LIST>",
    "the list has no records"
)]
#[case::cut_between_records(
    "<CONSOLIDATED_LIST><INDIVIDUALS>\n<INDIVIDUAL></INDIVIDUAL>\n",
    "line 3: the file ends before the list does"
)]
#[case::cut_in_a_tag("<CONSOLIDATED_LIST>\n<INDIVID", "line 2: the file ends before the list does")]
#[case::cut_in_text(
    "<CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL><DATAID>1",
    "line 1: the file ends before the list does"
)]
#[case::end_of_the_list_missing(
    "<CONSOLIDATED_LIST><INDIVIDUALS></INDIVIDUALS>",
    "line 1: the file ends before the list does"
)]
#[case::another_document("<html></html>", "line 1 has \"html\" instead of CONSOLIDATED_LIST")]
#[case::more_behind(
    "<CONSOLIDATED_LIST></CONSOLIDATED_LIST>\n<a/>",
    "line 2 has more behind the end of the list"
)]
#[case::text("<CONSOLIDATED_LIST>x</CONSOLIDATED_LIST>", "line 1 has text outside of records: \"x\"")]
#[case::doctype(
    "<!DOCTYPE a [<!ENTITY b \"c\">]>\n<CONSOLIDATED_LIST/>",
    "line 1 has a DOCTYPE, which is refused"
)]
#[case::doctype_inside(
    "<CONSOLIDATED_LIST>\n<!DOCTYPE a></CONSOLIDATED_LIST>",
    "line 2 has a DOCTYPE, which is refused"
)]
#[case::entity(
    "<CONSOLIDATED_LIST>&lol;</CONSOLIDATED_LIST>",
    "line 1 has an entity that is not known: \"lol\""
)]
#[case::encoding(
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><CONSOLIDATED_LIST/>",
    "line 1 has the encoding \"ISO-8859-1\" and not UTF-8"
)]
fn xml_that_is_no_whole_list_is_refused(#[case] xml: &str, #[case] expected: &str) {
    assert_eq!(read_all(ListSource::Un, xml.as_bytes(), None).expect_err("refused").to_string(), expected);
}

#[test]
fn a_billion_laughs_are_refused_before_the_first() {
    let xml = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol1 \"&lol;&lol;&lol;\">]>\
               <CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL><DATAID>&lol1;</DATAID></INDIVIDUAL></INDIVIDUALS></CONSOLIDATED_LIST>";
    let error = read_all(ListSource::Un, xml.as_bytes(), None).expect_err("refused");
    assert!(matches!(error, ListError::Doctype { line: 1 }), "{error}");
}

#[test]
fn bytes_that_are_not_utf8_are_refused_in_xml() {
    let error = read_all(ListSource::Un, b"<CONSOLIDATED_LIST>\n<A>\xE7</A></CONSOLIDATED_LIST>", None)
        .expect_err("refused");
    assert!(matches!(error, ListError::Line { line: 2, .. }), "{error}");
}

#[test]
fn elements_may_be_nested_to_a_depth() {
    let nested = |depth: usize| un_xml(&format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth)));
    // The list, its section and the record are three.
    assert!(read_all(ListSource::Un, nested(limits::DEPTH_MAX - 3).as_bytes(), None).is_ok());
    let error =
        read_all(ListSource::Un, nested(limits::DEPTH_MAX - 2).as_bytes(), None).expect_err("refused");
    assert_eq!(error.to_string(), "line 4 has elements nested deeper than 16");
}

#[test]
fn a_record_has_a_number_of_elements() {
    // The record itself, its id and its two names are four.
    let elements = |count: usize| un_xml(&"<a/>".repeat(count));
    assert!(read_all(ListSource::Un, elements(limits::ELEMENTS_MAX - 4).as_bytes(), None).is_ok());
    let error =
        read_all(ListSource::Un, elements(limits::ELEMENTS_MAX - 3).as_bytes(), None).expect_err("refused");
    assert_eq!(error.to_string(), "line 4 has more than 10000 elements in one record");
}

#[rstest]
#[case::in_a_text("<COMMENTS1>", "</COMMENTS1>")]
#[case::in_a_comment("<!--", "-->")]
#[case::in_a_tag("<a b=\"", "\"/>")]
#[case::in_a_data_section("<a><![CDATA[", "]]></a>")]
fn a_record_has_a_length(#[case] open: &str, #[case] close: &str) {
    let long = un_xml(&format!("{open}{}{close}", "x".repeat(RECORD_MAX_BYTES)));
    let error = read_all(ListSource::Un, long.as_bytes(), None).expect_err("refused");
    assert!(matches!(error, ListError::TooLong { .. }), "{error}");
    let short = un_xml(&format!("{open}{}{close}", "x".repeat(RECORD_MAX_BYTES / 2)));
    assert!(read_all(ListSource::Un, short.as_bytes(), None).is_ok());
}

#[test]
fn many_small_elements_together_have_a_length_too() {
    let elements = format!("<COMMENTS1>{}</COMMENTS1>", "x".repeat(1000)).repeat(RECORD_MAX_BYTES / 1000);
    let error = read_all(ListSource::Un, un_xml(&elements).as_bytes(), None).expect_err("refused");
    assert!(matches!(error, ListError::TooLong { .. }), "{error}");
}

#[rstest]
#[case::too_many_fields("1,2,3,4,5,6,7,8,9,10,11,12,13", "line 1 has 13 fields of 12")]
#[case::cut_in_a_quote("1,\"X, Y", "line 1 has a quoted field that never ends")]
#[case::cut_in_a_line("1,\"X, Y\",-0- ,", "line 1 has 4 fields of 12")]
#[case::end_mark_inside("\u{1A}\n1,2", "line 2 stands behind the byte 0x1A that ends a file")]
#[case::empty("\u{1A}", "the list has no records")]
fn ofac_lines_that_are_no_records_are_refused(#[case] list: &str, #[case] expected: &str) {
    assert_eq!(read_all(ListSource::Ofac, list.as_bytes(), None).expect_err("refused").to_string(), expected);
}

#[rstest]
#[case::fields(b"1,2,\"aka\",\"X\"", "the file of aliases: line 1 has 4 fields of 5")]
#[case::quote(b"1,2,\"aka\",\"X", "the file of aliases: line 1 has a quoted field that never ends")]
fn a_bad_file_of_aliases_refuses_the_list(#[case] aliases: &[u8], #[case] expected: &str) {
    let list = ofac_line(7, "X, Y", "SDGT", "-0- ");
    assert_eq!(
        read_all(ListSource::Ofac, list.as_bytes(), Some(aliases)).expect_err("refused").to_string(),
        expected
    );
}

#[test]
fn a_file_of_aliases_has_a_length() {
    let line = format!("1,2,\"aka\",\"{}\",-0- \n", "x".repeat(1000));
    let fitting = ALIASES_MAX_BYTES / (1000 + limits::ALIAS_OVERHEAD_BYTES);
    let list = ofac_line(7, "X, Y", "SDGT", "-0- ");
    assert!(read_all(ListSource::Ofac, list.as_bytes(), Some(line.repeat(fitting).as_bytes())).is_ok());
    let error = read_all(ListSource::Ofac, list.as_bytes(), Some(line.repeat(fitting + 1).as_bytes()))
        .expect_err("refused");
    assert!(error.to_string().ends_with("longer than 12582912 bytes"), "{error}");
}

#[rstest]
#[case::empty("", "the list has no records")]
#[case::header_alone("id,full\n", "the list has no records")]
#[case::unknown_column("id,full,dob\n1,X,Y", "line 1 has a column that is not known: \"dob\"")]
#[case::column_twice("id,full,id\n1,X,Y", "line 1 has the column id twice")]
#[case::no_id("full,birth\nX,1985", "line 1 has no column id")]
#[case::fields_missing("id,full\n1", "line 2 has 1 field of 2")]
#[case::open_quote("id,full\n1,\"X\n2,Y", "line 2 has a quoted field that never ends")]
#[case::text_behind_a_quote("id,full\n1,\"X\"Y", "line 2 has text behind a quoted field")]
#[case::utf16("i\0d\0", "line 1 has a NUL byte: save the file as UTF-8")]
fn csv_that_is_no_whole_list_is_refused(#[case] csv: &str, #[case] expected: &str) {
    assert_eq!(read_all(ListSource::Csv, csv.as_bytes(), None).expect_err("refused").to_string(), expected);
}

#[rstest]
#[case(ListSource::Un)]
#[case(ListSource::Csv)]
fn only_ofac_has_a_second_file(#[case] source: ListSource) {
    let error = read_all(source, b"", Some(b"")).expect_err("refused");
    assert!(matches!(error, ListError::SecondFile { .. }), "{error}");
}

#[test]
fn a_full_sink_stops_the_reading() {
    struct Full;
    impl RecordSink for Full {
        fn record(&mut self, _: Record) -> Result<(), SinkError> {
            Err(SinkError("disk full".to_owned()))
        }
    }
    let mut bytes = b"id,full\n1,X".as_slice();
    let error = read(ListSource::Csv, &mut bytes, None, &mut Full).expect_err("refused");
    assert_eq!(error.to_string(), "the record could not be stored: disk full");
}

#[test]
fn skipped_ones_are_all_counted_and_a_thousand_are_shown() {
    let rows: String = (0..=SKIPPED_SHOWN_MAX).map(|id| format!("{id},X,3.7.1985\n")).collect();
    let (records, outcome) =
        read_all(ListSource::Csv, format!("id,full,birth\n{rows}").as_bytes(), None).expect("a list");
    assert_eq!(records.len(), SKIPPED_SHOWN_MAX + 1);
    assert_eq!(outcome.skipped.len(), SKIPPED_SHOWN_MAX);
    assert_eq!(outcome.counts.skipped, SKIPPED_SHOWN_MAX as u64 + 1);
}

#[test]
fn ids_and_names_have_lengths() {
    let row = |id: usize, name: usize| format!("id,full\n{},{}\n9,Z", "1".repeat(id), "x".repeat(name));
    let read = |csv: String| read_all(ListSource::Csv, csv.as_bytes(), None).expect("a list").1;
    assert_eq!(read(row(limits::ID_MAX_CHARS, limits::NAME_MAX_CHARS)).skipped, []);
    assert!(
        read(row(limits::ID_MAX_CHARS + 1, 1))
            .skipped
            .iter()
            .any(|told| told.reason.contains("id is empty or too long"))
    );
    assert!(
        read(row(1, limits::NAME_MAX_CHARS + 1))
            .skipped
            .iter()
            .any(|told| told.reason.contains("longer than 400 letters"))
    );
}

#[test]
fn a_record_has_a_number_of_names() {
    let names = format!(
        "<INDIVIDUAL_ALIAS><ALIAS_NAME>{}</ALIAS_NAME></INDIVIDUAL_ALIAS>",
        "A;".repeat(limits::NAMES_MAX)
    );
    let (record, outcome) = un(&names);
    assert_eq!((record.names.len(), outcome.counts.skipped), (limits::NAMES_MAX, 1));
    let aliases = "7,2,\"aka\",\"A\",-0- \n".repeat(limits::NAMES_MAX);
    let list = ofac_line(7, "X, Y", "SDGT", "-0- ");
    let (records, outcome) =
        read_all(ListSource::Ofac, list.as_bytes(), Some(aliases.as_bytes())).expect("a list");
    assert_eq!((records[0].names.len(), outcome.counts.skipped), (limits::NAMES_MAX, 1));
}

#[test]
fn sources_are_named_by_their_words() {
    for source in [ListSource::Un, ListSource::Ofac, ListSource::Csv] {
        assert_eq!(source.as_str().parse(), Ok(source));
    }
    let error = "xml".parse::<ListSource>().expect_err("unknown");
    assert_eq!(error.to_string(), "the source of a list is un, ofac or csv, not \"xml\"");
}
