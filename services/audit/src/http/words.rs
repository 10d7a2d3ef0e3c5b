//! Actions and actors that a search names: unknown ones are refused, because an empty answer would look as if nothing had
//! been done.

use rovuma_api::ApiState as _;
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{audit::AuditAction, nearest};

use super::{error::ApiError, events::asked};
use crate::{
    auditor::Auditor,
    log::{EventFilter, search},
};

/// Maximum characters of the caller's word in a refusal: no action and no actor is longer.
const WORD_MAX_CHARS: usize = 64;

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
            let detail = format!("There is no action {:?}.{}", begun(action), suggestion(action, known));
            record_refused(auditor, permit, filter, "unknown_action").await?;
            return Err(Problem::bad_request("unknown_action").detail(detail).into());
        }
    }
    if let Some(actor) = &filter.actor
        && !search::has_actor(pool, permit, actor).await?
    {
        let recent = search::recent_actors(pool, permit).await?;
        let detail = format!(
            "No entry is by {:?}. An actor is the subject of an access token, or a service such as {}. Whose \
             subject it is, the events user.create say.{}",
            begun(actor),
            auditor.sequencer.own.source,
            suggestion(actor, recent.iter().map(String::as_str))
        );
        record_refused(auditor, permit, filter, "unknown_actor").await?;
        return Err(Problem::bad_request("unknown_actor").detail(detail).into());
    }
    Ok(())
}

/// Records a search that is refused: its refusal says something about the log as an answer does.
async fn record_refused(
    auditor: &Auditor,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
    reason: &str,
) -> Result<(), ApiError> {
    let event = asked(auditor, AuditAction::AuditSearch, permit, filter, 0).refused(reason);
    auditor.record(event).await
}

/// The beginning of the caller's word.
fn begun(word: &str) -> String {
    word.chars().take(WORD_MAX_CHARS).collect()
}

/// The nearest words, as a sentence; empty when none is near.
fn suggestion<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = nearest(word, known, |known| vec![(*known).to_owned()]);
    if near.is_empty() { String::new() } else { format!(" The nearest: {}.", near.join(", ")) }
}
