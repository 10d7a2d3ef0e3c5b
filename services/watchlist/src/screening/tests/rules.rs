//! What is told, to whom, and what is not.

use rstest::rstest;

use super::*;

fn listed() -> Listed {
    alert(subject(number(NumberKind::Document, "L898902C3", Some("UTO"))))
}

fn with(change: impl FnOnce(&mut AlertFacts)) -> Listed {
    let mut listed = listed();
    change(listed.alert.as_mut().expect("an alert"));
    listed
}

fn kept_back(entry: Listed, crossing: Option<&Crossing>) -> Vec<KeptBack> {
    let scan = zone(&super::zones::ERIKSSON);
    let judged = screen_with(&scan, &[entry], crossing, &Rules::default()).expect("a zone");
    assert_eq!(judged.verdict, Verdict::Hit);
    judged.findings[0].kept_back.clone()
}

#[test]
fn what_keeps_a_certain_hit_back() {
    let post = at_namoto();
    assert_eq!(kept_back(listed(), Some(&post)), []);
    assert_eq!(kept_back(listed(), None), [KeptBack::NoCrossing]);
    let protection = Crossing { asks_protection: true, ..post.clone() };
    assert_eq!(kept_back(listed(), Some(&protection)), [KeptBack::Protection]);
    // A neighbour's alert is told to the neighbour; the agency's own is not told to itself.
    assert_eq!(kept_back(with(|alert| alert.case.owner = agency("mz.sernic")), Some(&post)), []);
    assert_eq!(
        kept_back(with(|alert| alert.case.owner = agency("mz.prm")), Some(&post)),
        [KeptBack::OwnAlert]
    );
    let nobody_else = with(|alert| alert.held_by = vec![alert.case.owner.clone()]);
    assert_eq!(kept_back(nobody_else, Some(&post)), [KeptBack::OwnAlert]);
    let flagged = with(|alert| alert.flagged = Some("national_law".to_owned()));
    assert_eq!(kept_back(flagged, Some(&post)), [KeptBack::Flagged]);
    assert_eq!(kept_back(Listed { alert: None, ..listed() }, Some(&post)), [KeptBack::ImportedList]);
}

#[rstest]
#[case("XXA", true)]
#[case("XXB", true)]
#[case("XXC", true)]
#[case("XXX", false)]
#[case("UTO", false)]
fn nothing_is_told_of_those_who_may_need_protection(#[case] nationality: &str, #[case] is_kept_back: bool) {
    let second = super::zones::ERIKSSON[1].replacen("UTO", nationality, 1);
    let judged = screen(&zone(&[super::zones::ERIKSSON[0], &second]), &[listed()]).expect("a zone");
    assert_eq!(judged.verdict, Verdict::Hit);
    assert_eq!(judged.findings[0].kept_back == [KeptBack::Protection], is_kept_back);
    assert_eq!(judged.findings[0].forwards(), !is_kept_back);
}

#[test]
fn a_rule_that_is_switched_off_forwards_nothing() {
    let off = Rules::new(vec![Rule { code: RuleCode::DocumentExact, version: 2, forwards: false }]);
    let scan = zone(&super::zones::ERIKSSON);
    let judged = screen_with(&scan, &[listed()], Some(&at_namoto()), &off).expect("a zone");
    assert_eq!(judged.findings[0].kept_back, [KeptBack::RuleOff]);
    assert_eq!(judged.findings[0].rule.version, 2);
    let never = Rules::new(vec![Rule { code: RuleCode::Review, version: 2, forwards: true }]);
    assert!(!never.rule(RuleCode::Review).forwards, "what is only alike never forwards");
}

#[rstest]
#[case::expired(|alert: &mut AlertFacts| alert.ends = Some("2026-11-30T12:00:00Z".parse().expect("an instant")))]
#[case::suspended(|alert: &mut AlertFacts| alert.confirm_by = Some("2026-11-30T11:59:59Z".parse().expect("an instant")))]
#[case::suspended_says_the_gateway(|alert: &mut AlertFacts| alert.state = "suspended".to_owned())]
fn api_offline_clock(#[case] change: fn(&mut AlertFacts)) {
    let scan = zone(&super::zones::ERIKSSON);
    assert_eq!(verdict(&scan, &[with(change)]), (Verdict::NoHit, false));
}

#[test]
fn api_flagged_alert() {
    let flagged = with(|alert| {
        alert.actions = vec!["arrest".to_owned()];
        alert.flagged = Some("national_law".to_owned());
    });
    let judged = screen(&zone(&super::zones::ERIKSSON), &[flagged]).expect("a zone");
    assert_eq!((judged.verdict, judged.findings[0].action()), (Verdict::Hit, "locate"));
}

#[test]
fn several_hits_are_one_stop_with_the_strongest_action_first() {
    let asks = |action: &str| with(|alert| alert.actions = vec![action.to_owned()]);
    let entries =
        ["inform_only", "seize", "protect", "locate", "arrest", "check_discreetly", "check_and_question"]
            .map(asks);
    let judged = screen(&zone(&super::zones::ERIKSSON), &entries).expect("a zone");
    let actions: Vec<_> = judged.findings.iter().map(Finding::action).collect();
    assert_eq!(
        actions,
        ["protect", "arrest", "seize", "check_and_question", "check_discreetly", "locate", "inform_only"]
    );
}

#[test]
fn a_discreet_check_is_known_as_one() {
    let discreet = with(|alert| alert.actions = vec!["check_discreetly".to_owned()]);
    let category = with(|alert| alert.category = "person_check".to_owned());
    for (entry, expected) in [(discreet, true), (category, true), (listed(), false)] {
        let judged = screen(&zone(&super::zones::ERIKSSON), &[entry]).expect("a zone");
        assert_eq!(judged.findings[0].is_discreet(), expected);
    }
}

/// An alert that is not executed here is as discreet as it asks to be.
#[test]
fn a_flag_does_not_show_a_discreet_check() {
    let flagged = with(|alert| {
        alert.actions = vec!["check_discreetly".to_owned()];
        alert.flagged = Some("national_law".to_owned());
    });
    let judged = screen(&zone(&super::zones::ERIKSSON), &[flagged]).expect("a zone");
    assert!(judged.findings[0].is_discreet());
}

/// One alert must not report everybody: a series has no more numbers than are stolen together.
#[rstest]
#[case("L898909999", true)]
#[case("L898999999", false)]
fn a_series_that_is_too_wide_reports_nobody(#[case] to: &str, #[case] forwards: bool) {
    let mut listed = number(NumberKind::Document, "L898900000", Some("MOZ"));
    listed.value_to = Some(to.to_owned());
    let scan = Scan {
        state: Some("MOZ".to_owned()),
        document_type: Some("passport".to_owned()),
        confirmed: true,
        ..typed(Some(ScanKind::Document), "L898900417")
    };
    assert_eq!(verdict(&scan, &[alert(subject(listed))]), (Verdict::Hit, forwards));
}

/// A partner that lists one number in thousands of alerts does not keep the booth waiting.
#[test]
fn what_is_listed_ten_thousand_times_is_found_a_few_times() {
    let entries: Vec<Listed> = (0..10_000).map(|_| listed()).collect();
    let judged = screen(&zone(&super::zones::ERIKSSON), &entries).expect("a zone");
    assert_eq!((judged.verdict, judged.findings.len()), (Verdict::Hit, 16));
    assert!(judged.understood.warnings.contains(&"more_than_shown".to_owned()));
}

/// What was not compared may be the very number: nobody may say that nothing is listed.
#[test]
fn a_number_behind_a_hundred_that_are_over_is_no_no_hit() {
    let over = || {
        let mut over = listed();
        over.alert.as_mut().expect("an alert").ends = Some(now());
        over
    };
    let entries: Vec<Listed> = (0..200).map(|_| over()).chain([listed()]).collect();
    let judged = screen(&zone(&super::zones::ERIKSSON), &entries).expect("a zone");
    assert_eq!((judged.verdict, judged.findings.len()), (Verdict::Incomplete, 0));
}

/// One number is there twice, once for a document of another type: what is certain stays so, whichever stands first.
#[test]
fn the_order_of_an_entrys_numbers_changes_nothing() {
    let visa = ListedNumber {
        document_type: Some("visa".to_owned()),
        ..number(NumberKind::Document, "L898902C3", Some("UTO"))
    };
    let any = ListedNumber { qualifier: None, ..number(NumberKind::Document, "L898902C3", None) };
    for numbers in [vec![visa.clone(), any.clone()], vec![any, visa]] {
        let subject = ListedSubject { numbers, ..ListedSubject::default() };
        assert_eq!(verdict(&zone(&super::zones::ERIKSSON), &[alert(subject)]).0, Verdict::Hit);
    }
}

/// Two documents of one person are alternatives: one hit.
#[test]
fn two_numbers_of_one_alert_are_one_finding() {
    let mut entry = listed();
    let again = entry.subjects[0].clone();
    entry.subjects.push(again);
    let judged = screen(&zone(&super::zones::ERIKSSON), &[entry]).expect("a zone");
    assert_eq!(judged.findings.len(), 1);
}
