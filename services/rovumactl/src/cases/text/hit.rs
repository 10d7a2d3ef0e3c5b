//! What is particular to a hit: what was found and where, what must be done, and the commands.

use rovuma_api::answers::gateway::{CaseView, HitCase};

use super::CaseReader;
use crate::moments::local;

/// The facts of a hit, each with its label.
pub(super) fn facts(hit: &HitCase, reader: &CaseReader) -> Vec<(&'static str, String)> {
    let (words, label) = (reader.words(), |list, code| reader.reader.label(list, code));
    let mut facts = Vec::new();
    facts.extend(hit.alert_owner.as_ref().map(|agency| (words.alert_owner(), reader.owner(agency))));
    if let Some(found) = &hit.found {
        facts.push((words.hit_alert(), format!("{}  rovumactl case show {}", found.alert, found.alert)));
        let subject = found.subject.as_ref().map(|key| format!(" ({key})")).unwrap_or_default();
        let rule = format!("{} v{}", label("matching_rules", &found.rule), found.rule_version);
        facts.push((
            words.hit_matched(),
            format!("{}{subject}: {rule}", label("matched_kinds", &found.matched)),
        ));
        let direction = match found.direction.as_str() {
            "none" => String::new(),
            direction => format!(", {}", label("directions", direction)),
        };
        let post = label("crossings", &found.post);
        facts.push((words.hit_found(), format!("{post}{direction}, {}", local(found.found_at))));
    }
    facts.extend(hit.held_until.map(|at| (words.held_until(), reader.limit_with(at, None))));
    if !hit.actions.is_empty() {
        let done: Vec<&str> = hit.actions.iter().map(|code| label("actions", code)).collect();
        facts.push((words.hit_done(), done.join("; ")));
    }
    facts
}

/// The lines that a reader must not miss.
pub(super) fn banners(hit: &HitCase, reader: &CaseReader) -> Vec<String> {
    let words = reader.words();
    let found = hit.found.as_ref();
    [
        (hit.contested, words.contested()),
        (found.is_some_and(|found| found.possible_misuse), words.possible_misuse()),
        (found.is_some_and(|found| found.retroactive), words.retroactive()),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, line)| line.to_owned())
    .collect()
}

/// What the reader's agency must do.
pub(super) fn duty(view: &CaseView, hit: &HitCase, is_reporter: bool, reader: &CaseReader) -> Option<String> {
    let words = reader.words();
    let due = || reader.due(view);
    Some(match (view.case.state.as_str(), is_reporter) {
        ("closed" | "retracted", _) => return None,
        _ if hit.must_release => match is_reporter {
            true => words.hit_release().to_owned(),
            false => words.hit_await_release().to_owned(),
        },
        ("notified", true) => words.hit_ask().to_owned(),
        ("asked" | "more_time", false) => match due() {
            Some(at) if hit.overdue => words.hit_confirm_late(at),
            Some(at) => words.hit_confirm_by(at),
            None => words.hit_confirm_open().to_owned(),
        },
        ("asked" | "more_time", true) => words.hit_await().to_owned(),
        ("confirmed", true) if hit.may_act => words.hit_may_act().to_owned(),
        ("confirmed", true) => words.hit_may_not_act().to_owned(),
        ("action" | "no_action" | "released" | "not_possible" | "not_confirmed", true) => {
            words.hit_close().to_owned()
        }
        _ => return None,
    })
}

/// The command for a message of this type.
pub(super) fn command(message_type: &str, name: &str) -> Option<String> {
    Some(match message_type {
        "hit.ask_confirmation" => {
            format!("hit ask {name} --contact NAME --phone E164 [--held-until INSTANT]")
        }
        "hit.confirm" => format!("hit confirm {name} --confirmed --contact NAME --phone E164"),
        "hit.action_report" => format!("hit report {name} --act CODE"),
        "hit.retract" => format!("hit retract {name} --reason CODE"),
        "hit.close" => format!("hit close {name}"),
        _ => return None,
    })
}
