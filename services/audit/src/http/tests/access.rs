//! Who may see what. Every refusal is written to the log.

use axum::http::{Request, StatusCode};
use rovuma_schemas::audit::AuditOutcome;

use super::support::{Api, sequences};
use crate::testing::GATEWAY;

/// Two events of `mz.prm`, one of `mz.senami`, one of no agency.
async fn four_events() -> Api {
    let mut api = Api::new().await;
    api.store_event(|_| {}).await;
    api.store_event(|event| event.agency = Some("mz.senami".parse().expect("an agency"))).await;
    api.store_event(|_| {}).await;
    api.store_event(|event| event.agency = None).await;
    api
}

fn event_path(api: &Api, sequence: u64) -> String {
    format!("/v1/events/{GATEWAY}/{}/{sequence}", api.gateway.epoch)
}

fn every_route(api: &Api) -> [String; 11] {
    let (event, log) = (event_path(api, 1), "/v1/logs/mz.audit/2026");
    [
        "/v1/events".to_owned(),
        format!("{event}/proof"),
        event,
        "/v1/sources".to_owned(),
        "/v1/logs".to_owned(),
        format!("{log}/checkpoint"),
        format!("{log}/tile/0/000.p/1"),
        "/v1/counts/day/action".to_owned(),
        "/v1/export".to_owned(),
        "/v1/evidence".to_owned(),
        "/v1/queries".to_owned(),
    ]
}

#[tokio::test]
async fn no_route_answers_without_a_token_that_holds() {
    let api = four_events().await;
    let auditor = api.person("auditor-1", "mz.prm", &["auditor"]);
    let cut = &auditor[..auditor.len() - 1];
    for path in every_route(&api) {
        for header in [None, Some("Bearer "), Some("Basic YTpi"), Some(&*format!("Bearer {cut}"))] {
            let request = Request::get(&path);
            let request = match header {
                Some(value) => request.header("authorization", value),
                None => request,
            };
            let (status, problem) = api.request(request).await;
            assert_eq!(
                (status, problem["code"].as_str()),
                (StatusCode::UNAUTHORIZED, Some("unauthenticated"))
            );
        }
    }
    api.bench.clock.advance(std::time::Duration::from_secs(3600));
    let (status, problem) = api.get(&auditor, "/v1/events").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNAUTHORIZED, &"token_expired".into()),
        "a token ends"
    );
    // Expired and changed is not expired: what was changed may be the time.
    assert_eq!(api.get(cut, "/v1/events").await.1["code"], "unauthenticated");
}

#[tokio::test]
async fn only_auditors_are_answered_and_refusals_are_written_down() {
    let api = four_events().await;
    let others = [
        "liaison_officer",
        "supervisor",
        "analyst",
        "border_officer",
        "data_protection_officer",
        "agency_admin",
        "root",
        "",
    ];
    for role in others {
        let token = api.person("officer-1", "mz.prm", &[role]);
        for path in every_route(&api) {
            let (status, problem) = api.get(&token, &path).await;
            assert_eq!(
                (status, problem["code"].as_str()),
                (StatusCode::FORBIDDEN, Some("role")),
                "{role} {path}"
            );
        }
    }
    let refused = api.own("access.refuse").await;
    assert_eq!(refused.len(), others.len() * every_route(&api).len());
    let first = &refused[0];
    assert_eq!((first.actor.as_str(), first.session.as_deref()), ("officer-1", Some("session-1")));
    assert_eq!((first.outcome, first.reason.as_deref()), (AuditOutcome::Refused, Some("role")));
    assert_eq!(first.details["asked"], "audit.search");
}

#[tokio::test]
async fn machines_are_no_auditors() {
    let api = four_events().await;
    for (roles, code) in [(&["agency_system"][..], "role"), (&["auditor"][..], "role_kind")] {
        let (status, problem) = api.get(&api.machine("mz.prm", roles), "/v1/events").await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::FORBIDDEN, Some(code)));
    }
}

#[tokio::test]
async fn an_agencys_auditor_sees_the_events_of_that_agency_only() {
    let api = four_events().await;
    let (status, page) = api.auditor("/v1/events").await;
    assert_eq!((status, sequences(&page)), (StatusCode::OK, vec![3, 1]));
    for filter in ["agency=mz.prm", "actor=officer-1", &format!("source={GATEWAY}"), "order=newest"] {
        let (_, page) = api.auditor(&format!("/v1/events?{filter}")).await;
        assert_eq!(sequences(&page), [3, 1], "{filter}");
    }
    for agency in ["mz.senami", "mz.node", "tz.tpf"] {
        let (status, problem) = api.auditor(&format!("/v1/events?agency={agency}")).await;
        assert_eq!(
            (status, problem["code"].as_str()),
            (StatusCode::FORBIDDEN, Some("other_agency")),
            "{agency}"
        );
    }
    assert_eq!(api.own("access.refuse").await.len(), 3);
}

#[tokio::test]
async fn an_event_of_another_agency_is_as_if_it_did_not_exist() {
    let api = four_events().await;
    for sequence in [1, 3] {
        assert_eq!(api.auditor(&event_path(&api, sequence)).await.0, StatusCode::OK);
    }
    for sequence in [2, 4, 5, u64::MAX] {
        let (status, problem) = api.auditor(&event_path(&api, sequence)).await;
        assert_eq!(
            (status, problem["code"].as_str()),
            (StatusCode::NOT_FOUND, Some("not_found")),
            "{sequence}"
        );
    }
    let refused = api.own("access.refuse").await;
    assert_eq!(refused.len(), 2, "those that exist were attempts to cross");
    assert!(refused.iter().all(|event| event.reason.as_deref() == Some("other_agency")));
}

#[tokio::test]
async fn the_national_auditor_sees_the_country() {
    let api = four_events().await;
    assert_eq!(sequences(&api.national("/v1/events").await.1), [4, 3, 2, 1]);
    assert_eq!(sequences(&api.national("/v1/events?agency=mz.senami").await.1), [2]);
    for sequence in 1..=4 {
        assert_eq!(api.national(&event_path(&api, sequence)).await.0, StatusCode::OK, "{sequence}");
    }
    let (status, problem) = api.national("/v1/events?agency=tz.tpf").await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::FORBIDDEN, Some("other_agency")));
}

#[tokio::test]
async fn auditors_of_another_country_are_refused_at_every_route() {
    let api = four_events().await;
    for agency in ["tz.tpf", "tz.node"] {
        let token = api.person("auditor-9", agency, &["auditor"]);
        for path in every_route(&api) {
            let (status, problem) = api.get(&token, &path).await;
            assert_eq!(
                (status, problem["code"].as_str()),
                (StatusCode::FORBIDDEN, Some("agency_not_served"))
            );
        }
    }
    assert_eq!(api.own("access.refuse").await.len(), 2 * every_route(&api).len());
}

#[tokio::test]
async fn nothing_can_be_changed_through_the_api() {
    let api = four_events().await;
    let token = api.person("auditor-0", "mz.node", &["auditor"]);
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in every_route(&api) {
            let request = Request::builder().method(method).uri(&path);
            let (status, _) = api.request(request.header("authorization", format!("Bearer {token}"))).await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
}
