//! Messages and their cases: which message belongs to which case, under whatever id it is named.

use rovuma_envelope::{Jws, Origin};
use rovuma_schemas::{CaseId, MessageId, Timestamp};
use rovuma_store::FutureExt;
use serde_json::{Value, json};
use sqlx::Row;

use super::support::{Client, Fixture, agency, motorcycle};

/// A message of `tz.tpf` that replaces another one, with a full place in a case.
struct Reissue {
    id: MessageId,
    replaces: MessageId,
    case: MessageId,
    in_reply_to: Option<MessageId>,
}

impl Fixture {
    fn draw(&self) -> MessageId {
        MessageId::draw(self.gateway.base.now())
    }

    fn reissue(&self, number: u64, reissue: &Reissue) -> Jws {
        let now = self.gateway.base.now();
        self.tz.alert_with(reissue.id, ("tz.tpf", "mz.prm", number), &motorcycle(), now, |header| {
            header.replaces = Some(reissue.replaces);
            header.first_created = Some(first_created(now));
            header.case =
                Some(CaseId { kind: "alert".to_owned(), owner: agency("tz.tpf"), id: reissue.case });
            header.turn = Some(3);
            header.seen = [(agency("mz.prm"), 2), (agency("mz.senami"), (1 << 53) - 1)].into();
            header.in_reply_to = reissue.in_reply_to;
        })
    }

    async fn arrive(&self, jws: Jws) {
        self.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), jws).await;
    }
}

fn first_created(now: Timestamp) -> Timestamp {
    now.minus(std::time::Duration::from_secs(60))
}

async fn found(officer: &Client<'_>, list: &str) -> Vec<String> {
    let mut ids = officer.get(list).await.expect(200).ids();
    ids.sort();
    ids
}

#[tokio::test]
async fn a_place_in_a_case_is_stored_and_shown() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let (id, old, answered) = (fixture.draw(), fixture.draw(), fixture.draw());
    let reissue = Reissue { id, replaces: old, case: old, in_reply_to: Some(answered) };
    fixture.arrive(fixture.reissue(1, &reissue)).await;

    let case = json!({ "kind": "alert", "owner": "tz.tpf", "id": old });
    let row = &officer.get("/v1/inbox").await.expect(200).json["items"][0];
    assert_eq!((&row["id"], &row["disposition"]), (&json!(id), &json!("operative")), "{row}");
    assert_eq!((&row["case"], &row["turn"], &row["in_reply_to"]), (&case, &json!(3), &json!(answered)));
    let header = &officer.get(&format!("/v1/messages/{id}")).await.expect(200).json["header"];
    let seen = json!({ "mz.prm": 2, "mz.senami": 9_007_199_254_740_991_u64 });
    let first = first_created(fixture.gateway.base.now());
    assert_eq!((&header["case"], &header["turn"], &header["seen"]), (&case, &json!(3), &seen));
    assert_eq!((&header["first_created"], &header["in_reply_to"]), (&json!(first), &json!(answered)));

    let mut conn = fixture.gateway.base.store.read().acquire().await.expect("a connection");
    let stored = crate::messages::received::all(&mut conn, &agency("mz.prm"), &id).await.expect("reads");
    let place = &stored[0].place;
    assert_eq!(json!(place.seen), seen);
    assert_eq!((place.turn, place.first_created, place.in_reply_to), (Some(3), Some(first), Some(answered)));
}

#[tokio::test]
async fn answers_are_found_by_the_message_that_they_answer() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let theirs = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let mut answer = motorcycle();
    answer["in_reply_to"] = json!(theirs);
    let sent = officer.issue(&answer).await;
    assert_eq!(found(&officer, &format!("/v1/sent?in_reply_to={theirs}")).await, [sent.as_str()]);
    assert!(found(&officer, &format!("/v1/sent?in_reply_to={sent}")).await.is_empty());

    let answered = sent.parse().expect("an id");
    let (id, now) = (fixture.draw(), fixture.gateway.base.now());
    let jws = fixture.tz.alert_with(id, ("tz.tpf", "mz.prm", 2), &motorcycle(), now, |header| {
        header.in_reply_to = Some(answered);
    });
    fixture.arrive(jws).await;
    assert_eq!(found(&officer, &format!("/v1/inbox?in_reply_to={sent}")).await, [id.to_string()]);
    assert!(found(&officer, &format!("/v1/inbox?in_reply_to={theirs}")).await.is_empty());
}

/// A chain of three messages, in every order of arrival and in one transaction too.
#[tokio::test]
async fn a_reissued_message_is_one_with_its_original_in_any_order() {
    let orders: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (together, order) in [false, true].into_iter().flat_map(|both| orders.map(|order| (both, order))) {
        let fixture = Fixture::start().await;
        let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
        let now = fixture.gateway.base.now();
        let (first, second, third) = (fixture.draw(), fixture.draw(), fixture.draw());
        let chain = [
            fixture.tz.alert_under(first, ("tz.tpf", "mz.prm", 1), &motorcycle(), now),
            fixture.reissue(2, &Reissue { id: second, replaces: first, case: first, in_reply_to: None }),
            // It names the case by the id that its sender had for it then.
            fixture.reissue(3, &Reissue { id: third, replaces: second, case: second, in_reply_to: None }),
        ];
        let messages: Vec<Jws> = order.iter().map(|index| chain[*index].clone()).collect();
        let origin = Origin::Ingress(agency("tz.tpf").country());
        if together {
            fixture.deliver_together("mz.prm", origin, messages).await;
        } else {
            for message in messages {
                fixture.arrive(message).await;
            }
        }
        let originals = sqlx::query("SELECT DISTINCT original FROM received");
        let originals = originals.fetch_all(fixture.gateway.base.store.read()).await.expect("reads");
        let originals: Vec<Vec<u8>> = originals.iter().map(|row| row.get(0)).collect();
        assert_eq!(originals, [first.as_bytes().to_vec()], "{order:?}, {together}");

        let mut all = [first, second, third].map(|id| id.to_string());
        all.sort();
        for id in [first, second, third] {
            let list = format!("/v1/inbox?case=alert/tz.tpf/{id}");
            assert_eq!(found(&officer, &list).await, all, "{order:?}, {together}");
        }
        let mut answers = Vec::new();
        for id in [first, second, third] {
            let mut answer = motorcycle();
            answer["in_reply_to"] = json!(id);
            answers.push(officer.issue(&answer).await);
        }
        answers.sort();
        for id in [first, second, third] {
            let list = format!("/v1/sent?in_reply_to={id}");
            assert_eq!(found(&officer, &list).await, answers, "{order:?}, {together}");
        }
    }
}

#[tokio::test]
async fn a_message_that_replaces_ours_does_not_become_it() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let ours = officer.issue(&motorcycle()).await;
    let (id, case) = (fixture.draw(), ours.parse().expect("an id"));
    fixture.arrive(fixture.reissue(1, &Reissue { id, replaces: case, case, in_reply_to: None })).await;
    let mut answer = motorcycle();
    answer["in_reply_to"] = json!(id);
    officer.issue(&answer).await;
    assert!(found(&officer, &format!("/v1/sent?in_reply_to={ours}")).await.is_empty());
    assert!(found(&officer, &format!("/v1/inbox?case=alert/mz.prm/{ours}")).await.is_empty());
}

#[tokio::test]
async fn a_rejected_message_is_in_no_case() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let ours = officer.issue(&motorcycle()).await;
    let (id, now) = (fixture.draw(), fixture.gateway.base.now());
    let case = CaseId { kind: "alert".to_owned(), owner: agency("mz.prm"), id: ours.parse().expect("an id") };
    let answered = case.id;
    let jws = fixture.tz.alert_with(id, ("tz.tpf", "mz.prm", 1), &motorcycle(), now, |header| {
        header.in_reply_to = Some(answered);
        header.turn = Some(1);
        header.case = Some(case);
    });
    fixture.arrive(jws).await;
    let row = &officer.get("/v1/inbox").await.expect(200).json["items"][0];
    assert_eq!((&row["id"], &row["disposition"]), (&json!(id), &json!("rejected")));
    assert_eq!((row.get("case"), row.get("turn"), row.get("in_reply_to")), (None, None, None), "{row}");
    assert!(found(&officer, &format!("/v1/inbox?case=alert/mz.prm/{ours}")).await.is_empty());
    assert!(found(&officer, &format!("/v1/inbox?in_reply_to={ours}")).await.is_empty());
}

/// U+0000 is valid in JSON and in no text of PostgreSQL.
#[tokio::test]
async fn a_message_with_a_character_that_no_store_takes_does_not_hold_up_others() {
    let fixture = Fixture::start().await;
    let origin = Origin::Ingress(agency("tz.tpf").country());
    let changes: [fn(&mut Value); 6] = [
        |message| message["header"]["case"]["kind"] = json!("alert\0"),
        |message| message["header"]["type"] = json!("alert.issue\0"),
        |message| message["header"]["reference"] = json!("2026\0"),
        |message| message["header"]["sender"]["unit"] = json!("Mueda\0"),
        |message| message["header"]["sender"]["officer"] = json!("u\0"),
        |message| message["body"]["category"] = json!("vehicle\0"),
    ];
    for (number, change) in (1..).step_by(3).zip(changes) {
        let now = fixture.gateway.base.now();
        let honest = |number| fixture.tz.alert(("tz.tpf", "mz.prm", number), &motorcycle(), now);
        let ((first, before), (poison, jws), (last, after)) =
            (honest(number), honest(number + 1), honest(number + 2));
        let mut message: Value = serde_json::from_slice(jws.unverified_payload()).expect("JSON");
        message["header"]["case"] = json!({ "kind": "alert", "owner": "tz.tpf", "id": poison });
        message["header"]["turn"] = json!(1);
        change(&mut message);
        let jws = fixture.tz.sign_bytes(&agency("tz.tpf"), serde_json::to_vec(&message).expect("JSON"));
        fixture.deliver_together("mz.prm", origin, vec![before, jws, after]).await;
        let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
        let operative = officer.get("/v1/inbox?disposition=operative").await.expect(200).ids();
        assert_eq!(operative[..2], [last.to_string(), first.to_string()], "number {number}");
        assert!(!operative.contains(&poison.to_string()), "number {number}");
    }
}

#[tokio::test]
async fn a_value_that_the_store_cannot_hold_is_not_tried_again() {
    if !rovuma_lab::postgres::tests_use_postgres() {
        // SQLite takes any text.
        return;
    }
    let fixture = Fixture::start().await;
    let work = fixture.gateway.base.store.write(|tx| {
        async move { sqlx::query("UPDATE alarm SET detail = $1").bind("nul\0").execute(tx).await.map(|_| ()) }
            .boxed()
    });
    let Err(rovuma_store::WriteError::Job(fault)) = work.await else { panic!("it was taken") };
    assert!(!rovuma_store::is_transient(&fault), "{fault}");
}
