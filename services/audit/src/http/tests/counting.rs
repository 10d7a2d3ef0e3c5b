//! How much was done, over time.

use axum::http::StatusCode;
use rovuma_schemas::audit::{AuditAction, AuditOutcome};
use serde_json::json;

use super::support::Api;

async fn at(api: &mut Api, time: &str, action: AuditAction, agency: &str) {
    api.store_event(|event| {
        event.time = time.parse().expect("RFC 3339");
        event.action = action;
        event.agency = Some(agency.parse().expect("an agency"));
        event.outcome = AuditOutcome::Success;
    })
    .await;
}

#[tokio::test]
async fn entries_are_counted_by_hour_and_day_and_by_what_they_share() {
    let mut api = Api::new().await;
    at(&mut api, "2026-11-20T08:00:00Z", AuditAction::MessageRead, "mz.prm").await;
    at(&mut api, "2026-11-20T08:59:59.999999Z", AuditAction::MessageRead, "mz.prm").await;
    at(&mut api, "2026-11-20T09:00:00Z", AuditAction::MessageSend, "mz.prm").await;
    at(&mut api, "2026-11-21T00:00:00Z", AuditAction::MessageRead, "mz.senami").await;
    let then = "from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z";
    let items =
        async |path: &str| api.national(&format!("/v1/counts/{path}?{then}")).await.1["items"].clone();
    assert_eq!(
        items("day/action").await,
        json!([
            { "from": "2026-11-20T00:00:00Z", "value": "message.read", "count": 2 },
            { "from": "2026-11-20T00:00:00Z", "value": "message.send", "count": 1 },
            { "from": "2026-11-21T00:00:00Z", "value": "message.read", "count": 1 },
        ])
    );
    assert_eq!(
        items("hour/all").await,
        json!([
            { "from": "2026-11-20T08:00:00Z", "count": 2 },
            { "from": "2026-11-20T09:00:00Z", "count": 1 },
            { "from": "2026-11-21T00:00:00Z", "count": 1 },
        ])
    );
    // An agency's auditor counts the own agency's, and filters count as they find.
    let own = api.auditor(&format!("/v1/counts/day/agency?{then}")).await.1;
    assert_eq!(own["items"], json!([{ "from": "2026-11-20T00:00:00Z", "value": "mz.prm", "count": 3 }]));
    let sent = api
        .auditor(&format!("/v1/counts/day/all?{then}&action=message.send&source=mz.gateway.police"))
        .await
        .1;
    assert_eq!(sent["items"], json!([{ "from": "2026-11-20T00:00:00Z", "count": 1 }]));
    let logged = api.own("audit.search").await;
    assert_eq!(logged[3].details["view"], "counts");
    assert_eq!(logged[3].details["filter.action"], "message.send");
}

#[tokio::test]
async fn what_cannot_be_counted_is_told() {
    let api = Api::new().await;
    for (path, status) in [
        ("week/action", StatusCode::NOT_FOUND),
        ("day/purpose", StatusCode::NOT_FOUND),
        ("day/action?limit=5", StatusCode::BAD_REQUEST),
        ("day/action?actr=x", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(api.auditor(&format!("/v1/counts/{path}")).await.0, status, "{path}");
    }
    assert_eq!(api.auditor("/v1/counts/day/action?agency=mz.senami").await.0, StatusCode::FORBIDDEN);
}
