//! What was sent beside what was received: every difference is listed.

use std::time::Duration;

use axum::http::StatusCode;
use rovuma_schemas::audit::{AuditAction, AuditObject};
use serde_json::{Value, json};

use super::support::Api;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn say(api: &mut Api, action: AuditAction, message: &str, details: &[(&str, &str)]) {
    let event = api.store_event(|event| {
        event.action = action;
        event.object = Some(AuditObject::new("message", message));
        for (name, value) in details {
            event.details.insert((*name).to_owned(), (*value).to_owned());
        }
    });
    event.await;
}

async fn send(api: &mut Api, message: &str, recipients: &str) {
    say(api, AuditAction::MessageSend, message, &[("recipients", recipients), ("digest", "d1")]).await;
}

async fn receipt(api: &mut Api, message: &str, details: &[(&str, &str)]) {
    let defaults =
        [("kind", "delivered"), ("by", "tz.tpf"), ("digest", "d1"), ("audit", "tz.gateway.police/0a/1")];
    let mut all = defaults.to_vec();
    for (name, value) in details {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    say(api, AuditAction::ReceiptAccept, message, &all).await;
}

async fn reconciled(api: &Api) -> Value {
    let (status, found) = api.auditor("/v1/reconciliation?from=2026-11-01T00:00:00Z").await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found
}

#[tokio::test]
async fn what_goes_together_is_counted_and_nothing_is_listed() {
    let mut api = Api::new().await;
    send(&mut api, "m1", "tz.tpf/urgent/1 tz.tisd/urgent/1").await;
    receipt(&mut api, "m1", &[]).await;
    receipt(&mut api, "m1", &[("kind", "read")]).await;
    let rejected = [("by", "tz.tisd"), ("kind", "rejected"), ("audit", "tz.gateway.police/0a/2")];
    receipt(&mut api, "m1", &rejected).await;
    send(&mut api, "m2", "tz.tpf/normal/1").await;
    say(&mut api, AuditAction::MessageVoid, "m2", &[("recipient", "tz.tpf")]).await;
    send(&mut api, "m3", "tz.tpf/normal/2").await;
    let found = reconciled(&api).await;
    assert_eq!(
        found,
        json!({ "sent": 4, "delivered": 1, "rejected": 1, "voided": 1, "waiting": 1, "erased": 0, "differences": [] })
    );
    let asked = api.own("audit.search").await;
    assert_eq!(asked[0].details["view"], "reconciliation");
}

#[tokio::test]
async fn each_difference_is_listed_with_its_message_and_since_when() {
    type Story = &'static [(&'static str, &'static [(&'static str, &'static str)])];
    let stories: [(&str, &str, Story); 4] = [
        ("not_sent", "m9", &[("m9", &[])]),
        ("not_sent", "m1", &[("m1", &[]), ("m1", &[("by", "tz.dci"), ("audit", "tz.gateway.police/0a/7")])]),
        ("other_digest", "m1", &[("m1", &[("digest", "d2")])]),
        ("place_twice", "m2", &[("m1", &[]), ("m2", &[])]),
    ];
    for (kind, message, receipts) in stories {
        let mut api = Api::new().await;
        for sent in ["m1", "m2"] {
            send(&mut api, sent, "tz.tpf/urgent/1").await;
        }
        for (message, details) in receipts {
            receipt(&mut api, message, details).await;
        }
        let found = reconciled(&api).await;
        let differences = found["differences"].as_array().expect("a list");
        assert_eq!(differences.len(), 1, "{kind}: {found}");
        assert_eq!((&differences[0]["kind"], &differences[0]["message"]), (&json!(kind), &json!(message)));
        assert_eq!(differences[0]["since"], "2026-11-23T18:14:29Z");
    }
    let mut api = Api::new().await;
    send(&mut api, "m1", "tz.tpf/urgent/1").await;
    api.bench.clock.advance(DAY);
    let found = reconciled(&api).await;
    assert_eq!((&found["waiting"], &found["differences"][0]["kind"]), (&json!(0), &json!("unanswered")));
}

#[tokio::test]
async fn an_agency_sees_its_own_and_a_range_is_asked_for() {
    let mut api = Api::new().await;
    send(&mut api, "m1", "tz.tpf/urgent/1").await;
    let other = api.person("auditor-2", "mz.senami", &["auditor"]);
    let path = "/v1/reconciliation?from=2026-11-01T00:00:00Z";
    assert_eq!(api.get(&other, path).await.1["sent"], 0);
    assert_eq!(api.national(path).await.1["sent"], 1);
    assert_eq!(api.get(&other, &format!("{path}&agency=mz.prm")).await.0, StatusCode::FORBIDDEN);
    for bad in ["/v1/reconciliation", "/v1/reconciliation?from=yesterday", &format!("{path}&all=true")] {
        assert_eq!(api.auditor(bad).await.0, StatusCode::BAD_REQUEST, "{bad}");
    }
    let before = format!("{path}&to=2026-11-02T00:00:00Z");
    assert_eq!(api.auditor(&before).await.1["sent"], 0);
}
