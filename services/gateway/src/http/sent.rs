//! `GET /v1/sent`: the messages that the agency has sent.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, ApiState as _, Caller,
    answers::gateway::{self as answers, SentRow},
    cursors::Cursors,
    page::Page,
    request::Query,
};
use rovuma_outbox::CopyTrace;
use rovuma_policy::act;
use rovuma_schemas::{AgencyCode, Facet, MessageId, Status, Timestamp, audit::AuditAction};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    case_name::{CaseName, one_narrowing},
    copies,
    error::ApiError,
    openapi::Refusals,
    words::{self, WordKind},
};
use crate::{
    audit,
    gateway::Gateway,
    messages::{
        sent::Sent,
        sent_list::{self, CopyFilter, SentFilter},
    },
};

/// The query of `GET /v1/sent`: filters and page.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SentQuery {
    /// Only this type, `alert.issue`.
    #[serde(rename = "type")]
    message_type: Option<String>,
    /// Only messages with this facet: the category of an alert.
    #[param(value_type = Option<String>)]
    facet: Option<Facet>,
    /// `actual`, `exercise` or `test`.
    #[param(value_type = Option<String>)]
    status: Option<Status>,
    /// Only those addressed to this agency.
    #[param(value_type = Option<String>)]
    recipient: Option<AgencyCode>,
    /// Only those of which a copy is in this state; with `recipient`, that agency's copy.
    #[param(inline, value_type = Option<answers::CopyState>)]
    state: Option<CopyFilter>,
    /// Only those released at this instant or later.
    #[param(value_type = Option<String>, format = DateTime)]
    created_from: Option<Timestamp>,
    /// Only those released before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    created_until: Option<Timestamp>,
    /// Only the messages of this case: `<kind>/<owner>/<id>`, such as `alert/mz.prm/0199…`. Not with `in_reply_to`.
    #[param(value_type = Option<String>)]
    case: Option<CaseName>,
    /// Only the messages that answer this one.
    #[param(value_type = Option<String>, format = "uuid")]
    in_reply_to: Option<MessageId>,
    /// Rows wanted, 1 to 200; 50 when absent.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    cursor: Option<String>,
}

/// Lists sent messages without their content, the last released first. The search is audited.
#[utoipa::path(
    get, path = "/v1/sent", operation_id = "list_sent", tag = "messages",
    params(SentQuery),
    responses((status = 200, description = "A page of messages.", body = Page<SentRow>), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(filter): Query<SentQuery>,
) -> Result<Json<Page<SentRow>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::MessageListSent).await?;
    let cursors = Cursors::of("sent", caller.agency().as_str(), &filter);
    let window = cursors.window(filter.limit, filter.cursor.as_deref())?;
    let narrowed = one_narrowing(filter.case.as_ref(), filter.in_reply_to)?;
    let sent_filter = SentFilter {
        message_type: filter.message_type,
        facet: filter.facet.map(|facet| facet.to_string()),
        status: filter.status.map(|status| status.as_str().to_owned()),
        recipient: filter.recipient,
        state: filter.state,
        created_from: filter.created_from,
        created_until: filter.created_until,
        narrowed,
    };
    let mut conn = gateway.base.store.read().acquire().await?;
    let found = sent_list::page(&mut conn, &permit, &sent_filter, &window).await?;
    drop(conn);
    let act = audit::by(caller.actor(), AuditAction::SentSearch, gateway.base.now());
    let is_nothing = found.is_empty() && window.after.is_none();
    let named = [
        ("type", WordKind::Type, sent_filter.message_type.clone()),
        ("facet", WordKind::Facet, sent_filter.facet.clone()),
        ("recipient", WordKind::Agency, sent_filter.recipient.as_ref().map(ToString::to_string)),
    ];
    if let Some(unknown) = is_nothing.then(|| words::refusal(&gateway, &named)).flatten() {
        gateway.record(audit::search(act, &sent_filter, 0).refused(unknown.code.clone())).await?;
        return Err(unknown.into());
    }
    let page = cursors.page(&window, found);
    gateway.record(audit::search(act, &sent_filter, page.items.len())).await?;
    let ids: Vec<MessageId> = page.items.iter().map(|sent| sent.id).collect();
    let mut copies = gateway.exchange.outbox.copies_of_each(&ids).await?;
    let items = page.items.into_iter().map(|sent| {
        let copies = copies.remove(&sent.id).unwrap_or_default();
        row(sent, copies)
    });
    Ok(Json(Page { items: items.collect(), next: page.next }))
}

fn row(sent: Sent, copies: Vec<CopyTrace>) -> SentRow {
    SentRow {
        id: sent.id,
        message_type: sent.message_type,
        facet: sent.facet,
        status: sent.status,
        lane: sent.lane,
        created: sent.created_at,
        expires: sent.expires_at,
        released_by: sent.released_by,
        replaces: sent.replaces,
        replaced_by: sent.replaced_by,
        case: sent.place.case,
        turn: sent.place.turn,
        in_reply_to: sent.place.in_reply_to,
        erased_at: sent.erased_at,
        copies: copies.into_iter().map(copies::view).collect(),
    }
}
