//! What a message of a hit says, of what its case depends on.

use std::time::Duration;

use rovuma_schemas::{
    AgencyCode, CaseId, MessageId, MessageType, OperationalBody, SubjectKey, Terms, Timestamp,
    any_case::PurgeOutcome,
    hit::{ConfirmWord, Direction, HitAct},
};
use serde::{Deserialize, Serialize};

use super::state::{HitFact, OwnersWord, ReportedAct};
use crate::families::care::Care;

/// More time that counts: whatever an owner asks for, the reporter's clock does not stop for longer.
const MORE_TIME_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A message of a hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HitMessage {
    pub(super) word: Word,
    /// Of the notice: what was found.
    #[serde(default)]
    pub(super) found: Option<HitNotice>,
    /// Of a report: what was done.
    #[serde(default)]
    pub(super) actions: Vec<String>,
    /// The care that it needs.
    #[serde(default)]
    pub(super) care: Care,
}

/// What a message does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    /// It takes a turn in the hit.
    Turn(HitFact),
    /// Its sender certifies what it did with the data.
    Certify(PurgeOutcome),
}

/// What was found, and where; without the identifier itself, which the message alone shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HitNotice {
    /// The alert.
    pub(crate) alert: CaseId,
    /// The version of the alert that was looked at.
    pub(crate) version: u32,
    /// The key of the alert's subject.
    pub(crate) subject: Option<SubjectKey>,
    /// The kind of identifier by which it was found.
    pub(crate) matched: String,
    /// The rule, and its version.
    pub(crate) rule: (String, u32),
    /// When it was found.
    pub(crate) found_at: Timestamp,
    /// The border post at which it was found.
    pub(crate) post: String,
    /// The direction in which the person or thing crossed.
    pub(crate) direction: Direction,
    /// Whether the document was in the hands of somebody else than its alert names.
    pub(crate) is_possible_misuse: bool,
    /// Whether it was found before the alert was there.
    pub(crate) is_retroactive: bool,
    /// The common mark of hits about one traveller.
    pub(crate) encounter: Option<MessageId>,
}

/// What a message says; none of a type that has no part in hits.
pub(super) fn of(body: &OperationalBody, terms: &Terms, signed: Timestamp) -> Option<HitMessage> {
    use OperationalBody as B;
    let care = Care::of(terms, signed);
    let (mut found, mut actions) = (None, Vec::new());
    let word = match body {
        B::HitNotify(notify) => {
            found = Some(HitNotice {
                alert: notify.alert.clone(),
                version: notify.version,
                subject: notify.subject.clone(),
                matched: notify.matched.kind.to_string(),
                rule: (notify.rule.code.to_string(), notify.rule.version),
                found_at: notify.found_at,
                post: notify.post.to_string(),
                direction: notify.direction,
                is_possible_misuse: notify.possible_misuse,
                is_retroactive: notify.retroactive,
                encounter: notify.encounter,
            });
            Word::Turn(HitFact::Notify { alert_owner: notify.alert.owner.clone() })
        }
        B::HitAskConfirmation(ask) => {
            Word::Turn(HitFact::Ask { held_until: ask.held_until.filter(|_| ask.held) })
        }
        B::HitConfirm(confirm) => Word::Turn(HitFact::Word(match (confirm.word, confirm.until) {
            (ConfirmWord::Confirmed, _) => OwnersWord::Confirmed,
            (ConfirmWord::NotConfirmed, _) => OwnersWord::NotConfirmed,
            // Its sender's own rule wants a time: without one the owner has had it.
            (ConfirmWord::MoreTime, until) => {
                OwnersWord::MoreTime(until.unwrap_or(signed).min(signed.plus(MORE_TIME_MAX)))
            }
        })),
        B::HitActionReport(report) => {
            actions = report.actions.iter().map(ToString::to_string).collect();
            Word::Turn(HitFact::Act(match report.act {
                HitAct::Action => ReportedAct::Action,
                HitAct::NoAction => ReportedAct::NoAction,
                HitAct::Released => ReportedAct::Released,
                HitAct::NotPossible => ReportedAct::NotPossible,
            }))
        }
        B::HitRetract(_) => Word::Turn(HitFact::Retract),
        B::HitClose(_) => Word::Turn(HitFact::Close),
        B::PurgeCertify(certify) => Word::Certify(certify.outcome),
        _ => return None,
    };
    Some(HitMessage { word, found, actions, care })
}

/// A message of each type, to ask a case which of them it allows.
pub(super) fn samples(now: Timestamp) -> Vec<(MessageType, HitMessage)> {
    use MessageType as T;
    let turn = Word::Turn;
    let samples = [
        (T::HitAskConfirmation, turn(HitFact::Ask { held_until: None })),
        (T::HitConfirm, turn(HitFact::Word(OwnersWord::MoreTime(now)))),
        (T::HitActionReport, turn(HitFact::Act(ReportedAct::NoAction))),
        (T::HitRetract, turn(HitFact::Retract)),
        (T::HitClose, turn(HitFact::Close)),
        (T::PurgeCertify, Word::Certify(PurgeOutcome::NeverHeld)),
    ];
    let message =
        |(kind, word)| (kind, HitMessage { word, found: None, actions: Vec::new(), care: Care::default() });
    samples.into_iter().map(message).collect()
}

/// The agency that reported it and the agency whose alert it is are the parties.
pub(super) fn alert_owner(fact: &HitFact) -> Option<&AgencyCode> {
    match fact {
        HitFact::Notify { alert_owner } => Some(alert_owner),
        _ => None,
    }
}
