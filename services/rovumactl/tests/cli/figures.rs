//! Figures about requests.

use serde_json::{Value, json};

use crate::{
    cases::{desk_of, run},
    requests::row,
    servers::TestServer,
};

fn figures() -> Value {
    let figure = |direction: &str, figure: &str, count: u64| json!({ "direction": direction, "figure": figure, "count": count, "cases": "/v1/figures/requests/cases" });
    let mut figures = Vec::new();
    for (name, sent, received) in [
        ("all", 12, 7),
        ("open", 3, 1),
        ("overdue", 1, 0),
        ("answered", 7, 5),
        ("refused", 2, 1),
        ("cancelled", 0, 0),
        ("closed", 6, 4),
        ("in_time", 8, 6),
        ("within_delay", 1, 0),
        ("late", 0, 0),
    ] {
        figures.extend([figure("sent", name, sent), figure("received", name, received)]);
    }
    figures.push(figure("sent", "refused.not_available", 2));
    figures.push(figure("received", "refused.disproportionate", 1));
    json!({
        "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z", "status": "actual", "figures": figures,
        "times": [
            { "direction": "sent", "party": "answerer", "count": 9, "median_s": 7_800, "p90_s": 93_600 },
            { "direction": "sent", "party": "requester", "count": 2, "median_s": 1_500, "p90_s": 3_600 },
            { "direction": "received", "party": "answerer", "question": "vehicle_owner", "count": 1, "median_s": 59,
              "p90_s": 59 },
        ],
        "questions": [
            { "direction": "sent", "question": "vehicle_owner", "result": "no_record", "count": 5 },
            { "direction": "sent", "question": "vehicle_owner", "count": 2 },
        ],
    })
}

#[test]
fn figures_are_tables_of_both_directions() {
    let desk = desk_of("mz.prm");
    for language in ["en", "pt", "sw"] {
        let server = TestServer::start([("200 OK", figures().to_string())]);
        let ended = run(&desk, &server, &format!("figures --language {language}"));
        insta::assert_snapshot!(format!("figures_{language}"), ended.stdout);
    }
    let server = TestServer::start([("200 OK", figures().to_string()), ("200 OK", figures().to_string())]);
    let ended = run(&desk, &server, "figures --from 2026-11-01 --until 2026-11-30 --status exercise --json");
    assert_eq!(ended.json(), figures());
    assert_eq!(
        server.requests(),
        [
            "GET /v1/figures/requests?from=2026-11-01T00%3A00%3A00Z&until=2026-12-01T00%3A00%3A00Z&status=exercise"
        ]
    );
}

#[test]
fn a_figure_lists_its_cases() {
    let desk = desk_of("mz.prm");
    let page = json!({ "items": [row("request", "open")] });
    let agencies = json!({ "items": [] });
    let server = TestServer::start([("200 OK", page.to_string()), ("200 OK", agencies.to_string())]);
    let ended = run(&desk, &server, "figures --cases refused.not_available --direction received --limit 5");
    assert!(ended.stdout.contains("7K2MQX4"), "{ended:?}");
    assert_eq!(
        server.requests()[0],
        "GET /v1/figures/requests/cases?figure=refused.not_available&direction=received&limit=5"
    );
    desk.run("figures --direction sent").is(2, "--cases");
}
