//! What both sides do in each case, drawn before anything is sent, so that a seed repeats it.

use crate::{
    chance::Chance,
    traffic::{DIRECTIONS, Direction},
};

/// Of this many alerts, one is released in an emergency by one person.
const EMERGENCY_ONE_IN: u64 = 4;

/// Maximum moves after a case was opened.
const MOVES_MAX: u64 = 9;

/// Cases are opened within this share of the play, so that something follows in each of them.
const OPENED_WITHIN: f64 = 0.7;

/// The kinds of cases that are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CaseKind {
    Alert,
    Request,
}

/// A case, and what its parties do in it.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    /// Its number in the play.
    pub(super) number: u32,
    pub(super) kind: CaseKind,
    /// The agency that opens the case.
    pub(super) opener: &'static str,
    /// Agencies of the other country: one or two of an alert, one of a request.
    pub(super) recipients: Vec<&'static str>,
    /// Whether one person releases the alert alone, in an emergency.
    pub(super) is_emergency: bool,
    /// In their order; the first opens the case.
    pub(super) moves: Vec<Move>,
}

/// Something that an agency does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    /// When, as a share of the whole play.
    pub(super) at: f64,
    pub(super) kind: MoveKind,
    /// What the move's own choices follow from.
    pub(super) seed: u64,
}

/// The kinds of moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MoveKind {
    Open,
    Alert(AlertMove),
    Request(RequestMove),
}

/// What follows in the case of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AlertMove {
    // The issuer's.
    Update,
    Extend,
    Withdraw,
    Reply,
    Confirm,
    // A recipient's.
    FlagOn,
    FlagOff,
    ErrorReport,
    Certify,
    /// What the agency's own gateway must refuse: the issuer's part by a recipient, or a supervisor's by an officer.
    Trespass,
}

/// What follows in the case of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestMove {
    // The answerer's.
    Acknowledge,
    Ask,
    Delay,
    AnswerPartial,
    Answer,
    Refuse,
    // The requester's.
    Clarify,
    Remind,
    Cancel,
    Close,
    /// Either's.
    Certify,
    /// What the agency's own gateway must refuse: the other party's part, or a supervisor's by an officer.
    Trespass,
}

/// The moves after an alert was issued, each as often as it is drawn.
const IN_ALERTS: [AlertMove; 20] = [
    AlertMove::Update,
    AlertMove::Update,
    AlertMove::Update,
    AlertMove::Update,
    AlertMove::Update,
    AlertMove::Extend,
    AlertMove::Extend,
    AlertMove::Withdraw,
    AlertMove::Reply,
    AlertMove::Reply,
    AlertMove::Confirm,
    AlertMove::Confirm,
    AlertMove::FlagOn,
    AlertMove::FlagOn,
    AlertMove::FlagOff,
    AlertMove::ErrorReport,
    AlertMove::ErrorReport,
    AlertMove::ErrorReport,
    AlertMove::Certify,
    AlertMove::Trespass,
];

/// The moves after a request was submitted, each as often as it is drawn.
const IN_REQUESTS: [RequestMove; 20] = [
    RequestMove::Acknowledge,
    RequestMove::Acknowledge,
    RequestMove::Ask,
    RequestMove::Ask,
    RequestMove::Ask,
    RequestMove::Clarify,
    RequestMove::Clarify,
    RequestMove::Clarify,
    RequestMove::Clarify,
    RequestMove::Delay,
    RequestMove::AnswerPartial,
    RequestMove::AnswerPartial,
    RequestMove::Answer,
    RequestMove::Answer,
    RequestMove::Refuse,
    RequestMove::Remind,
    RequestMove::Cancel,
    RequestMove::Close,
    RequestMove::Certify,
    RequestMove::Trespass,
];

/// Draws what happens in this many cases, half of them alerts and half requests, half of each opened in each country.
pub(super) fn draw(chance: &mut Chance, cases: u32) -> Vec<Conversation> {
    (0..cases).map(|number| conversation(chance, number)).collect()
}

fn conversation(chance: &mut Chance, number: u32) -> Conversation {
    let Direction { sender, recipients } = DIRECTIONS[number as usize % DIRECTIONS.len()];
    let kind = if (number / 2).is_multiple_of(2) { CaseKind::Alert } else { CaseKind::Request };
    let recipients = match (kind, chance.number(0..3)) {
        (CaseKind::Request, _) | (_, 0) => vec![*chance.one_of(&recipients)],
        _ => recipients.to_vec(),
    };
    let opened = chance.share() * OPENED_WITHIN;
    let mut moves = vec![Move { at: opened, kind: MoveKind::Open, seed: chance.number(0..u64::MAX) }];
    for _ in 0..chance.number(1..MOVES_MAX + 1) {
        moves.push(Move {
            at: opened + chance.share() * (1.0 - opened),
            kind: match kind {
                CaseKind::Alert => MoveKind::Alert(*chance.one_of(&IN_ALERTS)),
                CaseKind::Request => MoveKind::Request(*chance.one_of(&IN_REQUESTS)),
            },
            seed: chance.number(0..u64::MAX),
        });
    }
    moves.sort_by(|one, other| one.at.total_cmp(&other.at));
    let is_emergency = kind == CaseKind::Alert && chance.number(0..EMERGENCY_ONE_IN) == 0;
    Conversation { number, kind, opener: sender, recipients, is_emergency, moves }
}

impl CaseKind {
    /// The word in the case's name.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Request => "request",
        }
    }
}
