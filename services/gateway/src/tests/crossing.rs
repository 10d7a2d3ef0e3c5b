//! Two agencies on one gateway: neither sees anything of the other, at any route.

use reqwest::Method;
use rovuma_envelope::Origin;
use serde_json::json;

use super::{
    routes,
    support::{Fixture, agency, motorcycle},
};
use crate::messages::sent;

#[tokio::test]
async fn no_route_shows_what_belongs_to_another_agency() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let draft = officer.create(&motorcycle()).await.id();
    let sent = officer.issue(&motorcycle()).await;
    let received = fixture.receive("mz.prm", 1, &motorcycle()).await;
    // Everything that a person can be allowed, in the other agency.
    let other = fixture.person("officer-2", "mz.senami", &["liaison_officer", "supervisor", "analyst"]);
    let machine = fixture.machine("system-2", "mz.senami", &["agency_system"]);

    for caller in [&other, &machine] {
        for route in routes::all() {
            let targets: &[&String] = match route.is_about_one() {
                true if route.is_about_a_draft() => &[&draft],
                true => &[&sent, &received, &draft],
                false => &[&draft],
            };
            for target in targets {
                // The first never ends, and its query is that of /v1/events. Both have tests of their own.
                if route.path == "/v1/events/live" || route.is_about_an_alarm() {
                    continue;
                }
                let before = fixture.audited("access.refuse").await.len();
                let reply = route.call(caller, target).await;
                let shown = reply.json.to_string();
                let own = route.method == Method::POST && !route.is_about_one();
                // A refusal names what the caller asked for.
                for secret in [&draft, &sent, &received].into_iter().filter(|secret| secret != target) {
                    assert!(own || !shown.contains(secret.as_str()), "{route:?} shows {shown}");
                }
                if route.is_about_one() {
                    assert!(reply.status == 404 || reply.status == 403, "{route:?}: {reply:?}");
                    let after = fixture.audited("access.refuse").await.len();
                    assert!(after > before, "{route:?} was not audited");
                } else {
                    assert!(reply.status < 300 || reply.status == 403, "{route:?}: {reply:?}");
                }
            }
        }
    }
    let reply = officer.get(&format!("/v1/drafts/{draft}")).await.expect(200);
    assert_eq!((reply.json["version"].as_i64(), reply.json["state"].as_str()), (Some(1), Some("draft")));
}

#[tokio::test]
async fn what_is_anothers_and_what_is_nowhere_look_alike() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let draft = officer.create(&motorcycle()).await.id();
    let sent = officer.issue(&motorcycle()).await;
    let nowhere = "01890000-0000-7000-8000-000000000000";
    for roles in [&["liaison_officer"][..], &["border_officer"], &[]] {
        let other = fixture.person("officer-2", "mz.senami", roles);
        for route in routes::all().into_iter().filter(routes::Route::is_about_one) {
            let target = if route.is_about_a_draft() { &draft } else { &sent };
            let (anothers, missing) = (route.call(&other, target).await, route.call(&other, nowhere).await);
            // But for the id, which the caller gave.
            let (anothers_text, missing_text) = (anothers.json.to_string(), missing.json.to_string());
            assert!(missing_text.contains(nowhere), "{missing_text}");
            assert_eq!(
                (anothers.status, anothers_text.replace(target, nowhere)),
                (404, missing_text),
                "{route:?}"
            );
        }
    }
    let refusals = fixture.audited("access.refuse").await;
    // Each call is recorded, in the same transaction's time, whether the object exists or not: only the reason differs.
    for pair in refusals.chunks(2) {
        let [anothers, missing] = pair else { panic!("a call was not recorded: {pair:?}") };
        assert_eq!((&anothers["reason"], &missing["reason"]), (&json!("other_agency"), &json!("not_found")));
        assert_eq!(anothers["details"]["asked"], missing["details"]["asked"], "{anothers} {missing}");
    }
    assert!(refusals.iter().all(|event| event["agency"] == "mz.senami"), "{refusals:?}");
}

#[tokio::test]
async fn one_id_is_sent_by_one_agency_and_received_by_the_other() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut draft = motorcycle();
    draft["recipients"] = json!(["mz.senami", "tz.tpf"]);
    let id = officer.issue(&draft).await;
    let mut conn = fixture.gateway.base.store.read().acquire().await.expect("a connection");
    let signed =
        sent::signed(&mut conn, &agency("mz.prm"), &id.parse().expect("an id")).await.expect("reads");
    drop(conn);
    let at_home = signed.into_iter().find(|one| one.country.as_str() == "mz").expect("a domestic signature");
    fixture.deliver("mz.senami", Origin::Domestic, at_home.jws).await;

    let other = fixture.person("officer-2", "mz.senami", &["liaison_officer"]);
    let (sent, received) =
        (officer.get(&format!("/v1/messages/{id}")).await, other.get(&format!("/v1/messages/{id}")).await);
    assert_eq!(sent.json["direction"], "sent");
    assert_eq!(received.json["direction"], "received");
    assert!(received.json.get("sent").is_none() && sent.json.get("received").is_none());
    assert_eq!(sent.json["sent"]["copies"].as_array().expect("copies").len(), 2);
}

#[tokio::test]
async fn a_token_of_an_agency_that_is_not_served_gets_nowhere() {
    let fixture = Fixture::start().await;
    let stranger = fixture.person("officer-9", "tz.tpf", &["liaison_officer", "supervisor"]);
    for route in routes::all() {
        let reply = route.call(&stranger, "01890000-0000-7000-8000-000000000000").await;
        assert_eq!((reply.status, reply.code()), (403, "agency_not_served"), "{route:?}");
    }
    assert_eq!(fixture.audited("access.refuse").await.len(), routes::all().len());
}
