//! The report.

use rovuma_envelope::SigningKey;
use rovuma_schemas::Locale;
use rovuma_tlog::Pruned;
use rstest::rstest;

use super::case::{Case, MESSAGE, ORIGIN, TestLog};
use crate::{EvidenceBundle, check};

#[rstest]
#[case(Locale::En, "What is not proven", "Message read", "was erased")]
#[case(Locale::Pt, "O que não está provado", "Mensagem lida", "apagado")]
#[case(Locale::Sw, "Kisichothibitishwa", "Ujumbe ulisomwa", "yalifutwa")]
fn the_report_says_in_each_language_what_is_proven_and_what_was_erased(
    #[case] language: Locale,
    #[case] heading: &str,
    #[case] action: &str,
    #[case] erased: &str,
) {
    let mut case = Case::new();
    case.contents.manifest.language = language;
    let report = case.bundle().report;
    for word in
        [heading, action, "draft.read: content", erased, "mz.audit", "2026-11-27T10:00:00Z", "AUD-7", MESSAGE]
    {
        assert!(report.contains(word), "{word}: {report}");
    }
    assert!(report.contains("Lei n.º 3/2017, &#60;art. 63&#62;") && !report.contains("<art"), "{report}");
    assert!(
        !report.contains("src=") && !report.contains("http://") && !report.contains("https://"),
        "it loads nothing"
    );
}

#[test]
fn what_a_log_has_taken_out_is_told_and_only_the_log_says_so() {
    let mut case = Case::new();
    let said = |origin: &str| Pruned {
        origin: origin.to_owned(),
        minimum_index: 1000,
        unix_s: 1_795_000_000,
        policy: "Diploma Ministerial n.º 12/2027".to_owned(),
    };
    let note = |signer: &SigningKey, origin: &str| {
        String::from_utf8(said(origin).sign(signer).expect("signed")).expect("UTF-8")
    };
    case.contents.pruned = [(ORIGIN.to_owned(), note(&case.log.log, ORIGIN))].into();
    let mut bundle = case.bundle();
    assert!(
        bundle.report.contains("Diploma Ministerial n.º 12/2027") && bundle.report.contains("Norma escrita")
    );
    let bytes = bundle.pack().expect("packed");
    assert_eq!(EvidenceBundle::unpack(&bytes).expect("unpacked"), bundle);
    let witness = &case.log.witnesses[0].1;
    for (origin, note) in [(ORIGIN, note(witness, ORIGIN)), ("mz.audit/2025", note(&case.log.log, ORIGIN))] {
        let mut case = Case { log: TestLog::new(), contents: case.contents.clone() };
        case.contents.pruned = [(origin.to_owned(), note)].into();
        let fault =
            check(&case.contents, &bundle.contents.policy.parse().expect("a policy")).expect_err("refused");
        assert!(fault.to_string().contains("pruned/"), "{fault}");
    }
}
