//! What the reader must do in a case, and what they may do next.

use rovuma_api::answers::gateway::{AlertCase, CaseStep, CaseView};

use super::CaseReader;
use crate::cases::name::short_name;

/// What the reader's agency must do, the most pressing first. Nothing where it must do nothing.
pub(super) fn duties(view: &CaseView, steps: &[CaseStep], reader: &CaseReader) -> Vec<String> {
    let Some(alert) = &view.alert else { return Vec::new() };
    if reader.is_issuer(view) {
        duties_of_issuer(view, alert, reader)
    } else {
        duty_of_recipient(view, alert, steps, reader).into_iter().collect()
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

/// What the reader may do in the case now, as commands to type.
pub(super) fn next_commands(view: &CaseView, steps: &[CaseStep], reader: &CaseReader) -> Vec<String> {
    let Some(alert) = &view.alert else { return Vec::new() };
    let name = short_name(&view.case);
    let supervisor = reader.words().by_supervisor();
    let mut commands = Vec::new();
    let mut command = |line: String| commands.push(format!("rovumactl alert {line}"));
    for message_type in &view.possible {
        match message_type.as_str() {
            "alert.update" => command(format!("update {name}")),
            "alert.extend" => command(format!("extend {name} --until DATE --reason TEXT  # {supervisor}")),
            "alert.withdraw" => command(format!("withdraw {name} --reason CODE  # {supervisor}")),
            "alert.reply" => {
                for report in alert.reports.iter().filter(|report| report.answer.is_none()) {
                    command(format!("reply {} --reason TEXT", report.id));
                }
            }
            "alert.flag" => match reader.own.as_ref().is_some_and(|own| alert.flagged.contains(own)) {
                true => command(format!("flag {name} --off")),
                false => command(format!("flag {name} --on --reason CODE --instead ACTION")),
            },
            "alert.error_report" => {
                command(format!("report-error {name} --subject KEY --at POINTER --proposal TEXT"));
            }
            "release.confirm" if alert.confirm_by.is_some() => {
                if let Some(content) = content_in_force(steps) {
                    command(format!("confirm {}  # {supervisor}", content.id));
                }
            }
            "purge.certify" => command(format!("certify {name} --outcome CODE  # {supervisor}")),
            // What opens a case does not follow in it, and what a later version knows it offers.
            _ => {}
        }
    }
    commands
}

/// The message that brought the version in force: the last of the issuer's that has content and counts.
pub(crate) fn content_in_force(steps: &[CaseStep]) -> Option<&CaseStep> {
    let has_content = |step: &&CaseStep| matches!(step.message_type.as_str(), "alert.issue" | "alert.update");
    steps.iter().filter(has_content).filter(|step| step.effect == "applied").max_by_key(|step| step.turn)
}
