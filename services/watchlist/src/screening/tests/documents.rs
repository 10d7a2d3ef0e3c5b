//! Numbers of documents, typed.

use rstest::rstest;

use super::*;

fn document(value: &str, to: Option<&str>, issuer: Option<&str>) -> Listed {
    let mut listed = number(NumberKind::Document, value, issuer);
    listed.value_to = to.map(str::to_owned);
    alert(subject(listed))
}

#[rstest]
#[case("K-348486")]
#[case("K 348486")]
#[case("k348486")]
fn doc_filler_and_separators(#[case] listed: &str) {
    let scan = typed(Some(ScanKind::Document), "K348486<<");
    assert_eq!(verdict(&scan, &[document(listed, None, Some("UTO"))]).0, Verdict::Hit);
}

#[rstest]
#[case("AB1204711", Verdict::Hit)]
#[case("AB1200000", Verdict::Hit)]
#[case("AB1209999", Verdict::Hit)]
#[case("AB1210000", Verdict::NoHit)]
#[case("AC1204711", Verdict::NoHit)]
fn doc_blank_series(#[case] scanned: &str, #[case] expected: Verdict) {
    let listed = [document("AB1200000", Some("AB1209999"), Some("MOZ"))];
    assert_eq!(verdict(&typed(None, scanned), &listed), (expected, false));
    let with_kind = Scan { state: Some("MOZ".to_owned()), ..typed(Some(ScanKind::Document), scanned) };
    assert_eq!(verdict(&with_kind, &listed), (expected, false), "nobody compared it with the document");
}

/// Two ends that are no series are two numbers.
#[rstest]
#[case("MZ149", "MZ100")]
#[case("AB100", "XY149")]
fn both_ends_of_what_is_no_series_are_found(#[case] from: &str, #[case] to: &str) {
    let listed = [document(from, Some(to), Some("MOZ"))];
    for end in [from, to] {
        assert_eq!(verdict(&typed(None, end), &listed).0, Verdict::Hit, "{end}");
    }
    assert_eq!(verdict(&typed(None, "MZ120"), &listed).0, Verdict::NoHit);
}

/// What an officer compared with the document, with issuer and type, is certain.
#[test]
fn a_typed_number_is_forwarded_when_an_officer_confirmed_it() {
    let listed = [document("AB1200000", Some("AB1209999"), Some("MOZ"))];
    let whole = Scan {
        state: Some("MOZ".to_owned()),
        document_type: Some("passport".to_owned()),
        confirmed: true,
        ..typed(Some(ScanKind::Document), "AB1204711")
    };
    let judged = screen(&whole, &listed).expect("a number");
    assert!(judged.findings[0].forwards(), "{:?}", judged.findings[0].doubts);
    assert_eq!(judged.findings[0].matched_word(), "document_series");
    for bent in [
        Scan { confirmed: false, ..whole.clone() },
        Scan { state: None, ..whole.clone() },
        Scan { document_type: None, ..whole.clone() },
        Scan { kind: None, ..whole.clone() },
    ] {
        assert_eq!(verdict(&bent, &listed), (Verdict::Hit, false), "{bent:?}");
    }
    let other = Scan { state: Some("TZA".to_owned()), ..whole };
    assert_eq!(verdict(&other, &listed), (Verdict::NoHit, false), "another state's document");
}

#[rstest]
#[case("19880214111010000123", Ok(Verdict::Hit))]
#[case("1988021411101 00001 23", Ok(Verdict::Hit))]
#[case("19880214-11101-00001-2", Err("nida_shape"))]
fn nida_forms(#[case] scanned: &str, #[case] expected: Result<Verdict, &str>) {
    let mut listed = number(NumberKind::Document, "19880214-11101-00001-23", Some("TZA"));
    listed.document_type = Some("nida_tz".to_owned());
    let entries = [alert(subject(listed))];
    let judged = screen(&typed(Some(ScanKind::Nida), scanned), &entries);
    let judged = judged.map(|judged| judged.verdict).map_err(|refused| {
        assert_eq!(
            refused.to_string(),
            "a number of national identity of Tanzania has 20 digits, and this has 19"
        );
        refused.code()
    });
    assert_eq!(judged, expected);
}

#[rstest]
#[case("110100123456a", Ok("110100123456A"))]
#[case("110 100 123 456 A", Ok("110100123456A"))]
#[case("123456789", Ok("123456789"))]
#[case("11010012345", Err("bi_shape"))]
fn bi_forms(#[case] scanned: &str, #[case] expected: Result<&str, &str>) {
    let judged = screen(&typed(Some(ScanKind::Bi), scanned), &[]);
    let number = judged.map(|judged| judged.understood.fields["number"].clone());
    assert_eq!(number.as_deref().map_err(Unreadable::code), expected);
}

#[test]
fn an_old_card_is_said_to_be_one() {
    let judged = screen(&typed(Some(ScanKind::Bi), "123456789"), &[]).expect("an old card");
    assert_eq!(judged.understood.warnings, ["old_card"]);
}

#[rstest]
#[case("Juma Hassan", Some(ScanKind::Name))]
#[case("JUMA", None)]
#[case("A12", None)]
fn name_single(#[case] text: &str, #[case] kind: Option<ScanKind>) {
    let judged = screen(&typed(kind, text), &[]).expect("a text");
    assert_eq!(judged.verdict, Verdict::TooLittle);
    if text.starts_with('J') || text.starts_with("JU") {
        assert_eq!(judged.understood.warnings, ["ask_for:document number, birth date"]);
    }
}

#[rstest]
#[case("", "no_number")]
#[case("---", "no_number")]
#[case("паспорт 12", "no_number")]
#[case(&"9".repeat(41), "too_long")]
#[case(&"9".repeat(401), "too_long")]
fn what_is_no_number_is_refused(#[case] text: &str, #[case] code: &str) {
    assert_eq!(screen(&typed(Some(ScanKind::Document), text), &[]).expect_err(text).code(), code);
}

#[test]
fn a_misused_identity_is_not_forwarded() {
    let mut listed = number(NumberKind::Document, "L898902C3", Some("UTO"));
    listed.is_misused = true;
    let judged = screen(&zone(&super::zones::ERIKSSON), &[alert(subject(listed))]).expect("a zone");
    assert_eq!(judged.findings[0].doubts, [Doubt::MisusedIdentity]);
}

#[rstest]
#[case("35-209900-176148-1", Verdict::Hit, true)]
#[case("352099001761481", Verdict::Hit, true)]
#[case("3520990017614823", Verdict::Hit, false)]
#[case("352099001761482", Verdict::Review, false)]
#[case("352099001761499", Verdict::NoHit, false)]
fn a_telephone_is_compared_by_fourteen_digits(
    #[case] scanned: &str,
    #[case] expected: Verdict,
    #[case] forwards: bool,
) {
    let listed = [alert(subject(number(NumberKind::Imei, "352099001761481", None)))];
    assert_eq!(verdict(&typed(Some(ScanKind::Imei), scanned), &listed), (expected, forwards));
}
