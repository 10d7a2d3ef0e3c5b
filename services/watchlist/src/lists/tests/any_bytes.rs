//! No bytes make a parser panic.

use proptest::prelude::*;

use super::*;

const SOURCES: [ListSource; 3] = [ListSource::Un, ListSource::Ofac, ListSource::Csv];

/// A valid list of each form, with everything in it that is parsed.
fn valid(source: ListSource) -> Vec<u8> {
    match source {
        ListSource::Un => un_xml(
            "<GENDER>Male</GENDER><NATIONALITY><VALUE>Libya</VALUE></NATIONALITY>\
             <INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>A &amp; B; C &#x41;</ALIAS_NAME><NOTE>x; y</NOTE></INDIVIDUAL_ALIAS>\
             <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1953</FROM_YEAR><TO_YEAR>1958</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>\
             <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><DATE>1953-01-02-04:00</DATE></INDIVIDUAL_DATE_OF_BIRTH>\
             <INDIVIDUAL_DATE_OF_BIRTH><NOTE>between 1 Jan. 1953 and Sep 1954</NOTE></INDIVIDUAL_DATE_OF_BIRTH>\
             <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>German travel document (“Reiseausweis”) No A 0139243 (x</NUMBER>\
             <ISSUING_COUNTRY>Libya</ISSUING_COUNTRY><NOTE>MISUSE</NOTE></INDIVIDUAL_DOCUMENT><![CDATA[x]]><!-- y -->",
        )
        .into_bytes(),
        ListSource::Ofac => ofac_line(
            7,
            "DELOS REYES, Feliciano, Jr.",
            "SDNTK] [FTO",
            "DOB circa 14 Mar 1974 to 1980; alt. DOB Sep 1938; Gender Male; nationality Korea, North; a.k.a. ''FOOPIE''; \
             alt. Passport D0000483, Diplomatic (Syria) issued 2 Jan 2000; National ID No. JMB 0105954171511; NIT # 1-2.",
        )
        .into_bytes(),
        ListSource::Csv => "id;surname;given;alias_of;quality;birth;sex;nationality;doc_type;doc_issuer;doc_number;doc_number_to;plate;vin\n\
                            1;\"MU\"\"ÇÁ\";'=João;2;weak;1985-07-03;M;MOZ|D;passport;D;AB 123001;AB 123100;ABC 123 MC;WVWZZZ1JZXW000001\n"
            .as_bytes()
            .to_vec(),
    }
}

/// Reads the bytes as each form. Whatever comes of it can be exported and imported.
fn read_as(source: ListSource, bytes: &[u8], more: Option<&[u8]>) {
    if let Ok((records, outcome)) = read_all(source, bytes, more) {
        assert!(!records.is_empty());
        assert_eq!(outcome.sections.values().sum::<u64>(), records.len() as u64);
        let exported = write_csv(&records);
        read_all(ListSource::Csv, exported.as_bytes(), None).expect("an export is a list");
    }
}

#[test]
fn the_valid_lists_are_valid() {
    for source in SOURCES {
        let (records, outcome) = read_all(source, &valid(source), None).expect("a list");
        assert_eq!((records.len(), outcome.skipped), (1, Vec::new()), "{source}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for source in SOURCES {
            read_as(source, &bytes, None);
        }
        read_as(ListSource::Ofac, &valid(ListSource::Ofac), Some(&bytes));
    }

    #[test]
    fn arbitrary_text(text in "\\PC{0,200}") {
        for source in SOURCES {
            read_as(source, text.as_bytes(), None);
        }
        read_as(ListSource::Un, un_xml(&text).as_bytes(), None);
        read_as(ListSource::Ofac, ofac_line(7, &text, &text, &text).as_bytes(), None);
        read_as(ListSource::Ofac, ofac_line(7, "X, Y", "", &format!("Passport {text}; DOB {text}; a.k.a. {text}")).as_bytes(), None);
    }

    #[test]
    fn valid_lists_with_changed_bytes(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..8)
    ) {
        for source in SOURCES {
            let mut bytes = valid(source);
            for (place, byte, kind) in &changes {
                let at = place.index(bytes.len().max(1));
                match kind {
                    _ if bytes.is_empty() => {}
                    0 => bytes[at] = *byte,
                    1 => bytes.insert(at, *byte),
                    2 => { bytes.remove(at); }
                    _ => bytes.truncate(at),
                }
            }
            read_as(source, &bytes, None);
        }
    }

    #[test]
    fn xml_that_is_cut_anywhere_is_refused(place in any::<prop::sample::Index>()) {
        let bytes = valid(ListSource::Un);
        let cut = &bytes[..place.index(bytes.len())];
        prop_assert!(read_all(ListSource::Un, cut, None).is_err());
    }

    #[test]
    fn ofac_lists_that_are_cut_in_a_line_are_refused(place in any::<prop::sample::Index>()) {
        let line = valid(ListSource::Ofac);
        let cut = &line[..1 + place.index(line.len() - 2)];
        let list = [line.as_slice(), cut].concat();
        prop_assert!(read_all(ListSource::Ofac, &list, None).is_err());
    }
}
