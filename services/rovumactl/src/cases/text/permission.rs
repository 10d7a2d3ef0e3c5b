//! What is particular to a question for leave: what the leave is for, and who decides.

use rovuma_api::answers::gateway::PermissionCase;

use super::CaseReader;

/// The facts of a question for leave, each with its label.
pub(super) fn facts(permission: &PermissionCase, reader: &CaseReader) -> Vec<(&'static str, String)> {
    let words = reader.words();
    let mut facts = Vec::new();
    facts.extend(permission.decides.as_ref().map(|agency| (words.decider(), reader.owner(agency))));
    facts.extend(permission.about.as_ref().map(|case| (words.leave_about(), case.to_string())));
    facts.extend(permission.message.map(|id| ("", format!("{id}  rovumactl show {id}"))));
    let uses = permission.uses.iter().map(|code| reader.reader.label("permission_uses", code));
    let uses: Vec<&str> = uses.collect();
    if !uses.is_empty() {
        facts.push((words.leave_uses(), uses.join("; ")));
    }
    let to: Vec<String> = permission.to.iter().map(|agency| reader.agency(agency)).collect();
    if !to.is_empty() {
        facts.push((words.leave_to(), to.join(", ")));
    }
    facts.extend(permission.until.map(|day| (words.leave_until(), day.to_string())));
    facts
}
