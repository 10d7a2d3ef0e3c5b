//! What the reader may do next in a case, as commands to type.

use rovuma_api::answers::gateway::{AlertCase, CaseStep, CaseView, RequestCase};

use super::{CaseReader, hit};
use crate::cases::{content_in_force, name::short_name};

/// The commands for the messages that the case lets the reader's agency send now.
pub(super) fn commands(view: &CaseView, steps: &[CaseStep], reader: &CaseReader) -> Vec<String> {
    let name = short_name(&view.case);
    let supervisor = format!("# {}", reader.words().by_supervisor());
    let of_type = |message_type: &String| {
        let message_type = message_type.as_str();
        let of_family: Vec<String> = match (&view.alert, &view.request) {
            (Some(alert), _) => of_alert(message_type, &name, alert, &supervisor, reader),
            (_, Some(request)) => of_request(message_type, &name, request, &supervisor).into_iter().collect(),
            _ if view.hit.is_some() => hit::command(message_type, &name).into_iter().collect(),
            _ => of_other(message_type, &name, &supervisor).into_iter().collect(),
        };
        let of_any = of_any_case(message_type, &name, view, steps, &supervisor);
        of_family.into_iter().chain(of_any).map(|line| format!("rovumactl {line}"))
    };
    view.possible.iter().flat_map(of_type).collect()
}

fn of_alert(
    message_type: &str,
    name: &str,
    alert: &AlertCase,
    supervisor: &str,
    reader: &CaseReader,
) -> Vec<String> {
    let is_flagged = || reader.own.as_ref().is_some_and(|own| alert.flagged.contains(own));
    vec![match message_type {
        "alert.update" => format!("alert update {name}"),
        "alert.extend" => format!("alert extend {name} --until DATE --reason TEXT  {supervisor}"),
        "alert.withdraw" => format!("alert withdraw {name} --reason CODE  {supervisor}"),
        "alert.reply" => {
            let open = alert.reports.iter().filter(|report| report.answer.is_none());
            return open.map(|report| format!("alert reply {} --reason TEXT", report.id)).collect();
        }
        "alert.flag" if is_flagged() => format!("alert flag {name} --off"),
        "alert.flag" => format!("alert flag {name} --on --reason CODE --instead ACTION"),
        "alert.error_report" => {
            format!("alert report-error {name} --subject KEY --at POINTER --proposal TEXT")
        }
        // What opens a case does not follow in it, and what a later version knows it offers.
        _ => return Vec::new(),
    }]
}

fn of_request(message_type: &str, name: &str, request: &RequestCase, supervisor: &str) -> Option<String> {
    Some(match message_type {
        "request.acknowledge" if !request.acknowledged => {
            format!("request acknowledge {name} --contact NAME --phone E164")
        }
        "request.ask" => format!("request ask {name} --text TEXT"),
        "request.delay" => format!("request delay {name} --until INSTANT --reason CODE"),
        // The same command answers in part.
        "request.answer" => format!("request answer {name} --found N=TEXT --no-record N --later N"),
        "request.refuse" => format!("request refuse {name} --reason CODE  {supervisor}"),
        "request.clarify" => format!("request clarify {name} --text TEXT"),
        "request.remind" => format!("request remind {name}"),
        "request.cancel" => format!("request cancel {name} --reason CODE"),
        "request.close" => format!("request close {name} --outcome CODE"),
        _ => return None,
    })
}

fn of_other(message_type: &str, name: &str, supervisor: &str) -> Option<String> {
    let is_decision = message_type == "permission.decide";
    is_decision.then(|| format!("permission decide {name} --grant --until DATE  {supervisor}"))
}

/// The commands for messages that follow in cases of any kind. Alerts have them among their own.
fn of_any_case(
    message_type: &str,
    name: &str,
    view: &CaseView,
    steps: &[CaseStep],
    supervisor: &str,
) -> Option<String> {
    let command = if view.alert.is_some() { "alert" } else { "case" };
    let confirm_by = match (&view.alert, &view.request) {
        (Some(alert), _) => alert.confirm_by,
        (_, Some(request)) => request.confirm_by,
        // Of shared information, nothing else is due.
        _ => view.case.due,
    };
    match message_type {
        "release.confirm" => {
            let content = content_in_force(steps).filter(|_| confirm_by.is_some())?;
            Some(format!("{command} confirm {}  {supervisor}", content.id))
        }
        "purge.certify" => Some(format!("{command} certify {name} --outcome CODE  {supervisor}")),
        _ => None,
    }
}
