//! Pages that stay the same while the log grows: every page asked for makes it grow.

use axum::http::StatusCode;

use super::support::{Api, sequences};

/// Follows `next` from page to page, storing an event between them.
async fn walk(api: &mut Api, path: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let mut next: Option<String> = None;
    for _ in 0..100 {
        let url = match &next {
            Some(cursor) => format!("{path}&cursor={cursor}"),
            None => path.to_owned(),
        };
        let (status, page) = api.national(&url).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        found.extend(sequences(&page));
        api.store_event(|_| {}).await;
        match page["next"].as_str() {
            Some(cursor) => next = Some(cursor.to_owned()),
            None => return found,
        }
    }
    panic!("the pages of {path} never end");
}

#[tokio::test]
async fn what_becomes_of_a_case_while_its_pages_are_read_is_in_none_of_them() {
    let mut api = Api::new().await;
    const OTHER: &str = "0199c5a1-7b3e-7001-8a10-000000000002";
    for (message, named) in [("0199c5a1-7b3e-7001-8a10-000000000001", true), (OTHER, false), (OTHER, false)] {
        api.store_event(|event| {
            event.object = Some(rovuma_schemas::audit::AuditObject::new("message", message));
            if named {
                event.details.insert("reference".to_owned(), "12/2026".to_owned());
            }
        })
        .await;
    }
    let (_, first) = api.national("/v1/events?reference=12/2026&limit=1").await;
    assert_eq!((sequences(&first), first["next"].as_str()), (vec![1], None));
    let (_, first) =
        api.national("/v1/events?action=message.read&limit=1&reference=12/2026&order=oldest").await;
    assert_eq!(sequences(&first), [1]);
    // The other message gets the reference too, with a later event.
    api.store_event(|event| {
        event.object = Some(rovuma_schemas::audit::AuditObject::new("message", OTHER));
        event.details.insert("reference".to_owned(), "12/2026".to_owned());
    })
    .await;
    let (_, all) = api.national("/v1/events?reference=12/2026&limit=2").await;
    assert_eq!(sequences(&all), [4, 3]);
    let next = all["next"].as_str().expect("more").to_owned();
    api.store_event(|event| {
        event.object = Some(rovuma_schemas::audit::AuditObject::new("message", OTHER));
    })
    .await;
    let (_, rest) = api.national(&format!("/v1/events?reference=12/2026&limit=2&cursor={next}")).await;
    assert_eq!(sequences(&rest), [2, 1]);
}

#[tokio::test]
async fn pages_neither_repeat_nor_leave_out_while_the_log_grows() {
    for limit in [1, 2, 3, 7, 200] {
        let mut api = Api::new().await;
        for _ in 0..7 {
            api.store_event(|_| {}).await;
        }
        assert_eq!(walk(&mut api, &format!("/v1/events?limit={limit}")).await, [7, 6, 5, 4, 3, 2, 1]);
        let mut api = Api::new().await;
        for _ in 0..7 {
            api.store_event(|_| {}).await;
        }
        assert_eq!(
            walk(&mut api, &format!("/v1/events?order=oldest&limit={limit}")).await,
            [1, 2, 3, 4, 5, 6, 7]
        );
    }
}

#[tokio::test]
async fn a_page_says_how_long_the_log_was_and_whether_there_is_more() {
    let mut api = Api::new().await;
    for _ in 0..3 {
        api.store_event(|_| {}).await;
    }
    let (_, page) = api.auditor("/v1/events?limit=2").await;
    assert_eq!((page["end"].as_u64(), sequences(&page)), (Some(4), vec![3, 2]));
    let cursor = page["next"].as_str().expect("there is more");
    let (_, last) = api.auditor(&format!("/v1/events?limit=2&cursor={cursor}")).await;
    assert_eq!((last["end"].as_u64(), sequences(&last)), (Some(4), vec![1]));
    assert!(last["next"].is_null());
    let (_, again) = api.auditor("/v1/events?limit=2").await;
    assert_eq!(again["end"].as_u64(), Some(6), "the two searches are in the log by now");
}

#[tokio::test]
async fn a_cursor_is_for_its_own_search_and_its_own_log() {
    let mut api = Api::new().await;
    for _ in 0..3 {
        api.store_event(|_| {}).await;
    }
    let (_, page) = api.auditor("/v1/events?limit=1").await;
    let cursor = page["next"].as_str().expect("there is more").to_owned();
    for query in ["actor=officer-1", "order=oldest", "outcome=success", "agency=mz.prm"] {
        let (status, problem) = api.auditor(&format!("/v1/events?{query}&cursor={cursor}")).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("cursor")), "{query}");
    }
    let (status, _) = api.national(&format!("/v1/events?cursor={cursor}")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "another's log");
    assert_eq!(api.auditor(&format!("/v1/events?limit=2&cursor={cursor}")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_page_has_a_limit() {
    let mut api = Api::new().await;
    let events = api.gateway.events(205);
    api.store(&events).await;
    for (limit, rows) in [("", 50), ("limit=1", 1), ("limit=200", 200)] {
        let (_, page) = api.auditor(&format!("/v1/events?{limit}")).await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(rows), "{limit}");
    }
    for limit in ["limit=0", "limit=201", "limit=4000000000", "limit=-1", "limit=many"] {
        assert_eq!(api.auditor(&format!("/v1/events?{limit}")).await.0, StatusCode::BAD_REQUEST, "{limit}");
    }
}
