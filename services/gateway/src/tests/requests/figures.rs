//! Figures about requests: each is the length of the list that it links to.

use serde_json::{Value, json};

use super::{HOUR, direct_answer, direct_request, following, officer, two_questions};
use crate::tests::support::{Client, Fixture};

/// The number of rows of a list, page by page.
async fn length(caller: &Client<'_>, path: &str) -> u64 {
    let (mut rows, mut cursor) = (0, String::new());
    loop {
        let page = caller.get(&format!("{path}&limit=2{cursor}")).await.expect(200).json;
        rows += page["items"].as_array().expect("items").len() as u64;
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

#[tokio::test]
async fn every_figure_is_the_length_of_its_list() {
    let fixture = Fixture::start().await;
    let mut cases = Vec::new();
    for _ in 0..5 {
        fixture.clock.advance(HOUR);
        let case = officer(&fixture).submit(&direct_request("tz.tpf")).await;
        fixture.delivered("tz.tpf", "mz.prm", &case.id.to_string()).await;
        cases.push(case);
    }
    fixture.clock.advance(2 * HOUR);
    fixture.tpf_says(&direct_answer(&cases[0]), &cases[0], (1, 1), &two_questions()).await;
    fixture.tpf_says(&following("request-refuse", &cases[1]), &cases[1], (1, 1), &two_questions()).await;
    officer(&fixture).post("/v1/messages", &following("request-cancel", &cases[2])).await.expect(201);
    fixture.clock.advance(10 * HOUR);
    fixture.tpf_says(&direct_answer(&cases[3]), &cases[3], (1, 1), &two_questions()).await;
    fixture.tpf_says(&following("request-ask", &cases[4]), &cases[4], (1, 1), &two_questions()).await;
    fixture.clock.advance(HOUR);
    let clarified = officer(&fixture).post("/v1/messages", &following("request-clarify", &cases[4])).await;
    fixture.delivered("tz.tpf", "mz.prm", &clarified.expect(201).id()).await;
    fixture.clock.advance(HOUR / 60);

    let analyst = fixture.person("analyst-1", "mz.prm", &["analyst"]);
    let figures = analyst.get("/v1/figures/requests?status=exercise").await.expect(200).json;
    let count = |figure: &str| {
        let all = figures["figures"].as_array().expect("figures");
        let found = all.iter().find(|one| one["figure"] == figure && one["direction"] == "sent");
        found.map(|one| one["count"].as_u64().expect("a count"))
    };
    let expected = [
        ("all", 5),
        ("open", 1),
        ("overdue", 1),
        ("answered", 2),
        ("refused", 1),
        ("refused.not_available", 1),
        ("cancelled", 1),
        ("closed", 0),
        ("in_time", 2),
        ("within_delay", 0),
        ("late", 1),
    ];
    for (figure, expected) in expected {
        assert_eq!(count(figure), Some(expected), "{figure}: {figures}");
    }
    for one in figures["figures"].as_array().expect("figures") {
        let listed = length(&analyst, one["cases"].as_str().expect("a path")).await;
        assert_eq!(Some(listed), one["count"].as_u64(), "{one}");
    }
    let times = figures["times"].as_array().expect("times");
    let of = |party: &str| {
        let found = times.iter().find(|time| time.get("question").is_none() && time["party"] == party);
        found.map(|time| (time["count"].clone(), time["median_s"].clone(), time["p90_s"].clone()))
    };
    assert_eq!(of("answerer"), Some((json!(3), json!(6 * 3600), json!(13 * 3600))), "{times:?}");
    // The requester's time is its own: from the question's arrival to its clarification.
    assert_eq!(of("requester"), Some((json!(1), json!(3600), json!(3600))), "{times:?}");
    let questions = figures["questions"].as_array().expect("questions");
    let no_record =
        questions.iter().find(|one| one["question"] == "vehicle_owner" && one["result"] == "no_record");
    assert_eq!(no_record.map(|one| &one["count"]), Some(&json!(2)), "{questions:?}");

    // What is in earnest is counted apart from exercises, and who may not read figures does not.
    let actual = analyst.get("/v1/figures/requests").await.expect(200).json;
    assert!(
        actual["figures"].as_array().is_some_and(|all| all.iter().all(|one| one["count"] == 0)),
        "{actual}"
    );
    let border = fixture.person("border-1", "mz.prm", &["border_officer"]);
    border.get("/v1/figures/requests").await.expect(403);
    let faulty: Value =
        analyst.get("/v1/figures/requests/cases?figure=most&direction=sent").await.expect(400).json;
    assert_eq!(faulty["status"], 400);
}
