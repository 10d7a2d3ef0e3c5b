//! What the caller may see of what was found.

use rovuma_api::answers::watchlist::{
    ComparedFeature, DutyContact, ListUsed, ScreenedHit, Screening, UnderstoodText,
};
use rovuma_schemas::{AgencyCode, MessageId};

use super::{Asker, KeptFinding};
use crate::{
    config::ContactConfig,
    screening::{Finding, Judged, Verdict},
};

/// What the booth is told where it may see nothing else.
pub(crate) const CALL: &str = "call";

/// What is shown, and the verdict that goes into the counts.
pub(super) struct Shown {
    pub(super) answer: Screening,
    pub(super) verdict: Verdict,
}

/// The answer to one text.
pub(super) fn screening(
    asker: &Asker<'_>,
    national_office: Option<&AgencyCode>,
    judged: Judged,
    (encounter, kept): (MessageId, Vec<KeptFinding>),
    lists: Vec<ListUsed>,
    are_current: bool,
) -> Shown {
    let Judged { understood, verdict, findings, is_incomplete, .. } = judged;
    let own = asker.caller.agency();
    let mut hits = Vec::new();
    let mut shown = Verdict::NoHit;
    for (finding, kept) in findings.iter().zip(kept) {
        // A discreet check looks at the booth like no hit; the second line finds it in its list.
        if kept.is_discreet && asker.is_booth {
            continue;
        }
        let strength = if finding.is_hit() { Verdict::Hit } else { Verdict::Review };
        shown = shown.min(strength);
        hits.push(seen_by(kept.hit, finding, own, national_office));
    }
    let verdict = match verdict {
        Verdict::TooLittle | Verdict::Unreadable => verdict,
        // Decided by what is shown, not by what was found: a discreet check must look like nothing.
        _ if shown == Verdict::NoHit && (is_incomplete || !are_current) => Verdict::Incomplete,
        _ => shown,
    };
    let understood =
        UnderstoodText { kind: understood.kind, fields: understood.fields, warnings: understood.warnings };
    let answer = Screening {
        verdict: verdict.as_str().to_owned(),
        understood: Some(understood),
        unreadable: None,
        lists,
        encounter: (!hits.is_empty()).then_some(encounter),
        hits,
    };
    Shown { answer, verdict }
}

/// The hit as an officer of this agency sees it: what another agency has, what is for few eyes, and what an imported list names and only
/// the national office looks at, is no more than a telephone number.
fn seen_by(
    hit: ScreenedHit,
    finding: &Finding,
    agency: &AgencyCode,
    national_office: Option<&AgencyCode>,
) -> ScreenedHit {
    let may_see = match &finding.listed.alert {
        Some(alert) => alert.is_seen_by(agency),
        None => national_office.is_none_or(|office| office == agency),
    };
    if may_see {
        return hit;
    }
    // Everything that may be seen stands here: what to do about one's own safety, and whom to telephone.
    ScreenedHit {
        id: hit.id,
        action: CALL.to_owned(),
        warnings: hit.warnings,
        status: hit.status,
        call: hit.call,
        repeated: hit.repeated,
        reference: String::new(),
        list: String::new(),
        rule: String::new(),
        rule_version: 0,
        score: 0.0,
        actions: Vec::new(),
        flagged: None,
        case: None,
        forwarded: false,
        not_forwarded: Vec::new(),
        possible_misuse: false,
        retroactive: false,
        explanation: Vec::new(),
    }
}

/// What was found, whole.
pub(super) fn hit(
    finding: &Finding,
    id: MessageId,
    call: Option<&ContactConfig>,
    forwards: bool,
) -> ScreenedHit {
    let alert = finding.listed.alert.as_ref();
    ScreenedHit {
        id,
        reference: finding.listed.reference.clone(),
        list: finding.listed.list.clone(),
        rule: finding.rule.code.as_str().to_owned(),
        rule_version: finding.rule.version,
        score: finding.score(),
        action: finding.action().to_owned(),
        actions: alert.map(|alert| alert.actions.clone()).unwrap_or_default(),
        warnings: alert.map(|alert| alert.warnings.clone()).unwrap_or_default(),
        flagged: alert.and_then(|alert| alert.flagged.clone()),
        status: alert.map(|alert| alert.status.clone()),
        case: alert.map(|alert| alert.case.clone()),
        forwarded: forwards,
        not_forwarded: finding
            .doubts
            .iter()
            .map(|doubt| doubt.as_str())
            .chain(finding.kept_back.iter().map(|reason| reason.as_str()))
            .map(str::to_owned)
            .collect(),
        possible_misuse: finding.is_possible_misuse,
        retroactive: false,
        repeated: false,
        explanation: finding
            .explanation
            .iter()
            .map(|feature| ComparedFeature {
                feature: feature.feature.clone(),
                query: feature.query.clone(),
                listed: feature.listed.clone(),
                effect: feature.effect.clone(),
            })
            .collect(),
        call: call.map(Into::into),
    }
}

impl From<&ContactConfig> for DutyContact {
    fn from(desk: &ContactConfig) -> Self {
        Self { name: desk.name.clone(), phone: desk.phone.clone(), hours: desk.hours.clone() }
    }
}
