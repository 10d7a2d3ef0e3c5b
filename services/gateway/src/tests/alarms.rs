//! Alarms: their order, their bound for one partner, and their acknowledgement.

use serde_json::json;

use super::support::{Client, Fixture, agency};
use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
};
use rovuma_store::FutureExt;

/// Raises alarms that `tz.tpf` causes for `mz.prm`, each about another message.
async fn partner_raises(fixture: &Fixture, kind: AlarmKind, count: usize) {
    let now = fixture.gateway.base.now();
    let write = fixture.gateway.base.store.write(move |tx| {
        async move {
            for number in 0..count {
                let (subject, detail) = (format!("{}-{number}", now.as_micros()), "expired");
                let (own, partner) = (agency("mz.prm"), agency("tz.tpf"));
                alarm::raise_by(tx, &own, kind, &partner, (&subject, detail), now).await?;
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await.expect("raised");
}

async fn raise(fixture: &Fixture, kind: AlarmKind, subject: &'static str) {
    let now = fixture.gateway.base.now();
    let write = fixture.gateway.base.store.write(move |tx| {
        async move { alarm::raise(tx, &agency("mz.prm"), kind, subject, "detail", now).await }.boxed()
    });
    write.await.expect("raised");
}

fn supervisor(fixture: &Fixture) -> Client<'_> {
    fixture.person("supervisor-1", "mz.prm", &["supervisor"])
}

#[tokio::test]
async fn rejections_of_one_partner_do_not_hide_a_restored_store() {
    let fixture = Fixture::start().await;
    raise(&fixture, AlarmKind::StoreRestored, "store").await;
    fixture.clock.advance(std::time::Duration::from_secs(1));
    partner_raises(&fixture, AlarmKind::Rejected, 300).await;
    raise(&fixture, AlarmKind::LinkFault, "tz.node").await;

    let supervisor = supervisor(&fixture);
    let page = supervisor.get("/v1/alarms").await.expect(200).json;
    let kinds: Vec<_> = page["items"].as_array().expect("a list").iter().map(|row| &row["kind"]).collect();
    assert_eq!(
        (kinds[0], kinds[1], kinds[2]),
        (&json!("store_restored"), &json!("link_fault"), &json!("rejected"))
    );
    assert_eq!(page["items"][0]["severity"], "critical");
    // Twenty of their own, and one that counts the others.
    assert_eq!(kinds.len(), 23);
    let beyond = page["items"].as_array().expect("a list").iter().find(|row| row["subject"] == "tz.tpf");
    let beyond = beyond.expect("one about the partner");
    assert_eq!((&beyond["times"], &beyond["partner"]), (&json!(280), &json!("tz.tpf")));

    // An hour later the partner's next one is shown by itself again.
    fixture.clock.advance(std::time::Duration::from_secs(3600));
    partner_raises(&fixture, AlarmKind::Rejected, 1).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM alarm WHERE kind = 'rejected'").await, 22);
}

#[tokio::test]
async fn another_kind_and_a_known_subject_are_not_counted_against_the_bound() {
    let fixture = Fixture::start().await;
    partner_raises(&fixture, AlarmKind::Rejected, 20).await;
    partner_raises(&fixture, AlarmKind::Rejected, 20).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM alarm WHERE times = 2").await, 20);
    partner_raises(&fixture, AlarmKind::Conflict, 1).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM alarm WHERE subject = 'tz.tpf'").await, 0);
}

#[tokio::test]
async fn pages_and_filters_show_every_alarm_once() {
    let fixture = Fixture::start().await;
    let supervisor = supervisor(&fixture);
    partner_raises(&fixture, AlarmKind::Rejected, 5).await;
    raise(&fixture, AlarmKind::StoreRestored, "store").await;
    raise(&fixture, AlarmKind::Quarantined, "ingress.tz").await;
    let first = supervisor.get("/v1/alarms?severity=critical").await.expect(200).json["items"][0].clone();
    acknowledge(&supervisor, &first["id"], 1).await.expect(200);

    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = supervisor.get(&format!("/v1/alarms?limit=2{cursor}")).await.expect(200).json;
        ids.extend(
            page["items"].as_array().expect("a list").iter().map(|row| row["id"].as_i64().expect("a number")),
        );
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(ids.last(), first["id"].as_i64().as_ref(), "acknowledged ones come last");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 7);

    let count = async |query: &str| {
        let page = supervisor.get(&format!("/v1/alarms?{query}")).await.expect(200).json;
        page["items"].as_array().expect("a list").len()
    };
    assert_eq!((count("open=true").await, count("open=false").await), (6, 1));
    assert_eq!((count("severity=notice").await, count("severity=serious&open=true").await), (5, 1));
    assert_eq!((count("severity=critical&open=true").await, count("severity=critical").await), (0, 1));
    supervisor.get("/v1/alarms?severity=terrible").await.expect(400);
    supervisor.get("/v1/alarms?limit=0").await.expect(400);
    supervisor.get("/v1/alarms?cursor=AAAA").await.expect(400);
}

async fn acknowledge(caller: &Client<'_>, id: &serde_json::Value, times: u64) -> super::support::Reply {
    let body = json!({ "times": times, "reason": "Store restored on purpose" });
    caller.post(&format!("/v1/alarms/{id}/acknowledge"), &body).await
}

#[tokio::test]
async fn an_acknowledged_alarm_says_who_and_why_and_opens_again() {
    let fixture = Fixture::start().await;
    let supervisor = supervisor(&fixture);
    raise(&fixture, AlarmKind::AuditOverdue, "audit").await;
    let open = supervisor.get("/v1/alarms").await.expect(200).json["items"][0].clone();
    assert!(open.get("acknowledged").is_none(), "{open}");

    let done = acknowledge(&supervisor, &open["id"], 1).await.expect(200).json;
    assert_eq!(
        (&done["acknowledged"]["by"], &done["acknowledged"]["reason"], &done["acknowledged"]["at"]),
        (&json!("supervisor-1"), &json!("Store restored on purpose"), &json!(super::support::START))
    );
    let event = fixture.audited("alarm.acknowledge").await.remove(0);
    assert_eq!(
        (&event["actor"], &event["details"]["kind"]),
        (&json!("supervisor-1"), &json!("audit_overdue"))
    );

    raise(&fixture, AlarmKind::AuditOverdue, "audit").await;
    let again = supervisor.get("/v1/alarms?open=true").await.expect(200).json["items"][0].clone();
    assert_eq!((&again["id"], &again["times"]), (&open["id"], &json!(2)));
    assert_eq!(acknowledge(&supervisor, &open["id"], 1).await.expect(409).code(), "raised_again");
    acknowledge(&supervisor, &open["id"], 2).await.expect(200);
}

#[tokio::test]
async fn only_a_supervisor_or_an_administrator_of_the_agency_acknowledges_and_says_why() {
    let fixture = Fixture::start().await;
    raise(&fixture, AlarmKind::AuditOverdue, "audit").await;
    let supervisor = supervisor(&fixture);
    let id = supervisor.get("/v1/alarms").await.expect(200).json["items"][0]["id"].clone();
    for role in ["liaison_officer", "analyst", "auditor", "border_officer"] {
        let caller = fixture.person("somebody", "mz.prm", &[role]);
        acknowledge(&caller, &id, 1).await.expect(403);
    }
    let both = fixture.person("somebody", "mz.prm", &["agency_admin", "auditor"]);
    assert_eq!(acknowledge(&both, &id, 1).await.expect(403).code(), "separation");
    let elsewhere = fixture.person("somebody", "mz.senami", &["supervisor"]);
    acknowledge(&elsewhere, &id, 1).await.expect(404);
    let path = format!("/v1/alarms/{id}/acknowledge");
    for body in [
        json!({}),
        json!({ "times": 1 }),
        json!({ "times": 1, "reason": "" }),
        json!({ "times": 1, "reason": "a\nb" }),
    ] {
        assert_eq!(supervisor.post(&path, &body).await.expect(422).code(), "body_faulty");
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM alarm WHERE acknowledged_at IS NOT NULL").await, 0);
    let admin = fixture.person("admin-1", "mz.prm", &["agency_admin"]);
    acknowledge(&admin, &id, 1).await.expect(200);
}
