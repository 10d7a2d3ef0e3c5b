//! What is expected at a post: who is told what, until when, and what ends it.

use std::time::Duration;

use axum::{body::Body, http::Request};
use rovuma_api::answers::gateway::{HitOnAlert, ScreenedAlert, ScreenedIdentifier, ScreenedSubject};
use rovuma_schemas::{AgencyCode, CaseId, MessageId, hit::Direction};
use serde_json::{Value, json};

use super::support::Bench;
use crate::{alerts, expected, retention};

const PATH: &str = "/v1/expected?post=namoto_kilambo";

fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency")
}

fn case(kind: &str, owner: &str, id: MessageId) -> CaseId {
    CaseId { kind: kind.to_owned(), owner: agency(owner), id }
}

/// An alert of `owner` about a motorcycle with this plate.
fn alert(owner: &str, id: MessageId, plate: &str) -> ScreenedAlert {
    let identifier = ScreenedIdentifier {
        kind: "plate".to_owned(),
        value: plate.to_owned(),
        qualifier: Some("MOZ".to_owned()),
        ..ScreenedIdentifier::default()
    };
    let subject = ScreenedSubject {
        kind: "vehicle".to_owned(),
        identifiers: vec![identifier],
        ..ScreenedSubject::default()
    };
    ScreenedAlert {
        case: case("alert", owner, id),
        state: "active".to_owned(),
        short_reference: Some("AB12CD7".to_owned()),
        status: Some("actual".to_owned()),
        version: 1,
        handling: Some("H0".to_owned()),
        category: Some("vehicle".to_owned()),
        actions: vec!["seize".to_owned()],
        warnings: vec!["armed".to_owned()],
        ends: None,
        confirm_by: None,
        flagged_reason: None,
        subjects: vec![subject],
    }
}

impl Bench {
    /// That `tz.tpf` found this plate of the alert at Kilambo, on its way out.
    fn leaving(&self, alert: &ScreenedAlert, plate: &str) -> HitOnAlert {
        HitOnAlert {
            case: case("hit", "tz.tpf", MessageId::draw(self.now())),
            state: "notified".to_owned(),
            stands: true,
            alert: alert.case.clone(),
            subject: None,
            matched: "plate".to_owned(),
            value: Some(plate.to_owned()),
            found_at: self.now(),
            post: "namoto_kilambo".to_owned(),
            direction: Direction::Exit,
            possible_misuse: false,
        }
    }

    async fn listed(&self, code: &str, alert: ScreenedAlert) {
        alerts::take(&self.watchlist, &agency(code), vec![alert]).await.expect("stored");
    }

    async fn reported(&self, hit: &HitOnAlert) {
        expected::take(&self.watchlist, &hit.alert.owner, vec![hit.clone()]).await.expect("stored");
    }

    /// What somebody of `mz.prm` with this role is told to expect at Namoto.
    async fn expected_by(&self, role: &str) -> Vec<Value> {
        let (status, body) =
            self.send(&self.person("officer-1", &[role]), Request::get(PATH), Body::empty()).await;
        assert_eq!(status, 200, "{body}");
        body["items"].as_array().expect("items").clone()
    }

    async fn expected(&self) -> Vec<Value> {
        self.expected_by("border_officer").await
    }

    /// Screens a plate at Namoto on its way in.
    async fn arrives(&self, plate: &str) {
        let scan = json!({
            "text": plate, "kind": "plate", "state": "MOZ",
            "crossing": { "post": "namoto_kilambo", "direction": "entry" },
        });
        let request = Request::post("/v1/screen").header("content-type", "application/json");
        let token = self.person("officer-1", &["border_officer"]);
        let (status, screening) = self.send(&token, request, Body::from(scan.to_string())).await;
        assert_eq!((status.as_u16(), &screening["verdict"]), (200, &json!("hit")), "{screening}");
    }
}

#[tokio::test]
async fn what_left_the_other_side_is_expected_until_it_comes_or_six_hours_are_over() {
    let bench = Bench::new().await;
    let wanted = alert("mz.prm", MessageId::draw(bench.now()), "AAA 111 CD");
    bench.listed("mz.prm", wanted.clone()).await;
    let hit = bench.leaving(&wanted, "AAA 111 CD");
    bench.reported(&hit).await;
    let seen = bench.expected().await;
    assert_eq!(
        seen,
        [json!({
            "found_at": hit.found_at, "until": hit.found_at.plus(Duration::from_secs(6 * 60 * 60)), "action": "seize",
            "warnings": ["armed"], "status": "actual", "call": { "name": "Desk", "phone": "+258 82 000 0000" },
            "hit": {
                "case": hit.case, "alert": wanted.case, "reference": "AB12CD7", "matched": "plate", "value": "AAA111CD",
                "actions": ["seize"], "discreet": false, "possible_misuse": false,
            },
        })]
    );
    // A second hit on the same plate is the same thing on its way.
    bench.clock.advance(Duration::from_secs(60));
    let again = bench.leaving(&wanted, "AAA111CD");
    bench.reported(&again).await;
    let seen = bench.expected().await;
    assert_eq!((seen.len(), &seen[0]["hit"]["case"]), (1, &json!(again.case)), "{seen:?}");
    let bench = bench.restarted().await;
    assert_eq!(bench.expected().await, seen);

    bench.clock.advance(Duration::from_secs(45 * 60));
    // What is only alike may be somebody else.
    let alike = json!({
        "text": "AAA 1I1 CD", "kind": "plate", "state": "MOZ",
        "crossing": { "post": "namoto_kilambo", "direction": "entry" },
    });
    let request = Request::post("/v1/screen").header("content-type", "application/json");
    let token = bench.person("officer-1", &["border_officer"]);
    let (_, screening) = bench.send(&token, request, Body::from(alike.to_string())).await;
    assert_eq!((&screening["verdict"], bench.expected().await.len()), (&json!("review"), 1));
    bench.arrives("AAA-111-CD").await;
    assert_eq!(bench.expected().await, [Value::Null; 0]);
    // On its way once more.
    bench.clock.advance(Duration::from_secs(60));
    bench.reported(&bench.leaving(&wanted, "AAA 111 CD")).await;
    assert_eq!(bench.expected().await.len(), 1);
    bench.clock.advance(Duration::from_secs(6 * 60 * 60));
    assert_eq!(bench.expected().await, [Value::Null; 0]);
    retention::prune(&bench.watchlist, bench.now()).await.expect("removed");
    assert_eq!(bench.rows("expected").await, 0);
}

#[tokio::test]
async fn nothing_is_expected_of_what_is_over_or_goes_elsewhere() {
    let bench = Bench::new().await;
    let wanted = alert("mz.prm", MessageId::draw(bench.now()), "AAA 112 CD");
    bench.listed("mz.prm", wanted.clone()).await;
    let hit = bench.leaving(&wanted, "AAA 112 CD");
    let day = Duration::from_secs(24 * 60 * 60);
    for (name, other) in [
        ("it enters there", HitOnAlert { direction: Direction::Entry, ..hit.clone() }),
        ("nobody says where it goes", HitOnAlert { direction: Direction::None, ..hit.clone() }),
        ("another post", HitOnAlert { post: "negomano_mtambaswala".to_owned(), ..hit.clone() }),
        ("it leaves us", HitOnAlert { case: case("hit", "mz.sernic", hit.case.id), ..hit.clone() }),
        ("taken back", HitOnAlert { state: "retracted".to_owned(), stands: false, ..hit.clone() }),
        ("seized there", HitOnAlert { state: "action".to_owned(), ..hit.clone() }),
        ("closed", HitOnAlert { state: "closed".to_owned(), ..hit.clone() }),
        ("yesterday", HitOnAlert { found_at: hit.found_at.minus(day), ..hit.clone() }),
    ] {
        // Whatever is said of it later takes back what was said before.
        bench.reported(&hit).await;
        assert_eq!(bench.expected().await.len(), 1);
        bench.reported(&hit).await;
        let said_later = HitOnAlert { case: hit.case.clone(), ..other.clone() };
        let other = if name == "it leaves us" { other } else { said_later };
        expected::take(&bench.watchlist, &agency("mz.prm"), vec![other]).await.expect("stored");
        let left = bench.expected().await.len();
        assert_eq!(left, usize::from(name == "it leaves us"), "{name}");
        let nothing = std::collections::BTreeSet::new();
        expected::forget_others(&bench.watchlist, &agency("mz.prm"), nothing).await.expect("forgotten");
        assert_eq!(bench.rows("expected").await, 0, "{name}");
    }
    // A clock that is ahead keeps it no longer.
    bench.reported(&HitOnAlert { found_at: hit.found_at.plus(day), ..hit.clone() }).await;
    assert_eq!(bench.expected().await.len(), 1);
    bench.clock.advance(Duration::from_secs(6 * 60 * 60));
    assert_eq!(bench.expected().await, [Value::Null; 0]);
    // The alert is taken back.
    bench.reported(&bench.leaving(&wanted, "AAA 112 CD")).await;
    assert_eq!(bench.expected().await.len(), 1);
    bench.listed("mz.prm", ScreenedAlert { state: "withdrawn".to_owned(), ..wanted }).await;
    assert_eq!(bench.expected().await, [Value::Null; 0]);
}

#[tokio::test]
async fn each_sees_what_they_may() {
    let bench = Bench::new().await;
    let draw = || MessageId::draw(bench.now());
    let own = alert("mz.prm", draw(), "AAA 113 CD");
    let few = ScreenedAlert { handling: Some("H3".to_owned()), ..alert("mz.prm", draw(), "AAA 114 CD") };
    let discreet = ScreenedAlert {
        actions: vec!["check_discreetly".to_owned()],
        ..alert("mz.prm", draw(), "AAA 115 CD")
    };
    let others = alert("mz.sernic", draw(), "AAA 116 CD");
    for (wanted, plate) in
        [(&own, "AAA 113 CD"), (&few, "AAA 114 CD"), (&discreet, "AAA 115 CD"), (&others, "AAA 116 CD")]
    {
        bench.listed(wanted.case.owner.as_str(), wanted.clone()).await;
        bench.reported(&bench.leaving(wanted, plate)).await;
    }
    for (role, own_shown, all) in [("border_officer", 1, 3), ("liaison_officer", 2, 4), ("supervisor", 2, 4)]
    {
        let seen = bench.expected_by(role).await;
        let whole = seen.iter().filter(|one| one["hit"].is_object()).count();
        assert_eq!((whole, seen.len()), (own_shown, all), "{role}: {seen:?}");
        let text = json!(seen).to_string();
        for hidden in ["AAA114CD", "AAA116CD"] {
            assert!(!text.contains(hidden), "{role}: {text}");
        }
        assert_eq!(text.contains("AAA115CD"), role != "border_officer", "{role}");
        let calls = seen.iter().filter(|one| one["action"] == "call" && one["call"]["phone"].is_string());
        assert_eq!(calls.count(), 2, "{role}");
    }
    for role in ["analyst", "auditor", "agency_admin", "data_protection_officer"] {
        let token = bench.person("officer-9", &[role]);
        let (status, body) = bench.send(&token, Request::get(PATH), Body::empty()).await;
        assert_eq!(status, 403, "{role}: {body}");
    }
    let token = bench.person("officer-1", &["border_officer"]);
    for bad in ["/v1/expected", "/v1/expected?post=nowhere", "/v1/expected?post=namatil&limit=1"] {
        let (status, body) = bench.send(&token, Request::get(bad), Body::empty()).await;
        assert_eq!((status.as_u16(), &body["code"]), (400, &json!("query")), "{bad}: {body}");
    }
}

/// A reporter that floods displaces its own reports and no others.
#[tokio::test]
async fn what_one_reporter_says_is_bounded() {
    let bench = Bench::new().await;
    let mut series = alert("mz.prm", MessageId::draw(bench.now()), "AAA 117 CD");
    series.subjects[0].identifiers.push(ScreenedIdentifier {
        kind: "document_series".to_owned(),
        value: "AB100000".to_owned(),
        value_to: Some("AB100999".to_owned()),
        ..ScreenedIdentifier::default()
    });
    bench.listed("mz.prm", series.clone()).await;
    let first = bench.leaving(&series, "AAA 117 CD");
    bench.reported(&HitOnAlert { case: case("hit", "tz.tisd", first.case.id), ..first }).await;
    for prefix in ["AB100", "XX100"] {
        bench.clock.advance(Duration::from_millis(1));
        let mut flood = Vec::new();
        for number in 0..300 {
            // All at one instant: none is older than another.
            flood.push(bench.leaving(&series, &format!("{prefix}{number:03}")));
        }
        expected::take(&bench.watchlist, &agency("mz.prm"), flood).await.expect("stored");
        assert_eq!(bench.rows("expected").await, 257);
        let seen = bench.expected().await;
        // What the alert does not have is not shown at all.
        assert_eq!(seen.len(), if prefix == "AB100" { 26 } else { 1 }, "{prefix}");
        assert_eq!(seen.last().expect("one")["hit"]["value"], "AAA117CD");
    }
}
