//! Pages of lists that grow while they are read.

use std::collections::BTreeSet;

use serde_json::json;

use super::support::{Client, Fixture, motorcycle};

/// Every id of a list, read page by page, calling `grow` between the pages.
async fn walk(caller: &Client<'_>, list: &str, grow: impl AsyncFn()) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("{list}?limit=2{cursor}")).await.expect(200);
        assert!(page.ids().len() <= 2);
        ids.extend(page.ids());
        match page.json["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
        grow().await;
    }
}

fn newest_first(mut ids: Vec<String>) -> Vec<String> {
    ids.reverse();
    ids
}

#[tokio::test]
async fn the_inbox_neither_repeats_nor_leaves_out() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut there = Vec::new();
    for number in 1..=7 {
        there.push(fixture.receive("mz.prm", number, &motorcycle()).await);
        fixture.receive("mz.senami", number, &motorcycle()).await;
    }
    let next = std::sync::atomic::AtomicU64::new(8);
    let grow = async || {
        let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        fixture.receive("mz.prm", number, &motorcycle()).await;
    };
    assert_eq!(walk(&officer, "/v1/inbox", grow).await, newest_first(there));
}

#[tokio::test]
async fn sent_and_drafts_neither_repeat_nor_leave_out() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let (mut sent, mut drafts) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        fixture.clock.advance(std::time::Duration::from_millis(1));
        sent.push(officer.issue(&motorcycle()).await);
        drafts.push(officer.create(&motorcycle()).await.id());
    }
    let grow = async || {
        fixture.clock.advance(std::time::Duration::from_millis(1));
        officer.issue(&motorcycle()).await;
    };
    assert_eq!(walk(&officer, "/v1/sent", grow).await, newest_first(sent));
    let all = walk(&officer, "/v1/drafts", async || {
        officer.create(&motorcycle()).await;
    });
    assert_eq!(all.await, newest_first(drafts));
}

#[tokio::test]
async fn released_in_one_instant_is_still_an_order() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut sent = BTreeSet::new();
    for _ in 0..5 {
        sent.insert(officer.issue(&motorcycle()).await);
    }
    let walked = walk(&officer, "/v1/sent", async || {}).await;
    assert_eq!((walked.len(), walked.into_iter().collect()), (5, sent));
}

#[tokio::test]
async fn filters_find_and_are_audited_with_their_hits() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let first = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let mut actual = motorcycle();
    actual["status"] = json!("actual");
    let second = fixture.receive("mz.prm", 2, &actual).await;
    officer.get(&format!("/v1/messages/{first}")).await.expect(200);

    let found = async |query: &str| officer.get(&format!("/v1/inbox?{query}")).await.expect(200).ids();
    assert_eq!(found("status=actual").await, [second.as_str()]);
    assert_eq!(found("unread=true").await, [second.as_str()]);
    assert_eq!(found("sender=tz.tpf&facet=vehicle&type=alert.issue").await.len(), 2);
    assert_eq!(found("sender=tz.tisd").await.len(), 0);
    // An alert of an older minor version, which names no case, is its own.
    assert_eq!(found(&format!("case=alert/tz.tpf/{first}")).await, [first.as_str()]);
    assert_eq!(found(&format!("case=alert/tz.tisd/{first}")).await.len(), 0);
    assert_eq!(found(&format!("in_reply_to={first}")).await.len(), 0);
    assert_eq!(found("disposition=rejected").await.len(), 0);
    assert_eq!(found("created_from=2026-11-23T18:00:00Z&created_until=2026-11-23T18:00:01Z").await.len(), 2);
    assert_eq!(found("created_until=2026-11-23T18:00:00Z").await.len(), 0);
    for bad in ["sender=TPF", "status=real", "unknown=1", "limit=0", "cursor=AAAA"] {
        officer.get(&format!("/v1/inbox?{bad}")).await.expect(400);
    }
    let searches = fixture.audited("inbox.search").await;
    let (third, fourth) = (&searches[2]["details"], &searches[3]["details"]);
    assert_eq!((searches.len(), &third["hits"], &fourth["hits"]), (10, &json!("2"), &json!("0")));
    assert_eq!(fourth["filter.sender"], "tz.tisd");
    assert_eq!(searches[4]["details"]["filter.narrowed"], format!("case alert/tz.tpf/{first}"));
}

#[tokio::test]
async fn unknown_words_are_refused_with_the_nearest() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    fixture.receive("mz.prm", 1, &motorcycle()).await;
    for (query, code, hint) in [
        (
            "inbox?type=alert.isue",
            "unknown_type",
            "There is no type \"alert.isue\". The nearest: alert.issue.",
        ),
        ("inbox?type=receipt.read", "unknown_type", "alert.issue"),
        ("inbox?facet=vehicles", "unknown_facet", "The nearest: vehicle."),
        ("inbox?facet=bicycle", "unknown_facet", "missing_person"),
        ("inbox?sender=tz.tfp", "unknown_sender", "tz.tpf"),
        ("sent?recipient=tz.tfp", "unknown_recipient", "tz.tpf"),
        ("sent?facet=vehicles&recipient=tz.tisd", "unknown_facet", "vehicle"),
        ("cases?kind=alerts", "unknown_kind", "The nearest: alert."),
        ("cases?category=vehicles", "unknown_category", "The nearest: vehicle."),
        ("cases?partner=tz.tfp", "unknown_partner", "tz.tpf"),
    ] {
        let answer = officer.get(&format!("/v1/{query}")).await.expect(400);
        assert_eq!(answer.json["code"], code, "{query}");
        assert!(
            answer.json["detail"].as_str().is_some_and(|detail| detail.contains(hint)),
            "{}",
            answer.json
        );
    }
    let refused = &fixture.audited("inbox.search").await[0];
    assert_eq!((&refused["outcome"], &refused["reason"]), (&json!("refused"), &json!("unknown_type")));
    // A word of a later version is known once something has it.
    fixture
        .execute("UPDATE received SET facet = 'drone', sender = 'zm.zps', message_type = 'alert.note'")
        .await;
    let found = officer.get("/v1/inbox?facet=drone&sender=zm.zps&type=alert.note").await.expect(200);
    assert_eq!(found.ids().len(), 1);
}

#[tokio::test]
async fn sent_messages_are_found_by_recipient_and_state() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut draft = motorcycle();
    draft["recipients"] = json!(["tz.tpf"]);
    let (first, second) = (officer.issue(&draft).await, officer.issue(&motorcycle()).await);
    fixture.delivered("tz.tpf", "mz.prm", &first).await;

    let found = async |query: &str| officer.get(&format!("/v1/sent?{query}")).await.expect(200).ids();
    assert_eq!(found("recipient=tz.tisd").await, [second.as_str()]);
    assert_eq!(found("state=delivered").await, [first.as_str()]);
    assert_eq!(found("state=waiting").await, [second.as_str()]);
    assert_eq!(found("state=delivered&recipient=tz.tisd").await.len(), 0);
    let row = &officer.get("/v1/sent?state=delivered").await.expect(200).json["items"][0];
    assert_eq!(row["copies"][0]["state"], "delivered");
    assert!(row.get("payload").is_none() && !row.to_string().contains("Mueda"), "no content: {row}");

    fixture.execute("UPDATE outbox_copy SET state = 4, voided_at = 1 WHERE delivered_at IS NOT NULL").await;
    assert_eq!(found("state=delivered").await.len(), 0, "its recipient lost it, and it cannot leave again");
    let row = &officer.get("/v1/sent?state=void").await.expect(200).json["items"][0];
    assert_eq!((&row["id"], &row["copies"][0]["state"]), (&json!(first), &json!("void")));
}
