//! What is particular to the cases of requests, hits, of shared information and of questions for leave.

use std::collections::BTreeMap;

use rovuma_api::answers::gateway as answers;
use rovuma_schemas::{AgencyCode, Timestamp, any_case::PurgeOutcome};

use crate::families::{
    hit::WholeHit,
    info::SharedInfo,
    permission::Permission,
    request::{GivenAnswer, WholeRequest},
};

pub(super) fn request(request: &WholeRequest, at: Timestamp) -> answers::RequestCase {
    let progress = &request.progress;
    let questions = request.questions().iter().map(|(n, asked)| {
        let given: Option<&GivenAnswer> = request.answers.get(n);
        let result = given.map(|given| &given.result);
        answers::RequestQuestion {
            n: *n,
            ask: asked.ask.clone(),
            subject: asked.subject.clone(),
            result: result.map(|result| result.result.as_str().to_owned()),
            reason: result.and_then(|result| result.reason.clone()),
            try_agency: result.and_then(|result| result.try_agency.clone()),
            expected_by: result.and_then(|result| result.expected_by),
            message: given.map(|given| given.message),
        }
    });
    let (refused, try_agency) = request.refusal.clone().unzip();
    answers::RequestCase {
        answerer: progress.to.clone(),
        direct: request.is_direct(),
        questions: questions.collect(),
        acknowledged: progress.is_acknowledged,
        expected_by: progress.expected_by,
        needed_by: request.needed_by(),
        limit_hours: progress.limit.as_secs() / 3600,
        spent_s: progress.answering.map(|spent| spent.as_secs()),
        punctuality: progress.punctuality.map(|punctuality| punctuality.as_str().to_owned()),
        overdue: progress.due.is_some_and(|due| due < at),
        delayed_until: progress.delayed_until,
        delay_reason: request.delay_reason.clone(),
        clarification_overdue: progress.is_clarification_overdue,
        reminded_at: progress.last_reminder,
        settled_at: progress.settled,
        refused,
        try_agency: try_agency.flatten(),
        cancelled: request.cancel_reason.clone(),
        cancelled_late: progress.is_cancelled_late,
        disclosed: progress.is_disclosed,
        erasure_due: progress.is_erasure_due,
        outcomes: request.outcomes.clone(),
        dormant: progress.is_dormant,
        group: request.group(),
        confirm_by: request.confirm_by,
        retain_until: request.retain_until(),
        certificates: certificates(&request.certificates),
    }
}

pub(super) fn hit(hit: &WholeHit, at: Timestamp) -> answers::HitCase {
    let progress = &hit.progress;
    let found = hit.found.as_ref().map(|found| answers::HitFound {
        alert: found.alert.clone(),
        version: found.version,
        subject: found.subject.clone(),
        matched: found.matched.clone(),
        rule: found.rule.0.clone(),
        rule_version: found.rule.1,
        found_at: found.found_at,
        post: found.post.clone(),
        direction: found.direction.as_str().to_owned(),
        possible_misuse: found.is_possible_misuse,
        retroactive: found.is_retroactive,
        encounter: found.encounter,
    });
    answers::HitCase {
        alert_owner: hit.alert_owner.clone(),
        found,
        may_act: progress.may_act,
        must_release: progress.must_release,
        contested: progress.is_contested,
        held_until: progress.held_until,
        overdue: progress.limit.is_some_and(|limit| limit <= at),
        actions: hit.actions.clone(),
        retain_until: hit.care.retain_until,
        certificates: certificates(&hit.certificates),
    }
}

pub(super) fn info(info: &SharedInfo) -> answers::InfoCase {
    answers::InfoCase { confirm_by: info.confirm_by, certificates: certificates(&info.certificates) }
}

pub(super) fn permission(permission: &Permission) -> answers::PermissionCase {
    let asked = permission.asked.as_ref();
    answers::PermissionCase {
        decides: permission.from.clone(),
        about: asked.map(|asked| asked.about.case.clone()),
        message: asked.and_then(|asked| asked.about.message),
        uses: asked.iter().flat_map(|asked| &asked.uses).map(|one| one.as_str().to_owned()).collect(),
        to: asked.map(|asked| asked.to.clone()).unwrap_or_default(),
        until: permission.until,
        certificates: certificates(&permission.certificates),
    }
}

fn certificates(certificates: &BTreeMap<AgencyCode, PurgeOutcome>) -> Vec<answers::CaseCertificate> {
    let certificate = |(agency, outcome): (&AgencyCode, &PurgeOutcome)| answers::CaseCertificate {
        agency: agency.clone(),
        outcome: outcome.as_str().to_owned(),
    };
    certificates.iter().map(certificate).collect()
}
