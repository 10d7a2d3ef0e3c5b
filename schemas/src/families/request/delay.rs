//! `request.delay`: the answerer needs longer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::ANSWER_HOURS_MAX;
use crate::{
    CodeLists, FaultCode, Locale, Text, Timestamp, draft::Checker, families::Operational, words::listed_code,
};

listed_code!(
    /// Why an answer takes longer: a closed list, so that delays can be counted.
    DelayReason, "delay_reasons"
);

/// The body of `request.delay`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequestDelay")]
pub struct Delay {
    /// When the answerer will have answered.
    pub until: Timestamp,
    /// Why the answer comes later.
    pub reason: DelayReason,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Delay {
    fn check(checker: &mut Checker<'_>) {
        let until = checker.body().field("until");
        let (now, hours) = (checker.context.now, u64::from(ANSWER_HOURS_MAX));
        let latest = now.plus(std::time::Duration::from_secs(hours * 60 * 60));
        match until.parsed::<Timestamp>() {
            Some(stated) if stated <= now => checker.fault(&until.at, FaultCode::DelayUntilPast),
            Some(stated) if stated > latest => {
                checker.fault_with(&until.at, FaultCode::DelayTooLong, latest.to_string());
            }
            _ => {}
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "request.delay", locale);
        format!("{kind}: {}", lists.label("delay_reasons", self.reason.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::families::support::{example, faults, just, summary, with, without};

    #[rstest]
    #[case("/body/until", "2026-11-23T12:00:00Z", FaultCode::DelayUntilPast)]
    #[case("/body/until", "2027-02-21T12:00:00.000001Z", FaultCode::DelayTooLong)]
    #[case("/body/reason", "tired", FaultCode::UnknownCode)]
    fn it_has_a_reason_of_the_list_and_a_new_limit(
        #[case] member: &str,
        #[case] word: &str,
        #[case] code: FaultCode,
    ) {
        let draft = example("request-delay");
        assert_eq!(faults(&draft), []);
        assert_eq!(faults(&with(draft.clone(), "/body/until", "2027-02-21T12:00:00Z")), []);
        assert_eq!(faults(&with(draft.clone(), member, word)), just(member, code));
        assert_eq!(faults(&without(draft, member)), just(member, FaultCode::MissingField));
    }

    #[test]
    fn lists_show_why() {
        let line = summary(&example("request-delay"), Locale::En);
        assert!(line.contains(": "), "{line}");
    }
}
