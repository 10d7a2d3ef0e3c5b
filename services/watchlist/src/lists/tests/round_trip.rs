//! What is exported is imported unchanged.

use proptest::prelude::*;

use super::*;

fn csv_of(rows: &[Vec<String>]) -> String {
    let mut csv = "id,surname,given,full,alias_of,quality,birth,sex,nationality,doc_type,doc_issuer,doc_number,doc_number_to,plate,plate_country,vin\n".to_owned();
    for row in rows {
        let fields: Vec<String> =
            row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        csv.push_str(&fields.join(","));
        csv.push('\n');
    }
    csv
}

fn row() -> impl Strategy<Value = Vec<String>> {
    let text = || "[ -~À-ÿ\u{1EA0}]{0,8}";
    let id = "[a-z0-9#=+'-]{1,6}";
    let birth = prop_oneof![
        Just(String::new()),
        Just("1951~".to_owned()),
        Just("1953/1958".to_owned()),
        (1900..2020, 1..=12, 1..=28).prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}")),
        Just("07/03/1985".to_owned()),
    ];
    let number = || prop_oneof![Just(String::new()), "[A-Z]{2}[0-9]{4,7}", text().prop_map(String::from)];
    (
        (
            id,
            text(),
            text(),
            text(),
            prop_oneof![Just(String::new()), Just("r1".to_owned())],
            "(|primary|good|weak|x)",
        ),
        (birth, "(|F|M|X|q)", "(|MOZ|Tanzania|MOZ\\|D|xx)"),
        ("(|passport|Passport|other|log)", "(|D|DEU|Libya|xx)", number(), number()),
        (text(), "(|MOZ|xx)", "(|[A-Z0-9]{17}|AAAAAAAAAAAAAAAAA)"),
    )
        .prop_map(|(names, particulars, document, vehicle)| {
            vec![
                names.0,
                names.1,
                names.2,
                names.3,
                names.4,
                names.5,
                particulars.0,
                particulars.1,
                particulars.2,
                document.0,
                document.1,
                document.2,
                document.3,
                vehicle.0,
                vehicle.1,
                vehicle.2,
            ]
        })
}

proptest! {
    #[test]
    fn csv_records_come_back_unchanged(rows in proptest::collection::vec(row(), 1..5)) {
        let Ok((mut records, _)) = read_all(ListSource::Csv, csv_of(&rows).as_bytes(), None) else { return Ok(()) };
        let exported = write_csv(&records);
        let (mut again, _) = read_all(ListSource::Csv, exported.as_bytes(), None).expect("an export is a list");
        // What was refused at first is gone at the second time, and with it the warnings and the lines of empty rows.
        for record in records.iter_mut().chain(&mut again) {
            record.remarks.clear();
            record.line = 0;
        }
        prop_assert_eq!(&again, &records);
        prop_assert_eq!(write_csv(&again), exported);
    }
}

#[test]
fn records_of_other_lists_become_rows_that_stay_the_same() {
    let (record, _) =
        un("<INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Rumuli</ALIAS_NAME></INDIVIDUAL_ALIAS>\
         <INDIVIDUAL_DATE_OF_BIRTH><YEAR>1971</YEAR></INDIVIDUAL_DATE_OF_BIRTH>\
         <INDIVIDUAL_DATE_OF_BIRTH><YEAR>1972</YEAR></INDIVIDUAL_DATE_OF_BIRTH>\
         <INDIVIDUAL_DATE_OF_BIRTH><YEAR>1973</YEAR></INDIVIDUAL_DATE_OF_BIRTH>");
    let exported = write_csv([&record]);
    let (rows, outcome) = read_all(ListSource::Csv, exported.as_bytes(), None).expect("a list");
    assert_eq!(outcome.sections.get("aliases"), Some(&2));
    assert!(rows.iter().skip(1).all(|row| row.alias_of.as_deref() == Some("7")));
    assert_eq!(rows.iter().flat_map(|row| &row.births).count(), 3);
    assert_eq!(
        rows.iter().flat_map(|row| &row.names).map(|name| name.quality).collect::<Vec<_>>(),
        [NameQuality::Primary, NameQuality::Weak]
    );
    assert_eq!(write_csv(&rows), exported);
}
