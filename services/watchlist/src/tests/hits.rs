//! What is found at a crossing: who is told, what waits, what repeats join, and what is known afterwards.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use rovuma_api::answers::gateway::{ScreenedAlert, ScreenedIdentifier, ScreenedSubject};
use rovuma_schemas::{AgencyCode, CaseId, MessageId, mrz::check_digit};
use rovuma_store::FutureExt;
use serde_json::{Value, json};

use super::support::Bench;
use crate::{
    alerts, crossed,
    hits::{self, Forwarding},
    retention,
};

/// A Mozambican passport in an alert of `tz.tpf`.
pub(super) fn alert(id: MessageId, number: &str) -> ScreenedAlert {
    ScreenedAlert {
        case: CaseId { kind: "alert".to_owned(), owner: agency("tz.tpf"), id },
        state: "active".to_owned(),
        short_reference: Some("AB12CD7".to_owned()),
        status: Some("actual".to_owned()),
        version: 1,
        handling: Some("H0".to_owned()),
        category: Some("document".to_owned()),
        actions: vec!["seize".to_owned()],
        warnings: vec!["armed".to_owned()],
        ends: None,
        confirm_by: None,
        flagged_reason: None,
        subjects: vec![ScreenedSubject {
            kind: "document".to_owned(),
            identifiers: vec![ScreenedIdentifier {
                kind: "document".to_owned(),
                value: number.to_owned(),
                qualifier: Some("MOZ".to_owned()),
                document_type: Some("passport".to_owned()),
                ..ScreenedIdentifier::default()
            }],
            ..ScreenedSubject::default()
        }],
    }
}

/// The zone of a Mozambican passport with this number of nine characters (ICAO Doc 9303 part 4).
fn zone(number: &str) -> String {
    let digit = |field: &str| check_digit(field).map(String::from).unwrap_or_default();
    let counted = [number, "850703", "310630"].map(|field| format!("{field}{}", digit(field)));
    let [number, birth, expiry] = counted;
    let optional = "<".repeat(15);
    let composite = digit(&format!("{number}{birth}{expiry}{optional}"));
    format!("{:<<44}\n{number}MOZ{birth}M{expiry}{optional}{composite}", "P<MOZMUCA<<JOAO")
}

fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency")
}

impl Bench {
    /// What an agency's gateway says of alerts.
    pub(super) async fn told(&self, code: &str, alerts: Vec<ScreenedAlert>) {
        alerts::take(&self.watchlist, &agency(code), alerts).await.expect("stored");
    }

    pub(super) fn draw(&self) -> MessageId {
        MessageId::draw(self.now())
    }

    /// What a person of `mz.prm` with this role gets for a body.
    pub(super) async fn post(
        &self,
        (subject, role): (&str, &str),
        path: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(&self.person(subject, &[role]), request, Body::from(body.to_string())).await
    }

    /// Screens what a reader read at a crossing.
    async fn scan_text(&self, text: &str) -> Value {
        let scan = json!({
            "text": text, "kind": "mrz", "source": "reader",
            "crossing": { "post": "namoto_kilambo", "direction": "entry" },
        });
        let (status, body) = self.post(("officer-1", "border_officer"), "/v1/screen", &scan).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Screens the passport with this number.
    async fn scan_zone(&self, number: &str) -> Value {
        self.scan_text(&zone(number)).await
    }

    pub(super) async fn get(&self, (subject, role): (&str, &str), path: &str) -> Value {
        let (status, body) =
            self.send(&self.person(subject, &[role]), Request::get(path), Body::empty()).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// The number of hits that wait for the gateway.
    pub(super) async fn queued(&self) -> usize {
        let mut conn = self.watchlist.store.read().acquire().await.expect("reads");
        hits::due(&mut conn, &self.watchlist.at_rest, self.now(), 100).await.expect("reads").len()
    }
}

pub(super) const OFFICER: (&str, &str) = ("officer-2", "liaison_officer");

#[tokio::test]
async fn each_agencys_view_of_an_alert_counts() {
    let bench = Bench::new().await;
    let id = bench.draw();
    bench.told("mz.prm", vec![alert(id, "AB100001")]).await;
    bench.told("mz.sernic", vec![ScreenedAlert { version: 2, ..alert(id, "AB100002") }]).await;
    // The newest content counts, whoever has it, and it is one hit.
    assert_eq!(bench.verdict("AB100001").await, "no_hit");
    assert_eq!(bench.screen("AB100002").await["hits"].as_array().map(Vec::len), Some(1));
    // One agency has not got the extension: for it the alert is over, and not for the other.
    bench.told("mz.prm", vec![ScreenedAlert { state: "expired".to_owned(), ..alert(id, "AB100001") }]).await;
    assert_eq!(bench.verdict("AB100002").await, "hit");
    // A flag that one of them has counts for all.
    let flagged = ScreenedAlert { flagged_reason: Some("national_law".to_owned()), ..alert(id, "AB100002") };
    bench.told("mz.prm", vec![flagged]).await;
    let hit = bench.screen("AB100002").await["hits"][0].clone();
    assert_eq!(
        (&hit["action"], &hit["flagged"], &hit["forwarded"]),
        (&json!("locate"), &json!("national_law"), &json!(false))
    );
    // A withdrawal ends it for all, whoever hears of it.
    bench
        .told("mz.sernic", vec![ScreenedAlert { state: "withdrawn".to_owned(), ..alert(id, "AB100002") }])
        .await;
    assert_eq!(bench.verdict("AB100002").await, "no_hit");
    assert_eq!(bench.rows("entry").await, 0);
    let bench = bench.restarted().await;
    assert_eq!(bench.verdict("AB100002").await, "no_hit");
}

/// One agency has the withdrawal, and another's copy of it is on its way: nobody screens for it, whatever the other's gateway says.
#[tokio::test]
async fn what_one_agency_knows_to_be_withdrawn_no_other_brings_back() {
    let bench = Bench::new().await;
    let id = bench.draw();
    let withdrawn = ScreenedAlert { state: "withdrawn".to_owned(), ..alert(id, "AB100003") };
    bench.told("mz.prm", vec![alert(id, "AB100003")]).await;
    bench.told("mz.sernic", vec![alert(id, "AB100003")]).await;
    bench.told("mz.prm", vec![withdrawn]).await;
    for bench in [bench.restarted().await] {
        bench.told("mz.sernic", vec![alert(id, "AB100003")]).await;
        assert_eq!(bench.verdict("AB100003").await, "no_hit");
        // Nor does the gateway of the first, whose store was put back from an older copy.
        bench.told("mz.prm", vec![alert(id, "AB100003")]).await;
        assert_eq!(bench.verdict("AB100003").await, "no_hit");
    }
}

#[tokio::test]
async fn a_repeat_joins_within_six_hours_of_the_first_and_never_what_was_decided() {
    let bench = Bench::new().await;
    bench.told("mz.prm", vec![alert(bench.draw(), "AB100001")]).await;
    let first = bench.screen("AB100001").await["hits"][0].clone();
    assert_eq!((&first["forwarded"], &first["repeated"]), (&json!(true), &json!(false)));
    bench.clock.advance(Duration::from_secs(5 * 60 * 60));
    let again = bench.screen("AB100001").await["hits"][0].clone();
    assert_eq!((&again["id"], &again["repeated"]), (&first["id"], &json!(true)));
    // Counted from the first, not from the last: a number that is scanned every five hours is not told once and never again.
    bench.clock.advance(Duration::from_secs(2 * 60 * 60));
    let later = bench.screen("AB100001").await["hits"][0].clone();
    assert_ne!(later["id"], first["id"]);
    assert_eq!(bench.queued().await, 2);

    // What a person rejected is over: the next scan is looked at again.
    let alike = bench.screen("A8100001").await["hits"][0].clone();
    assert_eq!(alike["rule"], "review");
    let decision = json!({ "same": false, "reason": "FILE-1" });
    let path = format!("/v1/candidates/{}/decision", alike["id"].as_str().expect("an id"));
    assert_eq!(bench.post(OFFICER, &path, &decision).await.0, 200);
    assert_eq!(bench.post(OFFICER, &path, &decision).await.1["code"], "decided_already");
    bench.clock.advance(Duration::from_secs(60));
    let next = bench.screen("A8100001").await["hits"][0].clone();
    assert_eq!((next["id"] == alike["id"], &next["repeated"]), (false, &json!(false)));
}

/// Whoever goes through a list of plates with somebody's token is stopped; a post goes on.
#[tokio::test]
async fn one_person_looks_up_so_much_in_an_hour_and_no_more() {
    let bench = Bench::new().await;
    let items = vec![json!({ "text": "AB100001" }); 100];
    let purpose = json!({ "code": "detection", "reference": "FILE-1" });
    let look = json!({ "items": items, "purpose": purpose });
    for _ in 0..3 {
        assert_eq!(bench.post(OFFICER, "/v1/screen", &look).await.0, 200);
    }
    let (status, refused) = bench.post(OFFICER, "/v1/screen", &look).await;
    assert_eq!((status.as_u16(), &refused["code"]), (429, &json!("too_many_lookups")));
    let one = json!({ "text": "AB100001", "purpose": purpose });
    assert_eq!(bench.post(OFFICER, "/v1/screen", &one).await.0, 429);
    // Others go on, and so does whoever stands at a crossing.
    assert_eq!(bench.post(("officer-3", "liaison_officer"), "/v1/screen", &one).await.0, 200);
    let crossing = json!({ "post": "namoto_kilambo", "direction": "entry" });
    let scan = json!({ "text": "AB100001", "crossing": crossing });
    assert_eq!(bench.post(OFFICER, "/v1/screen", &scan).await.0, 200);
    bench.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(bench.post(OFFICER, "/v1/screen", &one).await.0, 200, "in the next hour");
}

#[tokio::test]
async fn a_machine_confirms_nothing() {
    let bench = Bench::new().await;
    bench.told("mz.prm", vec![alert(bench.draw(), "AB100001")]).await;
    let scan = json!({
        "text": "AB100001", "kind": "document", "state": "MOZ", "document_type": "passport", "confirmed": true,
        "crossing": { "post": "namoto_kilambo", "direction": "entry" },
    });
    let request = Request::post("/v1/screen").header("content-type", "application/json");
    let token = bench.machine("mz.prm.post", &["agency_system"]);
    let (status, answer) = bench.send(&token, request, Body::from(scan.to_string())).await;
    assert_eq!((status, &answer["verdict"]), (StatusCode::OK, &json!("review")), "{answer}");
    let reasons = &answer["hits"][0]["not_forwarded"];
    assert!(reasons.as_array().expect("reasons").contains(&json!("unconfirmed")), "{reasons}");
    assert_eq!(bench.queued().await, 0);
}

/// What another agency has, and what is under H3, is a telephone number and one's own safety.
#[tokio::test]
async fn what_an_officer_may_not_see_is_no_more_than_call() {
    let bench = Bench::new().await;
    bench.told("mz.sernic", vec![alert(bench.draw(), "AB100001")]).await;
    bench
        .told(
            "mz.prm",
            vec![ScreenedAlert { handling: Some("H3".to_owned()), ..alert(bench.draw(), "AB100002") }],
        )
        .await;
    for number in ["AB100001", "AB100002"] {
        let hit = bench.screen(number).await["hits"][0].clone();
        let mut seen = hit.as_object().expect("an object").clone();
        seen.remove("id");
        assert_eq!(
            Value::Object(seen),
            json!({
                "action": "call", "warnings": ["armed"], "status": "actual", "call": { "name": "Desk", "phone": "+258 82 000 0000" },
                "reference": "", "list": "", "rule": "", "rule_version": 0, "score": 0.0, "actions": [], "forwarded": false,
                "not_forwarded": [], "possible_misuse": false, "retroactive": false, "repeated": false, "explanation": [],
            }),
            "{number}"
        );
    }
    // It is told all the same: the booth only does not see it.
    assert_eq!(bench.queued().await, 2);
}

#[tokio::test]
async fn a_discreet_check_is_in_the_second_lines_list_and_nowhere_at_the_booth() {
    let bench = Bench::new().await;
    let unlisted = bench.screen("AB100009").await;
    let discreet = ScreenedAlert {
        category: Some("person_check".to_owned()),
        actions: vec!["check_discreetly".to_owned()],
        ..alert(bench.draw(), "AB100001")
    };
    bench.told("mz.prm", vec![discreet]).await;
    let mut listed = bench.screen("AB100001").await;
    let mut unlisted = unlisted;
    for answer in [&mut listed, &mut unlisted] {
        answer["understood"]["fields"]["number"] = Value::Null;
        // The list has changed; that it has is no secret.
        answer["lists"] = Value::Null;
    }
    assert_eq!(listed, unlisted, "the booth sees what it sees of an unlisted document");
    let seen = bench.get(OFFICER, "/v1/candidates").await;
    assert_eq!(
        (&seen["items"][0]["discreet"], &seen["items"][0]["value"]),
        (&json!(true), &json!("AB100001"))
    );
    assert_eq!(bench.queued().await, 1, "its owner is told");
}

#[tokio::test]
async fn an_alert_that_comes_later_says_who_is_through_already() {
    let bench = Bench::new().await;
    assert_eq!(bench.verdict("AB100001").await, "no_hit");
    let kept = sqlx::query("SELECT seen FROM crossed").fetch_one(bench.watchlist.store.read()).await;
    let seen: String = sqlx::Row::get(&kept.expect("a crossing"), "seen");
    assert!(seen.contains("AB100001") && !seen.contains("holder"), "{seen}");
    bench.clock.advance(Duration::from_secs(30 * 60));
    bench.told("mz.prm", vec![alert(bench.draw(), "AB100001")]).await;
    let found = bench.get(OFFICER, "/v1/candidates?state=review").await["items"].clone();
    // A typed number was compared by nobody who could be asked again: a person decides.
    assert_eq!(
        (&found[0]["hit"]["retroactive"], &found[0]["found_at"]),
        (&json!(true), &json!("2026-11-30T08:00:00Z"))
    );
    // Nothing is remembered of somebody who asks for protection, nor longer than the configuration says.
    let asks = json!({
        "text": "AB100005", "kind": "document", "state": "MOZ",
        "crossing": { "post": "namoto_kilambo", "direction": "entry", "asks_protection": true },
    });
    bench.post(("officer-1", "border_officer"), "/v1/screen", &asks).await;
    assert_eq!(bench.rows("crossed").await, 1);
    bench.clock.advance(Duration::from_secs(24 * 60 * 60));
    bench.told("mz.prm", vec![alert(bench.draw(), "AB100001")]).await;
    assert_eq!(
        bench.get(OFFICER, "/v1/candidates?state=review").await["items"].as_array().map(Vec::len),
        Some(1)
    );
}

/// A crossing ten hours ago, found in the alert as each of two agencies has it, is one hit and told once.
#[tokio::test]
async fn what_is_found_afterwards_is_found_once() {
    let bench = Bench::new().await;
    let zone = bench.scan_zone("AB1000017").await;
    assert_eq!(zone["verdict"], "no_hit");
    bench.clock.advance(Duration::from_secs(10 * 60 * 60));
    let found = alert(bench.draw(), "AB1000017");
    bench.told("mz.prm", vec![found.clone()]).await;
    bench.told("mz.sernic", vec![found.clone()]).await;
    assert_eq!((bench.rows("hit").await, bench.queued().await), (1, 1));
    // A version that lists another number looks back for that one, and not again for the first.
    assert_eq!(bench.scan_zone("AB1000025").await["verdict"], "no_hit");
    let mut more = ScreenedAlert { version: 2, ..found };
    let mut other = more.subjects[0].clone();
    other.identifiers[0].value = "AB1000025".to_owned();
    more.subjects.push(other);
    bench.told("mz.prm", vec![more]).await;
    assert_eq!(bench.rows("hit").await, 2);
}

/// The service was killed when an alert had come, and before it was known who crossed before: it is looked for at the next start.
#[tokio::test]
async fn what_was_not_looked_for_when_the_service_was_killed_is_looked_for_at_its_start() {
    let bench = Bench::new().await;
    assert_eq!(bench.scan_zone("AB1000017").await["verdict"], "no_hit");
    bench.clock.advance(Duration::from_secs(60 * 60));
    bench.told("mz.prm", vec![alert(bench.draw(), "AB1000017")]).await;
    assert_eq!((bench.rows("hit").await, bench.rows("to_look_back").await), (1, 0));
    let write = bench.watchlist.store.write(|tx| {
        async move {
            sqlx::query("DELETE FROM hit").execute(&mut *tx).await?;
            let again = "INSERT INTO to_look_back (no, times, before) SELECT no, 1, NULL FROM entry";
            sqlx::query(again).execute(tx).await.map(|_| ())
        }
        .boxed()
    });
    write.await.expect("written");
    let bench = bench.restarted().await;
    crossed::look_back(&bench.watchlist).await.expect("looked");
    assert_eq!((bench.rows("hit").await, bench.rows("to_look_back").await), (1, 0));
}

/// A camera's plate that nobody compared is not certain afterwards either; and whoever asks for protection at a post is forgotten at all.
#[tokio::test]
async fn what_was_uncertain_at_the_crossing_stays_so_and_protection_reaches_back() {
    let bench = Bench::new().await;
    let scan = |plate: &str, source: &str, asks: bool| {
        json!({
            "text": plate, "kind": "plate", "state": "TZA", "source": source,
            "crossing": { "post": "namoto_kilambo", "direction": "entry", "asks_protection": asks },
        })
    };
    let border = ("officer-1", "border_officer");
    for (plate, source, told) in [("MC 417 EXB", "camera", 0), ("MC 418 EXB", "typed", 1)] {
        let crossed = bench.post(border, "/v1/screen", &scan(plate, source, false)).await;
        assert_eq!(crossed.1["verdict"], "no_hit");
        let mut listed = alert(bench.draw(), plate);
        let identifier = &mut listed.subjects[0].identifiers[0];
        (identifier.kind, identifier.qualifier, identifier.document_type) =
            ("plate".to_owned(), Some("TZA".to_owned()), None);
        bench.told("mz.prm", vec![listed]).await;
        assert_eq!(bench.queued().await, told, "{source}");
    }
    assert_eq!(bench.rows("crossed").await, 2);
    bench.post(border, "/v1/screen", &scan("MC 417 EXB", "camera", true)).await;
    assert_eq!(bench.rows("crossed").await, 1);
}

/// A check digit says that the number was misread: nothing is known, and a discreet check looks the same.
#[tokio::test]
async fn a_misread_document_is_no_no_hit() {
    let bench = Bench::new().await;
    let misread = bench.scan_zone("AB1000017").await;
    assert_eq!(misread["verdict"], "no_hit");
    let smudged = bench.scan_text(&zone("AB1000017").replace("AB1000017", "AB1000019")).await;
    assert_eq!(smudged["verdict"], "incomplete", "{smudged}");
    let discreet = ScreenedAlert {
        category: Some("person_check".to_owned()),
        actions: vec!["check_discreetly".to_owned()],
        ..alert(bench.draw(), "AB1000019")
    };
    bench.told("mz.prm", vec![discreet]).await;
    let again = bench.scan_text(&zone("AB1000017").replace("AB1000017", "AB1000019")).await;
    assert_eq!((&again["verdict"], &again["hits"]), (&json!("incomplete"), &json!([])));
}

/// What the gateway has signed is written down, though somebody asked for protection while it was asked; what it refused is not.
#[tokio::test]
async fn what_was_told_is_told_whatever_came_meanwhile() {
    let bench = Bench::new().await;
    let message = bench.draw();
    for (number, outcome, state) in [
        ("AB100001", Forwarding::Taken(message), "forwarded"),
        ("AB100002", Forwarding::Refused("not_in_alert".to_owned()), "kept"),
    ] {
        bench.told("mz.prm", vec![alert(bench.draw(), number)]).await;
        let id: MessageId =
            bench.screen(number).await["hits"][0]["id"].as_str().expect("an id").parse().expect("an id");
        let asks = json!({
            "text": number, "kind": "document", "state": "MOZ", "document_type": "passport", "confirmed": true,
            "crossing": { "post": "namoto_kilambo", "direction": "entry", "asks_protection": true },
        });
        bench.post(("officer-1", "border_officer"), "/v1/screen", &asks).await;
        let write = bench
            .watchlist
            .store
            .write(move |tx| async move { hits::forwarded(tx, id, &outcome).await }.boxed());
        assert_eq!(write.await.expect("written"), state == "forwarded");
        let seen = bench.get(OFFICER, &format!("/v1/candidates?state={state}")).await;
        let seen = seen["items"].as_array().expect("items").iter().find(|item| item["id"] == id.to_string());
        let seen = seen.unwrap_or_else(|| panic!("{number} is not {state}"));
        assert_eq!(seen["hit"]["forwarded"], state == "forwarded", "{seen}");
    }
    // What is told here alone is in the list that the second line opens.
    let open = bench.get(OFFICER, "/v1/candidates").await;
    assert!(open["items"].as_array().expect("items").iter().any(|item| item["state"] == "kept"), "{open}");
}

#[tokio::test]
async fn nothing_is_kept_of_a_traveller_beyond_need() {
    let bench = Bench::new().await;
    bench.told("mz.prm", vec![alert(bench.draw(), "AB100001O")]).await;
    let alike = bench.scan_zone("AB1000010").await;
    let path = format!("/v1/candidates/{}/decision", alike["hits"][0]["id"].as_str().expect("an id"));
    let both = json!({ "same": true, "innocent": true, "reason": "FILE-1" });
    assert_eq!(bench.post(OFFICER, &path, &both).await.1["code"], "body_faulty");
    let innocent = json!({ "same": false, "innocent": true, "reason": "FILE-1" });
    assert_eq!(bench.post(OFFICER, &path, &innocent).await.0, 200);
    assert_eq!((bench.rows("innocent").await, bench.rows("crossed").await), (1, 1));
    for (days, hits, innocents) in [(1, 1, 1), (30, 0, 1), (335, 0, 0)] {
        bench.clock.advance(Duration::from_secs(days * 24 * 60 * 60));
        retention::prune(&bench.watchlist, bench.now()).await.expect("removed");
        let kept = (bench.rows("hit").await, bench.rows("innocent").await, bench.rows("crossed").await);
        assert_eq!(kept, (hits, innocents, 0), "after {days} days more");
    }
}

#[tokio::test]
async fn a_state_that_is_misspelt_is_refused() {
    let bench = Bench::new().await;
    for state in ["MZ", "moz", "XYZ"] {
        let scan = json!({ "text": "AB100001", "state": state, "crossing": { "post": "namoto_kilambo", "direction": "entry" } });
        let (status, body) = bench.post(("officer-1", "border_officer"), "/v1/screen", &scan).await;
        assert_eq!((status.as_u16(), &body["code"]), (422, &json!("body_faulty")), "{state}");
    }
}

/// A list that is missing, loading or stale is named, and then there is no "no hit"; what is listed elsewhere is a hit all the same.
#[tokio::test]
async fn api_list_missing_and_api_reload_state() {
    let bench = Bench::new().await;
    bench.told("mz.prm", vec![alert(bench.draw(), "AB100001")]).await;
    let of_sernic = crate::standings::alerts_of(&agency("mz.sernic"));
    let state = |answer: &Value| {
        let lists = answer["lists"].as_array().cloned().unwrap_or_default();
        lists.into_iter().find(|list| list["id"] == of_sernic.as_str()).unwrap_or_default()
    };
    assert_eq!(bench.verdict("AB100009").await, "no_hit");
    for (expected, change) in [
        ("loading", (|list| list.is_loading = true) as fn(&mut crate::standings::ListStanding)),
        ("missing", |list| (list.is_loading, list.loaded_at) = (false, None)),
    ] {
        bench.watchlist.lists.update(&of_sernic, change);
        let answer = bench.screen("AB100009").await;
        let list = state(&answer);
        assert_eq!(
            (&answer["verdict"], &list["state"]),
            (&json!("incomplete"), &json!(expected)),
            "{answer}"
        );
        assert!(list["version"].is_number(), "{list}");
        assert_eq!(bench.verdict("AB100001").await, "hit");
    }
    let loaded = Some(bench.now());
    bench.watchlist.lists.update(&of_sernic, |list| list.loaded_at = loaded);
    assert_eq!(bench.verdict("AB100009").await, "no_hit");
    bench.clock.advance(Duration::from_secs(366 * 24 * 60 * 60));
    let answer = bench.screen("AB100009").await;
    assert_eq!((&answer["verdict"], &state(&answer)["state"]), (&json!("incomplete"), &json!("stale")));
    assert_eq!(state(&answer)["age_s"], 366 * 24 * 60 * 60);
}
