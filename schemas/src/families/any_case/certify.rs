//! `purge.certify`: an agency certifies what it did with the data of a case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CodeLists, Date, FaultCode, Locale, Text,
    draft::Checker,
    families::{Operational, Reserved},
    view::View,
    words::listed_code,
};

listed_code!(
    /// The ground on which an agency keeps data that it should erase.
    RetentionGround, "retention_grounds"
);

/// What an agency did with the data of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "purge_outcomes"))]
pub enum PurgeOutcome {
    /// It erased them.
    Erased,
    /// It keeps them, on a ground of its own law.
    Retained,
    /// It never had them.
    NeverHeld,
}

impl PurgeOutcome {
    const ALL: [Self; 3] = [Self::Erased, Self::Retained, Self::NeverHeld];

    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Retained => "retained",
            Self::NeverHeld => "never_held",
        }
    }
}

/// The body of `purge.certify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PurgeCertify")]
pub struct Certify {
    /// What was done.
    pub outcome: PurgeOutcome,
    /// The ground; with `retained` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<RetentionGround>,
    /// The last day on which the data are kept; with `retained` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Certify {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let stated = body.field("outcome");
        let outcome = PurgeOutcome::ALL.into_iter().find(|known| stated.text() == Some(known.as_str()));
        let until = body.field("until");
        if until.parsed::<Date>().is_some_and(|last_day| last_day < checker.context.today()) {
            checker.fault(&until.at, FaultCode::RetentionPast);
        }
        // The check of the schema reports another outcome.
        let Some(outcome) = outcome else { return };
        for member in ["ground", "until"].map(|member| body.field(member)) {
            if member.is_there() != (outcome == PurgeOutcome::Retained) {
                checker.fault(&member.at, FaultCode::RetainedMismatch);
            }
        }
    }

    fn reserved(_: &View<'_>) -> Reserved {
        Reserved::Supervisor
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "purge.certify", locale);
        format!("{kind}: {}", lists.label("purge_outcomes", self.outcome.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::families::support::{checked, example, faults, just, summary, with, without};

    #[test]
    fn what_is_kept_has_a_ground_and_a_last_day_and_nothing_else_has() {
        let kept = example("purge-certify-retained");
        assert_eq!(faults(&kept), []);
        for member in ["/body/ground", "/body/until"] {
            let mismatch = just(member, FaultCode::RetainedMismatch);
            assert_eq!(faults(&without(kept.clone(), member)), mismatch);
            for outcome in ["erased", "never_held"] {
                let other = if member == "/body/ground" { "/body/until" } else { "/body/ground" };
                let one_left = without(with(kept.clone(), "/body/outcome", outcome), other);
                assert_eq!(faults(&one_left), mismatch, "{outcome}");
                assert_eq!(faults(&without(one_left, member)), [], "{outcome}");
            }
        }
        // Without an outcome, that is the fault.
        assert_eq!(faults(&without(kept, "/body/outcome")), just("/body/outcome", FaultCode::MissingField));
    }

    #[rstest]
    #[case("/body/outcome", "deleted", FaultCode::UnknownValue)]
    #[case("/body/ground", "habit", FaultCode::UnknownCode)]
    #[case("/body/until", "31/12/2028", FaultCode::WrongFormat)]
    #[case("/body/until", "2026-11-22", FaultCode::RetentionPast)]
    fn its_words_and_its_last_day_make_sense(
        #[case] member: &str,
        #[case] word: &str,
        #[case] code: FaultCode,
    ) {
        assert_eq!(faults(&with(example("purge-certify-retained"), member, word)), just(member, code));
    }

    #[test]
    fn a_supervisor_of_any_party_certifies_in_a_case_of_any_kind_that_is_known() {
        let draft = example("purge-certify");
        assert_eq!(checked(&draft).reserved(), Reserved::Supervisor);
        let unknown = with(draft.clone(), "/case/kind", "dossier");
        assert_eq!(faults(&unknown), just("/case/kind", FaultCode::CaseKindOther));
        assert_eq!(summary(&draft, Locale::Pt), "Certificado do que foi feito com os dados: Foram apagados");
    }
}
