//! The states of a draft, and the steps between them. Pure: without store and policy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DraftState {
    /// Being written.
    Draft,
    /// Handed to a supervisor.
    PendingRelease,
    /// Handed back to its author, with the reason.
    Returned,
    /// Signed and in the outbox. Final: from here on it is a message.
    Released,
    /// Discarded. Final.
    Discarded,
}

/// A step from one state of a draft to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its author changes the content.
    Change,
    /// Its author hands it to a supervisor.
    Submit,
    /// Its author releases it, where one person may.
    ReleaseByAuthor,
    /// A second person releases it.
    ReleaseBySecond,
    /// A second person hands it back.
    Return,
    /// Its author discards it.
    Discard,
}

/// A step that the draft's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step} is not possible: {}", self.reason())]
pub(crate) struct NotInState {
    /// The draft's state.
    pub(crate) state: DraftState,
    /// The step that was requested.
    pub(crate) step: Step,
}

impl NotInState {
    /// The reason, and whose turn it is.
    const fn reason(self) -> &'static str {
        match (self.state, self.step) {
            (DraftState::Draft, _) => "its author has not submitted the draft yet",
            (DraftState::Returned, Step::ReleaseByAuthor) => {
                "a supervisor has returned the draft: put right what they ask for, and submit it again"
            }
            (DraftState::PendingRelease, Step::ReleaseByAuthor) => {
                "the draft is with a supervisor, who releases or returns it"
            }
            (DraftState::Returned, _) => {
                "the draft was returned to its author, who has not submitted it again yet"
            }
            (DraftState::PendingRelease, _) => "the draft is with a supervisor, who must return it first",
            (DraftState::Released, _) => "the draft is released already; it is a message now",
            (DraftState::Discarded, _) => "the draft is discarded",
        }
    }
}

impl DraftState {
    /// Every state.
    pub(crate) const ALL: [Self; 5] =
        [Self::Draft, Self::PendingRelease, Self::Returned, Self::Released, Self::Discarded];

    /// The state after `step`.
    ///
    /// A pending draft cannot be changed, only returned, released or discarded, so that a supervisor decides about the content
    /// that they have read. A second person can release only a draft that its author has submitted. Whoever has asked for a second
    /// person waits for their word: an author does not release what a supervisor examines, or has returned.
    pub(crate) const fn after(self, step: Step) -> Result<Self, NotInState> {
        use {DraftState as S, Step as T};
        match (self, step) {
            (S::Draft | S::Returned, T::Change) => Ok(self),
            (S::Draft | S::Returned, T::Submit) => Ok(S::PendingRelease),
            (S::Draft, T::ReleaseByAuthor) | (S::PendingRelease, T::ReleaseBySecond) => Ok(S::Released),
            (S::PendingRelease, T::Return) => Ok(S::Returned),
            (S::Draft | S::Returned | S::PendingRelease, T::Discard) => Ok(S::Discarded),
            (state, step) => Err(NotInState { state, step }),
        }
    }

    /// The state with this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The word in the store and the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::PendingRelease => "pending_release",
            Self::Returned => "returned",
            Self::Released => "released",
            Self::Discarded => "discarded",
        }
    }
}

impl Step {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "changing it",
            Self::Submit => "submitting it",
            Self::ReleaseByAuthor | Self::ReleaseBySecond => "releasing it",
            Self::Return => "returning it",
            Self::Discard => "discarding it",
        }
    }
}

impl fmt::Display for DraftState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 6] = [
        Step::Change,
        Step::Submit,
        Step::ReleaseByAuthor,
        Step::ReleaseBySecond,
        Step::Return,
        Step::Discard,
    ];

    /// The whole table, one line a state; `-` is refused.
    #[test]
    fn the_table_of_states_and_steps() {
        let cell = |state: DraftState, step| state.after(step).map_or("-", DraftState::as_str);
        let line = |state| STEPS.map(|step| cell(state, step));
        let (d, p, r) = ("draft", "pending_release", "returned");
        let (out, gone) = ("released", "discarded");
        assert_eq!(line(DraftState::Draft), [d, p, out, "-", "-", gone]);
        assert_eq!(line(DraftState::PendingRelease), ["-", "-", "-", out, r, gone]);
        assert_eq!(line(DraftState::Returned), [r, p, "-", "-", "-", gone]);
        assert_eq!(line(DraftState::Released), ["-"; 6]);
        assert_eq!(line(DraftState::Discarded), ["-"; 6]);
    }

    #[test]
    fn a_refused_step_says_why() {
        let sentence = |state: DraftState, step| state.after(step).map_err(|refused| refused.to_string());
        for (state, step, expected) in [
            (
                DraftState::Draft,
                Step::ReleaseBySecond,
                "releasing it is not possible: its author has not submitted the draft yet",
            ),
            (
                DraftState::PendingRelease,
                Step::Change,
                "changing it is not possible: the draft is with a supervisor, who must return it first",
            ),
            (
                DraftState::Released,
                Step::Discard,
                "discarding it is not possible: the draft is released already; it is a message now",
            ),
        ] {
            assert_eq!(sentence(state, step), Err(expected.to_owned()));
        }
    }

    #[test]
    fn words_read_back() {
        for state in DraftState::ALL {
            assert_eq!(DraftState::from_word(state.as_str()), Some(state));
        }
        assert_eq!(DraftState::from_word("active"), None);
    }
}
