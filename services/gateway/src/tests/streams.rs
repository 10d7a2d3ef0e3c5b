//! Streams between a partner with valid keys and us: what it requests, announces, makes void and invents.

use std::time::{Duration, Instant};

use rovuma_envelope::{Jws, Origin};
use rovuma_schemas::{
    Body, Digest, Lane, MessageId, NumberRange, Receipts, RejectedEntry, RejectionCode, StoreId, StreamEnd,
    StreamGaps, StreamId, StreamRequest, StreamStatus, VoidReason, VoidedNumber, audit::AuditPosition,
};
use serde_json::{Value, json};
use sqlx::Row;

use super::support::{Fixture, agency, motorcycle};
use crate::exchange::{accept::transport::REQUEST_EVERY, status, stream};

const SENDER: &str = "tz.tpf";
const OWN: &str = "mz.prm";

impl Fixture {
    /// A transport message of [`SENDER`], made now.
    fn word(&self, body: Body) -> Jws {
        self.tz.transport(SENDER, OWN, body, self.gateway.base.now())
    }

    async fn take(&self, jws: Jws) {
        self.deliver(OWN, Origin::Ingress(agency(SENDER).country()), jws).await;
    }

    async fn take_request(&self, lane: Lane, stream: StreamId, missing: &[(u64, u64)]) {
        let missing = missing.iter().map(|(from, to)| NumberRange { from: *from, to: *to }).collect();
        let streams = vec![StreamGaps { lane, stream, missing }];
        self.take(self.word(Body::StreamRequest(StreamRequest { streams }))).await;
    }

    async fn take_status(&self, streams: Vec<StreamEnd>) {
        self.clock.advance(Duration::from_secs(1));
        self.take(self.word(Body::StreamStatus(StreamStatus { streams, received: Vec::new() }))).await;
    }

    pub(super) async fn alarms(&self, kind: &str) -> Vec<Value> {
        let officer = self.person("officer-9", OWN, &["liaison_officer"]);
        let all = officer.get("/v1/alarms").await.expect(200).json["items"].clone();
        all.as_array().expect("alarms").iter().filter(|alarm| alarm["kind"] == kind).cloned().collect()
    }

    async fn states(&self) -> Vec<String> {
        let officer = self.person("officer-9", OWN, &["liaison_officer"]);
        let sent = officer.get("/v1/sent").await.expect(200).json;
        let rows = sent["items"].as_array().expect("rows").clone();
        rows.iter().map(|row| row["copies"][0]["state"].as_str().expect("a state").to_owned()).collect()
    }

    /// The outgoing requests that wait in the outbox, oldest first.
    async fn requests_out(&self) -> Vec<StreamRequest> {
        let rows = sqlx::query(
            "SELECT compact FROM outbox_message WHERE message_type = 'stream.request' ORDER BY created_at, id",
        );
        let rows = rows.fetch_all(self.gateway.base.store.read()).await.expect("reads");
        let read = |row: &sqlx::any::AnyRow| {
            let jws = crate::exchange::stored_jws(row.get("compact")).expect("a JWS");
            match rovuma_schemas::Message::parse(jws.unverified_payload()).expect("a message").body {
                Body::StreamRequest(request) => request,
                other => panic!("{other:?}"),
            }
        };
        rows.iter().map(read).collect()
    }

    async fn request_missing(&self) {
        let now = self.gateway.base.now();
        status::request_missing(&self.gateway.exchange, now).await.expect("requested");
    }

    /// Makes 20,000 delivered copies of one, in its stream.
    async fn multiply_sent(&self) {
        self.execute(
            "INSERT INTO outbox_copy (message, country, sender, recipient, lane, stream, number, size_bytes, state,
                                      enqueued_at, delivered_at, settled_at)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             SELECT randomblob(16), country, sender, recipient, lane, stream, number + i, size_bytes, 2,
                    enqueued_at, enqueued_at, enqueued_at
             FROM outbox_copy, n WHERE number = 1",
        )
        .await;
        self.execute("UPDATE outbox_stream SET last = 20001").await;
    }
}

fn end(stream: StreamId, last: u64, voided: &[u64]) -> StreamEnd {
    let voided = voided.iter().map(|number| VoidedNumber { number: *number, reason: VoidReason::Expired });
    StreamEnd { lane: Lane::Normal, stream, last, voided: voided.collect() }
}

fn to_tpf() -> Value {
    let mut draft = motorcycle();
    draft["recipients"] = json!([SENDER]);
    draft
}

/// The lane, stream and digest of the one message that `OWN` sent.
async fn sent_copy(fixture: &Fixture) -> (Lane, StreamId) {
    let query = sqlx::query("SELECT lane, stream FROM outbox_copy WHERE number = 1");
    let row = query.fetch_one(fixture.gateway.base.store.read()).await.expect("one copy");
    let lane = row.get::<String, _>("lane").parse().expect("a lane");
    (lane, StoreId::from_slice(row.get::<&[u8], _>("stream")).expect("a stream"))
}

#[tokio::test]
async fn a_hostile_request_holds_up_no_release() {
    if rovuma_lab::postgres::tests_use_postgres() {
        // The copies are multiplied with functions of SQLite.
        return;
    }
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", OWN, &["liaison_officer"]);
    officer.issue(&to_tpf()).await;
    fixture.multiply_sent().await;
    let (lane, stream) = sent_copy(&fixture).await;
    fixture.clock.advance(Duration::from_secs(1));

    // 13,312 ranges, each over the whole stream, as one message of 1 KiB on the line; and the most that the rules let in.
    let gaps = |missing: Vec<(u64, u64)>| StreamGaps {
        lane,
        stream,
        missing: missing.into_iter().map(|(from, to)| NumberRange { from, to }).collect(),
    };
    let forbidden = StreamRequest { streams: vec![gaps(vec![(1, 99_999); 1024]); 11] };
    let most = StreamRequest {
        streams: vec![gaps((0..64).map(|index| (index * 300 + 1, index * 300 + 64)).collect())],
    };
    let id = officer.create(&to_tpf()).await.id();
    let (forbidden, most) =
        (fixture.word(Body::StreamRequest(forbidden)), fixture.word(Body::StreamRequest(most)));
    // The inbox verifies on threads of its own; only the decision takes the writer.
    let opened = fixture.verify(OWN, Origin::Ingress(agency(SENDER).country()), vec![forbidden, most]);
    let begun = Instant::now();
    let path = format!("/v1/drafts/{id}/release");
    let release = async {
        officer.step(&path).await.expect(200);
        begun.elapsed()
    };
    let (took, ()) = tokio::join!(release, fixture.decide(OWN, opened));
    assert!(took < Duration::from_millis(500), "{took:?}");

    assert_eq!(fixture.count("SELECT COUNT(*) FROM quarantine WHERE reason = 'unreadable'").await, 1);
    let resent = fixture.audited("message.resend").await;
    assert_eq!((resent.len(), &resent[0]["details"]["again"]), (1, &json!("512")));
    assert_eq!(fixture.count("SELECT COUNT(*) FROM outbox_copy WHERE again_at IS NOT NULL").await, 512);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM outbox_copy WHERE state = 2").await, 20_000);
}

#[tokio::test]
async fn of_the_requests_of_ten_seconds_one_is_acted_on() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", OWN, &["liaison_officer"]);
    officer.issue(&to_tpf()).await;
    let (lane, stream) = sent_copy(&fixture).await;
    for _ in 0..5 {
        fixture.take_request(lane, stream, &[(1, 1)]).await;
        fixture.clock.advance(REQUEST_EVERY / 5);
    }
    assert_eq!(fixture.audited("message.resend").await.len(), 1);
    fixture.take_request(lane, stream, &[(1, 1)]).await;
    assert_eq!(fixture.audited("message.resend").await.len(), 2);
    // Another pair has its own ten seconds, and a request of the past is none, however late it comes again.
    let request = StreamRequest {
        streams: vec![StreamGaps { lane, stream, missing: vec![NumberRange { from: 1, to: 1 }] }],
    };
    let jws = fixture.tz.transport("tz.tisd", OWN, Body::StreamRequest(request), fixture.gateway.base.now());
    fixture.take(jws.clone()).await;
    assert_eq!(fixture.audited("message.resend").await.len(), 3);
    fixture.clock.advance(REQUEST_EVERY * 2);
    fixture.take(jws).await;
    assert_eq!(fixture.audited("message.resend").await.len(), 3);
}

/// Two messages of one time are in the order of their ids, so the later one is no replay.
#[tokio::test]
async fn two_statuses_of_one_time_are_both_taken() {
    let fixture = Fixture::start().await;
    let status = || {
        let streams = vec![end(StreamId::draw(), 3, &[])];
        fixture.word(Body::StreamStatus(StreamStatus { streams, received: Vec::new() }))
    };
    let id = |jws: &Jws| rovuma_schemas::Header::from_payload(jws.unverified_payload()).expect("a header").id;
    let mut both = [status(), status()];
    both.sort_by_key(id);
    for jws in both {
        fixture.take(jws).await;
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM stream_in").await, 2);
}

#[tokio::test]
async fn gaps_in_three_lanes_are_requested_with_one_message_and_closed() {
    let fixture = Fixture::start().await;
    let stream = StreamId::draw();
    let lanes = |last| Lane::ALL.map(|lane| StreamEnd { lane, ..end(stream, last, &[]) }).to_vec();
    fixture.take_status(lanes(2)).await;
    fixture.clock.advance(Duration::from_secs(60));
    fixture.request_missing().await;
    let requests = fixture.requests_out().await;
    assert_eq!(requests.len(), 1, "one message for the pair");
    let mut asked: Vec<(Lane, Vec<NumberRange>)> =
        requests[0].streams.iter().map(|gaps| (gaps.lane, gaps.missing.clone())).collect();
    asked.sort_by_key(|(lane, _)| *lane);
    assert_eq!(asked, Lane::ALL.map(|lane| (lane, vec![NumberRange { from: 1, to: 2 }])));
    fixture.request_missing().await;
    assert_eq!(fixture.requests_out().await.len(), 1, "once");

    // All of it becomes void, and no gap is left.
    let closed: Vec<StreamEnd> = Lane::ALL.map(|lane| StreamEnd { lane, ..end(stream, 2, &[1, 2]) }).to_vec();
    fixture.take_status(closed).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM stream_in WHERE gap_since IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_gap_that_nobody_closes_leaves_room_for_the_others() {
    let fixture = Fixture::start().await;
    let stream = StreamId::draw();
    let large = StreamEnd { lane: Lane::Bulk, ..end(stream, 50_000, &[]) };
    fixture.take_status(vec![large, end(stream, 3, &[])]).await;
    fixture.clock.advance(Duration::from_secs(60));
    fixture.request_missing().await;
    let request = fixture.requests_out().await.remove(0);
    let numbers = |lane| {
        let gaps = request.streams.iter().filter(|gaps| gaps.lane == lane).flat_map(|gaps| &gaps.missing);
        gaps.map(|range| range.to - range.from + 1).sum::<u64>()
    };
    assert_eq!(numbers(Lane::Normal), 3);
    assert!((256..=509).contains(&numbers(Lane::Bulk)), "{}", numbers(Lane::Bulk));
}

#[tokio::test]
async fn a_contrary_receipt_is_an_alarm_and_turns_nothing_round() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", OWN, &["liaison_officer"]);
    let id = officer.issue(&to_tpf()).await;
    let (lane, stream) = sent_copy(&fixture).await;
    fixture.delivered(SENDER, OWN, &id).await;
    fixture.clock.advance(Duration::from_secs(1));
    fixture.take_request(lane, stream, &[(1, 1)]).await;
    assert_eq!(fixture.states().await, ["delivered"], "it goes again, and stays delivered");
    for _ in 0..2 {
        fixture.clock.advance(Duration::from_secs(1));
        fixture.rejected(&id).await;
    }
    fixture.delivered(SENDER, OWN, &id).await;
    assert_eq!(fixture.states().await, ["delivered"]);
    let alarms = fixture.alarms("contrary_receipt").await;
    assert_eq!((alarms.len(), &alarms[0]["subject"], &alarms[0]["times"]), (1, &json!(id), &json!(1)));
    assert!(fixture.alarms("rejected").await.is_empty());
    let refused = fixture.audited("receipt.refuse").await;
    assert_eq!((refused.len(), &refused[0]["reason"]), (1, &json!("contradiction")));

    let trace = officer.get(&format!("/v1/messages/{id}/trace")).await.expect(200).json;
    let hops: Vec<&str> = trace["hops"]
        .as_array()
        .expect("hops")
        .iter()
        .map(|hop| hop["hop"].as_str().expect("a word"))
        .collect();
    assert_eq!(hops.iter().filter(|hop| **hop == "delivered").count(), 1, "{hops:?}");
    assert_eq!(hops.last(), Some(&"contrary_receipt"), "{hops:?}");
    assert!(!hops.contains(&"rejected"), "{hops:?}");
    let jws = officer.get(&format!("/v1/messages/{id}/jws")).await.expect(200).json;
    assert_eq!(jws["receipts"].as_array().expect("receipts").len(), 2, "both are kept: {jws}");
}

impl Fixture {
    /// A receipt in which [`SENDER`] rejects the message of [`OWN`].
    async fn rejected(&self, id: &str) {
        let id: MessageId = id.parse().expect("an id");
        let query = sqlx::query("SELECT digest FROM sent");
        let row = query.fetch_one(self.gateway.base.store.read()).await.expect("reads");
        let entry = RejectedEntry {
            id,
            digest: Digest::from_slice(row.get("digest")).expect("a digest"),
            code: RejectionCode::Expired,
            detail: None,
            rejected_at: self.gateway.base.now(),
            audit: AuditPosition { source: "tz.gateway".to_owned(), epoch: StoreId::draw(), sequence: 9 },
        };
        self.take(self.word(Body::ReceiptRejected(Receipts { entries: vec![entry] }))).await;
    }
}

#[tokio::test]
async fn void_numbers_are_proved_and_a_message_under_one_is_an_alarm() {
    let fixture = Fixture::start().await;
    fixture.receive(OWN, 1, &motorcycle()).await;
    let stream = fixture.tz.stream();
    let lane = received_lane(&fixture).await;
    let in_lane = |voided: &[u64]| StreamEnd { lane, ..end(stream, 17, voided) };
    fixture.take_status(vec![in_lane(&[2, 3, 17])]).await;
    let events = fixture.audited("stream.void").await;
    assert_eq!(events.len(), 1);
    let details = &events[0]["details"];
    assert_eq!((&details["from"], &details["numbers"]), (&json!(SENDER), &json!("2-3 17")));
    assert_eq!((&details["reason"], &details["lane"]), (&json!("expired"), &json!(lane.as_str())));
    assert_eq!(details["stream"], stream.to_string());
    // The same again is no news; one more is.
    fixture.take_status(vec![in_lane(&[2, 3, 17])]).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM void_status").await, 1);
    fixture.take_status(vec![in_lane(&[2, 3, 4, 17])]).await;
    assert_eq!(fixture.audited("stream.void").await[1]["details"]["numbers"], "4");

    fixture.receive(OWN, 5, &motorcycle()).await;
    assert!(fixture.alarms("number_void").await.is_empty());
    let id = fixture.receive(OWN, 17, &motorcycle()).await;
    let alarms = fixture.alarms("number_void").await;
    assert_eq!((alarms.len(), &alarms[0]["subject"]), (1, &json!(id)));
    let detail = alarms[0]["detail"].as_str().expect("a detail");
    assert!(detail.contains("number 17") && detail.contains(details["digest"].as_str().expect("a digest")));

    // Both statements can be shown with their signatures.
    let officer = fixture.person("officer-1", OWN, &["liaison_officer"]);
    let signed = officer.get(&format!("/v1/messages/{id}/jws")).await.expect(200).json;
    let status = signed["void"]["jws"].as_str().expect("the status").parse_jws();
    assert_eq!(status.digest().to_string(), details["digest"].as_str().expect("a digest"));
    assert_eq!(signed["void"]["reason"], "expired");
    let message = rovuma_schemas::Message::parse(status.unverified_payload()).expect("a status");
    assert!(matches!(message.body, Body::StreamStatus(status) if status.streams[0].voided.len() == 3));
    let other = fixture.receive(OWN, 6, &motorcycle()).await;
    let signed = officer.get(&format!("/v1/messages/{other}/jws")).await.expect(200).json;
    assert!(signed.get("void").is_none(), "{signed}");
}

trait ParseJws {
    fn parse_jws(&self) -> Jws;
}

impl ParseJws for str {
    fn parse_jws(&self) -> Jws {
        Jws::from_compact(self).expect("a JWS")
    }
}

async fn received_lane(fixture: &Fixture) -> Lane {
    let query = sqlx::query("SELECT lane FROM received LIMIT 1");
    let row = query.fetch_one(fixture.gateway.base.store.read()).await.expect("reads");
    row.get::<String, _>("lane").parse().expect("a lane")
}

#[tokio::test]
async fn a_stream_that_was_closed_keeps_its_void_numbers() {
    let fixture = Fixture::start().await;
    let (lane, stream) = {
        fixture.receive(OWN, 1, &motorcycle()).await;
        (received_lane(&fixture).await, fixture.tz.stream())
    };
    fixture.take_status(vec![StreamEnd { lane, ..end(stream, 17, &[17]) }]).await;
    for _ in 0..2 {
        let invented = (0..8).map(|_| StreamEnd { lane, ..end(StreamId::draw(), 0, &[]) });
        fixture.take_status(invented.collect()).await;
    }
    assert_eq!(fixture.alarms("stream_closed").await.len(), 1, "its gap was given up");
    fixture.receive(OWN, 17, &motorcycle()).await;
    assert_eq!(fixture.alarms("number_void").await.len(), 1);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM void_status").await, 1, "no news");
}

#[tokio::test]
async fn void_numbers_without_room_for_their_proof_stay_missing() {
    let fixture = Fixture::start().await;
    let stream = StreamId::draw();
    fixture.take_status(vec![end(stream, 9, &[1])]).await;
    fixture.execute("UPDATE void_status SET numbers = 50000").await;
    fixture.take_status(vec![end(stream, 9, &[1, 2])]).await;
    assert_eq!(fixture.count("SELECT next FROM stream_in").await, 2);
    let alarms = fixture.alarms("stream_bound").await;
    assert_eq!((alarms.len(), &alarms[0]["subject"]), (1, &json!(SENDER)));
    fixture.clock.advance(Duration::from_secs(24 * 3600));
    fixture.take_status(vec![end(stream, 9, &[1, 2])]).await;
    assert_eq!(fixture.count("SELECT next FROM stream_in").await, 3, "the next day has room");
}

/// 30 statuses with numbers far ahead, every second one void; then an honest status.
#[tokio::test]
async fn numbers_far_ahead_leave_few_rows_and_hold_nobody_up() {
    let fixture = Fixture::start().await;
    let streams: Vec<StreamId> = (0..3).map(|_| StreamId::draw()).collect();
    for status in 0..30_u64 {
        let ends = streams.iter().map(|stream| {
            let first = 3 + status * 2048;
            end(*stream, 1 << 52, &(0..1024).map(|index| first + 2 * index).collect::<Vec<_>>())
        });
        fixture.take_status(ends.collect()).await;
    }
    let rows = fixture.count("SELECT COUNT(*) FROM stream_ahead").await;
    let most = i64::try_from(3 * stream::RANGES_MAX).expect("few");
    assert!(rows <= most, "{rows}");
    assert!(!fixture.alarms("stream_bound").await.is_empty());
    let begun = Instant::now();
    fixture.take_status(vec![end(streams[0], 4, &[])]).await;
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn invented_streams_leave_few_rows_and_few_requests() {
    let fixture = Fixture::start().await;
    for _ in 0..40 {
        let invented = Lane::ALL
            .into_iter()
            .flat_map(|lane| (0..8).map(move |_| StreamEnd { lane, ..end(StreamId::draw(), 9, &[]) }));
        fixture.take_status(invented.collect()).await;
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM stream_in").await, 24);
    fixture.clock.advance(Duration::from_secs(60));
    for _ in 0..3 {
        fixture.request_missing().await;
        fixture.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(fixture.requests_out().await.len(), 1);
    // A status that names more of a lane, or one stream twice, is not read.
    let many: Vec<StreamEnd> = (0..9).map(|_| end(StreamId::draw(), 9, &[])).collect();
    let twice = vec![end(StreamId::draw(), 9, &[]); 2];
    for streams in [many, twice] {
        fixture.take_status(streams).await;
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM quarantine WHERE reason = 'unreadable'").await, 2);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM stream_in").await, 24);
}

/// A number that not every JSON reader keeps exactly is refused, not rounded to another one.
#[tokio::test]
async fn numbers_from_two_to_the_53_are_not_taken() {
    let fixture = Fixture::start().await;
    for number in [1 << 53, (1 << 53) + 1, u64::MAX] {
        let now = fixture.gateway.base.now();
        let (_, jws) = fixture.tz.alert((SENDER, OWN, number), &motorcycle(), now);
        fixture.take(jws).await;
        fixture.take_status(vec![end(StreamId::draw(), number, &[])]).await;
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received").await, 0);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM stream_in").await, 0);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM quarantine").await, 6);
    assert!(fixture.alarms("number_reused").await.is_empty());
}

#[tokio::test]
async fn a_status_with_as_many_void_numbers_as_it_may_name_takes_little_time() {
    let fixture = Fixture::start().await;
    let ends = (0..3).map(|_| end(StreamId::draw(), 4096, &(1..=1024).map(|n| 4 * n).collect::<Vec<_>>()));
    let begun = Instant::now();
    fixture.take_status(ends.collect()).await;
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    assert_eq!(fixture.count("SELECT COUNT(*) FROM stream_void").await, 3072);
}
