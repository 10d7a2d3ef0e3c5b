//! `DELETE /v1/lists/{name}` proposes to take a list out; `POST /v1/lists/{name}/approval` does what another person proposed.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use rovuma_api::{
    Access as _, Caller,
    answers::watchlist::{ListProposal, Lists},
    openapi::NotFound,
    request::{Path, Query},
};
use rovuma_policy::{Action, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{Digest, MessageId, audit::AuditObject};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    error::ApiError,
    imports::{imported_file, list_act, of_file, propose, turn},
    lists,
    openapi::Refusals,
};
use crate::{
    error::DbError,
    imports::{self, Enforced, Proposal, ProposedAct},
    watchlist::Watchlist,
};

/// Maximum characters of a name that the audit log records of a list that is not there.
const SHOWN_MAX_CHARS: usize = 64;

/// Proposes to take a list out. It stays in force until a second person approves that within 24 hours.
#[utoipa::path(
    delete, path = "/v1/lists/{name}", operation_id = "propose_list_removal", tag = "lists",
    params(("name" = String, Path, description = "The list.")),
    responses(
        (status = 202, description = "Proposed.", body = ListProposal),
        (status = 409, description = "`import_running`.", body = Problem, content_type = "application/problem+json"),
        NotFound,
        Refusals
    )
)]
pub(crate) async fn propose_removal(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<ListProposal>), ApiError> {
    watchlist.permit_own(&caller, act::ListImport).await?;
    let _turn = turn(&watchlist)?;
    let Some(before) = imported_file(&watchlist, &name).await? else {
        return Err(no_list(&watchlist, &caller, &name).await);
    };
    let proposal = Proposal::removal(&name, caller.subject(), watchlist.now(), before.file.records);
    let shown = proposal.shown();
    let act = list_act(&watchlist, &caller, &name, "removal_proposed").detail("records", before.file.records);
    propose(&watchlist, proposal, act).await?;
    imports::sweep(&watchlist).await?;
    Ok((StatusCode::ACCEPTED, Json(shown)))
}

/// The query of `POST /v1/lists/{name}/approval`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApprovalQuery {
    /// The proposal that the caller has seen, by its id: another one in its place is not approved.
    #[param(value_type = Option<String>)]
    proposal: Option<MessageId>,
}

/// Does what another person proposed about a list. Shows all lists afterwards.
#[utoipa::path(
    post, path = "/v1/lists/{name}/approval", operation_id = "approve_list", tag = "lists",
    params(("name" = String, Path, description = "The list."), ApprovalQuery),
    responses(
        (status = 200, description = "Done: the lists now.", body = Lists),
        (status = 409, description = "`proposal_changed`: another proposal took the place of this one; `import_running`.", body = Problem,
            content_type = "application/problem+json"),
        NotFound,
        Refusals
    )
)]
pub(crate) async fn approve(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<ApprovalQuery>,
) -> Result<Json<Lists>, ApiError> {
    watchlist.permit_own(&caller, act::ListImport).await?;
    let turn = turn(&watchlist)?;
    let mut conn = watchlist.store.read().acquire().await?;
    let proposal = imports::find_proposal(&mut conn, &name, watchlist.now()).await?;
    drop(conn);
    let Some(proposal) = proposal else { return Err(no_list(&watchlist, &caller, &name).await) };
    if query.proposal.is_some_and(|seen| seen != proposal.id) {
        return Err(Problem::conflict("proposal_changed")
            .detail("Another proposal took the place of the one that you saw: GET /v1/lists shows it.")
            .into());
    }
    if proposal.proposed_by == caller.subject() {
        let sentence = "A second person approves it: not the one who proposed it.";
        let resource = Resource::agency(caller.agency());
        return watchlist.refuse(&caller, "list.import", &resource, "second_person", sentence).await;
    }
    let step = match proposal.act {
        ProposedAct::Import => "approved",
        ProposedAct::Removal => "removed",
    };
    let act = list_act(&watchlist, &caller, &name, step).detail("proposed_by", &proposal.proposed_by);
    match proposal.facts.new {
        Some((source, file)) => {
            let digest: Digest = file.digest.parse().map_err(|fault| DbError::damaged("proposal", fault))?;
            let act = of_file(act.detail("source", &source), &file);
            let new = Enforced { list: name, source, import: proposal.id, file, digest, act };
            imports::change(&watchlist, turn, new).await?;
        }
        None => imports::remove(&watchlist, turn, name, act).await?,
    }
    Ok(Json(lists::all(&watchlist).await?))
}

async fn no_list(watchlist: &Watchlist, caller: &Caller, name: &str) -> ApiError {
    let shown: String = name.chars().take(SHOWN_MAX_CHARS).collect();
    watchlist.missing(caller, Action::ListImport, AuditObject::new("list", shown), false).await
}
