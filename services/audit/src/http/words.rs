//! Actions and actors that a search names: unknown ones are refused, because an empty answer would look as if nothing had
//! been done.

use rovuma_api::near::nearest;
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;

use super::error::ApiError;
use crate::{
    auditor::Auditor,
    log::{EventFilter, search},
};

/// Number of suggestions in a refusal.
const SUGGESTIONS_MAX: usize = 3;

/// Checks the action and the actor that a search names.
///
/// # Errors
/// 400 `unknown_action` when this version does not know the action and no entry has it; 400 `unknown_actor` when no entry
/// that the caller may see is by the actor. Both name the nearest words.
pub(super) async fn check(
    auditor: &Auditor,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
) -> Result<(), ApiError> {
    let pool = auditor.store.read();
    if let Some(action) = &filter.action {
        let is_known = AuditAction::KNOWN.iter().any(|known| known.as_str() == action);
        if !is_known && !search::has_action(pool, action).await? {
            let known = AuditAction::KNOWN.iter().map(AuditAction::as_str);
            let detail = format!("There is no action {action:?}.{}", suggestion(action, known));
            return Err(Problem::bad_request("unknown_action").detail(detail).into());
        }
    }
    if let Some(actor) = &filter.actor
        && !search::has_actor(pool, permit, actor).await?
    {
        let recent = search::recent_actors(pool, permit).await?;
        let detail = format!(
            "No entry is by {actor:?}. An actor is the subject of an access token, or a service such as {}; log-in names \
             are not in the log.{}",
            auditor.sequencer.own.source,
            suggestion(actor, recent.iter().map(String::as_str))
        );
        return Err(Problem::bad_request("unknown_actor").detail(detail).into());
    }
    Ok(())
}

/// The nearest words, as a sentence; empty when none is near.
fn suggestion<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = nearest(word, known, SUGGESTIONS_MAX);
    if near.is_empty() { String::new() } else { format!(" The nearest: {}.", near.join(", ")) }
}
