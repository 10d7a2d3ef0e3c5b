//! The time that an agency has to answer a request.

use serde::Deserialize;

use super::question_rule;
use crate::{UrgencyLevel, view::View};

/// Maximum hours to answer: 90 days, as long as a request may be on the way.
pub const ANSWER_HOURS_MAX: u16 = 90 * 24;

/// The hours that an agreement gives to answer. The requester's gateway writes the one that applies into the request, where it is
/// signed: both sides show the same limit, and a later change of an agreement moves no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerLimits {
    /// For an urgent request all of whose questions a database answers: 8 (Directive (EU) 2023/977, Article 5 (1) (a)).
    pub urgent_direct_hours: u16,
    /// For any other urgent request: 3 days (Article 5 (1) (b)).
    pub urgent_hours: u16,
    /// For a request that is not urgent: 7 days (Article 5 (1) (c)).
    pub normal_hours: u16,
}

impl Default for AnswerLimits {
    fn default() -> Self {
        Self { urgent_direct_hours: 8, urgent_hours: 3 * 24, normal_hours: 7 * 24 }
    }
}

impl AnswerLimits {
    /// Whether each is a number of hours that a request may state.
    pub fn are_possible(&self) -> bool {
        let all = [self.urgent_direct_hours, self.urgent_hours, self.normal_hours];
        all.iter().all(|hours| (1..=ANSWER_HOURS_MAX).contains(hours))
    }

    /// The hours for a request of this urgency, by whether a database answers all its questions.
    pub const fn hours(&self, level: UrgencyLevel, is_direct: bool) -> u16 {
        match (level, is_direct) {
            (UrgencyLevel::Normal, _) => self.normal_hours,
            (UrgencyLevel::Urgent, true) => self.urgent_direct_hours,
            (UrgencyLevel::Urgent, false) => self.urgent_hours,
        }
    }
}

/// Whether a database of the answerer answers each of these questions, so that an agency's own system may ask and answer them
/// without an officer. Without a question none does.
pub(super) fn are_direct<'a>(mut codes: impl Iterator<Item = &'a str>) -> bool {
    let Some(first) = codes.next() else { return false };
    question_rule(first).is_direct && codes.all(|code| question_rule(code).is_direct)
}

/// The same of a draft.
pub(super) fn are_direct_in(questions: &View<'_>) -> bool {
    let questions = questions.items();
    let codes: Vec<&str> = questions.iter().filter_map(|question| question.field("ask").text()).collect();
    codes.len() == questions.len() && are_direct(codes.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_limits_are_those_of_the_directive() {
        let limits = AnswerLimits::default();
        assert!(limits.are_possible());
        assert_eq!(limits.hours(UrgencyLevel::Urgent, true), 8);
        assert_eq!(limits.hours(UrgencyLevel::Urgent, false), 72);
        assert_eq!(limits.hours(UrgencyLevel::Normal, true), 168);
        assert_eq!(limits.hours(UrgencyLevel::Normal, false), 168);
        for bent in [0, ANSWER_HOURS_MAX + 1] {
            assert!(!AnswerLimits { urgent_hours: bent, ..limits }.are_possible());
        }
    }

    #[test]
    fn one_question_that_needs_an_officer_makes_the_request_need_one() {
        assert!(are_direct(["vehicle_owner", "wanted_here"].into_iter()));
        assert!(!are_direct(["vehicle_owner", "whereabouts"].into_iter()));
        assert!(!are_direct(["of_a_newer_version"].into_iter()));
        assert!(!are_direct(std::iter::empty()));
    }
}
