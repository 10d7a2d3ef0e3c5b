//! Domain events, listed and followed live.

use futures::StreamExt;
use reqwest::Method;

use super::support::{Client, Fixture, motorcycle};
use crate::messages::live::STREAMS_MAX;

/// The text of a live stream, until it contains `wanted` or ends.
async fn follow(caller: &Client<'_>, last: &str, wanted: &str, meanwhile: impl AsyncFnOnce()) -> String {
    let request = caller.request(Method::GET, "/v1/events/live").header("Last-Event-ID", last);
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut chunks = response.bytes_stream();
    meanwhile().await;
    let mut text = String::new();
    while let Some(chunk) = chunks.next().await {
        text.push_str(&String::from_utf8_lossy(&chunk.expect("a chunk")));
        if !wanted.is_empty() && text.contains(wanted) {
            break;
        }
    }
    text
}

#[tokio::test]
async fn events_are_read_in_order_and_from_where_one_stopped() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.issue(&motorcycle()).await;
    fixture.receive("mz.senami", 1, &motorcycle()).await;
    let all = officer.get("/v1/events").await.expect(200).json;
    let kinds: Vec<_> =
        all["items"].as_array().expect("events").iter().map(|event| event["event"].clone()).collect();
    assert_eq!(kinds, ["draft.changed", "draft.changed", "message.released", "case.changed"]);
    assert_eq!(all["items"][2]["object"], id.as_str());
    let first = officer.get("/v1/events?limit=1").await.expect(200).json;
    let rest = officer.get(&format!("/v1/events?after={}", first["next"])).await.expect(200).json;
    assert_eq!(rest["items"].as_array().expect("events").len(), 3);
    let none = officer.get(&format!("/v1/events?after={}", all["next"])).await.expect(200).json;
    assert_eq!((none["items"].as_array().expect("events").len(), &none["next"]), (0, &all["next"]));
    for bad in ["after=-1", "limit=0", "limit=201"] {
        officer.get(&format!("/v1/events?{bad}")).await.expect(400);
    }
    // As after a store was put back from an older copy.
    let ahead = all["next"].as_i64().expect("a number") + 1_000;
    let refused = officer.get(&format!("/v1/events?after={ahead}")).await.expect(409);
    assert_eq!(refused.code(), "after_unknown");
    let live = officer.with("Last-Event-ID", &ahead.to_string()).get("/v1/events/live").await.expect(409);
    assert_eq!(live.code(), "after_unknown");
}

#[tokio::test]
async fn a_live_stream_gives_missed_and_new_events() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    officer.create(&motorcycle()).await;
    fixture.receive("mz.senami", 1, &motorcycle()).await;
    let text = follow(&officer, "0", "message.received", async || {
        fixture.receive("mz.prm", 1, &motorcycle()).await;
    })
    .await;
    assert!(text.contains("event: draft.changed"), "what was missed: {text}");
    assert_eq!(text.matches("event: message.received").count(), 1, "only the agency's own: {text}");
    assert!(text.contains("id: 1") && text.contains("\"seq\":1"), "{text}");
    officer.with("Last-Event-ID", "x").get("/v1/events/live").await.expect(400);
}

#[tokio::test]
async fn a_live_stream_ends_with_the_token() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let other = fixture.person("officer-2", "mz.prm", &["liaison_officer"]);
    other.create(&motorcycle()).await;
    let text = follow(&officer, "0", "", async || {
        fixture.clock.advance(std::time::Duration::from_secs(601));
        // The next commit wakes the stream, which then sees that its token has ended.
        fixture.receive("mz.prm", 1, &motorcycle()).await;
    })
    .await;
    assert!(text.contains("draft.changed"), "{text}");
}

#[tokio::test]
async fn a_live_stream_ends_when_the_gateway_stops() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let text = follow(&officer, "0", "", async || fixture.context.shutdown.begin()).await;
    assert_eq!(text, "");
    assert!(fixture.context.shutdown.drained().await, "nothing had to be dropped");
}

#[tokio::test]
async fn a_subject_follows_on_four_connections_at_most() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let open = async |caller: &Client<'_>| {
        caller.request(Method::GET, "/v1/events/live").send().await.expect("an answer")
    };
    let mut streams = Vec::new();
    for _ in 0..4 {
        let stream = open(&officer).await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    let refused = officer.get("/v1/events/live").await.expect(429);
    assert_eq!(refused.code(), "too_many_streams");
    assert!(
        refused.json["detail"].as_str().is_some_and(|text| text.contains("4 connections")),
        "{refused:?}"
    );
    let other = fixture.person("officer-2", "mz.prm", &["liaison_officer"]);
    assert_eq!(open(&other).await.status(), 200, "another officer has room of their own");
    // The gateway notices that a client is gone when it next writes to it.
    drop(streams.pop());
    for number in 1.. {
        if open(&officer).await.status() == 200 {
            break;
        }
        fixture.receive("mz.prm", number, &motorcycle()).await;
    }
}

/// Each stream used to ask the store at each commit of anybody.
#[tokio::test]
async fn many_streams_cost_no_more_queries_than_one() {
    const FOLLOWERS: usize = 75;
    const COMMITS: u64 = 20;
    let fixture = Fixture::start().await;
    let mut streams = Vec::new();
    for number in 0..FOLLOWERS {
        let officer = fixture.person(&format!("officer-{number}"), "mz.prm", &["liaison_officer"]);
        for _ in 0..STREAMS_MAX {
            let request = officer.request(Method::GET, "/v1/events/live").header("Last-Event-ID", "0");
            let response = request.send().await.expect("an answer");
            assert_eq!(response.status(), 200);
            streams.push(response.bytes_stream());
        }
    }
    for number in 1..=COMMITS {
        fixture.receive("mz.prm", number, &motorcycle()).await;
    }
    // Every stream gets every event, in order and once.
    for stream in &mut streams {
        let mut text = String::new();
        while text.matches("event: message.received").count() < usize::try_from(COMMITS).expect("few") {
            let chunk = stream.next().await.expect("the stream goes on").expect("a chunk");
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        let ids = text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse::<i64>().ok());
        assert!(ids.is_sorted_by(|one, next| one < next), "{text}");
    }
    let (reads, followers) = (fixture.gateway.base.feed.reads(), u64::try_from(streams.len()).expect("few"));
    assert!(
        reads <= followers + 3 * COMMITS,
        "{reads} queries for {followers} streams and {COMMITS} commits"
    );
}
