//! The answerer's side.

use rovuma_envelope::Origin;
use rovuma_schemas::{CaseId, CaseSoFar, MessageId};
use serde_json::{Value, json};

use super::{case_of, following, officer, vehicle_request};
use crate::tests::support::{Fixture, agency, example};

impl Fixture {
    /// A request of `tz.tpf` to `mz.prm`.
    async fn asked_by_tpf(&self, draft: &Value) -> CaseId {
        let now = self.now();
        let id = MessageId::draw(now);
        let case = case_of("tz.tpf", &id.to_string());
        let mut draft = draft.clone();
        draft["recipients"] = json!(["mz.prm"]);
        let own = case.clone();
        let jws =
            self.tz.message_with(id, ("tz.tpf", "mz.prm", 1), &draft, now, &CaseSoFar::default(), |header| {
                header.case = Some(own);
                header.turn = Some(1);
            });
        self.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), jws).await;
        case
    }
}

#[tokio::test]
async fn an_answer_names_every_question_or_is_sent_in_part() {
    let fixture = Fixture::start().await;
    let case = fixture.asked_by_tpf(&vehicle_request("mz.prm")).await;
    let opened = officer(&fixture).opened_case(&case).await;
    assert_eq!(
        (&opened["case"]["state"], &opened["case"]["ball"]),
        (&json!("open"), &json!("ours")),
        "{opened}"
    );
    let possible = opened["possible"].to_string();
    for kind in ["acknowledge", "ask", "delay", "answer_partial", "answer", "refuse"] {
        assert!(possible.contains(&format!("request.{kind}\"")), "{kind}: {possible}");
    }
    assert!(!possible.contains("request.cancel"), "{possible}");

    let answer = following("request-answer", &case);
    let mut short = answer.clone();
    short["body"]["answers"].as_array_mut().expect("answers").truncate(2);
    let refused = officer(&fixture).post("/v1/messages", &short).await.expect(422);
    assert!(refused.json.to_string().contains("answer_number_missing"), "{refused:?}");
    let mut unknown = answer.clone();
    unknown["body"]["answers"][3]["n"] = json!(9);
    let refused = officer(&fixture).post("/v1/messages", &unknown).await.expect(422);
    assert!(refused.json.to_string().contains("answer_number_unknown"), "{refused:?}");

    let part = following("request-answer-partial", &case);
    officer(&fixture).post("/v1/messages", &part).await.expect(201);
    let partly = officer(&fixture).opened_case(&case).await;
    assert_eq!((&partly["case"]["state"], &partly["request"]["disclosed"]), (&json!("open"), &json!(true)));
    let mut rest = answer;
    rest["body"]["answers"].as_array_mut().expect("answers").remove(0);
    let Some(terms) = rest["terms"].as_object_mut() else { panic!("terms") };
    terms.remove("protection_check");
    officer(&fixture).post("/v1/messages", &rest).await.expect(201);
    let answered = officer(&fixture).opened_case(&case).await;
    assert_eq!(
        (&answered["case"]["state"], &answered["case"]["ball"]),
        (&json!("answered"), &json!("theirs"))
    );
}

#[tokio::test]
async fn a_supervisor_refuses_and_an_officer_acknowledges_and_delays() {
    let fixture = Fixture::start().await;
    let case = fixture.asked_by_tpf(&vehicle_request("mz.prm")).await;
    officer(&fixture).post("/v1/messages", &following("request-acknowledge", &case)).await.expect(201);
    let mut delay = following("request-delay", &case);
    delay["body"]["until"] = json!(fixture.now().plus(20 * super::HOUR));
    officer(&fixture).post("/v1/messages", &delay).await.expect(201);
    let delayed = officer(&fixture).opened_case(&case).await;
    assert_eq!(delayed["request"]["acknowledged"], true);
    assert_eq!(delayed["request"]["delay_reason"], "paper_archive");
    let refuse = following("request-refuse", &case);
    assert_eq!(officer(&fixture).post("/v1/messages", &refuse).await.expect(403).code(), "supervisor_only");
    let supervisor = fixture.person("supervisor-1", "mz.prm", &["supervisor"]);
    supervisor.post("/v1/messages", &refuse).await.expect(201);
    let refused = officer(&fixture).opened_case(&case).await;
    assert_eq!(
        (&refused["case"]["state"], &refused["request"]["refused"]),
        (&json!("refused"), &json!("not_available"))
    );
    assert_eq!(refused["request"]["try_agency"], "tz.tisd");
}

/// What a database holds an agency's system answers; what a person must weigh it does not.
#[tokio::test]
async fn a_system_answers_what_a_database_holds_and_nothing_else() {
    let fixture = Fixture::start().await;
    let system = fixture.machine("registry", "mz.prm", &["agency_system"]);
    let mut direct = vehicle_request("mz.prm");
    direct["body"]["questions"].as_array_mut().expect("questions").truncate(2);
    let case = fixture.asked_by_tpf(&direct).await;
    let mut answer = following("request-answer", &case);
    answer["body"]["answers"].as_array_mut().expect("answers").truncate(2);
    system.post("/v1/messages", &answer).await.expect(201);
    assert_eq!(system.opened_case(&case).await["case"]["state"], "answered");

    let weighed = fixture.asked_by_tpf(&vehicle_request("mz.prm")).await;
    let answer = following("request-answer", &weighed);
    assert_eq!(system.post("/v1/messages", &answer).await.expect(403).code(), "person_only");
    for (name, code) in [("request-refuse", "role"), ("request-ask", "role"), ("request-delay", "role")] {
        assert_eq!(
            system.post("/v1/messages", &following(name, &case)).await.expect(403).code(),
            code,
            "{name}"
        );
    }
    // It asks what a database holds, too.
    let mut own = vehicle_request("tz.tpf");
    assert_eq!(system.post("/v1/messages", &own).await.expect(403).code(), "person_only");
    own["body"]["questions"].as_array_mut().expect("questions").truncate(2);
    system.post("/v1/messages", &own).await.expect(201);
}

#[tokio::test]
async fn a_request_about_a_minor_needs_a_second_person_on_both_sides() {
    let fixture = Fixture::start().await;
    let mut minor = example("request-identity-check");
    minor["body"]["subjects"]["persons"][0]["minor"] = json!(true);
    minor["body"]["subjects"]["persons"][0]["birth"] = json!({ "precision": "year", "year": 2020 });
    let mut own = minor.clone();
    own["recipients"] = json!(["tz.tpf"]);
    assert_eq!(officer(&fixture).post("/v1/messages", &own).await.expect(403).code(), "second_person");
    let case = fixture.asked_by_tpf(&minor).await;
    let mut answer = following("request-answer", &case);
    answer["body"]["answers"] = json!([{ "n": 1, "result": "no_record" }, { "n": 2, "result": "no_record" }]);
    assert_eq!(officer(&fixture).post("/v1/messages", &answer).await.expect(403).code(), "second_person");
}
