//! Legal holds, and what is shown before anything is erased.

use reqwest::Method;
use serde_json::{Value, json};

use super::{LAST, OVER, code, erased, start, wanted_person};
use crate::tests::support::{Client, Fixture};

const HOLD: &str = "hold";

fn court_order(until: &str) -> Value {
    json!({ "ground": "court_order", "reason": "Processo 17/2026", "until": until })
}

fn protection_officer(fixture: &Fixture) -> Client<'_> {
    fixture.person("dpo-1", "mz.prm", &["data_protection_officer"])
}

#[tokio::test]
async fn a_hold_keeps_the_content_and_its_end_lets_it_go() {
    for is_freed in [true, false] {
        let fixture = start().await;
        let id = fixture.receive("mz.prm", 1, &wanted_person()).await;
        let path = format!("/v1/cases/alert/tz.tpf/{id}/{HOLD}");
        let shown =
            protection_officer(&fixture).put(&path, &court_order("2027-01-31")).await.expect(200).json;
        assert_eq!(shown["hold"]["ground"], "court_order");
        assert_eq!(shown["hold"]["until"], "2027-02-01T00:00:00Z");
        assert_eq!(shown["erase_at"], OVER);
        fixture.at("2027-01-31T23:59:59Z");
        assert_eq!(fixture.erase().await.erased, 0, "it is held back");
        let outlook = protection_officer(&fixture).get("/v1/retention").await.expect(200).json;
        assert_eq!((&outlook["upcoming_count"], &outlook["held_count"]), (&json!(0), &json!(1)));
        assert_eq!(outlook["held"][0]["hold"]["reason"], "Processo 17/2026");
        if is_freed {
            let freed = protection_officer(&fixture).send(Method::DELETE, &path, None).await.expect(200).json;
            assert_eq!((freed.get("hold"), &freed["due"]), (None, &json!(true)));
            protection_officer(&fixture).send(Method::DELETE, &path, None).await.expect(200);
        } else {
            fixture.at("2027-02-01T00:00:00Z");
        }
        assert_eq!(fixture.erase().await.erased, 1);
        assert_eq!(fixture.count("SELECT COUNT(*) FROM case_hold").await, 0);
        assert_eq!(fixture.audited("case.hold").await.len(), 1);
        assert_eq!(fixture.audited("case.free").await.len(), usize::from(is_freed), "said once");
        let refused = protection_officer(&fixture).put(&path, &court_order("2027-03-31")).await.expect(410);
        assert_eq!(refused.code(), "erased");
    }
}

#[tokio::test]
async fn a_hold_says_why_and_until_when() {
    let fixture = start().await;
    let id = fixture.receive("mz.prm", 1, &wanted_person()).await;
    let path = format!("/v1/cases/alert/tz.tpf/{id}/{HOLD}");
    let officer = protection_officer(&fixture);
    for (member, value) in [
        ("ground", json!("habit")),
        ("ground", json!("")),
        ("until", json!("2026-11-22")),
        ("until", json!("some day")),
        ("reason", json!("")),
        ("reason", json!("two\nlines")),
    ] {
        let mut hold = court_order("2027-01-31");
        hold[member] = value;
        assert_eq!(officer.put(&path, &hold).await.expect(422).code(), "body_faulty", "{hold}");
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM case_hold").await, 0);
    // A second one takes the place of the first.
    for until in ["2027-01-31", "2026-11-23"] {
        officer.put(&path, &court_order(until)).await.expect(200);
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM case_hold").await, 1);
    let events = fixture.audited("case.hold").await;
    assert_eq!(events[1]["details"]["until"], "2026-11-24T00:00:00Z");
    assert!(!events[0].to_string().contains("Processo"), "the log names no file of a person: {}", events[0]);
}

#[tokio::test]
async fn only_who_protects_data_holds_back_and_only_its_own_agencys_cases() {
    let fixture = start().await;
    let id = fixture.receive("mz.prm", 1, &wanted_person()).await;
    let path = format!("/v1/cases/alert/tz.tpf/{id}/{HOLD}");
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    assert_eq!(supervisor.put(&path, &court_order("2027-01-31")).await.expect(403).code(), "role");
    supervisor.get("/v1/retention").await.expect(200);
    let liaison = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    assert_eq!(liaison.get("/v1/retention").await.expect(403).code(), "role");
    let other = fixture.person("dpo-2", "mz.senami", &["data_protection_officer"]);
    other.put(&path, &court_order("2027-01-31")).await.expect(404);
    other.send(Method::DELETE, &path, None).await.expect(404);
    assert_eq!(other.get("/v1/retention?days=3660").await.expect(200).json["upcoming_count"], 0);
}

#[tokio::test]
async fn looking_changes_nothing_and_names_what_the_run_erases() {
    let fixture = start().await;
    let mut ids: Vec<String> = Vec::new();
    for number in 1..=3 {
        ids.push(fixture.receive("mz.prm", number, &wanted_person()).await);
    }
    let path = format!("/v1/cases/alert/tz.tpf/{}/{HOLD}", ids[0]);
    protection_officer(&fixture).put(&path, &court_order("2027-01-31")).await.expect(200);
    fixture.at(LAST);
    let ahead = protection_officer(&fixture).get("/v1/retention?days=1").await.expect(200).json;
    assert_eq!((&ahead["upcoming_count"], &ahead["upcoming"][0]["due"]), (&json!(2), &json!(false)));
    assert_eq!(
        protection_officer(&fixture).get("/v1/retention?days=0").await.expect(200).json["upcoming_count"],
        0
    );
    assert_eq!(protection_officer(&fixture).get("/v1/retention?days=3661").await.status, 400);

    fixture.at(OVER);
    let now = protection_officer(&fixture).get("/v1/retention?days=0").await.expect(200).json;
    let named = |json: &Value| {
        let all = json["upcoming"].as_array().expect("cases").iter().filter(|case| case["due"] == true);
        let mut names: Vec<String> = all
            .map(|case| {
                let part = |name: &str| case["case"][name].as_str().expect("a name").to_owned();
                format!("{}/{}/{}", part("kind"), part("owner"), part("id"))
            })
            .collect();
        names.sort();
        names
    };
    let planned = named(&now);
    assert_eq!(planned.len(), 2, "{now}");
    assert_eq!(
        fixture.count("SELECT COUNT(*) FROM received WHERE jws IS NOT NULL").await,
        3,
        "nothing is gone"
    );
    assert!(fixture.audited("erase").await.is_empty());
    fixture.erase().await;
    let events = fixture.audited("erase").await;
    let mut done: Vec<String> =
        events.iter().map(|event| event["object"]["id"].as_str().expect("a name").to_owned()).collect();
    done.sort();
    assert_eq!(done, planned);
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    assert_eq!(code(&officer, &format!("/v1/messages/{}", ids[1])).await, erased());
    officer.get(&format!("/v1/messages/{}?view=metadata", ids[0])).await.expect(200);
}
