//! Cases as the API shows them.

mod family;

use std::collections::BTreeMap;

use rovuma_api::answers::gateway as answers;
use rovuma_schemas::{AgencyCode, Timestamp};

use crate::{
    cases::{
        fold::rules::Effect,
        list::CaseRow,
        open::{CaseStep, OpenedCase},
    },
    families::{
        CaseDetails,
        alert::{AlertState, AlertView, Certificate, Report, ReportAnswer, WithdrawReason},
    },
};

pub(in crate::http) fn row(row: CaseRow) -> answers::CaseRow {
    answers::CaseRow {
        case: row.case,
        short_reference: row.short_reference,
        state: row.state,
        ball: row.ball,
        due: row.due_at,
        status: row.status,
        facet: row.facet,
        handling: row.handling,
        version: row.version,
        messages: row.messages,
        missing: row.missing,
        warnings: row.warnings,
        erased_at: row.erased_at,
        opened_at: row.opened_at,
        changed_at: row.changed_at,
    }
}

/// The whole case in the view of `agency`.
pub(super) fn case(case: OpenedCase, agency: &AgencyCode, at: Timestamp) -> answers::CaseView {
    let alert = match &case.facts.details {
        CaseDetails::Alert(alert) => Some(alert_case(alert, &case, agency)),
        _ => None,
    };
    let request = match &case.facts.details {
        CaseDetails::Request(request) => Some(family::request(request, at)),
        _ => None,
    };
    let hit = match &case.facts.details {
        CaseDetails::Hit(hit) => Some(family::hit(hit, at)),
        _ => None,
    };
    let info = match &case.facts.details {
        CaseDetails::Info(info) => Some(family::info(info)),
        _ => None,
    };
    let permission = match &case.facts.details {
        CaseDetails::Permission(permission) => Some(family::permission(permission)),
        _ => None,
    };
    let missing = case.missing.into_iter().map(|missing| answers::MissingTurns {
        agency: missing.agency,
        from: missing.from,
        to: missing.to,
    });
    let warnings = case.warnings.into_iter().map(|warning| answers::CaseWarning {
        agency: warning.agency,
        turn: warning.turn,
        code: warning.kind.as_str().to_owned(),
    });
    let freshness = case.freshness.into_iter().map(|fresh| answers::PartyFreshness {
        agency: fresh.partner,
        last_word_at: fresh.last_word_at,
        missing_since: fresh.missing_since,
    });
    let hanging = case.hanging.into_iter().map(|row| answers::HangingCase {
        case: row.case,
        short_reference: row.short_reference,
        state: row.state,
        ball: row.ball,
    });
    let state = case.facts.state.to_owned();
    answers::CaseView {
        // The row has the state of now; the case is shown as it is at `at`.
        case: answers::CaseRow { state, due: case.facts.due, ..row(case.row) },
        at,
        possible: case.possible.into_iter().map(str::to_owned).collect(),
        missing: missing.collect(),
        warnings: warnings.collect(),
        freshness: freshness.collect(),
        alert,
        request,
        hit,
        info,
        permission,
        hanging: hanging.collect(),
    }
}

pub(super) fn step(step: CaseStep) -> answers::CaseStep {
    let receipts = step.receipts.into_iter().map(|receipt| answers::StepReceipt {
        recipient: receipt.recipient,
        kind: receipt.kind,
        post: receipt.post,
        said_at: receipt.said_at,
    });
    answers::CaseStep {
        id: step.id,
        ids: step.ids,
        message_type: step.message_type,
        sender: step.sender,
        turn: step.turn,
        created: step.created,
        in_reply_to: step.in_reply_to,
        seen: step.seen,
        effect: step.effect.as_str().to_owned(),
        reason: step.effect.reason().map(str::to_owned),
        received_at: step.received_at,
        read_at: step.read_at,
        receipts: receipts.collect(),
    }
}

fn alert_case(alert: &AlertView, case: &OpenedCase, agency: &AgencyCode) -> answers::AlertCase {
    let is_issuer = case.row.case.owner == *agency;
    let recipients = if is_issuer {
        case.parties.iter().map(|party| recipient(alert, case, party)).collect()
    } else {
        Vec::new()
    };
    let report = |report: &Report| answers::AlertReport {
        id: report.id,
        agency: report.agency.clone(),
        version: report.version,
        answer: report.answer.map(|answer: ReportAnswer| answer.as_str().to_owned()),
    };
    answers::AlertCase {
        version: alert.version,
        ends: alert.ends,
        confirm_by: alert.confirm_by,
        subjects: alert.content.keys.iter().map(ToString::to_string).collect(),
        withdrawn: alert.withdrawn.as_ref().map(|reason| reason.as_str().to_owned()),
        superseded_by: match &alert.withdrawn {
            Some(WithdrawReason::Superseded { by }) => Some(*by),
            _ => None,
        },
        retain_until: alert.retain_until,
        flagged: alert.flagged.iter().cloned().collect(),
        flagged_countries: alert.flagged_countries.iter().copied().collect(),
        reports: alert.reports.iter().map(report).collect(),
        recipients,
    }
}

/// How far a recipient is with the issuer's last withdrawal or version.
fn recipient(alert: &AlertView, case: &OpenedCase, party: &AgencyCode) -> answers::AlertRecipient {
    let issuer = &case.row.case.owner;
    let said = |step: &&CaseStep| step.sender == *issuer;
    let withdrawal = case.steps.iter().filter(said).find(|step| step.message_type == "alert.withdraw");
    let last = withdrawal.or_else(|| case.steps.iter().filter(said).max_by_key(|step| step.turn));
    let has = |kind: &str| {
        last.is_some_and(|step| {
            step.receipts.iter().any(|receipt| receipt.recipient == *party && receipt.kind == kind)
        })
    };
    let had = |step: &CaseStep, turn: u64| step.seen.get(issuer).is_some_and(|seen| *seen >= turn);
    let shown =
        last.is_some_and(|word| case.steps.iter().any(|step| step.sender == *party && had(step, word.turn)));
    let certificate = alert.certificates.get(party);
    let state = if certificate.is_some() {
        "certified"
    } else if shown || has("read") {
        "applied"
    } else if has("delivered") {
        "delivered"
    } else {
        "not_delivered"
    };
    answers::AlertRecipient {
        agency: party.clone(),
        state: state.to_owned(),
        certificate: certificate.map(|certificate| certificate.as_str().to_owned()),
        retained_until: match certificate {
            Some(Certificate::Retained { until }) => *until,
            _ => None,
        },
        posts: match alert.state {
            AlertState::Active | AlertState::Withdrawn => posts(case, party),
            // Nobody is stopped for it, whatever was said before.
            _ => Vec::new(),
        },
    }
}

/// The border posts of a recipient, and since when each acts on the issuer's last word that changes what is screened for: its withdrawal, or
/// the last content that took effect. Those too that acted on an earlier one and have not said so of this. What the recipient rejected no post
/// of it acts on, whatever it signed.
fn posts(case: &OpenedCase, party: &AgencyCode) -> Vec<answers::AlertPost> {
    let changes = |step: &&CaseStep| {
        step.sender == case.row.case.owner
            && step.effect == Effect::Applied
            && ["alert.issue", "alert.update", "alert.withdraw"].contains(&step.message_type.as_str())
    };
    let (mut posts, mut word) = (BTreeMap::<String, answers::AlertPost>::new(), None);
    for step in case.steps.iter().filter(changes) {
        let is_newer = |known: &&CaseStep| {
            (known.message_type == "alert.withdraw", known.turn)
                > (step.message_type == "alert.withdraw", step.turn)
        };
        word = word.filter(is_newer).or(Some(step));
        let own = || step.receipts.iter().filter(|receipt| receipt.recipient == *party);
        if own().any(|receipt| receipt.kind == "rejected") {
            continue;
        }
        for receipt in own() {
            let Some(post) = &receipt.post else { continue };
            let known = posts.entry(post.clone()).or_insert_with(|| answers::AlertPost {
                post: post.clone(),
                since: None,
                last_word: receipt.said_at,
            });
            known.last_word = known.last_word.max(receipt.said_at);
        }
    }
    let said = |word: &CaseStep| {
        let own = word.receipts.iter().filter(|receipt| receipt.recipient == *party).cloned();
        own.collect::<Vec<_>>()
    };
    let last = word.map(said).filter(|said| said.iter().all(|receipt| receipt.kind != "rejected"));
    for receipt in last.unwrap_or_default() {
        if let Some(known) = receipt.post.as_ref().and_then(|post| posts.get_mut(post)) {
            known.since = Some(receipt.said_at);
        }
    }
    posts.into_values().collect()
}
