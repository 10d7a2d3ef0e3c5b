//! The gateway reminds by itself: once a day, of what is past its limit, until nobody looks any more.

use serde_json::json;

use super::{HOUR, direct_answer, direct_request, officer, two_questions};
use crate::{reminders, tests::support::Fixture};

impl Fixture {
    async fn remind(&self) -> u64 {
        reminders::remind_all(&self.gateway.drafts).await.expect("reminded")
    }
}

#[tokio::test]
async fn what_is_past_its_limit_is_reminded_of_once_a_day() {
    let fixture = Fixture::start().await;
    let mut cases = Vec::new();
    for _ in 0..3 {
        let case = officer(&fixture).submit(&direct_request("tz.tpf")).await;
        fixture.delivered("tz.tpf", "mz.prm", &case.id.to_string()).await;
        cases.push(case);
    }
    // One that has not been delivered has no clock, and one that is answered needs none.
    officer(&fixture).submit(&direct_request("tz.tisd")).await;
    fixture.tpf_says(&direct_answer(&cases[2]), &cases[2], (1, 1), &two_questions()).await;
    fixture.clock.advance(7 * HOUR);
    assert_eq!(fixture.remind().await, 0, "seven of eight hours");
    fixture.clock.advance(2 * HOUR);
    assert_eq!(fixture.remind().await, 2);
    assert_eq!(fixture.remind().await, 0, "once");
    let case = officer(&fixture).opened_case(&cases[0]).await;
    assert_eq!(super::instant(&case["request"]["reminded_at"]), fixture.now());
    let steps = officer(&fixture).get(&format!("/v1/cases/{}/timeline", cases[0])).await.expect(200).json;
    let types: Vec<&str> =
        steps["steps"].as_array().expect("steps").iter().filter_map(|step| step["type"].as_str()).collect();
    assert_eq!(types, ["request.submit", "request.remind"]);
    // It is the gateway's, and audited as such.
    let sent = fixture.audited("message.send").await;
    assert_eq!(sent.iter().filter(|event| event["actor"] == json!("system")).count(), 2);

    fixture.clock.advance(23 * HOUR);
    assert_eq!(fixture.remind().await, 0, "not a day later");
    fixture.clock.advance(HOUR);
    fixture.tpf_says(&direct_answer(&cases[1]), &cases[1], (1, 1), &two_questions()).await;
    assert_eq!(fixture.remind().await, 1, "the other is answered");
}

/// What nobody has confirmed after its release in an emergency is not pressed for.
#[tokio::test]
async fn a_suspended_request_is_not_reminded_of() {
    let fixture =
        Fixture::start_with(|config, _| config.audit.overdue_after_ms = 50 * 24 * 60 * 60 * 1000).await;
    let mut requests = Vec::new();
    for emergency in [None, Some(json!({ "reason": "A testemunha corre perigo." }))] {
        let mut request = direct_request("tz.tpf");
        if let Some(emergency) = emergency {
            request["terms"]["handling"] = json!({ "code": "H2" });
            request["terms"]["emergency"] = emergency;
        }
        let case = officer(&fixture).submit(&request).await;
        fixture.delivered("tz.tpf", "mz.prm", &case.id.to_string()).await;
        requests.push(case);
    }
    fixture.clock.advance(24 * HOUR);
    let mut states = Vec::new();
    for case in &requests {
        states.push(officer(&fixture).opened_case(case).await["case"]["state"].clone());
    }
    assert_eq!(states, ["open", "suspended"]);
    assert_eq!(fixture.remind().await, 1);
    assert!(officer(&fixture).opened_case(&requests[1]).await["request"]["reminded_at"].is_null());
}

/// What is about to be erased is not kept longer for being asked for again.
#[tokio::test]
async fn the_last_day_of_a_request_is_not_reminded_of() {
    let fixture =
        Fixture::start_with(|config, _| config.audit.overdue_after_ms = 50 * 24 * 60 * 60 * 1000).await;
    let mut request = direct_request("tz.tpf");
    let last_day = rovuma_schemas::Date::of(fixture.now()).plus_days(3);
    request["terms"]["retain_until"] = json!(last_day);
    let case = officer(&fixture).submit(&request).await;
    fixture.delivered("tz.tpf", "mz.prm", &case.id.to_string()).await;
    let mut sent = Vec::new();
    for _ in 0..5 {
        fixture.clock.advance(24 * HOUR);
        sent.push(fixture.remind().await);
    }
    assert_eq!(sent, [1, 1, 0, 0, 0]);
    assert_eq!(officer(&fixture).opened_case(&case).await["request"]["retain_until"], json!(last_day));
}

/// Reminders keep nothing awake: after thirty days without a word somebody must look.
#[tokio::test]
async fn a_dormant_request_is_not_reminded_of() {
    // Nobody acknowledges audit events here, for forty days.
    let fixture =
        Fixture::start_with(|config, _| config.audit.overdue_after_ms = 50 * 24 * 60 * 60 * 1000).await;
    let case = officer(&fixture).submit(&direct_request("tz.tpf")).await;
    fixture.delivered("tz.tpf", "mz.prm", &case.id.to_string()).await;
    let mut sent = 0;
    for _ in 0..40 {
        fixture.clock.advance(24 * HOUR);
        sent += fixture.remind().await;
    }
    assert_eq!(sent, 29);
    assert_eq!(officer(&fixture).opened_case(&case).await["request"]["dormant"], true);
}
