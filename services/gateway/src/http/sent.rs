//! `GET /v1/sent`: what the agency has sent.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use rovuma_api::{Access as _, ApiState as _, Caller, cursors::Cursors, page::Page};
use rovuma_policy::act;
use rovuma_schemas::{AgencyCode, Category, Lane, MessageId, Status, Timestamp, audit::AuditAction};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{error::ApiError, openapi::Refusals};
use crate::{
    audit,
    gateway::Gateway,
    messages::{
        copies::CopyView,
        sent::Sent,
        sent_list::{self, CopyFilter, Wanted},
    },
};

/// Which messages, and which page of them.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only this type, `alert.issue`.
    #[serde(rename = "type")]
    message_type: Option<String>,
    /// Only alerts of this category.
    #[param(value_type = Option<String>)]
    category: Option<Category>,
    /// `actual`, `exercise` or `test`.
    #[param(value_type = Option<String>)]
    status: Option<Status>,
    /// Only those addressed to this agency.
    #[param(value_type = Option<String>)]
    recipient: Option<AgencyCode>,
    /// Only those of which a copy stands so; with `recipient`, that agency's copy.
    #[param(inline)]
    state: Option<CopyFilter>,
    /// Only those released at this instant or later.
    #[param(value_type = Option<String>, format = DateTime)]
    created_from: Option<Timestamp>,
    /// Only those released before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    created_until: Option<Timestamp>,
    /// Rows wanted, 1 to 200; 50 when absent.
    #[serde(skip_serializing)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing)]
    cursor: Option<String>,
}

/// A sent message without its content.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentRow {
    /// The message.
    #[schema(value_type = String, format = "uuid")]
    id: MessageId,
    /// Its type.
    #[serde(rename = "type")]
    message_type: String,
    /// The alert's category.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// `actual`, `exercise` or `test`.
    status: String,
    /// The lane it travels in.
    #[schema(value_type = String)]
    lane: Lane,
    /// When it was released.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it stops being worth transporting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// Who released it.
    released_by: String,
    /// The message that it replaces: the same content, signed anew because a key was compromised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    replaces: Option<MessageId>,
    /// The message that was issued in its place, to those who had not confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    replaced_by: Option<MessageId>,
    /// Where each recipient's copy stands.
    copies: Vec<CopyView>,
}

/// Lists sent messages without their content, the last released first. The search is audited.
#[utoipa::path(
    get, path = "/v1/sent", operation_id = "list_sent", tag = "messages",
    params(Filter),
    responses((status = 200, description = "A page of messages.", body = Page<SentRow>), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<SentRow>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::MessageListSent).await?;
    let cursors = Cursors::of("sent", caller.agency().as_str(), &filter);
    let window = cursors.window(filter.limit, filter.cursor.as_deref())?;
    let wanted = Wanted {
        message_type: filter.message_type,
        category: filter.category.map(|category| category.to_string()),
        status: filter.status.map(|status| status.as_str().to_owned()),
        recipient: filter.recipient,
        state: filter.state,
        created_from: filter.created_from,
        created_until: filter.created_until,
    };
    let mut conn = gateway.store.read().acquire().await?;
    let found = sent_list::page(&mut conn, &permit, &wanted, &window).await?;
    drop(conn);
    let page = cursors.page(&window, found);
    let act = audit::by(caller.actor(), AuditAction::SentSearch, gateway.now());
    gateway.record(audit::search(act, &wanted, page.items.len())).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for sent in page.items {
        items.push(row(&gateway, sent).await?);
    }
    Ok(Json(Page { items, next: page.next }))
}

async fn row(gateway: &Gateway, sent: Sent) -> Result<SentRow, ApiError> {
    let copies = gateway.outbox.copies_of(sent.id).await?;
    Ok(SentRow {
        id: sent.id,
        message_type: sent.message_type,
        category: sent.category,
        status: sent.status,
        lane: sent.lane,
        created: sent.created_at,
        expires: sent.expires_at,
        released_by: sent.released_by,
        replaces: sent.replaces,
        replaced_by: sent.replaced_by,
        copies: copies.into_iter().map(CopyView::from).collect(),
    })
}
