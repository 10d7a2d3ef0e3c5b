//! A role that permits nothing is refused at every route, and so is a caller without a token.

use super::{
    routes,
    support::{Client, Fixture, motorcycle},
};

#[tokio::test]
async fn a_role_without_rights_is_refused_and_audited_at_every_route() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let draft = officer.create(&motorcycle()).await.id();
    let sent = officer.issue(&motorcycle()).await;
    let refused = [
        fixture.person("officer-4", "mz.prm", &["data_protection_officer"]),
        fixture.person("officer-5", "mz.prm", &[]),
        fixture.person("officer-6", "mz.prm", &["no_such_role"]),
        fixture.machine("watchlist", "mz.prm", &["watchlist_service"]),
    ];
    let (protects, screens) = (0, 3);
    for (index, caller) in refused.iter().enumerate() {
        let is_permitted = |route: &routes::Route| {
            (index == protects && route.is_about_retention())
                || (index == screens && route.is_for_the_watchlist())
        };
        let is_tried = |route: &routes::Route| !route.is_public() && !is_permitted(route);
        for route in routes::all().into_iter().filter(is_tried) {
            let before = fixture.audited("access.refuse").await.len();
            let target = if route.is_about_a_draft() { &draft } else { &sent };
            let reply = route.call(caller, target).await;
            assert_eq!((reply.status, reply.code()), (403, "role"), "{route:?}");
            let events = fixture.audited("access.refuse").await;
            assert_eq!(events.len(), before + 1, "{route:?}");
            let event = events.last().expect("an event");
            assert_eq!((&event["outcome"], &event["reason"]), (&"refused".into(), &"role".into()));
            assert!(event["details"]["asked"].as_str().is_some_and(|asked| asked.contains('.')), "{event}");
        }
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft").await, 2);
}

#[tokio::test]
async fn a_border_officer_sees_what_has_come_and_no_narrative() {
    let fixture = Fixture::start().await;
    let border = fixture.person("officer-3", "mz.prm", &["border_officer"]);
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    assert_eq!(border.get("/v1/inbox").await.expect(200).ids(), std::slice::from_ref(&id));
    let path = format!("/v1/messages/{id}");
    let facts = border.get(&format!("{path}?view=metadata")).await.expect(200).json.to_string();
    let circumstances = motorcycle()["body"]["circumstances"].as_str().expect("a text").to_owned();
    assert!(facts.contains("operative") && !facts.contains(&circumstances), "{facts}");
    for refused in [path.clone(), format!("{path}/trace"), format!("{path}/jws"), "/v1/sent".to_owned()] {
        assert_eq!(border.get(&refused).await.expect(403).code(), "role", "{refused}");
    }
    assert_eq!(border.step(&format!("{path}/read")).await.expect(403).code(), "role");
    assert_eq!(border.post("/v1/messages", &motorcycle()).await.expect(403).code(), "role");
    // Its look sent no receipt.
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received WHERE read_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn roles_of_the_other_kind_give_no_rights() {
    let fixture = Fixture::start().await;
    let person = fixture.person("officer-1", "mz.prm", &["agency_system"]);
    let machine = fixture.machine("system-1", "mz.prm", &["liaison_officer", "supervisor"]);
    for caller in [person, machine] {
        let reply = caller.get("/v1/inbox").await;
        assert_eq!((reply.status, reply.code()), (403, "role_kind"));
    }
}

#[tokio::test]
async fn without_a_token_that_holds_there_is_no_answer() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    fixture.clock.advance(std::time::Duration::from_secs(700));
    let forged = Client::new(&fixture, "a.b.c".to_owned());
    for (caller, code) in [(&officer, "token_expired"), (&forged, "unauthenticated")] {
        for route in routes::all() {
            let reply = route.call(caller, "01890000-0000-7000-8000-000000000000").await;
            assert_eq!((reply.status, reply.code()), (401, code), "{route:?}");
        }
    }
}
