//! What a person decides, who asks for protection, and what is told of it.

use std::time::Duration;

use axum::http::StatusCode;
use rovuma_api::answers::gateway::ScreenedAlert;
use rovuma_runtime::Shutdown;
use rovuma_schemas::MessageId;
use rovuma_store::FutureExt;
use serde_json::{Value, json};

use super::{
    hits::{OFFICER, alert},
    support::Bench,
};
use crate::{forward, hits::Forwarding};

/// What a person decides to be the same has a draft, unless it must not be told to another state.
#[tokio::test]
async fn what_is_decided_to_be_the_same_can_be_reported() {
    let bench = Bench::new().await;
    let flag =
        |alert: ScreenedAlert| ScreenedAlert { flagged_reason: Some("national_law".to_owned()), ..alert };
    for (place, asks, flagged, is_reported) in [
        (0, None, false, true),
        (1, Some("before"), false, false),
        (2, Some("after"), false, false),
        (3, None, true, false),
        // Asked for when the passport was scanned again, and nobody had decided yet.
        (4, Some("between"), false, false),
        // Asked for when it was scanned again, and read rightly this time.
        (5, Some("read_rightly"), false, false),
    ] {
        let (listed, read) = (format!("AB10000O{place}"), format!("AB1000O0{place}"));
        let listed_alert = alert(bench.draw(), &listed);
        bench.told("mz.prm", vec![if flagged { flag(listed_alert) } else { listed_alert }]).await;
        let scan = |asks: bool| {
            json!({
                "text": read, "kind": "document", "state": "MOZ", "document_type": "passport", "confirmed": true,
                "crossing": { "post": "namoto_kilambo", "direction": "exit", "asks_protection": asks },
            })
        };
        let booth = ("officer-1", "border_officer");
        let (_, screening) = bench.post(booth, "/v1/screen", &scan(asks == Some("before"))).await;
        let path = format!("/v1/candidates/{}", screening["hits"][0]["id"].as_str().expect("an id"));
        assert_eq!(bench.get(OFFICER, &path).await["notice"], Value::Null, "nobody has decided");
        if asks == Some("between") {
            let (_, again) = bench.post(booth, "/v1/screen", &scan(true)).await;
            assert_eq!(again["hits"][0]["repeated"], true, "{again}");
        }
        if asks == Some("read_rightly") {
            let right = json!(scan(true).to_string().replace(&read, &listed));
            let right: Value = serde_json::from_str(right.as_str().expect("a text")).expect("JSON");
            let (_, again) = bench.post(booth, "/v1/screen", &right).await;
            assert_eq!(again["hits"][0]["not_forwarded"], json!(["protection"]), "{again}");
        }
        let decision = json!({ "same": true, "reason": "FILE-1" });
        let (status, decided) = bench.post(OFFICER, &format!("{path}/decision"), &decision).await;
        assert_eq!((status, &decided["state"]), (StatusCode::OK, &json!("confirmed")), "{decided}");
        if asks == Some("after") {
            bench.post(booth, "/v1/screen", &scan(true)).await;
        }
        let shown = bench.get(OFFICER, &path).await;
        assert_eq!(shown["notice"].is_object(), is_reported, "{place}: {shown}");
        if is_reported {
            let body = &shown["notice"]["body"];
            assert_eq!(
                (&body["matched"]["value"], &body["rule"]["code"]),
                (&json!(listed), &json!("review"))
            );
            assert_eq!((&body["direction"], &body["encounter"]), (&json!("exit"), &screening["encounter"]));
        }
    }
}

#[tokio::test]
async fn whoever_asks_for_protection_stops_what_waits() {
    let bench = Bench::new().await;
    bench.told("mz.prm", vec![alert(bench.draw(), "AB100001")]).await;
    assert_eq!(bench.screen("AB100001").await["hits"][0]["forwarded"], true);
    assert_eq!(bench.queued().await, 1);
    let scan = |post: &str, asks: bool| {
        json!({
            "text": "AB100001", "kind": "document", "state": "MOZ", "document_type": "passport", "confirmed": true,
            "crossing": { "post": post, "direction": "entry", "asks_protection": asks },
        })
    };
    let border = ("officer-1", "border_officer");
    let (_, protected) = bench.post(border, "/v1/screen", &scan("negomano_mtambaswala", true)).await;
    assert_eq!(protected["hits"][0]["not_forwarded"], json!(["protection"]));
    assert_eq!(bench.queued().await, 0, "nobody is told what waited");
    // Nor is anybody told at the next post, where nobody ticked it.
    let (_, elsewhere) = bench.post(border, "/v1/screen", &scan("namoto_kilambo", false)).await;
    assert_eq!(elsewhere["hits"][0]["forwarded"], false);
    assert_eq!(bench.queued().await, 0);
}

/// A flag that comes when it is found already keeps a person's notice back as it does the machine's.
#[tokio::test]
async fn a_flag_that_comes_later_keeps_the_notice_back() {
    let bench = Bench::new().await;
    let listed = alert(bench.draw(), "AB10000O0");
    bench.told("mz.prm", vec![listed.clone()]).await;
    let alike = bench.screen("AB1000O00").await["hits"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/candidates/{alike}");
    let decision = json!({ "same": true, "reason": "FILE-1" });
    let (_, decided) = bench.post(OFFICER, &format!("{path}/decision"), &decision).await;
    assert!(decided["notice"].is_object(), "{decided}");
    bench
        .told("mz.sernic", vec![ScreenedAlert { flagged_reason: Some("national_law".to_owned()), ..listed }])
        .await;
    assert_eq!(bench.get(OFFICER, &path).await["notice"], Value::Null);
}

/// Once somebody has reported it nobody is offered the notice again; and until then it is the same on every day.
#[tokio::test]
async fn what_was_reported_is_offered_to_nobody_else() {
    let bench = Bench::new().await;
    bench.told("mz.prm", vec![alert(bench.draw(), "AB10000O0")]).await;
    let alike = bench.screen("AB1000O00").await["hits"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/candidates/{alike}");
    let (message, other) = (bench.draw(), bench.draw());
    let noted = async |message: MessageId| {
        bench.post(OFFICER, &format!("{path}/notice"), &json!({ "message": message })).await
    };
    assert_eq!(noted(message).await.1["code"], "not_confirmed");
    let decision = json!({ "same": true, "reason": "FILE-1" });
    let (_, decided) = bench.post(OFFICER, &format!("{path}/decision"), &decision).await;
    bench.clock.advance(Duration::from_secs(26 * 60 * 60));
    assert_eq!(bench.get(OFFICER, &path).await["notice"], decided["notice"], "the same tomorrow");
    let booth = ("officer-1", "border_officer");
    assert_eq!(bench.post(booth, &format!("{path}/notice"), &json!({ "message": message })).await.0, 403);
    for _ in 0..2 {
        let (status, reported) = noted(message).await;
        assert_eq!((status, &reported["state"]), (StatusCode::OK, &json!("forwarded")), "{reported}");
        assert_eq!((&reported["message"], &reported["notice"]), (&json!(message), &Value::Null));
    }
    assert_eq!(noted(other).await.1["code"], "reported_already");
    assert_eq!(bench.get(OFFICER, &path).await["notice"], Value::Null);
}

/// One row that does not read back hides no other, and a person sees that there is one.
#[tokio::test]
async fn a_damaged_hit_hides_no_other() {
    let bench = Bench::new().await;
    bench.told("mz.prm", vec![alert(bench.draw(), "AB10000O0"), alert(bench.draw(), "AB20000O0")]).await;
    let damaged = bench.screen("AB1000O00").await["hits"][0]["id"].clone();
    bench.clock.advance(Duration::from_secs(1));
    let other = bench.screen("AB2000O00").await["hits"][0]["id"].clone();
    let id: MessageId = damaged.as_str().expect("an id").parse().expect("an id");
    let write = bench.watchlist.store.write(move |tx| {
        async move {
            let damage = sqlx::query("UPDATE hit SET body = 'x' WHERE id = $1").bind(id.as_bytes().to_vec());
            damage.execute(tx).await.map(|_| ())
        }
        .boxed()
    });
    write.await.expect("written");
    let shown = bench.get(OFFICER, "/v1/candidates").await;
    let items = shown["items"].as_array().expect("items");
    assert_eq!((items.len(), &items[0]["id"], &items[1]["id"]), (2, &other, &damaged), "{shown}");
    assert_eq!((&items[1]["refusal"], &items[1]["hit"]["action"]), (&json!("damaged"), &json!("call")));
}

/// Somebody whose number is only alike asked for protection, and a person said that it is somebody else: the listed document is told all the same.
#[tokio::test]
async fn a_stranger_who_asks_for_protection_does_not_silence_the_listed_document() {
    let bench = Bench::new().await;
    bench.told("mz.prm", vec![alert(bench.draw(), "AB10000O0")]).await;
    let scan = json!({
        "text": "AB1000O00", "kind": "document", "state": "MOZ", "document_type": "passport", "confirmed": true,
        "crossing": { "post": "namoto_kilambo", "direction": "entry", "asks_protection": true },
    });
    let (_, alike) = bench.post(("officer-1", "border_officer"), "/v1/screen", &scan).await;
    // Until a person has looked, the doubt is theirs.
    assert_eq!(bench.screen("AB10000O0").await["hits"][0]["forwarded"], false);
    let path = format!("/v1/candidates/{}/decision", alike["hits"][0]["id"].as_str().expect("an id"));
    let decision = json!({ "same": false, "reason": "FILE-1" });
    assert_eq!(bench.post(OFFICER, &path, &decision).await.0, 200);
    bench.clock.advance(Duration::from_secs(7 * 60 * 60));
    assert_eq!(bench.screen("AB10000O0").await["hits"][0]["forwarded"], true);
}

impl Bench {
    /// Changes a rule, as two people.
    async fn rule_forwards(&self, forwards: bool) {
        let change = json!({ "forwards": forwards, "reason": "FILE-1" });
        let path = "/v1/rules/document_exact";
        let (status, rules) = self.post(("supervisor-1", "supervisor"), path, &change).await;
        assert_eq!(status, 200, "{rules}");
        let rows = rules["items"].as_array().expect("rules");
        let rule = rows.iter().find(|rule| rule["code"] == "document_exact").expect("the rule");
        let approval = json!({ "version": rule["proposal"]["version"] });
        let approved =
            self.post(("supervisor-2", "supervisor"), &format!("{path}/approval"), &approval).await;
        assert_eq!(approved.0, 200, "{}", approved.1);
    }

    /// Lets the service try to forward what waits, to a gateway that is not there, and returns the state of the only hit.
    async fn tried(&self) -> (String, Value) {
        self.clock.advance(Duration::from_secs(60));
        forward::round(&self.watchlist, &Shutdown::new()).await.expect("tried");
        let row = sqlx::query_as("SELECT state, refusal FROM hit").fetch_one(self.watchlist.store.read());
        let (state, refusal): (String, Option<String>) = row.await.expect("a hit");
        (state, json!(refusal))
    }
}

/// A rule that two people switched off leaves what waits to a person, however often the gateway could not be reached: nothing is signed then. What
/// was sent and not answered may be signed, and is asked again under its key, unless the alert is flagged.
#[tokio::test]
async fn what_waits_when_a_rule_is_switched_off_goes_to_a_person_unless_it_may_be_signed() {
    for (is_sent, is_flagged, expected) in
        [(false, false, "review"), (true, false, "queued"), (false, true, "kept"), (true, true, "kept")]
    {
        let bench = Bench::new().await;
        let listed = alert(bench.draw(), "AB100001");
        bench.told("mz.prm", vec![listed.clone()]).await;
        let id: MessageId =
            bench.screen("AB100001").await["hits"][0]["id"].as_str().expect("an id").parse().expect("an id");
        assert_eq!(bench.tried().await, ("queued".to_owned(), json!("not_reached")));
        if is_sent {
            let later = Forwarding::Later { at: bench.now(), why: forward::NO_ANSWER.to_owned() };
            let write = bench
                .watchlist
                .store
                .write(move |tx| async move { crate::hits::forwarded(tx, id, &later).await }.boxed());
            assert!(write.await.expect("written"));
            // However the next attempts end.
            assert_eq!(bench.tried().await, ("queued".to_owned(), json!(forward::NO_ANSWER)));
        }
        bench.rule_forwards(false).await;
        if is_flagged {
            let flagged = ScreenedAlert { flagged_reason: Some("national_law".to_owned()), ..listed };
            bench.told("mz.prm", vec![flagged]).await;
        }
        assert_eq!(bench.tried().await.0, expected, "sent: {is_sent}, flagged: {is_flagged}");
    }
}
