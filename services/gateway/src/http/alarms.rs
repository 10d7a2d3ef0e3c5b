//! `GET /v1/alarms`: the alarms that a person must look at, and `POST /v1/alarms/{id}/acknowledge`.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{self as answers, AlarmAcknowledged, AlarmRow},
    cursors::Cursors,
    idempotency::{self, Answer, IdempotencyKey},
    openapi::{IdempotencyHeader, NotFound},
    page::Page,
    request::{JsonBody, Path, Query},
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::{Line, audit::AuditAction};
use rovuma_store::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{error::ApiError, openapi::Refusals};
use crate::{
    alarm::{self, Acknowledgement, Alarm, AlarmFilter, NotAcknowledged, Severity},
    audit,
    error::DbError,
    gateway::Gateway,
};

/// The query of `GET /v1/alarms`: filters and page.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlarmQuery {
    /// `true`: only those that nobody has acknowledged; `false`: only the acknowledged ones.
    open: Option<bool>,
    /// Only those of this severity.
    #[param(inline, value_type = Option<answers::AlarmSeverity>)]
    severity: Option<Severity>,
    /// Rows wanted, 1 to 200; 50 when absent.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    cursor: Option<String>,
}

/// Lists the agency's alarms: open ones first, the most severe first, then the last to sound. Who may see whether the exchange
/// works (`streams.read`) may see them.
#[utoipa::path(
    get, path = "/v1/alarms", operation_id = "list_alarms", tag = "exchange",
    params(AlarmQuery),
    responses((status = 200, description = "A page of alarms.", body = Page<AlarmRow>), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<AlarmQuery>,
) -> Result<Json<Page<AlarmRow>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::StreamsRead).await?;
    let cursors = Cursors::of("alarms", caller.agency().as_str(), &query);
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let filter = AlarmFilter { open: query.open, severity: query.severity };
    let mut conn = gateway.base.store.read().acquire().await?;
    let rows = alarm::page(&mut conn, &permit, filter, &window).await?;
    drop(conn);
    Ok(Json(cursors.page(&window, rows.into_iter().map(|(key, alarm)| (key, row(alarm))).collect())))
}

/// The body of `POST /v1/alarms/{id}/acknowledge`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlarmSeen {
    /// `times` of the alarm when it was looked at: what was raised since is not acknowledged unseen.
    #[schema(minimum = 1)]
    times: u64,
    /// What was found, or done about it: one line of at most 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    reason: Line,
}

/// Acknowledges an alarm: the caller has looked at it. It stays in the list, behind all open ones, and is open again when it is
/// raised again.
#[utoipa::path(
    post, path = "/v1/alarms/{id}/acknowledge", operation_id = "acknowledge_alarm", tag = "exchange",
    params(("id" = i64, Path, description = "The alarm's `id`.", minimum = 1), IdempotencyHeader),
    request_body = AlarmSeen,
    responses(
        (status = 200, description = "It is acknowledged, now or since before.", body = AlarmRow),
        NotFound,
        (status = 409, description = "`raised_again`: since it was looked at.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`body_faulty`; `idempotency_conflict`.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn acknowledge(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(seq): Path<i64>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody,
) -> Result<Answer, ApiError> {
    let permit = gateway.permit_own(&caller, act::AlarmAcknowledge).await?;
    let AlarmSeen { times, reason } = serde_json::from_slice(&body).map_err(|fault| {
        Problem::unprocessable("body_faulty", [])
            .detail(format!("{{\"times\": 1, \"reason\": \"…\"}} is expected: {fault}"))
    })?;
    let (now, shared) = (gateway.base.now(), Arc::clone(&gateway));
    let attempt = key.attempt(&caller, &body);
    idempotency::once(&gateway.base.store, attempt, now, move |tx| {
        async move {
            let seen = Acknowledgement { seq, times, reason: &reason, by: caller.subject() };
            let alarm = alarm::acknowledge(tx, &permit, &seen, now).await?;
            let record = audit::by(caller.actor(), AuditAction::AlarmAcknowledge, now)
                .object("alarm", seq)
                .detail("kind", &alarm.kind)
                .detail("subject", &alarm.subject)
                .detail("times", times)
                .detail("reason", &reason);
            shared.base.trail.record(tx, &record).await.map_err(DbError::from)?;
            Answer::json(StatusCode::OK, &row(alarm))
        }
        .boxed()
    })
    .await
}

impl From<NotAcknowledged> for ApiError {
    fn from(fault: NotAcknowledged) -> Self {
        match fault {
            NotAcknowledged::NotFound { seq } => Problem::no_such(
                format_args!("alarm {seq}"),
                "Check the id: GET /v1/alarms lists your agency's alarms.",
            )
            .into(),
            NotAcknowledged::RaisedAgain { times } => Problem::conflict("raised_again")
                .detail(format!(
                    "By now the alarm was raised {times} times. Look at it again, then acknowledge that."
                ))
                .into(),
            NotAcknowledged::Db(fault) => fault.into(),
        }
    }
}

fn row(alarm: Alarm) -> AlarmRow {
    AlarmRow {
        id: alarm.seq,
        kind: alarm.kind,
        severity: alarm.severity.as_str().to_owned(),
        subject: alarm.subject,
        partner: alarm.partner,
        detail: alarm.detail,
        times: alarm.times,
        first_at: alarm.first_at,
        last_at: alarm.last_at,
        acknowledged: alarm.acknowledged.map(|(at, by, reason)| AlarmAcknowledged { at, by, reason }),
    }
}
