//! The operators' listener: `/metrics`, `/health/live`, `/health/ready`.

use std::net::SocketAddr;

use axum::{
    Json, Router, extract::State, http::StatusCode, http::header, response::IntoResponse, routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{Check, Context, ExpiryKind, ExpiryLevel, http::ServeError};
use rovuma_schemas::Timestamp;
use serde::Serialize;

#[derive(Clone)]
struct Admin {
    context: Context,
    metrics: PrometheusHandle,
}

/// The body of `/health/ready`.
#[derive(Serialize)]
struct Ready {
    ready: bool,
    stopping: bool,
    checks: Vec<Check>,
    expiring: Vec<Expiring>,
}

#[derive(Serialize)]
struct Expiring {
    kind: ExpiryKind,
    name: String,
    not_after: Timestamp,
    level: ExpiryLevel,
}

/// Serves the operators' routes on `listen` until a soft shutdown.
pub(crate) fn serve(
    context: &Context,
    listen: SocketAddr,
    metrics: PrometheusHandle,
) -> Result<SocketAddr, ServeError> {
    let router = router(context.clone(), metrics);
    crate::http::serve_plain(context, "admin", listen, router)
}

fn router(context: Context, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(Admin { context, metrics })
}

async fn render(State(admin): State<Admin>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], admin.metrics.render())
}

/// Answers whenever the process can answer at all; it says nothing about the service's state.
async fn live() -> &'static str {
    "live\n"
}

async fn ready(State(admin): State<Admin>) -> impl IntoResponse {
    let report = admin.context.health.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let expiring = admin
        .context
        .expiries
        .near()
        .into_iter()
        .map(|(kind, name, not_after, level)| Expiring { kind, name, not_after, level })
        .collect();
    (status, Json(Ready { ready: report.ready, stopping: report.stopping, checks: report.checks, expiring }))
}
