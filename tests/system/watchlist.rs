//! The watchlist: an alert of one country is screened at a post of the other, and what is certain is told by itself.

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use rovuma_lab::{api::Api, country::WATCHLIST, story::hit::zone};
use rovuma_tests::{Lab, drafts, eventually, items, send};
use serde_json::{Value, json};

/// Two countries, and the watchlist of Tanzania.
async fn lab() -> Result<Lab> {
    let mut lab = Lab::start().await?;
    lab.border.tz.start_watchlist().await?;
    Ok(lab)
}

fn plate_at_kilambo(plate: &str) -> Value {
    json!({
        "text": plate, "kind": "plate", "state": "MOZ",
        "crossing": { "post": "namoto_kilambo", "direction": "entry" },
    })
}

async fn screen(api: &Api, request: &Value) -> Result<Value> {
    api.post("/v1/screen", request).await?.ok()
}

/// Waits until a scan has this verdict.
async fn screened(api: &Api, request: &Value, verdict: &str) -> Result<Value> {
    eventually(&format!("the verdict {verdict}"), || async {
        let answer = screen(api, request).await?;
        Ok((answer["verdict"] == verdict).then_some(answer))
    })
    .await
}

/// The hits that an agency has as the owner of alerts.
async fn hits(lab: &Lab, agency: &str) -> Result<Vec<Value>> {
    Ok(items(&lab.officer(agency).await?.get("/v1/cases?kind=hit").await?.ok()?))
}

/// Waits until the owner sees of this many recipients that their post acts on its last word.
async fn in_effect(owner: &Api, alert: &str, recipients: usize) -> Result<()> {
    eventually("the posts' word at the owner", || async {
        let case = owner.get(&format!("/v1/cases/alert/mz.prm/{alert}")).await?.ok()?;
        let all = case["alert"]["recipients"].as_array().context("recipients")?;
        let acts = |recipient: &&Value| recipient["posts"][0]["since"].is_string();
        Ok((all.iter().filter(acts).count() == recipients).then_some(()))
    })
    .await
}

/// Makes sure that the owner was told `told` times and not once more: another hit follows on the same way, behind whatever is on it.
async fn told_no_more_than(lab: &Lab, booth: &Api, told: usize) -> Result<()> {
    let draft = drafts::motorcycle(&["tz.tpf"]);
    let plate = draft["body"]["subjects"]["vehicles"][0]["plate"]["number"].as_str().context("a plate")?;
    let owner = lab.officer("mz.prm").await?;
    let id = send(&owner, &draft).await?;
    screened(booth, &plate_at_kilambo(plate), "hit").await?;
    eventually("the hit that follows", || async {
        let alert = owner.get(&format!("/v1/cases/alert/mz.prm/{id}")).await?.ok()?;
        Ok(alert["hanging"].as_array().filter(|hanging| !hanging.is_empty()).map(|_| ()))
    })
    .await?;
    let all = hits(lab, "mz.prm").await?;
    ensure!(all.len() == told + 1, "told {} times, not {told}: {all:?}", all.len() - 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_motorcycle_is_stopped_at_the_ferry_and_its_owner_knows_at_once() -> Result<()> {
    let lab = lab().await?;
    let owner = lab.officer("mz.prm").await?;
    let booth = lab.api("tz.tpf", "border", WATCHLIST).await?;
    let mut draft = drafts::motorcycle(&["tz.tpf", "tz.tisd"]);
    draft["body"]["subjects"]["vehicles"][0]["plate"]["number"] = json!("ABD 417 CD");
    let scan = plate_at_kilambo("abd-417-cd");
    screened(&booth, &scan, "no_hit").await?;

    let id = send(&owner, &draft).await?;
    lab.hops(&owner, &id, "delivered", 2).await?;
    // Whoever has the owner's word from both agencies' posts need not wait for the verdict.
    in_effect(&owner, &id, 2).await?;
    let stopped = screened(&booth, &scan, "hit").await?;
    let found = &stopped["hits"][0];
    assert_eq!(
        (&found["action"], &found["forwarded"], &found["rule"]),
        (&json!("seize"), &json!(true), &json!("vehicle_exact"))
    );
    assert_eq!(found["case"]["id"], id.as_str());
    assert!(!stopped.to_string().contains("Motorizada furtada"), "the narrative: {stopped}");

    // Its owner is told, once, however often it is scanned.
    screen(&booth, &scan).await?;
    let told = eventually("the hit at its owner", || async { Ok(hits(&lab, "mz.prm").await?.pop()) }).await?;
    assert_eq!((&told["state"], &told["facet"]), (&json!("notified"), &json!("plate")));
    // An agency that has the alert too says the same; its scan is a hit of its own report.
    let second = lab.api("tz.tisd", "border", WATCHLIST).await?;
    let again = screen(&second, &scan).await?;
    assert_eq!((&again["verdict"], &again["hits"][0]["repeated"]), (&json!("hit"), &json!(true)));
    // An agency that does not have it sees no more than whom to telephone.
    let stranger = lab.api("tz.dci", "border", WATCHLIST).await?;
    let call = screen(&stranger, &scan).await?;
    assert_eq!(
        (&call["hits"][0]["action"], &call["hits"][0]["case"]),
        (&json!("call"), &Value::Null),
        "{call}"
    );
    assert_eq!(call["hits"][0]["call"]["phone"], "+255700000404");

    // What is only alike waits for a person and is told to nobody.
    let alike = screen(&booth, &plate_at_kilambo("AB0 417 CD")).await?;
    assert_eq!((&alike["verdict"], &alike["hits"][0]["forwarded"]), (&json!("review"), &json!(false)));
    let desk = lab.api("tz.tpf", "officer", WATCHLIST).await?;
    let candidates = items(&desk.get("/v1/candidates?state=review").await?.ok()?);
    ensure!(candidates.len() == 1 && candidates[0]["value"] == "AB0417CD", "{candidates:?}");
    let decided = desk
        .post(
            &format!("/v1/candidates/{}/decision", candidates[0]["id"].as_str().context("an id")?),
            &json!({ "same": false, "reason": "TPF-1" }),
        )
        .await?
        .ok()?;
    assert_eq!(decided["state"], "rejected");

    // Withdrawn: the post no longer stops anybody.
    let supervisor = lab.api("mz.prm", "supervisor", "gateway").await?;
    let case = supervisor.get(&format!("/v1/cases/alert/mz.prm/{id}")).await?.ok()?;
    send(
        &supervisor,
        &json!({
            "type": "alert.withdraw", "status": "exercise", "case": case["case"]["case"], "terms": draft["terms"],
            "body": { "reason": "purpose_achieved" },
        }),
    )
    .await?;
    screened(&booth, &scan, "no_hit").await?;
    // And its owner has that in writing from each of them.
    in_effect(&owner, &id, 2).await?;
    told_no_more_than(&lab, &booth, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_waits_for_a_gateway_that_is_away_and_is_told_once() -> Result<()> {
    let mut lab = lab().await?;
    let owner = lab.officer("mz.prm").await?;
    let booth = lab.api("tz.tpf", "border", WATCHLIST).await?;
    let mut draft = drafts::motorcycle(&["tz.tpf"]);
    draft["body"]["subjects"]["vehicles"][0]["plate"]["number"] = json!("ABD 418 CD");
    let id = send(&owner, &draft).await?;
    lab.hops(&owner, &id, "delivered", 1).await?;
    let scan = plate_at_kilambo("ABD 418 CD");
    // A look at it that reports nothing: nobody is at a crossing.
    let look = json!({ "text": "ABD 418 CD", "kind": "plate", "state": "MOZ", "purpose": { "code": "detection", "reference": "TPF-2" } });
    screened(&booth, &look, "hit").await?;

    let mut gateway = lab.border.tz.take_service("gateway")?;
    gateway.kill();
    let stopped = screen(&booth, &scan).await?;
    assert_eq!((&stopped["verdict"], &stopped["hits"][0]["forwarded"]), (&json!("hit"), &json!(true)));
    // The watchlist is killed with the hit in its store, before anybody could be told.
    lab.border.tz.take_service(WATCHLIST)?.kill();
    lab.border.tz.start_service(WATCHLIST)?;
    lab.border.tz.start_service("gateway")?;
    lab.border.tz.ready("gateway").await?;
    lab.border.tz.ready(WATCHLIST).await?;
    eventually("the hit at its owner", || async { Ok(hits(&lab, "mz.prm").await?.pop()) }).await?;
    let desk = lab.api("tz.tpf", "officer", WATCHLIST).await?;
    let told = eventually("the hit, which the gateway has taken", || async {
        let told = items(&desk.get("/v1/candidates?state=forwarded").await?.ok()?);
        Ok((!told.is_empty()).then_some(told))
    })
    .await?;
    assert_eq!(told.len(), 1, "{told:?}");
    let again = screened(&booth, &scan, "hit").await?;
    assert_eq!(again["hits"][0]["repeated"], true);
    told_no_more_than(&lab, &booth, 1).await
}

/// A letter was misread: a person compares, decides that it is the same, and reports it in their own name.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_decides_that_person_reports() -> Result<()> {
    let lab = lab().await?;
    let owner = lab.officer("mz.prm").await?;
    let booth = lab.api("tz.tpf", "border", WATCHLIST).await?;
    let mut draft = drafts::motorcycle(&["tz.tpf"]);
    draft["body"]["subjects"]["vehicles"][0]["plate"]["number"] = json!("ABD 416 CD");
    let id = send(&owner, &draft).await?;
    lab.hops(&owner, &id, "delivered", 1).await?;
    let alike = screened(&booth, &plate_at_kilambo("AB0 416 CD"), "review").await?;
    let path = format!("/v1/candidates/{}", alike["hits"][0]["id"].as_str().context("an id")?);
    let desk = lab.api("tz.tpf", "officer", WATCHLIST).await?;
    assert_eq!(desk.get(&path).await?.ok()?["notice"], Value::Null, "nobody has decided");
    assert_eq!(booth.get(&path).await?.status, StatusCode::FORBIDDEN, "the second line's");
    let decision = json!({ "same": true, "reason": "TPF-8" });
    let decided = desk.post(&format!("{path}/decision"), &decision).await?.ok()?;
    // The number of the alert, not what the camera made of it: its owner knows that one.
    assert_eq!(decided["notice"]["body"]["matched"], json!({ "kind": "plate", "value": "ABD 416 CD" }));
    let officer = lab.officer("tz.tpf").await?;
    let sent = send(&officer, &decided["notice"]).await?;
    let noted = desk.post(&format!("{path}/notice"), &json!({ "message": sent })).await?.ok()?;
    assert_eq!(
        (&noted["state"], &noted["notice"]),
        (&json!("forwarded"), &Value::Null),
        "nobody reports it again"
    );
    let told = eventually("the hit at its owner", || async { Ok(hits(&lab, "mz.prm").await?.pop()) }).await?;
    assert_eq!((&told["state"], &told["facet"]), (&json!("notified"), &json!("plate")));
    told_no_more_than(&lab, &booth, 1).await
}

/// The watchlist was down when an alert was taken back: once it is up nobody is stopped, and the issuer has that in writing.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_no_watchlist_heard_is_told_after_its_start() -> Result<()> {
    let mut lab = lab().await?;
    let owner = lab.officer("mz.prm").await?;
    let mut draft = drafts::motorcycle(&["tz.tpf"]);
    draft["body"]["subjects"]["vehicles"][0]["plate"]["number"] = json!("ABD 414 CD");
    let id = send(&owner, &draft).await?;
    lab.hops(&owner, &id, "delivered", 1).await?;
    in_effect(&owner, &id, 1).await?;
    lab.border.tz.take_service(WATCHLIST)?.kill();
    let supervisor = lab.api("mz.prm", "supervisor", "gateway").await?;
    let case = supervisor.get(&format!("/v1/cases/alert/mz.prm/{id}")).await?.ok()?;
    let withdraw = json!({
        "type": "alert.withdraw", "status": "exercise", "case": case["case"]["case"], "terms": draft["terms"],
        "body": { "reason": "purpose_achieved" },
    });
    let withdrawal = send(&supervisor, &withdraw).await?;
    lab.hops(&supervisor, &withdrawal, "delivered", 1).await?;
    lab.border.tz.start_watchlist().await?;
    in_effect(&owner, &id, 1).await?;
    let booth = lab.api("tz.tpf", "border", WATCHLIST).await?;
    screened(&booth, &plate_at_kilambo("ABD 414 CD"), "no_hit").await?;
    Ok(())
}

/// What Mozambique looks for is found on its way out of Tanzania: the post on the other bank knows before the ferry is there.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_post_expects_what_was_found_on_its_way_out() -> Result<()> {
    let mut lab = lab().await?;
    lab.border.mz.start_watchlist().await?;
    let owner = lab.officer("mz.prm").await?;
    let booth = lab.api("tz.tpf", "border", WATCHLIST).await?;
    let next = lab.api("mz.prm", "border", WATCHLIST).await?;
    let mut draft = drafts::motorcycle(&["tz.tpf"]);
    draft["body"]["subjects"]["vehicles"][0]["plate"]["number"] = json!("ABD 415 CD");
    let id = send(&owner, &draft).await?;
    lab.hops(&owner, &id, "delivered", 1).await?;
    let expected = || async {
        let shown = next.get("/v1/expected?post=namoto_kilambo").await?.ok()?;
        Ok::<_, anyhow::Error>(items(&shown))
    };
    let mut scan = plate_at_kilambo("ABD 415 CD");
    scan["crossing"]["direction"] = json!("exit");
    assert_eq!(expected().await?, [Value::Null; 0]);
    screened(&booth, &scan, "hit").await?;
    let coming = eventually("what left the other side", || async { Ok(expected().await?.pop()) }).await?;
    assert_eq!(
        (&coming["action"], &coming["hit"]["value"], &coming["hit"]["alert"]["id"]),
        (&json!("seize"), &json!("ABD415CD"), &json!(id))
    );
    // It is here.
    let mut arrival = scan.clone();
    arrival["crossing"]["direction"] = json!("entry");
    screened(&next, &arrival, "hit").await?;
    assert_eq!(expected().await?, [Value::Null; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_screen_and_look_up() -> Result<()> {
    let lab = lab().await?;
    let scan = plate_at_kilambo("T 123 ABC");
    for (role, expected) in [
        ("border", StatusCode::OK),
        ("officer", StatusCode::OK),
        ("analyst", StatusCode::FORBIDDEN),
        ("auditor", StatusCode::FORBIDDEN),
        ("admin", StatusCode::FORBIDDEN),
    ] {
        let api = lab.api("tz.tpf", role, WATCHLIST).await?;
        assert_eq!(api.post("/v1/screen", &scan).await?.status, expected, "{role}");
    }
    let booth = lab.api("tz.tpf", "border", WATCHLIST).await?;
    screened(&booth, &scan, "no_hit").await?;
    let without = booth.post("/v1/screen", &json!({ "text": "T 123 ABC" })).await?;
    assert_eq!((without.status, &without.body["code"]), (StatusCode::FORBIDDEN, &json!("purpose_required")));
    assert_eq!(booth.get("/v1/candidates").await?.status, StatusCode::FORBIDDEN, "the second line's");
    for (text, code) in [("P<UTO\nabc", "mrz_shape"), ("---", "no_number")] {
        let refused =
            booth.post("/v1/screen", &json!({ "text": text, "crossing": scan["crossing"] })).await?;
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(code)));
    }
    let several =
        json!({ "items": [{ "text": "T 123 ABC" }, { "text": "P<UTO\nabc" }], "crossing": scan["crossing"] });
    let several = screen(&booth, &several).await?;
    let verdicts: Vec<Value> = items(&several).into_iter().map(|item| item["verdict"].clone()).collect();
    assert_eq!(verdicts, ["no_hit", "unreadable"]);
    // Every refusal and every look-up is in the audit log.
    let auditor = lab.api("tz.tpf", "auditor", "audit").await?;
    eventually("the refused look-up in the log", || async {
        let events = auditor.get("/v1/events?action=access.refuse").await?.ok()?;
        Ok(items(&events).iter().any(|event| event.to_string().contains("purpose_required")).then_some(()))
    })
    .await
}

/// One supervisor proposes, another approves; until then nothing changes.
#[tokio::test(flavor = "multi_thread")]
async fn two_people_change_a_rule() -> Result<()> {
    let mut lab = lab().await?;
    let owner = lab.officer("mz.prm").await?;
    let booth = lab.api("tz.tpf", "border", WATCHLIST).await?;
    let mut draft = drafts::motorcycle(&["tz.tpf"]);
    draft["body"]["subjects"]["vehicles"][0]["plate"]["number"] = json!("ABD 419 CD");
    let id = send(&owner, &draft).await?;
    lab.hops(&owner, &id, "delivered", 1).await?;
    let (one, other) = (
        lab.api("tz.tpf", "supervisor", WATCHLIST).await?,
        lab.api("tz.tisd", "supervisor", WATCHLIST).await?,
    );
    let change = json!({ "forwards": false, "reason": "TPF-3" });
    let proposed = one.post("/v1/rules/vehicle_exact", &change).await?.ok()?;
    let rule = |rules: &Value| {
        items(rules).into_iter().find(|rule| rule["code"] == "vehicle_exact").context("the rule")
    };
    assert_eq!(
        (&rule(&proposed)?["version"], &rule(&proposed)?["proposal"]["version"]),
        (&json!(1), &json!(2))
    );
    let approval = json!({ "version": 2 });
    let own = one.post("/v1/rules/vehicle_exact/approval", &approval).await?;
    assert_eq!((own.status, &own.body["code"]), (StatusCode::FORBIDDEN, &json!("second_person")));
    let unread = other.post("/v1/rules/vehicle_exact/approval", &json!({ "version": 3 })).await?;
    assert_eq!(unread.body["code"], "nothing_proposed");
    let approved = other.post("/v1/rules/vehicle_exact/approval", &approval).await?.ok()?;
    assert_eq!((&rule(&approved)?["version"], &rule(&approved)?["forwards"]), (&json!(2), &json!(false)));
    for (role, path, body) in [
        ("officer", "/v1/rules/vehicle_exact", &change),
        ("border", "/v1/rules/vehicle_exact", &change),
        ("officer", "/v1/rules/vehicle_exact/approval", &approval),
    ] {
        let refused = lab.api("tz.tpf", role, WATCHLIST).await?.post(path, body).await?;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{role} {path}");
    }
    let never = one.post("/v1/rules/review", &json!({ "forwards": true, "reason": "TPF-4" })).await?;
    assert_eq!(never.status, StatusCode::NOT_FOUND, "what is only alike never forwards");

    // In force at once, and after a restart.
    let stopped = screened(&booth, &plate_at_kilambo("ABD 419 CD"), "hit").await?;
    let found = &stopped["hits"][0];
    assert_eq!((&found["forwarded"], &found["rule_version"]), (&json!(false), &json!(2)));
    assert_eq!(found["not_forwarded"], json!(["rule_off"]));
    lab.border.tz.take_service(WATCHLIST)?.kill();
    lab.border.tz.start_watchlist().await?;
    assert_eq!(rule(&one.get("/v1/rules").await?.ok()?)?["version"], 2);
    // Switched on again, the next one is told, and the one before never was.
    one.post("/v1/rules/vehicle_exact", &json!({ "forwards": true, "reason": "TPF-6" })).await?.ok()?;
    other.post("/v1/rules/vehicle_exact/approval", &json!({ "version": 3 })).await?.ok()?;
    told_no_more_than(&lab, &booth, 0).await
}

/// A traveller whose document is only alike is not stopped again once two people said so, until the alert changes.
#[tokio::test(flavor = "multi_thread")]
async fn an_innocent_traveller_is_known_by_document_and_birth_date() -> Result<()> {
    let lab = lab().await?;
    let owner = lab.officer("mz.prm").await?;
    let booth = lab.api("tz.tpf", "border", WATCHLIST).await?;
    let mut draft: Value =
        serde_json::from_str(include_str!("../../schemas/examples/valid/alert-stolen-passports.json"))?;
    draft["recipients"] = json!(["tz.tpf"]);
    // The traveller's own number has a 6 where the stolen one has a G: their check digits are the same.
    draft["body"]["subjects"]["documents"] =
        json!([{ "type": "passport", "issuer": "TZA", "status": "stolen", "number": "TG1234567" }]);
    let id = send(&owner, &draft).await?;
    lab.hops(&owner, &id, "delivered", 1).await?;
    let scan = |number: &str| {
        json!({
            "text": zone(number), "kind": "mrz", "source": "reader",
            "crossing": { "post": "namoto_kilambo", "direction": "exit" },
        })
    };
    let alike = screened(&booth, &scan("T61234567"), "review").await?;
    let candidate = alike["hits"][0]["id"].as_str().context("an id")?.to_owned();
    let officer = lab.api("tz.tpf", "officer", WATCHLIST).await?;
    let decision = json!({ "same": false, "innocent": true, "reason": "TPF-5" });
    officer.post(&format!("/v1/candidates/{candidate}/decision"), &decision).await?.ok()?;
    assert_eq!(screen(&booth, &scan("T61234567")).await?["verdict"], "review", "one person has said so");
    let approval = format!("/v1/innocents/{candidate}/approval");
    let own = officer.post(&approval, &json!({})).await?;
    assert_eq!(own.body["code"], "second_person");
    let supervisor = lab.api("tz.tpf", "supervisor", WATCHLIST).await?;
    assert_eq!(supervisor.post(&approval, &json!({})).await?.status, StatusCode::NO_CONTENT);
    let known = screen(&booth, &scan("T61234567")).await?;
    assert_eq!(known["verdict"], "no_hit");
    assert_eq!(known["understood"]["warnings"], json!(["known_innocent"]));
    // Somebody else with the same number but another birth date, and the stolen document itself, are not this traveller.
    assert_eq!(screen(&booth, &scan("TG1234567")).await?["verdict"], "hit");
    let other = scan("T61234567").to_string().replace("851201", "850101");
    assert_eq!(screen(&booth, &serde_json::from_str(&other)?).await?["verdict"], "review");
    Ok(())
}
