//! What both sides do with each alert, drawn before anything is sent, so that a seed repeats it.

use crate::{
    chance::Chance,
    traffic::{DIRECTIONS, Direction},
};

/// Of this many alerts, one is released in an emergency by one person.
const EMERGENCY_ONE_IN: u64 = 4;

/// Maximum moves after an alert was issued.
const MOVES_MAX: u64 = 9;

/// Alerts are issued within this share of the play, so that something follows each of them.
const ISSUED_WITHIN: f64 = 0.7;

/// An alert, and what happens to it.
#[derive(Clone, Debug)]
pub(super) struct Alert {
    /// Its number in the play.
    pub(super) number: u32,
    pub(super) issuer: &'static str,
    /// One or two agencies of the other country.
    pub(super) recipients: Vec<&'static str>,
    /// Whether one person releases it alone, in an emergency.
    pub(super) is_emergency: bool,
    /// In their order; the first issues it.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MoveKind {
    Issue,
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

/// The moves after the issue, each as often as it is drawn.
const FOLLOWING: [MoveKind; 20] = [
    MoveKind::Update,
    MoveKind::Update,
    MoveKind::Update,
    MoveKind::Update,
    MoveKind::Update,
    MoveKind::Extend,
    MoveKind::Extend,
    MoveKind::Withdraw,
    MoveKind::Reply,
    MoveKind::Reply,
    MoveKind::Confirm,
    MoveKind::Confirm,
    MoveKind::FlagOn,
    MoveKind::FlagOn,
    MoveKind::FlagOff,
    MoveKind::ErrorReport,
    MoveKind::ErrorReport,
    MoveKind::ErrorReport,
    MoveKind::Certify,
    MoveKind::Trespass,
];

/// Draws what happens to this many alerts, half of them issued in each country.
pub(super) fn draw(chance: &mut Chance, alerts: u32) -> Vec<Alert> {
    (0..alerts).map(|number| alert(chance, number)).collect()
}

fn alert(chance: &mut Chance, number: u32) -> Alert {
    let Direction { sender, recipients } = DIRECTIONS[number as usize % DIRECTIONS.len()];
    let recipients = match chance.number(0..3) {
        0 => vec![*chance.one_of(&recipients)],
        _ => recipients.to_vec(),
    };
    let issued = chance.share() * ISSUED_WITHIN;
    let mut moves = vec![Move { at: issued, kind: MoveKind::Issue, seed: chance.number(0..u64::MAX) }];
    for _ in 0..chance.number(1..MOVES_MAX + 1) {
        moves.push(Move {
            at: issued + chance.share() * (1.0 - issued),
            kind: *chance.one_of(&FOLLOWING),
            seed: chance.number(0..u64::MAX),
        });
    }
    moves.sort_by(|one, other| one.at.total_cmp(&other.at));
    let is_emergency = chance.number(0..EMERGENCY_ONE_IN) == 0;
    Alert { number, issuer: sender, recipients, is_emergency, moves }
}
