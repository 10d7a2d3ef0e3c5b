//! What a message about an alert says, of what the alert's state depends on.

use rovuma_schemas::{
    EMERGENCY_CONFIRMED_WITHIN, MessageType, OperationalBody, Terms, Timestamp,
    alert::{FlagState, Issue, Withdraw},
    any_case::PurgeOutcome,
};

use super::state::{AlertFact, Certificate, Content, WithdrawReason};

/// What a message first signed at `signed` says; none of a type that has no part in alerts.
pub(super) fn of(body: &OperationalBody, terms: &Terms, signed: Timestamp) -> Option<AlertFact> {
    Some(match body {
        OperationalBody::AlertIssue(issue) => {
            AlertFact::Issue(content(issue, Some(issue.end(signed)), terms, signed))
        }
        OperationalBody::AlertUpdate(update) => AlertFact::Update {
            // The gateway that releases it gives the version; whoever checks a draft asks for the next one, whichever it is.
            version: update.version.unwrap_or(u32::MAX),
            content: content(&update.alert, update.alert.validity.until, terms, signed),
        },
        OperationalBody::AlertExtend(extend) => {
            AlertFact::Extend { ends: extend.until, retain_until: Some(terms.retain_until) }
        }
        OperationalBody::AlertWithdraw(withdraw) => {
            AlertFact::Withdraw { reason: reason(withdraw), retain_until: Some(terms.retain_until) }
        }
        OperationalBody::AlertReply(_) => AlertFact::Reply,
        OperationalBody::AlertFlag(flag) => match flag.flag {
            FlagState::On => AlertFact::FlagOn,
            FlagState::Off => AlertFact::FlagOff,
        },
        OperationalBody::AlertErrorReport(report) => AlertFact::ErrorReport { version: report.version },
        OperationalBody::ReleaseConfirm(_) => AlertFact::Confirm,
        OperationalBody::PurgeCertify(certify) => AlertFact::Certify(match certify.outcome {
            PurgeOutcome::Erased => Certificate::Erased,
            PurgeOutcome::Retained => Certificate::Retained { until: certify.until },
            PurgeOutcome::NeverHeld => Certificate::NeverHeld,
        }),
        _ => return None,
    })
}

/// A fact of each type, to ask a case which of them it allows.
pub(super) fn samples(now: Timestamp) -> [(MessageType, AlertFact); 8] {
    let content = Content::default();
    [
        (MessageType::AlertUpdate, AlertFact::Update { version: u32::MAX, content }),
        (MessageType::AlertExtend, AlertFact::Extend { ends: now, retain_until: None }),
        (
            MessageType::AlertWithdraw,
            AlertFact::Withdraw { reason: WithdrawReason::Error, retain_until: None },
        ),
        (MessageType::AlertReply, AlertFact::Reply),
        (MessageType::ReleaseConfirm, AlertFact::Confirm),
        (MessageType::AlertFlag, AlertFact::FlagOn),
        (MessageType::AlertErrorReport, AlertFact::ErrorReport { version: 1 }),
        (MessageType::PurgeCertify, AlertFact::Certify(Certificate::NeverHeld)),
    ]
}

/// What of a version's content the state depends on.
fn content(alert: &Issue, ends: Option<Timestamp>, terms: &Terms, signed: Timestamp) -> Content {
    // A sender that gives itself longer than the rule allows is not believed.
    let latest = signed.plus(EMERGENCY_CONFIRMED_WITHIN);
    let emergency = terms.emergency.as_ref();
    // Nor is one that gives its alert longer than the category allows.
    let longest = alert.category.rule().validity.after(signed);
    Content {
        ends: ends.map(|ends| ends.min(longest)),
        confirm_by: emergency.map(|emergency| emergency.confirm_by.map_or(latest, |by| by.min(latest))),
        category: Some(alert.category),
        is_about_minor: alert.subjects.persons.iter().any(|person| person.minor),
        handling: Some(terms.handling.code),
        retain_until: Some(terms.retain_until),
        keys: alert.subjects.keys(),
    }
}

fn reason(withdraw: &Withdraw) -> WithdrawReason {
    match (withdraw.reason.as_str(), &withdraw.superseded_by) {
        ("purpose_achieved", _) => WithdrawReason::PurposeAchieved,
        ("decision_revoked", _) => WithdrawReason::DecisionRevoked,
        ("error", _) => WithdrawReason::Error,
        ("misused_identity", _) => WithdrawReason::MisusedIdentity,
        ("no_longer_justified", _) => WithdrawReason::NoLongerJustified,
        ("superseded", Some(case)) => WithdrawReason::Superseded { by: case.id },
        (other, _) => WithdrawReason::Other(other.to_owned()),
    }
}
