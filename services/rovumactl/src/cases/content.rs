//! The message that says what a case is about.

use rovuma_api::answers::gateway::CaseStep;

/// The types of messages with the content of a case: those that open one, and the later versions of an alert.
const WITH_CONTENT: [&str; 6] =
    ["alert.issue", "alert.update", "request.submit", "hit.notify", "info.share", "permission.ask"];

/// The message that brought the content in force: the last of those with content that counts.
pub(crate) fn content_in_force(steps: &[CaseStep]) -> Option<&CaseStep> {
    let has_content = |step: &&CaseStep| WITH_CONTENT.contains(&step.message_type.as_str());
    steps.iter().filter(has_content).filter(|step| step.effect == "applied").max_by_key(|step| step.turn)
}
