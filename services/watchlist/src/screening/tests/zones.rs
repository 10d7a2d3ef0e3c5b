//! Machine readable zones.

use rstest::rstest;

use super::*;

/// A passport of the invented state of Doc 9303, with its right digits.
pub(super) const ERIKSSON: [&str; 2] =
    ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];

fn passport(value: &str, issuer: &str) -> Listed {
    alert(subject(number(NumberKind::Document, value, Some(issuer))))
}

#[test]
fn a_passport_that_is_listed_is_forwarded() {
    let judged = screen(&zone(&ERIKSSON), &[passport("L898902C3", "UTO")]).expect("a zone");
    assert_eq!(judged.verdict, Verdict::Hit);
    let [found] = judged.findings.as_slice() else { panic!("{judged:?}") };
    assert!(found.forwards(), "{found:?}");
    assert_eq!(
        (found.rule.code, found.matched_word(), found.action()),
        (RuleCode::DocumentExact, "document", "seize")
    );
    assert_eq!((found.value.as_str(), found.subject.as_deref()), ("L898902C3", Some("d1")));
    assert_eq!(judged.understood.kind, "td3");
    assert_eq!(screen(&zone(&ERIKSSON), &[]).expect("a zone").verdict, Verdict::NoHit);
}

/// What makes a document certain is bent, one thing at a time.
#[rstest]
#[case::another_number("L898902C4", "UTO", "passport", None)]
#[case::another_issuer("L898902C3", "TZA", "passport", Some((Verdict::Hit, vec![Doubt::StateUnknown])))]
#[case::another_type("L898902C3", "UTO", "visa", Some((Verdict::Review, vec![Doubt::TypeDiffers])))]
#[case::no_type("L898902C3", "UTO", "other", Some((Verdict::Hit, vec![Doubt::TypeUnknown])))]
#[case::alike("L8989O2C3", "UTO", "passport", Some((Verdict::Review, vec![Doubt::OnlyAlike])))]
#[case::same_family("L898902C3", "UTO", "service_passport", Some((Verdict::Hit, vec![])))]
fn nothing_less_is_forwarded(
    #[case] value: &str,
    #[case] issuer: &str,
    #[case] document_type: &str,
    #[case] expected: Option<(Verdict, Vec<Doubt>)>,
) {
    let mut listed = number(NumberKind::Document, value, Some(issuer));
    listed.document_type = Some(document_type.to_owned());
    let judged = screen(&zone(&ERIKSSON), &[alert(subject(listed))]).expect("a zone");
    let found = judged.findings.first().map(|found| (judged.verdict, found.doubts.clone()));
    assert_eq!(found, expected);
}

/// An issuer that no state has is misread; one that another state has is another document's.
#[test]
fn an_issuer_has_no_check_digit() {
    for (issuer, expected) in [("M0Z", Verdict::Hit), ("MOZ", Verdict::Hit), ("TZA", Verdict::NoHit)] {
        let first = ERIKSSON[0].replacen("UTO", issuer, 1);
        let judged = screen(&zone(&[&first, ERIKSSON[1]]), &[passport("L898902C3", "MOZ")]).expect("a zone");
        assert_eq!(judged.verdict, expected, "{issuer}");
        assert_eq!(judged.findings.iter().any(Finding::forwards), issuer == "MOZ");
    }
}

/// What was misread, and for which nothing was found, is not known to be unlisted.
#[test]
fn a_smudged_digit_is_no_no_hit() {
    let second = ERIKSSON[1].replacen("L898902C3", "L893902C3", 1);
    let judged = screen(&zone(&[ERIKSSON[0], &second]), &[passport("L898902C3", "UTO")]).expect("a zone");
    assert_eq!((judged.verdict, judged.findings.len()), (Verdict::Incomplete, 0));
}

#[test]
fn doc_type_family() {
    // A service passport was scanned and a passport is listed.
    let lines = ["PSUTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", ERIKSSON[1]];
    assert_eq!(verdict(&zone(&lines), &[passport("L898902C3", "UTO")]), (Verdict::Hit, true));
}

#[test]
fn mrz_germany() {
    let lines =
        ["P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<", "C01X0006H1D<<6408125F2710316<<<<<<<<<<<<<<<8"];
    let judged = screen(&zone(&lines), &[passport("C01X0006H", "DEU")]).expect("a zone");
    assert_eq!(judged.verdict, Verdict::Hit);
    let issuer = judged.findings[0].explanation.iter().find(|feature| feature.feature == "issuer");
    assert_eq!(issuer.map(|feature| feature.effect.as_str()), Some("equal"));
}

#[test]
fn mrz_ocr_o_zero() {
    let lines =
        ["P<UTOERIKSSON<<ANNA<<<<<<<<<<<<<<<<<<<<<<<<<", "A010234567UTO7408122F3204153<<<<<<<<<<<<<<02"];
    let judged = screen(&zone(&lines), &[passport("A01O23456", "UTO")]).expect("a zone");
    assert_eq!((judged.verdict, judged.findings[0].rule.code), (Verdict::Review, RuleCode::Review));
    assert!(!judged.findings[0].forwards());
    assert_eq!(judged.understood.fields["proposed"], "A01O23456");
    assert!(judged.understood.warnings.contains(&"check_digit_wrong:document number".to_owned()));
}

/// A number that is listed letter by letter, read with a digit that does not fit, was misread: perhaps for another.
#[test]
fn a_wrong_check_digit_goes_to_review() {
    for at in [9, 43] {
        let mut second: Vec<char> = ERIKSSON[1].chars().collect();
        second[at] = if second[at] == '5' { '4' } else { '5' };
        let second: String = second.into_iter().collect();
        let judged = screen(&zone(&[ERIKSSON[0], &second]), &[passport("L898902C3", "UTO")]).expect("a zone");
        assert_eq!((judged.verdict, judged.findings[0].forwards()), (Verdict::Review, false), "{at}");
    }
}

/// G and 6 are equal for a check digit: the digit fits, and the number may be another's all the same.
#[test]
fn check_digits_are_blind_to_g_and_6() {
    use rovuma_schemas::mrz::check_digit;
    let digit = |text: &str| check_digit(text).expect("a digit");
    assert_eq!(digit("LG98902C3"), digit("L698902C3"));
    let number = format!("L698902C3{}", digit("L698902C3"));
    let (birth, expiry) = ("7408122", "1204159");
    let optional = "ZE184226B<<<<<1";
    let composite = digit(&format!("{number}{birth}{expiry}{optional}"));
    let second = format!("{number}UTO{birth}F{expiry}{optional}{composite}");
    let judged = screen(&zone(&[ERIKSSON[0], &second]), &[passport("LG98902C3", "UTO")]).expect("a zone");
    assert_eq!(judged.understood.warnings, [""; 0], "the zone is whole");
    assert_eq!((judged.verdict, judged.findings[0].forwards()), (Verdict::Review, false));
}

#[test]
fn a_filler_that_was_read_as_a_letter() {
    let scan = "P<UTOERIKSSON<<ANNA<<<<<<<<<<<<<<<<<<<<<<<<<\nK1234567K6UTO6001054F3202285<<<<<<<<<<<<<<<8";
    let listed = [passport("K1234567", "UTO")];
    let judged = screen(&typed(Some(ScanKind::Mrz), scan), &listed).expect("a zone");
    assert_eq!((judged.verdict, judged.findings[0].forwards()), (Verdict::Review, false));
}

#[test]
fn mrz_no_surname() {
    let lines =
        ["P<UTO<<AHMADI<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "K1234567<6UTO6001054F3202285<<<<<<<<<<<<<<<8"];
    let mut person = subject(number(NumberKind::Document, "K1234567", Some("UTO")));
    person.names = vec!["Ahmadi".to_owned()];
    let judged = screen(&zone(&lines), &[alert(person)]).expect("a zone");
    assert_eq!((judged.verdict, judged.findings[0].is_possible_misuse), (Verdict::Hit, false));
    assert_eq!(judged.understood.fields["surname"], "");
}

#[rstest]
#[case::mrz_unknown_birth("L898902C36UTO<<<<<<0F3204153<<<<<<<<<<<<<<04")]
#[case::mrz_sex_filler("L898902C36UTO7408122<3204153<<<<<<<<<<<<<<04")]
fn what_the_zone_leaves_open_is_no_contradiction(#[case] second: &str) {
    let mut person = subject(number(NumberKind::Document, "L898902C3", Some("UTO")));
    person.names = vec!["Anna Maria Eriksson".to_owned()];
    person.births = vec!["1974-08-12".to_owned()];
    let judged = screen(&zone(&[ERIKSSON[0], second]), &[alert(person)]).expect("a zone");
    let [found] = judged.findings.as_slice() else { panic!("{judged:?}") };
    assert!(found.forwards() && !found.is_possible_misuse, "{found:?}");
}

#[test]
fn somebody_else_holds_it() {
    for (names, births, expected) in [
        (vec!["Juma Hassan Ali"], vec![], true),
        (vec!["Eriksson, Anna"], vec!["1974-08-12"], false),
        (vec!["Eriksson, Anna"], vec!["1974-08"], false),
        (vec!["Eriksson, Anna"], vec!["1990-01-01"], true),
        (vec!["Juma Ali", "Maria Santos"], vec![], false),
        (vec![], vec![], false),
    ] {
        let mut person = subject(number(NumberKind::Document, "L898902C3", Some("UTO")));
        person.names = names.iter().map(ToString::to_string).collect();
        person.births = births.iter().map(ToString::to_string).collect();
        let judged = screen(&zone(&ERIKSSON), &[alert(person)]).expect("a zone");
        let found = &judged.findings[0];
        // It is told all the same: somebody uses the document.
        assert!(found.forwards());
        assert_eq!(found.is_possible_misuse, expected, "{names:?} {births:?}");
    }
}

#[rstest]
#[case::mrz_short_line(
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "line 2 has 43 of 44 characters"
)]
#[case::mrz_garbage("P<UTO 😀 ERIKSSON\nabc", "line 1 has the character '😀', which no zone has")]
fn what_is_no_zone_is_refused(#[case] text: &str, #[case] reason: &str) {
    let refused = screen(&typed(None, text), &[]).expect_err("no zone");
    assert_eq!((refused.code(), refused.to_string().as_str()), ("mrz_shape", reason));
}

#[test]
fn mrz_inner_space() {
    let text =
        "P<UTOERIKSSON<<ANNA MARIA<<<<<<<<<<<<<<<<<<<\r\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\r\n";
    let judged = screen(&typed(None, text), &[]).expect("a zone");
    assert_eq!(judged.understood.fields["given"], "ANNA MARIA");
    assert_eq!(judged.understood.warnings, ["space_read_as_filler"]);
}

#[rstest]
#[case::mrz_td1_long_filler(
    "IDBEL000590240<6013<<<<<<<<<<<",
    "8512017F1311048BEL851201002007",
    "000590240601",
    "BEL"
)]
#[case::mrz_td1_long_icao(
    "I<UTOD23145890<7349<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "D23145890734",
    "UTO"
)]
fn a_long_number_of_a_card(
    #[case] first: &str,
    #[case] second: &str,
    #[case] listed: &str,
    #[case] issuer: &str,
) {
    let mut card = number(NumberKind::Document, listed, Some(issuer));
    card.document_type = Some("national_id".to_owned());
    let judged = screen(&zone(&[first, second, "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]), &[alert(subject(card))]);
    let judged = judged.expect("a zone");
    assert_eq!((judged.verdict, judged.findings[0].forwards()), (Verdict::Hit, true), "{judged:?}");
}
