//! What is found, and that every look is written down.

use axum::http::StatusCode;
use rovuma_envelope::digest;
use rovuma_schemas::{
    MessageId,
    audit::{AuditAction, AuditObject, AuditOutcome},
};
use serde_json::Value;

use super::support::{Api, sequences};
use crate::testing::{GATEWAY, start};

#[tokio::test]
async fn every_filter_finds_what_it_names() {
    let mut api = Api::new().await;
    let message = MessageId::draw(start()).to_string();
    api.store_event(|event| {
        event.actor = "officer-2".to_owned();
        event.action = AuditAction::MessageSend;
        event.object = Some(AuditObject::new("message", message.clone()));
        event.time = "2026-11-20T08:00:00Z".parse().expect("RFC 3339");
    })
    .await;
    api.store_event(|event| {
        event.action = AuditAction::AccessRefuse;
        event.outcome = AuditOutcome::Refused;
        event.object = Some(AuditObject::new("draft", "draft-7"));
        event.time = "2026-11-21T08:00:00Z".parse().expect("RFC 3339");
    })
    .await;
    api.store_event(|event| {
        event.action = AuditAction::ReceiptAccept;
        event.object = Some(AuditObject::new("receipt", "receipt-1"));
        event.details.insert("message".to_owned(), message.clone());
        event.time = "2026-11-22T08:00:00Z".parse().expect("RFC 3339");
    })
    .await;
    api.store_event(|event| {
        event.actor = "officer-4".to_owned();
        event.action = AuditAction::DraftCreate;
        event.object = Some(AuditObject::new("draft", message.clone()));
        event.agency = Some("mz.senami".parse().expect("an agency"));
        event.time = "2026-11-19T08:00:00Z".parse().expect("RFC 3339");
    })
    .await;
    api.store_event(|event| {
        event.object = Some(AuditObject::new("message", message.clone()));
        event.agency = Some("mz.senami".parse().expect("an agency"));
        event.details.insert("reference".to_owned(), "PRM-EX-2026-0417".to_owned());
        event.time = "2026-11-18T08:00:00Z".parse().expect("RFC 3339");
    })
    .await;
    let of_reference = api.national("/v1/events?reference=prm-ex-2026-0417%20").await.1;
    assert_eq!(sequences(&of_reference), [5, 4, 3, 1], "a reference finds all of its messages' stories");
    assert_eq!(sequences(&api.national("/v1/events?reference=PRM-EX-2026-041").await.1), [0; 0]);
    let national = api.national(&format!("/v1/events?message={message}")).await.1;
    assert_eq!(sequences(&national), [5, 4, 3, 1], "a message's story begins with its draft");
    let cases = [
        ("actor=officer-2".to_owned(), vec![1]),
        ("action=access.refuse".to_owned(), vec![2]),
        ("outcome=refused".to_owned(), vec![2]),
        ("outcome=success".to_owned(), vec![3, 1]),
        ("object=draft-7".to_owned(), vec![2]),
        ("object_kind=draft&object=draft-7".to_owned(), vec![2]),
        ("object_kind=receipt".to_owned(), vec![3]),
        (format!("message={message}"), vec![3, 1]),
        (format!("message={message}&action=message.send"), vec![1]),
        ("from=2026-11-21T08:00:00Z".to_owned(), vec![3, 2]),
        ("to=2026-11-21T08:00:00Z".to_owned(), vec![1]),
        ("from=2026-11-20T08:00:00Z&to=2026-11-22T08:00:00Z".to_owned(), vec![2, 1]),
        (format!("source={GATEWAY}"), vec![3, 2, 1]),
        ("source=mz.identity".to_owned(), vec![]),
        ("object=officer-3".to_owned(), vec![]),
        (format!("message={}", MessageId::draw(start())), vec![]),
    ];
    for (query, expected) in cases {
        let (status, page) = api.auditor(&format!("/v1/events?{query}")).await;
        assert_eq!((status, sequences(&page)), (StatusCode::OK, expected), "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let api = Api::new().await;
    for query in [
        "actr=officer-1",
        "from=yesterday",
        "to=2026-11-21",
        "agency=prm",
        "agency=",
        "message=7",
        "outcome=maybe",
        "order=random",
        "cursor=AAAA",
        "actor=a&actor=b",
    ] {
        let (status, problem) = api.auditor(&format!("/v1/events?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {problem}");
        assert!(problem["code"].is_string() && problem["detail"].is_string(), "{problem}");
    }
    assert!(api.own("audit.search").await.is_empty(), "nothing was shown");
}

#[tokio::test]
async fn unknown_words_are_refused_with_the_nearest() {
    let mut api = Api::new().await;
    api.store_event(|event| event.object = Some(AuditObject::new("ship", "ship-1"))).await;
    let refused = async |who: &str, query: &str| {
        let path = format!("/v1/events?{query}");
        let (status, problem) =
            if who == "national" { api.national(&path).await } else { api.auditor(&path).await };
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {problem}");
        format!("{} {}", problem["code"], problem["detail"])
    };
    for (query, code, hint) in [
        ("object_kind=mesage", "unknown_object_kind", "The nearest: message."),
        ("object_kind=messages", "unknown_object_kind", "message"),
        ("source=mz.gatway.police", "unknown_source", GATEWAY),
        ("source=mz.identity.x", "unknown_source", "mz.identity"),
        ("action=message.sent", "unknown_action", "message.send"),
    ] {
        let said = refused("auditor", query).await;
        assert!(said.contains(code) && said.contains(hint), "{query}: {said}");
    }
    let said = refused("national", "agency=mz.pmr").await;
    assert!(said.contains("unknown_agency") && said.contains("mz.prm"), "{said}");
    let reasons: Vec<_> = api.own("audit.search").await.into_iter().map(|event| event.reason).collect();
    assert_eq!(reasons.first(), Some(&Some("unknown_object_kind".to_owned())));
    // Known words find nothing where there is nothing, and what some entry has is known.
    for query in ["object_kind=trust_list", "object_kind=ship", "source=mz.identity", "agency=mz.prm"] {
        let (status, page) = api.auditor(&format!("/v1/events?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{query}: {page}");
    }
}

#[tokio::test]
async fn a_filter_is_a_value_and_never_a_piece_of_the_query() {
    let mut api = Api::new().await;
    api.store_event(|_| {}).await;
    let (status, page) = api.auditor("/v1/events?object=%27%20OR%20%271%27%3D%271").await;
    assert_eq!((status, sequences(&page)), (StatusCode::OK, vec![]));
    for filter in ["actor", "action", "object_kind", "source"] {
        let (status, problem) = api.auditor(&format!("/v1/events?{filter}=%27%20OR%20%271%27%3D%271")).await;
        let code = format!("unknown_{filter}");
        assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some(code.as_str())));
    }
}

#[tokio::test]
async fn searches_are_events_of_the_log_with_what_was_asked_and_found() {
    let mut api = Api::new().await;
    for _ in 0..3 {
        api.store_event(|_| {}).await;
    }
    let (_, first) = api.auditor("/v1/events?actor=officer-1&limit=2").await;
    let cursor = first["next"].as_str().expect("there is more");
    api.auditor(&format!("/v1/events?actor=officer-1&limit=2&cursor={cursor}")).await;
    api.auditor("/v1/events?object=nobody&order=oldest").await;
    let searches = api.own("audit.search").await;
    let found: Vec<_> = searches.iter().map(|event| event.details["found"].as_str()).collect();
    assert_eq!(found, ["2", "1", "0"], "nothing found is written down too");
    let details: Vec<_> = searches.iter().map(|event| serde_json::to_string(&event.details)).collect();
    assert_eq!(details[0].as_ref().expect("JSON"), r#"{"filter.actor":"officer-1","found":"2"}"#);
    assert_eq!(
        details[1].as_ref().expect("JSON"),
        r#"{"filter.actor":"officer-1","found":"1","page":"next"}"#
    );
    assert_eq!(
        details[2].as_ref().expect("JSON"),
        r#"{"filter.object":"nobody","filter.order":"oldest","found":"0"}"#
    );
    let last = &searches[2];
    assert_eq!((last.actor.as_str(), last.session.as_deref()), ("auditor-1", Some("session-1")));
    assert_eq!(last.agency.as_ref().map(|agency| agency.as_str()), Some("mz.prm"));
    assert_eq!(last.object, Some(AuditObject::new("audit_log", "mz.prm")));

    let (_, seen) = api.auditor("/v1/events?action=audit.search").await;
    assert_eq!(seen["items"].as_array().map(Vec::len), Some(3), "auditors find auditors");
}

#[tokio::test]
async fn one_event_is_read_with_its_exact_bytes() {
    let mut api = Api::new().await;
    let text = api.gateway.event();
    api.store(std::slice::from_ref(&text)).await;
    let (status, answer) = api.auditor(&format!("/v1/events/{GATEWAY}/{}/1", api.gateway.epoch)).await;
    assert_eq!((status, answer["exact"].as_str()), (StatusCode::OK, Some(text.as_str())));
    assert_eq!(answer["entry"]["digest"], digest(text.as_bytes()).to_string());
    assert_eq!(answer["entry"]["event"], serde_json::from_str::<Value>(&text).expect("JSON"));
    assert_eq!(
        (&answer["entry"]["index"], &answer["entry"]["stored_at"]),
        (&1.into(), &start().to_string().into())
    );

    let reads = api.own("audit.read").await;
    let id = format!("{GATEWAY}/{}/1", api.gateway.epoch);
    assert_eq!(reads[0].object, Some(AuditObject::new("audit_event", id)));
    for path in ["/v1/events/x/00/1", &format!("/v1/events/{GATEWAY}/{}/zero", api.gateway.epoch)] {
        assert_eq!(api.auditor(path).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn the_document_of_the_api_is_the_committed_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/openapi/audit.json");
    let generated = crate::openapi();
    if std::env::var_os("ROVUMA_REWRITE").is_some() {
        std::fs::write(path, &generated).expect("written");
    }
    let committed = std::fs::read_to_string(path).expect("schemas/openapi/audit.json is there");
    assert!(generated == committed, "schemas/openapi/audit.json differs: run the test with ROVUMA_REWRITE=1");
}

/// A search for a word that nobody uses would find nothing, and look as if nothing had been done.
#[tokio::test]
async fn unknown_actions_and_actors_are_refused_with_the_nearest_words() {
    let mut api = Api::new().await;
    api.store_event(|event| event.actor = "officer-17".to_owned()).await;
    api.store_event(|event| {
        event.actor = "officer-18".to_owned();
        event.agency = Some("mz.senami".parse().expect("an agency"));
    })
    .await;
    for (path, code, near) in [
        ("/v1/events?action=audit.erase", "unknown_action", "The nearest: erase."),
        ("/v1/export?action=message.sent", "unknown_action", "The nearest: message.send,"),
        ("/v1/evidence?action=message.sent", "unknown_action", "The nearest: message.send,"),
        ("/v1/counts/day/all?action=nonsense", "unknown_action", "There is no action \"nonsense\"."),
        ("/v1/events?actor=officer-71", "unknown_actor", "The nearest: officer-17"),
        ("/v1/events?actor=officer-18", "unknown_actor", "The nearest: officer-17"),
    ] {
        let (status, problem) = api.auditor(path).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some(code)), "{path}");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(near) && !detail.contains("The nearest: officer-18"), "{path}: {detail}");
    }
    let refused = api.national("/v1/events?action=audit.search&outcome=refused").await.1;
    assert_eq!(refused["items"].as_array().map(Vec::len), Some(6), "each refusal is in the log: {refused}");
    // Known words without an entry are an answer, and so is another agency's officer to the country's auditor.
    for (path, found) in [("/v1/events?action=trust.sign", 0), ("/v1/events?actor=officer-17", 1)] {
        let (status, page) = api.auditor(path).await;
        assert_eq!((status, page["items"].as_array().map(Vec::len)), (StatusCode::OK, Some(found)), "{path}");
    }
    assert_eq!(api.national("/v1/events?actor=officer-18").await.0, StatusCode::OK);
    // A newer version's action is known where an entry has it.
    api.store_event(|event| event.action = "message.teleport".parse().expect("a code word")).await;
    assert_eq!(api.auditor("/v1/events?action=message.teleport").await.0, StatusCode::OK);
}
