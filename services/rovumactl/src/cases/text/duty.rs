//! What the reader must do in a case.

use rovuma_api::answers::gateway::{AlertCase, CaseStep, CaseView, RequestCase};

use super::{CaseReader, hit};

/// What the reader's agency must do, the most pressing first. Nothing where it must do nothing.
pub(super) fn duties(view: &CaseView, steps: &[CaseStep], reader: &CaseReader) -> Vec<String> {
    let is_opener = reader.is_opener(view);
    match (&view.alert, &view.request) {
        (Some(alert), _) if is_opener => duties_of_issuer(view, alert, reader),
        (Some(alert), _) => duty_of_recipient(view, alert, steps, reader).into_iter().collect(),
        _ if view.case.state == "not_arrived" => vec![reader.words().wait_for_opener().to_owned()],
        _ if view.hit.is_some() => {
            view.hit.iter().filter_map(|hit| hit::duty(view, hit, is_opener, reader)).collect()
        }
        (_, Some(request)) if is_opener => duties_of_requester(view, request, reader),
        (_, Some(request)) => duty_of_answerer(view, request, reader).into_iter().collect(),
        _ => duty_of_other(view, is_opener, reader).into_iter().collect(),
    }
}

fn duties_of_issuer(view: &CaseView, alert: &AlertCase, reader: &CaseReader) -> Vec<String> {
    let words = reader.words();
    let mut duties = Vec::new();
    match (view.case.state.as_str(), alert.confirm_by) {
        ("suspended", _) => duties.push(words.to_do_confirm_late().to_owned()),
        ("active", Some(by)) => {
            duties.push(words.to_do_confirm(reader.limit_with(by, reader.other_country(view))));
        }
        _ => {}
    }
    let open = alert.reports.iter().filter(|report| report.answer.is_none()).count();
    if open > 0 {
        duties.push(words.to_do_answer(open));
    }
    if view.case.state == "withdrawn" {
        let without = alert.recipients.iter().filter(|recipient| recipient.certificate.is_none());
        let without: Vec<String> = without.map(|recipient| recipient.agency.to_string()).collect();
        if !without.is_empty() {
            duties.push(words.to_do_await(without.join(", ")));
        }
    }
    duties
}

fn duty_of_recipient(
    view: &CaseView,
    alert: &AlertCase,
    steps: &[CaseStep],
    reader: &CaseReader,
) -> Option<String> {
    let words = reader.words();
    let own = reader.own.as_ref();
    let is_flagged = own.is_some_and(|own| alert.flagged_countries.contains(&own.country()));
    let has_certified =
        steps.iter().any(|step| step.message_type == "purge.certify" && Some(&step.sender) == own);
    Some(match view.case.state.as_str() {
        "not_arrived" => words.to_do_wait().to_owned(),
        "active" if is_flagged => words.to_do_not_act().to_owned(),
        "active" => words.to_do_act().to_owned(),
        "suspended" => words.to_do_not_act().to_owned(),
        "expired" => words.to_do_record().to_owned(),
        "withdrawn" if has_certified => words.to_do_not_act().to_owned(),
        "withdrawn" => match alert.retain_until {
            Some(day) => words.to_do_erase(day),
            None => words.to_do_not_act().to_owned(),
        },
        _ => return None,
    })
}

fn duties_of_requester(view: &CaseView, request: &RequestCase, reader: &CaseReader) -> Vec<String> {
    let words = reader.words();
    let limit = |at| reader.limit_with(at, reader.other_country(view));
    let state = view.case.state.as_str();
    let confirm_by = request.confirm_by.filter(|_| matches!(state, "open" | "clarification"));
    let confirm = match confirm_by {
        _ if state == "suspended" => Some(words.to_do_confirm_late().to_owned()),
        by => by.map(|by| words.to_do_confirm(limit(by))),
    };
    let due = view.case.due.map(limit);
    let has_certified =
        request.certificates.iter().any(|certificate| Some(&certificate.agency) == reader.own.as_ref());
    let duty = match (state, due) {
        ("open", Some(at)) if request.overdue => Some(words.await_answer_late(at)),
        ("open", _) if request.spent_s.is_none() => Some(words.await_delivery().to_owned()),
        ("open", _) => Some(words.await_answer().to_owned()),
        ("clarification", Some(at)) if request.overdue => Some(words.clarify_late(at)),
        ("clarification", Some(at)) => Some(words.clarify_by(at)),
        ("clarification", None) => Some(words.clarify_open().to_owned()),
        ("answered", _) => Some(words.read_and_close().to_owned()),
        ("refused", _) => Some(words.read_refusal().to_owned()),
        ("cancelled", _) if request.erasure_due && !has_certified => Some(words.erase_disclosed().to_owned()),
        _ => None,
    };
    confirm.into_iter().chain(duty).collect()
}

fn duty_of_answerer(view: &CaseView, request: &RequestCase, reader: &CaseReader) -> Option<String> {
    let words = reader.words();
    let due = view.case.due.map(|at| reader.limit_with(at, reader.other_country(view)));
    Some(match (view.case.state.as_str(), due) {
        ("suspended", _) => words.to_do_not_act().to_owned(),
        ("open", Some(at)) if request.overdue => words.answer_late(at),
        ("open", Some(at)) => words.answer_by(at),
        ("open", None) => words.answer_open().to_owned(),
        ("clarification", _) if request.clarification_overdue => words.await_clarification_late().to_owned(),
        ("clarification", _) => words.await_clarification().to_owned(),
        _ => return None,
    })
}

/// The duty in a case of shared information, or of a question for leave.
fn duty_of_other(view: &CaseView, is_opener: bool, reader: &CaseReader) -> Option<String> {
    let words = reader.words();
    Some(match (view.case.state.as_str(), is_opener) {
        ("suspended", true) => words.to_do_confirm_late().to_owned(),
        ("suspended", false) => words.to_do_not_act().to_owned(),
        ("shared", true) => words.to_do_confirm(reader.due(view)?),
        ("asked", false) => words.decide_leave().to_owned(),
        ("asked", true) => words.await_decision().to_owned(),
        ("denied" | "lapsed", true) => words.no_leave().to_owned(),
        _ => return None,
    })
}
