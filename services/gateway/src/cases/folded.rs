//! A folded case of any family, for code that treats all families alike.

use rovuma_schemas::{AgencyCode, CaseId, CaseSoFar, Date, HandlingCode, MessageId, Timestamp};
use serde::de::DeserializeOwned;

use super::{
    fold::{
        CaseFold, Intent, Line, NextPlace, Outcome,
        message::CaseMessage,
        rules::{Ball, Breach, CaseRules, Effect},
    },
    kept::KeptMessage,
};
use crate::families::CaseDetails;

/// What a case is folded from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CaseMessages<'a> {
    /// The agency that opened it.
    pub(crate) owner: &'a AgencyCode,
    /// Its messages.
    pub(crate) kept: &'a [KeptMessage],
    /// The state of the case that it hangs on, where it hangs on one that is here.
    pub(crate) state_beside: Option<&'a str>,
}

/// What every family says of a case's state.
#[derive(Clone, Debug)]
pub(crate) struct StateFacts {
    /// The code of the state.
    pub(crate) state: &'static str,
    /// The instants after which the state may be another by time alone, ascending.
    pub(crate) instants: Vec<Timestamp>,
    /// When the ball's holder must have acted.
    pub(crate) due: Option<Timestamp>,
    /// The version of the content in force.
    pub(crate) version: Option<u32>,
    /// The code by which lists tell the cases of the family apart.
    pub(crate) facet: Option<String>,
    /// Whether it is about a minor: then every message of it needs a second person.
    pub(crate) is_about_minor: bool,
    /// Whether it asks nothing but what a database answers.
    pub(crate) is_direct: bool,
    /// The restriction on its use.
    pub(crate) handling: Option<HandlingCode>,
    /// The last day on which its data may be kept.
    pub(crate) retain_until: Option<Date>,
    /// When it was over, so that its data are erased when their retention ends; none while nobody knows an end.
    pub(crate) over_at: Option<Timestamp>,
    /// The common mark of cases that belong together.
    pub(crate) group: Option<MessageId>,
    /// The case that it hangs on.
    pub(crate) hangs_on: Option<CaseId>,
    /// What a message that follows must know.
    pub(crate) earlier: CaseSoFar,
    /// What only the family says.
    pub(crate) details: CaseDetails,
}

/// A family's view of a case at an instant.
pub(crate) trait CaseView {
    /// What every family says.
    fn facts(self) -> StateFacts;
}

/// A state, and until when it lasts if no message changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    /// The code of the state.
    pub(crate) state: &'static str,
    /// Who must act.
    pub(crate) ball: Ball,
    /// The first instant of the next phase; none of the last.
    pub(crate) until: Option<Timestamp>,
}

/// What an author is about to sign, as JSON in the family's terms.
#[derive(Debug)]
pub(crate) struct Proposal<'a> {
    /// The author's agency.
    pub(crate) sender: &'a AgencyCode,
    /// The id that the message will have.
    pub(crate) id: MessageId,
    /// The message that it answers.
    pub(crate) answers: Option<MessageId>,
    /// The time of signing.
    pub(crate) signed: Timestamp,
    /// What it says.
    pub(crate) fact: &'a str,
    /// The turn that it gets.
    pub(crate) turn: u64,
}

/// A folded case of any family.
pub(crate) trait FoldedCase {
    /// What the case is at `now`.
    fn at(&self, now: Timestamp) -> Outcome<StateFacts>;

    /// Every message in its order, judged.
    fn lines(&self) -> Vec<Line<'_>>;

    /// Its states from the beginning of time on.
    fn phases(&self) -> Vec<Phase>;

    /// The turn and `seen` of the next message of `sender`.
    fn next_place(&self, sender: &AgencyCode, is_restored: bool) -> NextPlace;

    /// The effect that a message would have that its author signs now.
    ///
    /// # Errors
    /// The [`Breach`] that signing would be.
    fn check(&self, proposal: &Proposal<'_>) -> Result<Effect, Breach>;
}

impl<R> FoldedCase for CaseFold<'_, R>
where
    R: CaseRules<Fact: DeserializeOwned, View: CaseView>,
{
    fn at(&self, now: Timestamp) -> Outcome<StateFacts> {
        let Outcome { state, ball, missing, warnings } = Self::at(self, now);
        Outcome { state: state.facts(), ball, missing, warnings }
    }

    fn lines(&self) -> Vec<Line<'_>> {
        Self::lines(self)
    }

    fn phases(&self) -> Vec<Phase> {
        let at = |now| {
            let (view, ball) = self.view_at(now);
            (view.facts(), ball)
        };
        let (mut facts, mut ball) = at(Timestamp::EPOCH);
        let instants = std::mem::take(&mut facts.instants);
        let mut phases = vec![Phase { state: facts.state, ball, until: None }];
        for instant in instants {
            (facts, ball) = at(instant);
            let Some(last) = phases.last_mut() else { break };
            if (last.state, last.ball) != (facts.state, ball) {
                last.until = Some(instant);
                phases.push(Phase { state: facts.state, ball, until: None });
            }
        }
        phases
    }

    fn next_place(&self, sender: &AgencyCode, is_restored: bool) -> NextPlace {
        Self::next_place(self, sender, is_restored)
    }

    fn check(&self, proposal: &Proposal<'_>) -> Result<Effect, Breach> {
        let Ok(fact) = serde_json::from_str(proposal.fact) else { return Err(Breach::NotItsPart) };
        Self::check(
            self,
            &Intent {
                sender: proposal.sender,
                id: proposal.id,
                answers: proposal.answers,
                signed: proposal.signed,
                fact: &fact,
                turn: proposal.turn,
            },
        )
    }
}

/// Folds the kept messages of a case by the rules of its family. A fact that this version cannot read counts as one of an
/// unknown type.
pub(crate) fn fold_kept<R>(rules: &R, case: &CaseMessages<'_>, read: &mut dyn FnMut(&dyn FoldedCase))
where
    R: CaseRules<Fact: DeserializeOwned, View: CaseView>,
{
    let typed = |message: &KeptMessage| {
        message.saying(message.fact.as_deref().and_then(|fact| serde_json::from_str(fact).ok()))
    };
    let messages: Vec<CaseMessage<R::Fact>> = case.kept.iter().map(typed).collect();
    read(&CaseFold::new(rules, case.owner, &messages));
}
