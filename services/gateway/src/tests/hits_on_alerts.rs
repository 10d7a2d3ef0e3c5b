//! What a watchlist reads of the hits that others reported on the agency's own alerts.

use std::time::Duration;

use rovuma_schemas::CaseId;
use serde_json::{Value, json};

use super::{
    hits::notice,
    support::{Client, Fixture, example, motorcycle},
};

const PATH: &str = "/v1/screening/hits";
const HOUR: Duration = Duration::from_secs(60 * 60);

fn officer(fixture: &Fixture) -> Client<'_> {
    fixture.person("officer-1", "mz.prm", &["liaison_officer"])
}

impl Fixture {
    async fn on_alerts(&self, query: &str) -> Vec<Value> {
        let reader = self.machine("watchlist", "mz.prm", &["watchlist_service"]);
        let page = reader.get(&format!("{PATH}{query}")).await.expect(200).json;
        page["items"].as_array().expect("items").clone()
    }

    /// An alert of `mz.prm` about a motorcycle, and what `tz.tpf` says to have found of it on its way out.
    async fn found_leaving(&self) -> (CaseId, Value) {
        let mut content = motorcycle();
        content["recipients"] = json!(["tz.tpf"]);
        let alert: CaseId =
            format!("alert/mz.prm/{}", officer(self).issue(&content).await).parse().expect("a case");
        let mut draft = notice(&alert, &content);
        draft["body"]["direction"] = json!("exit");
        (alert, draft)
    }
}

#[tokio::test]
async fn what_others_found_is_listed_for_six_hours_and_says_whether_it_stands() {
    let fixture = Fixture::start().await;
    let (alert, draft) = fixture.found_leaving().await;
    // What we reported ourselves, on another's alert, is not in this list.
    let (other, content) = fixture.wanted().await;
    officer(&fixture).post("/v1/messages", &notice(&other, &content)).await.expect(201);
    assert_eq!(fixture.on_alerts("").await, [Value::Null; 0]);

    let id = fixture.receive("mz.prm", 2, &draft).await;
    let hit: CaseId = format!("hit/tz.tpf/{id}").parse().expect("a case");
    let expected = json!({
        "case": hit, "state": "notified", "stands": true, "alert": alert, "subject": draft["body"]["subject"],
        "matched": "plate", "value": draft["body"]["matched"]["value"], "found_at": draft["body"]["found_at"],
        "post": "namoto_kilambo", "direction": "exit", "possible_misuse": false,
    });
    assert_eq!(fixture.on_alerts("").await, std::slice::from_ref(&expected));
    assert_eq!(fixture.on_alerts(&format!("?case={id}")).await, [expected]);

    let mut confirm = example("hit-confirm");
    (confirm["case"], confirm["body"]["word"]) = (json!(hit), json!("not_confirmed"));
    officer(&fixture).post("/v1/messages", &confirm).await.expect(201);
    let denied = fixture.on_alerts("").await.remove(0);
    assert_eq!((&denied["state"], &denied["stands"]), (&json!("not_confirmed"), &json!(false)));

    fixture.clock.advance(6 * HOUR + Duration::from_secs(1));
    assert_eq!(fixture.on_alerts("").await, [Value::Null; 0]);
    assert_eq!(
        fixture.on_alerts(&format!("?case={id}")).await,
        [denied],
        "by its id it is found however old"
    );
}

#[tokio::test]
async fn the_list_leads_from_page_to_page() {
    let fixture = Fixture::start().await;
    let (_, draft) = fixture.found_leaving().await;
    let mut ids = std::collections::BTreeSet::new();
    for number in 1..=5 {
        ids.insert(fixture.receive("mz.prm", number, &draft).await);
    }
    let reader = fixture.machine("watchlist", "mz.prm", &["watchlist_service"]);
    let (mut found, mut cursor) = (std::collections::BTreeSet::new(), String::new());
    loop {
        let page = reader.get(&format!("{PATH}?limit=2{cursor}")).await.expect(200).json;
        let names = page["items"].as_array().expect("items").iter();
        found.extend(names.map(|hit| hit["case"]["id"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, ids);
    // A cursor of the list of alerts leads nowhere here.
    officer(&fixture).issue(&motorcycle()).await;
    let alerts = reader.get("/v1/screening/alerts?limit=1").await.expect(200).json;
    let foreign = alerts["next"].as_str().expect("another page").to_owned();
    reader.get(&format!("{PATH}?limit=1&cursor={foreign}")).await.expect(400);
}

#[tokio::test]
async fn each_read_is_audited_by_the_list_that_it_read() {
    let fixture = Fixture::start().await;
    let (_, draft) = fixture.found_leaving().await;
    fixture.receive("mz.prm", 1, &draft).await;
    fixture.on_alerts("").await;
    let read = fixture.audited("screening.read").await;
    assert_eq!(read.len(), 1, "{read:?}");
    assert_eq!((&read[0]["details"]["list"], &read[0]["details"]["hits"]), (&json!("hits"), &json!("1")));
}
