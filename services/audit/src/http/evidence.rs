//! `GET /v1/evidence`: what a search finds, with the proofs that it is in the log.

use std::{collections::BTreeSet, pin::pin, sync::Arc};

use async_stream::try_stream;
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{
    ApiState as _, Caller,
    answers::audit::{EvidenceLine, LogEntry, ProvenEntry},
};
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;

use super::{
    error::ApiError,
    events::asked,
    export::{self, Pieces},
    openapi::Refusals,
    proof::not_yet,
    query::{self, WholeQuery},
    words,
};
use crate::{
    auditor::Auditor,
    error::DbError,
    log::{EventFilter, erasure_list::ErasureLists, search},
    publish::Prover,
};

const LINES: &str = "application/x-ndjson";

/// Hands out what the filters let pass, each entry with the proof that it is in the log, all against the same heads: what an
/// evidence bundle is made of. One JSON object a line; an answer without its last line, `done`, is not whole. That it was
/// handed out, to whom and how much, is written to the log before the first byte.
#[utoipa::path(
    get, path = "/v1/evidence", tag = "events",
    params(EventFilter),
    responses(
        (status = 200, description = "Lines of JSON.", body = EvidenceLine, content_type = "application/x-ndjson"),
        (status = 400, description = "`range`: more than 100,000 entries. Ask for a shorter time.", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "`not_yet_witnessed`: no head of the log is good by the policy yet, or \
            none with an order in it by which something of it was erased. Ask again in a few seconds.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn evidence(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    WholeQuery(filter): WholeQuery,
) -> Result<Response, ApiError> {
    let permit = query::permit_search(&auditor, &caller, filter.agency.as_ref()).await?;
    words::check(&auditor, &permit, &filter).await?;
    let prover = Prover::load(&auditor).await?;
    let (end, length) = (prover.end(), search::length(auditor.store.read()).await?);
    if end == 0 {
        return Err(not_yet().into());
    }
    let count = export::counted(&auditor, &permit, &filter, end).await?;
    let order = search::last_order(auditor.store.read(), &auditor.sequencer, &permit, &filter, end).await?;
    if order.is_some_and(|order| order >= end) {
        // An order that no head vouches for yet would prove nothing of what it erased.
        return Err(not_yet().into());
    }
    let uncovered =
        search::uncovered(auditor.store.read(), &auditor.sequencer, &permit, &filter, (end, length)).await?;
    let event = asked(&auditor, AuditAction::Export, &permit, &filter, count).detail("end", end);
    auditor.record(event.detail("form", "evidence")).await?;
    let pruned = prover.pruned(auditor.sequencer.log_key.as_ref())?;
    let begin = EvidenceLine::Begin { count, end, length, uncovered, pruned };
    let lines = lines(auditor, permit, filter, (prover, count), begin);
    let headers = [(header::CONTENT_TYPE, LINES), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(lines)).into_response())
}

fn lines(
    auditor: Arc<Auditor>,
    permit: Permit<act::AuditSearch>,
    filter: EventFilter,
    (prover, count): (Prover, u64),
    begin: EvidenceLine,
) -> Pieces {
    let owner = permit.resource().owner().clone();
    let end = prover.end();
    Box::pin(try_stream! {
        yield line(&begin)?;
        let (mut items, mut orders, mut given) = (0, BTreeSet::new(), BTreeSet::new());
        let mut lists = ErasureLists::default();
        let mut found = pin!(export::entries(Arc::clone(&auditor), permit, filter, (end, count)));
        while let Some(entries) = futures::StreamExt::next(&mut found).await {
            let entries = entries?;
            orders.extend(entries.iter().filter_map(|entry| entry.erased_by));
            given.extend(entries.iter().map(|entry| entry.index));
            for proven in proven(&auditor, &prover, &mut lists, entries).await? {
                items += 1;
                yield line(&EvidenceLine::Item(proven))?;
            }
        }
        let missing: Vec<u64> = orders.difference(&given).copied().collect();
        let orders = missing.len() as u64;
        for index in missing {
            let order = search::find_order(auditor.store.read(), &auditor.sequencer, &owner, index).await?;
            for proven in proven(&auditor, &prover, &mut lists, vec![order]).await? {
                yield line(&EvidenceLine::Order(proven))?;
            }
        }
        yield line(&EvidenceLine::Done { items, orders })?;
    })
}

async fn proven(
    auditor: &Auditor,
    prover: &Prover,
    lists: &mut ErasureLists,
    entries: Vec<LogEntry>,
) -> Result<Vec<ProvenEntry>, DbError> {
    let pool = auditor.store.read();
    let proofs = prover.prove(pool, &entries.iter().collect::<Vec<_>>()).await?;
    let mut proven = Vec::with_capacity(entries.len());
    for (entry, proof) in entries.into_iter().zip(proofs) {
        let erasure = match entry.erased_by {
            Some(order) => Some(lists.prove(pool, order, entry.leaf.get().as_bytes()).await?),
            None => None,
        };
        let proof_text = proof.file.map(|file| file.to_string());
        proven.push(ProvenEntry { entry, origin: proof.origin, erasure, proof: proof_text });
    }
    Ok(proven)
}

fn line(line: &EvidenceLine) -> Result<Bytes, DbError> {
    let mut bytes = serde_json::to_vec(line).map_err(|fault| DbError::damaged("entry", fault))?;
    bytes.push(b'\n');
    Ok(Bytes::from(bytes))
}
