//! What a family says about its cases, and the words for what becomes of a message.

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};

/// The rules of one family's cases. All functions are pure.
pub(crate) trait CaseRules {
    /// What a message says.
    type Fact;
    /// What the messages so far add up to; the default is the state before any message.
    type State: Clone + Default;
    /// The state at an instant.
    type View;

    /// The order of concurrent messages: the lower rank first. Facts about the world have lower ranks than decisions about the
    /// paper.
    fn rank(&self, fact: &Self::Fact) -> u8;

    /// Whether the message takes effect whatever else came, and for ever.
    fn is_absorbing(&self, _fact: &Self::Fact) -> bool {
        false
    }

    /// Whether a message is lawful that its author signed in this state.
    ///
    /// # Errors
    /// The [`Breach`] by which it is unlawful.
    fn lawful(&self, state: &Self::State, step: &Step<'_, Self::Fact>) -> Result<(), Breach>;

    /// Whether [`Self::lawful`] looks at the state for this message. Where it does not, the state that its author had need not be
    /// computed, which costs as many applications as there are messages before.
    fn is_judged_by_state(&self, _fact: &Self::Fact) -> bool {
        true
    }

    /// Applies a lawful message to a state by which another one is judged: only what [`Self::lawful`] looks at must be right.
    fn apply_for_judging(&self, state: &mut Self::State, step: &Step<'_, Self::Fact>) {
        self.apply(state, step);
    }

    /// Whether the author's own gateway signs a lawful message. It may refuse what it would have to believe from others, because
    /// reports of facts are never void.
    ///
    /// # Errors
    /// The [`Breach`] that signing would be.
    fn may_sign(&self, _state: &Self::State, _step: &Step<'_, Self::Fact>) -> Result<(), Breach> {
        Ok(())
    }

    /// Applies a lawful message, and says what it did.
    fn apply(&self, state: &mut Self::State, step: &Step<'_, Self::Fact>) -> Applied;

    /// The state at `now`. Whatever follows from time alone is computed here and kept nowhere.
    fn view(&self, state: &Self::State, now: Timestamp) -> Self::View;

    /// Who must act next.
    fn ball(&self, view: &Self::View) -> Ball;
}

/// Who must act next in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ball {
    /// The agency that opened it.
    Owner,
    /// The other party.
    Other,
    /// Nobody.
    Nobody,
}

/// A turn of one party, for comparison with what another party has seen. Valid within one fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartyTurn {
    party: usize,
    turn: u64,
    is_reused: bool,
}

/// One message, as the rules of its family read it.
#[derive(Debug)]
pub(crate) struct Step<'a, F> {
    /// The agency that signed it.
    pub(crate) sender: &'a AgencyCode,
    /// Whether that agency opened the case.
    pub(crate) is_owner: bool,
    /// The canonical id.
    pub(crate) id: MessageId,
    /// The canonical id of the message that it answers.
    pub(crate) answers: Option<MessageId>,
    /// When the content was first signed.
    pub(crate) signed: Timestamp,
    /// What it says.
    pub(crate) fact: &'a F,
    /// Its place in its sender's chain.
    pub(crate) place: PartyTurn,
    /// What its author had.
    pub(super) past: &'a [u64],
}

impl PartyTurn {
    pub(super) const fn new(party: usize, turn: u64, is_reused: bool) -> Self {
        Self { party, turn, is_reused }
    }
}

impl<F> Step<'_, F> {
    /// The same message, as rules read it that know another form of what it says.
    pub(crate) fn saying<'s, G>(&'s self, fact: &'s G) -> Step<'s, G> {
        Step {
            sender: self.sender,
            is_owner: self.is_owner,
            id: self.id,
            answers: self.answers,
            signed: self.signed,
            fact,
            place: self.place,
            past: self.past,
        }
    }

    /// Whether its author had the message at this place.
    pub(crate) fn had(&self, place: PartyTurn) -> bool {
        self.past.get(place.party).is_some_and(|seen| place.turn <= *seen)
    }

    /// Whether its author had certainly everything at this place. A turn that was used twice may have been seen with the other
    /// content: nothing is closed because of it.
    pub(crate) fn certainly_had(&self, place: PartyTurn) -> bool {
        self.had(place) && !place.is_reused
    }
}

/// What a lawful message did to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It is part of the state.
    Whole,
    /// What it says is kept, but it settles nothing: it asks for nothing new, or crossed a question.
    Supplement,
    /// It changes nothing.
    Without(NoEffect),
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It is part of the state.
    Applied,
    /// What it says is kept, but it settles nothing.
    Supplement,
    /// It is lawful and changes nothing.
    Without(NoEffect),
    /// Its author could have known that it was not allowed. It is kept and changes nothing.
    Unlawful(Breach),
    /// It changes nothing as long as it cannot be judged. Nobody is accused.
    Unjudged(Doubt),
}

/// Why a lawful message changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoEffect {
    /// It crossed an answer or a refusal, which stands.
    TooLate,
    /// Its author had not seen the last word of the other party.
    LastWordUnseen,
    /// It was signed after the end of what it changes.
    AfterEnd,
    /// A newer version is there.
    OlderVersion,
    /// The matter was withdrawn or cancelled.
    Withdrawn,
}

/// Why a message is unlawful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    /// The other side sends such messages, not this one.
    NotItsPart,
    /// Its sender is no party of the case.
    NotAParty,
    /// The case had not been opened.
    NotOpened,
    /// The state that its author knew does not allow it.
    NotInState,
    /// It was signed too early.
    TooEarly,
    /// The case has as many messages of its sender as count. The last turns are for messages that end it.
    TooMany,
}

/// Why a message cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The message that opened the case has not arrived.
    OpenerMissing,
    /// Something that its author had is not here, or its author lacked what a third party had seen.
    PastMissing,
    /// Its author had seen a turn that was used twice, and nobody knows with which content.
    TurnReused,
    /// This version does not know its type.
    UnknownType,
    /// It is beyond a limit of what counts.
    BeyondLimit,
}

impl From<Applied> for Effect {
    fn from(applied: Applied) -> Self {
        match applied {
            Applied::Whole => Self::Applied,
            Applied::Supplement => Self::Supplement,
            Applied::Without(reason) => Self::Without(reason),
        }
    }
}

impl Effect {
    /// The code in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Supplement => "supplement",
            Self::Without(_) => "without_effect",
            Self::Unlawful(_) => "unlawful",
            Self::Unjudged(_) => "unjudged",
        }
    }

    /// The code of the reason, of a message that changes nothing.
    pub(crate) const fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::Applied | Self::Supplement => return None,
            Self::Without(NoEffect::TooLate) => "too_late",
            Self::Without(NoEffect::LastWordUnseen) => "last_word_unseen",
            Self::Without(NoEffect::AfterEnd) => "after_end",
            Self::Without(NoEffect::OlderVersion) => "older_version",
            Self::Without(NoEffect::Withdrawn) => "withdrawn",
            Self::Unlawful(Breach::NotItsPart) => "not_its_part",
            Self::Unlawful(Breach::NotAParty) => "not_a_party",
            Self::Unlawful(Breach::NotOpened) => "not_opened",
            Self::Unlawful(Breach::NotInState) => "not_allowed_in_state",
            Self::Unlawful(Breach::TooEarly) => "too_early",
            Self::Unlawful(Breach::TooMany) => "too_many",
            Self::Unjudged(Doubt::OpenerMissing) => "opener_missing",
            Self::Unjudged(Doubt::PastMissing) => "past_missing",
            Self::Unjudged(Doubt::TurnReused) => "turn_reused",
            Self::Unjudged(Doubt::UnknownType) => "type_unknown",
            Self::Unjudged(Doubt::BeyondLimit) => "beyond_limit",
        })
    }

    /// Whether the message was lawful: it is then part of the states that later messages are judged by.
    pub(crate) const fn is_lawful(self) -> bool {
        match self {
            Self::Applied | Self::Supplement | Self::Without(_) => true,
            Self::Unlawful(_) | Self::Unjudged(_) => false,
        }
    }
}

impl Breach {
    /// The reason in words, for the author.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::NotItsPart => "another party of the case sends such messages",
            Self::NotAParty => "the agency is no party of the case",
            Self::NotOpened => "the message that opened the case has not arrived",
            Self::NotInState => "this state does not allow the message",
            Self::TooEarly => "it is too early for the message",
            Self::TooMany => "the agency has sent as many messages in the case as count",
        }
    }

    /// Whether the verdict is the same whatever the author had seen.
    pub(super) const fn is_certain(self) -> bool {
        matches!(self, Self::NotItsPart)
    }
}
