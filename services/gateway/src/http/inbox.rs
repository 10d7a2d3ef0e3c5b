//! `GET /v1/inbox`: the messages that the agency has received.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, ApiState as _, Caller,
    answers::gateway::{self as answers, InboxRow},
    cursors::Cursors,
    page::Page,
    request::Query,
};
use rovuma_policy::act;
use rovuma_schemas::{AgencyCode, Facet, MessageId, Status, Timestamp, audit::AuditAction};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    case_name::{CaseName, one_narrowing},
    error::ApiError,
    openapi::Refusals,
    words::{self, WordKind},
};
use crate::{
    audit,
    gateway::Gateway,
    messages::{
        inbox::{self, InboxFilter},
        received::{Disposition, Received},
    },
};

/// The query of `GET /v1/inbox`: filters and page.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InboxQuery {
    /// Only this type, `alert.issue`.
    #[serde(rename = "type")]
    message_type: Option<String>,
    /// Only messages with this facet: the category of an alert.
    #[param(value_type = Option<String>)]
    facet: Option<Facet>,
    /// `actual`, `exercise` or `test`.
    #[param(value_type = Option<String>)]
    status: Option<Status>,
    /// Only those of this agency.
    #[param(value_type = Option<String>)]
    sender: Option<AgencyCode>,
    /// Only those with this disposition.
    #[param(inline, value_type = Option<answers::Disposition>)]
    disposition: Option<Disposition>,
    /// Only those that nobody has read.
    #[serde(default)]
    unread: bool,
    /// Only those released at this instant or later, by the sender's clock.
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

impl From<Received> for InboxRow {
    fn from(received: Received) -> Self {
        Self {
            id: received.id,
            message_type: received.message_type,
            facet: received.facet,
            status: received.status,
            sender: received.sender,
            lane: received.lane,
            created: received.created_at,
            received_at: received.received_at,
            disposition: received.disposition.as_str().to_owned(),
            rejection_code: received.rejection_code,
            read_at: received.read_at,
            compromised_at: received.compromised_at,
            replaces: received.replaces,
            replaced_by: received.replaced_by,
            case: received.place.case,
            turn: received.place.turn,
            in_reply_to: received.place.in_reply_to,
            erased_at: received.erased_at,
        }
    }
}

/// Lists received messages without their content, the last to arrive first. The search is audited.
#[utoipa::path(
    get, path = "/v1/inbox", operation_id = "list_inbox", tag = "messages",
    params(InboxQuery),
    responses((status = 200, description = "A page of messages.", body = Page<InboxRow>), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(filter): Query<InboxQuery>,
) -> Result<Json<Page<InboxRow>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::MessageListInbox).await?;
    let cursors = Cursors::of("inbox", caller.agency().as_str(), &filter);
    let window = cursors.window(filter.limit, filter.cursor.as_deref())?;
    let narrowed = one_narrowing(filter.case.as_ref(), filter.in_reply_to)?;
    let inbox_filter = InboxFilter {
        message_type: filter.message_type,
        facet: filter.facet.map(|facet| facet.to_string()),
        status: filter.status.map(|status| status.as_str().to_owned()),
        sender: filter.sender,
        disposition: filter.disposition,
        unread: filter.unread,
        created_from: filter.created_from,
        created_until: filter.created_until,
        narrowed,
    };
    let mut conn = gateway.base.store.read().acquire().await?;
    let rows = inbox::page(&mut conn, &permit, &inbox_filter, &window).await?;
    drop(conn);
    let act = audit::by(caller.actor(), AuditAction::InboxSearch, gateway.base.now());
    let is_nothing = rows.is_empty() && window.after.is_none();
    let named = [
        ("type", WordKind::Type, inbox_filter.message_type.clone()),
        ("facet", WordKind::Facet, inbox_filter.facet.clone()),
        ("sender", WordKind::Agency, inbox_filter.sender.as_ref().map(ToString::to_string)),
    ];
    if let Some(unknown) = is_nothing.then(|| words::refusal(&gateway, &named)).flatten() {
        gateway.record(audit::search(act, &inbox_filter, 0).refused(unknown.code.clone())).await?;
        return Err(unknown.into());
    }
    let page = cursors.page(&window, rows.into_iter().map(|(key, row)| (key, row.into())).collect());
    gateway.record(audit::search(act, &inbox_filter, page.items.len())).await?;
    Ok(Json(page))
}
