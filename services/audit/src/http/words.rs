//! Words that a search names: unknown ones are refused, because an empty answer would look as if nothing had been done.

use rovuma_api::{
    ApiState as _,
    words::{hint, shown, unknown_word},
};
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{audit::AuditAction, nearest};

use super::{error::ApiError, events::asked};
use crate::{
    auditor::Auditor,
    log::{EventFilter, search},
};

/// The kinds of objects that services of this version write.
const OBJECT_KINDS: [&str; 31] = [
    "account",
    "agency",
    "alarm",
    "audit_event",
    "audit_log",
    "audit_source",
    "audit_sources",
    "authority",
    "broker",
    "bundle",
    "case",
    "client",
    "delivery",
    "draft",
    "gateway",
    "held",
    "jws",
    "key",
    "log",
    "logs",
    "message",
    "receipt",
    "reference",
    "saved_queries",
    "store",
    "stream",
    "streams",
    "token",
    "token_key",
    "trust_list",
    "user",
];

/// Checks the words that a search names.
///
/// # Errors
/// 400 `unknown_action`, `unknown_object_kind` and `unknown_source` when this version does not know the word and no entry has
/// it; 400 `unknown_actor` and `unknown_agency` when no entry that the caller may see is by the actor, or by somebody of another
/// agency than the caller's. All name the nearest words.
pub(super) async fn check(
    auditor: &Auditor,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
) -> Result<(), ApiError> {
    match refusal(auditor, permit, filter).await? {
        None => Ok(()),
        Some(problem) => {
            record_refused(auditor, permit, filter, &problem.code).await?;
            Err(problem.into())
        }
    }
}

async fn refusal(
    auditor: &Auditor,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
) -> Result<Option<Problem>, ApiError> {
    let pool = auditor.store.read();
    if let Some(action) = &filter.action {
        let known: Vec<&str> = AuditAction::KNOWN.iter().map(AuditAction::as_str).collect();
        if !known.contains(&action.as_str()) && !search::has_action(pool, action).await? {
            return Ok(Some(unknown_word("action", action, &known)));
        }
    }
    if let Some(kind) = &filter.object_kind
        && !OBJECT_KINDS.contains(&kind.as_str())
        && !search::has_object_kind(pool, kind).await?
    {
        return Ok(Some(unknown_word("object_kind", kind, &OBJECT_KINDS)));
    }
    if let Some(source) = &filter.source {
        let written = search::sources(pool).await?;
        let known: Vec<&str> = auditor.producers.iter().chain(&written).map(String::as_str).collect();
        if !known.contains(&source.as_str()) {
            return Ok(Some(unknown_word("source", source, &known)));
        }
    }
    if let Some(agency) = filter.agency.as_ref().filter(|agency| *agency != permit.actor().agency())
        && !search::has_agency(pool, agency).await?
    {
        let recent = search::recent_agencies(pool).await?;
        let recent: Vec<&str> = recent.iter().map(String::as_str).collect();
        let detail = format!("No entry is by anybody of {agency}.{}", hint(agency.as_str(), &recent));
        return Ok(Some(Problem::bad_request("unknown_agency").detail(detail)));
    }
    if let Some(actor) = &filter.actor
        && !search::has_actor(pool, permit, actor).await?
    {
        let recent = search::recent_actors(pool, permit).await?;
        let near = nearest(actor, recent.iter(), |recent| vec![(*recent).clone()]);
        let near: Vec<&str> = near.into_iter().map(String::as_str).collect();
        let suggestion =
            if near.is_empty() { String::new() } else { format!(" The nearest: {}.", near.join(", ")) };
        let detail = format!(
            "No entry is by {:?}. An actor is the subject of an access token, or a service such as {}. Whose \
             subject it is, the events user.create say.{suggestion}",
            shown(actor),
            auditor.sequencer.own.source,
        );
        return Ok(Some(Problem::bad_request("unknown_actor").detail(detail)));
    }
    Ok(None)
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
