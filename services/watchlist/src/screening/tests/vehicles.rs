//! Plates and numbers of vehicles.

use rstest::rstest;

use super::*;

fn plate(value: &str, state: &str) -> Listed {
    alert(subject(number(NumberKind::Plate, value, Some(state))))
}

fn vin(value: &str) -> Listed {
    alert(subject(number(NumberKind::Vin, value, None)))
}

#[rstest]
#[case::plate_tz("T 123 ABC", "T123ABC", true)]
#[case::plate_tz("T 123 ABC", "t-123-abc", true)]
#[case::plate_tz("T 123 ABC", "T 123ABC", true)]
#[case::plate_tz("T 123 ABC", "T.123 ABC", true)]
#[case::plate_dash_prefix("T 123 ABC", "- T 123 ABC", true)]
#[case::plate_tz_motorcycle("MC 123 ABC", "MC .123 ABC", true)]
#[case::plate_tz_motorcycle("MC 123 ABC", "MC123ABC", true)]
#[case::plate_tz_motorcycle("MC 123 ABC", "T 123 ABC", false)]
fn plates_of_tanzania(#[case] listed: &str, #[case] scanned: &str, #[case] is_it: bool) {
    let entries = [plate(listed, "TZA")];
    let named = Scan { state: Some("TZA".to_owned()), ..typed(Some(ScanKind::Plate), scanned) };
    let expected = if is_it { Verdict::Hit } else { Verdict::NoHit };
    assert_eq!(verdict(&named, &entries), (expected, is_it));
    // Nobody said of which country it is: it is a hit that a person looks at.
    assert_eq!(verdict(&typed(Some(ScanKind::Plate), scanned), &entries), (expected, false));
    assert_eq!(verdict(&typed(None, scanned), &entries), (expected, false));
    // Nor what it is: the state may be that of a document with this number.
    let unnamed = Scan { state: Some("TZA".to_owned()), ..typed(None, scanned) };
    assert_eq!(verdict(&unnamed, &entries), (expected, false));
}

#[rstest]
#[case("MPC-12-34", "before 2011", Some("Cabo Delgado"))]
#[case("MLR 12-34", "before 2011", Some("Maputo"))]
#[case("MPC 1234", "before 2011", Some("Cabo Delgado"))]
#[case("AAA 123 MP", "since 2011", None)]
fn plate_mz_old(#[case] scanned: &str, #[case] form: &str, #[case] province: Option<&str>) {
    let judged = screen(&typed(Some(ScanKind::Plate), scanned), &[]).expect("a plate");
    assert_eq!(judged.understood.fields["state"], "MOZ");
    assert!(judged.understood.fields["plate_form"].starts_with(form), "{:?}", judged.understood);
    assert_eq!(judged.understood.fields.get("province").map(String::as_str), province);
    assert_eq!(judged.understood.warnings, ["country_guessed"]);
}

#[rstest]
#[case("STL 1234")]
#[case("SMZ 1234")]
#[case("PT 1234")]
#[case("T 012 CD 345")]
#[case("DFP 1234")]
#[case("Z 961 EW")]
#[case("X 1")]
fn plate_government(#[case] scanned: &str) {
    let entries = [plate(scanned, "TZA")];
    let named = Scan { state: Some("TZA".to_owned()), ..typed(Some(ScanKind::Plate), scanned) };
    assert_eq!(verdict(&named, &entries), (Verdict::Hit, true), "unusual, and no invalid plate");
}

/// What makes a plate certain is bent, one thing at a time: a plate has no check digit.
#[test]
fn a_plate_is_forwarded_only_when_it_is_certain() {
    let mut listed = plate("MC 123 EXA", "TZA");
    listed.subjects[0].colour = Some("red".to_owned());
    listed.subjects[0].make = Some("Bajaj".to_owned());
    let entries = [listed];
    let whole = Scan { state: Some("TZA".to_owned()), ..typed(Some(ScanKind::Plate), "MC123EXA") };
    let seen = |make: &str, colour: &str| {
        Some(SeenVehicle { make: Some(make.to_owned()), colour: Some(colour.to_owned()), vehicle_type: None })
    };
    assert_eq!(verdict(&whole, &entries), (Verdict::Hit, true));
    assert_eq!(
        verdict(&Scan { vehicle: seen("BAJAJ", "red"), ..whole.clone() }, &entries),
        (Verdict::Hit, true)
    );
    for (bent, expected) in [
        (Scan { vehicle: seen("Bajaj", "blue"), ..whole.clone() }, Verdict::Review),
        (Scan { vehicle: seen("Honda", "red"), ..whole.clone() }, Verdict::Review),
        (Scan { source: ScanSource::Camera, ..whole.clone() }, Verdict::Review),
        (Scan { state: Some("MOZ".to_owned()), ..whole.clone() }, Verdict::Review),
        (Scan { state: None, ..whole.clone() }, Verdict::Hit),
        (Scan { text: "MC123EX4".to_owned(), ..whole.clone() }, Verdict::NoHit),
        (Scan { text: "MCI23EXA".to_owned(), ..whole.clone() }, Verdict::Review),
    ] {
        assert_eq!(verdict(&bent, &entries), (expected, false), "{bent:?}");
    }
    let confirmed = Scan { source: ScanSource::Camera, confirmed: true, ..whole };
    assert_eq!(verdict(&confirmed, &entries), (Verdict::Hit, true), "an officer looked");
}

#[test]
fn vin_europe() {
    let scan = typed(Some(ScanKind::Vin), "WVWZZZ1KZAW000001");
    let judged = screen(&scan, &[vin("WVWZZZ1KZAW000001")]).expect("a VIN");
    assert_eq!((judged.verdict, judged.findings[0].forwards()), (Verdict::Hit, true));
    assert_eq!(judged.understood.warnings, [""; 0], "no digit is asked for");
}

#[test]
fn vin_placeholder() {
    let scan = typed(Some(ScanKind::Vin), "11111111111111111");
    let judged = screen(&scan, &[vin("11111111111111111")]).expect("a text");
    assert_eq!(
        (judged.verdict, judged.understood.warnings),
        (Verdict::TooLittle, vec!["placeholder".to_owned()])
    );
}

#[rstest]
#[case("1M8GDM9AXKP042788", Verdict::Hit, true, &[])]
// A maker of North America that printed another digit has made a mistake, or the thief has.
#[case("1M8GDM9A1KP042788", Verdict::NoHit, false, &["check_digit_wrong:vin"])]
#[case("IM8GDM9AXKP042788", Verdict::Review, false, &["vin_letters"])]
#[case("KP042788", Verdict::Review, false, &[])]
#[case("KP042789", Verdict::NoHit, false, &[])]
#[case("42788", Verdict::NoHit, false, &[])]
fn a_vin_is_found_whole_and_by_its_end(
    #[case] scanned: &str,
    #[case] expected: Verdict,
    #[case] forwards: bool,
    #[case] warnings: &[&str],
) {
    let entries = [vin("1M8GDM9AXKP042788")];
    for kind in [ScanKind::Vin, ScanKind::ChassisNumber] {
        let judged = screen(&typed(Some(kind), scanned), &entries).expect("a number");
        let forwarded = judged.findings.first().is_some_and(Finding::forwards);
        assert_eq!((judged.verdict, forwarded), (expected, forwards), "{kind:?}");
        assert_eq!(judged.understood.warnings, warnings);
    }
}

#[rstest]
#[case(NumberKind::ChassisNumber, ScanKind::ChassisNumber, "MD2-417-B99")]
#[case(NumberKind::EngineNumber, ScanKind::EngineNumber, "DUZ 417")]
#[case(NumberKind::FirearmSerial, ScanKind::Serial, "AK/105")]
#[case(NumberKind::ObjectSerial, ScanKind::Serial, "35-2099")]
fn numbers_that_each_maker_gives_are_hits_for_a_person(
    #[case] kind: NumberKind,
    #[case] scan: ScanKind,
    #[case] value: &str,
) {
    let entries = [alert(subject(number(kind, value, None)))];
    let judged = screen(&typed(Some(scan), value), &entries).expect("a number");
    assert_eq!((judged.verdict, &judged.findings[0].doubts), (Verdict::Hit, &vec![Doubt::NotUnique]));
}
