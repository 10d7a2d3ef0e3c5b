//! What a machine that was carried away tells: nothing that names anybody.

use axum::{body::Body, http::Request};
use rovuma_api::answers::gateway::{HitOnAlert, ScreenedAlert, ScreenedIdentifier, ScreenedSubject};
use rovuma_schemas::{AgencyCode, CaseId, MessageId, hit::Direction, mrz::check_digit};
use rovuma_store::FutureExt;
use serde_json::json;
use sqlx::Row;

use super::support::Bench;
use crate::{alerts, expected, service};

/// What stands in the store of somebody, as it was listed or read.
const SAID: [&str; 7] =
    ["AB100001", "AB10000I", "LISTED HOLDER", "7K2MQX4", "AAA111CD", "T61234567", "851201"];

/// The columns that say something of somebody.
const COLUMNS: [(&str, &str); 9] = [
    ("entry", "body"),
    ("hit", "body"),
    ("hit", "about"),
    ("hit", "place"),
    ("expected", "body"),
    ("innocent", "number"),
    ("innocent", "birth"),
    ("crossed", "number"),
    ("crossed", "seen"),
];

/// The zone of a traveller's passport with this number (ICAO Doc 9303 part 4).
fn zone(number: &str) -> String {
    let digit = |field: &str| check_digit(field).map(String::from).unwrap_or_default();
    let counted = [number, "851201", "310630"].map(|field| format!("{field}{}", digit(field)));
    let [number, birth, expiry] = counted;
    let optional = "<".repeat(15);
    let composite = digit(&format!("{number}{birth}{expiry}{optional}"));
    format!("{:<<44}\n{number}MOZ{birth}M{expiry}{optional}{composite}", "P<MOZTRAVELLER<<INNOCENT")
}

impl Bench {
    /// A day of a post: what is listed, what is found, what is alike, who is cleared, and what is expected.
    async fn lives(&self) {
        let agency: AgencyCode = "mz.prm".parse().expect("an agency");
        let case = |kind: &str, owner: &str| CaseId {
            kind: kind.to_owned(),
            owner: owner.parse().expect("an agency"),
            id: MessageId::draw(self.now()),
        };
        let number = |kind: &str, value: &str| ScreenedIdentifier {
            kind: kind.to_owned(),
            value: value.to_owned(),
            qualifier: Some("MOZ".to_owned()),
            ..ScreenedIdentifier::default()
        };
        let subject = ScreenedSubject {
            kind: "document".to_owned(),
            names: vec!["LISTED HOLDER".to_owned()],
            identifiers: vec![
                number("document", "AB100001"),
                number("document", "TG1234567"),
                number("plate", "AAA111CD"),
            ],
            ..ScreenedSubject::default()
        };
        let alert = |owner: &str| ScreenedAlert {
            case: case("alert", owner),
            state: "active".to_owned(),
            short_reference: Some("7K2MQX4".to_owned()),
            status: Some("actual".to_owned()),
            version: 1,
            handling: Some("H0".to_owned()),
            category: Some("document".to_owned()),
            actions: vec!["seize".to_owned()],
            warnings: Vec::new(),
            ends: None,
            confirm_by: None,
            flagged_reason: None,
            subjects: vec![subject.clone()],
        };
        let own = alert("mz.prm");
        let found_there = HitOnAlert {
            case: case("hit", "tz.tpf"),
            state: "notified".to_owned(),
            stands: true,
            alert: own.case.clone(),
            subject: None,
            matched: "plate".to_owned(),
            value: Some("AAA111CD".to_owned()),
            found_at: self.now(),
            post: "namoto_kilambo".to_owned(),
            direction: Direction::Exit,
            possible_misuse: false,
        };
        alerts::take(&self.watchlist, &agency, vec![own, alert("tz.tpf")]).await.expect("stored");
        expected::take(&self.watchlist, &agency, vec![found_there]).await.expect("stored");
        assert_eq!(self.verdict("AB100001").await, "hit");
        assert_eq!(self.verdict("AB10000I").await, "review");
        let officer = self.person("officer-2", &["liaison_officer"]);
        let post = |path: String| Request::post(path).header("content-type", "application/json");
        let scan = json!({
            "text": zone("T61234567"), "kind": "mrz", "source": "reader",
            "crossing": { "post": "namoto_kilambo", "direction": "entry" },
        });
        let (_, alike) =
            self.send(&officer, post("/v1/screen".to_owned()), Body::from(scan.to_string())).await;
        let id = alike["hits"][0]["id"].as_str().unwrap_or_else(|| panic!("{alike}"));
        let decision = json!({ "same": false, "innocent": true, "reason": "FILE-1" });
        let path = post(format!("/v1/candidates/{id}/decision"));
        let (status, decided) = self.send(&officer, path, Body::from(decision.to_string())).await;
        assert_eq!(status, 200, "{decided}");
        assert_eq!(self.rows("innocent").await, 1);
        assert_eq!(self.rows("expected").await, 1);
    }

    /// Every byte that the store has on disk, and what its columns say.
    async fn bytes(&self) -> String {
        let mut text = String::new();
        for file in std::fs::read_dir(self.dir.path()).expect("a folder") {
            let file = file.expect("a file").path();
            if file.is_file() {
                text += &String::from_utf8_lossy(&std::fs::read(file).expect("read"));
            }
        }
        for (table, column) in COLUMNS {
            let query = sqlx::AssertSqlSafe(format!("SELECT {column} FROM {table}"));
            let rows = sqlx::query(query).fetch_all(self.watchlist.store.read()).await.expect("reads");
            rows.iter().for_each(|row| text += row.get::<&str, _>(0));
        }
        text
    }
}

#[tokio::test]
async fn a_sealed_store_has_no_number_and_no_name_in_its_bytes() {
    if std::env::var_os("ROVUMA_TEST_AT_REST").is_some() {
        // Then even the store that should be plain is not.
        return;
    }
    for is_sealed in [false, true] {
        let bench = if is_sealed { Bench::sealed().await } else { Bench::new().await };
        bench.lives().await;
        let text = bench.bytes().await;
        for said in SAID {
            // What is looked for would be found.
            assert_eq!(text.contains(said), !is_sealed, "{said}, sealed: {is_sealed}");
        }
        let bench = bench.restarted().await;
        assert_eq!(bench.verdict("AB100001").await, "hit");
    }
}

/// A store in another machine, and a row in another's place, are damage and no data.
#[tokio::test]
async fn what_is_sealed_opens_with_its_key_at_its_place_alone() {
    let (bench, other) = (Bench::sealed().await, Bench::sealed().await);
    bench.lives().await;
    let (store, own) = (&bench.watchlist.store, &bench.watchlist.at_rest);
    assert!(service::index(store, own).await.is_ok());
    assert!(service::index(store, &other.watchlist.at_rest).await.is_err(), "another key");
    let swap = "UPDATE entry SET body = (SELECT body FROM entry ORDER BY no DESC LIMIT 1)";
    let write = store.write(move |tx| async move { sqlx::query(swap).execute(tx).await.map(|_| ()) }.boxed());
    write.await.expect("written");
    assert!(service::index(store, own).await.is_err(), "a row in another's place");
}
