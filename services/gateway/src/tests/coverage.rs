//! At which border posts an alert is acted on: what our watchlist has us sign to the issuers of alerts, and what recipients sign to us.

use std::collections::BTreeSet;

use rovuma_envelope::{Origin, digest};
use rovuma_policy::Role;
use rovuma_schemas::{
    Body, CaseId, CaseSoFar, Digest, ListedEntry, MessageId, Receipts, RejectedEntry, RejectionCode, StoreId,
    Timestamp, audit::AuditPosition,
};
use serde_json::{Value, json};

use super::support::{Client, Fixture, agency, example, motorcycle};

const PATH: &str = "/v1/screening/listed";

fn watchlist(fixture: &Fixture) -> Client<'_> {
    fixture.machine("watchlist", "mz.prm", &["watchlist_service"])
}

/// What is said of an alert in this version, or of its withdrawal.
fn report(alert: &CaseId, version: Option<u32>, posts: &[&str], since: Timestamp) -> Value {
    let mut one = json!({ "owner": alert.owner, "id": alert.id, "since": since });
    if let Some(version) = version {
        one["version"] = json!(version);
    }
    json!({ "posts": posts, "alerts": [one] })
}

impl Fixture {
    async fn says_listed(&self, report: &Value) -> i64 {
        let reply = watchlist(self).post(PATH, report).await.expect(200);
        reply.json["said"].as_i64().expect("a number")
    }

    /// The entries of all receipts that were signed to the other side.
    async fn listed(&self) -> Vec<Value> {
        let receipts = self.outgoing("receipt.listed").await;
        receipts.iter().flat_map(|one| one["body"]["entries"].as_array().expect("entries").clone()).collect()
    }
}

/// Each post says once that it acts on the version in force, and once that it no longer does.
#[tokio::test]
async fn a_post_says_once_that_it_acts_on_the_last_word() {
    let fixture = Fixture::start().await;
    let (alert, draft) = fixture.wanted().await;
    let now = fixture.gateway.base.now();
    assert_eq!(
        fixture.says_listed(&report(&alert, Some(2), &["namatil"], now)).await,
        0,
        "it is not in force"
    );
    assert_eq!(fixture.says_listed(&report(&alert, None, &["namatil"], now)).await, 0, "nobody took it back");
    let posts = ["namatil", "namoto_kilambo"];
    assert_eq!(fixture.says_listed(&report(&alert, Some(1), &posts[..1], now)).await, 1);
    // The other post says so for itself, and the first one not again.
    assert_eq!(fixture.says_listed(&report(&alert, Some(1), &posts, now)).await, 1);
    assert_eq!(fixture.says_listed(&report(&alert, Some(1), &posts, now)).await, 0);
    let said = fixture.listed().await;
    let by_post: BTreeSet<&str> = said.iter().filter_map(|entry| entry["post"].as_str()).collect();
    assert_eq!((said.len(), by_post), (2, posts.into()), "{said:?}");
    for entry in &said {
        assert_eq!((&entry["id"], &entry["listed_at"]), (&json!(alert.id), &json!(now)));
    }

    let withdraw = json!({
        "type": "alert.withdraw", "status": draft["status"], "case": alert, "terms": draft["terms"],
        "body": { "reason": "purpose_achieved" },
    });
    fixture.says("tz.tpf", &withdraw, &alert, (2, 0), &CaseSoFar::default()).await;
    assert_eq!(
        fixture.says_listed(&report(&alert, Some(1), &["ngapa"], now)).await,
        0,
        "it is no longer in force"
    );
    assert_eq!(fixture.says_listed(&report(&alert, None, &posts, now)).await, 2);
    let of_alert = |entry: &&Value| entry["id"] == json!(alert.id);
    let (all, before) = (fixture.listed().await, said.len());
    assert_eq!((all.len(), all.iter().filter(of_alert).count()), (4, before), "{all:?}");
    let audited = fixture.audited("screening.report").await;
    assert_eq!(audited.last().expect("an event")["details"]["said"], "2");
}

#[tokio::test]
async fn of_own_alerts_and_of_those_of_others_nothing_is_said() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let own = officer.issue(&motorcycle()).await;
    let own: CaseId = format!("alert/mz.prm/{own}").parse().expect("a case");
    let now = fixture.gateway.base.now();
    assert_eq!(fixture.says_listed(&report(&own, Some(1), &["namatil"], now)).await, 0);
    // Another agency of this gateway has this one, and the caller's has not.
    let other = fixture.receive("mz.senami", 1, &motorcycle()).await;
    let other: CaseId = format!("alert/tz.tpf/{other}").parse().expect("a case");
    assert_eq!(fixture.says_listed(&report(&other, Some(1), &["namatil"], now)).await, 0);
    assert_eq!(fixture.listed().await, [Value::Null; 0]);
}

#[tokio::test]
async fn only_the_watchlist_says_it_and_within_bounds() {
    let fixture = Fixture::start().await;
    let (alert, _) = fixture.wanted().await;
    let now = fixture.gateway.base.now();
    let said = report(&alert, Some(1), &["namatil"], now);
    for role in Role::ALL.into_iter().filter(|role| *role != Role::WatchlistService) {
        let (name, word) = (format!("reader-{role}"), role.to_string());
        let other = match role.is_for_machines() {
            true => fixture.machine(&name, "mz.prm", &[&word]),
            false => fixture.person(&name, "mz.prm", &[&word]),
        };
        other.post(PATH, &said).await.expect(403);
    }
    for (posts, alerts) in [(0, 1), (1, 0), (65, 1), (1, 65)] {
        let posts: Vec<String> = (0..posts).map(|post| format!("post_{post}")).collect();
        let alerts = vec![said["alerts"][0].clone(); alerts];
        let faulty = json!({ "posts": posts, "alerts": alerts });
        assert_eq!(watchlist(&fixture).post(PATH, &faulty).await.expect(422).code(), "body_faulty");
    }
    // A post that nobody knows would take the place of one that is real.
    let invented = report(&alert, Some(1), &["namatil", "post_1"], now);
    assert_eq!(watchlist(&fixture).post(PATH, &invented).await.expect(422).code(), "body_faulty");
    assert_eq!(fixture.listed().await, [Value::Null; 0]);
    // Named twice it says so once; and nobody acted on the alert before it was here.
    let early = "2020-01-01T00:00:00Z".parse().expect("an instant");
    assert_eq!(fixture.says_listed(&report(&alert, Some(1), &["namatil", "namatil"], early)).await, 1);
    let said = fixture.listed().await;
    assert_eq!((said.len(), &said[0]["listed_at"]), (1, &json!(now)), "{said:?}");
}

fn officer(fixture: &Fixture) -> Client<'_> {
    fixture.person("officer-1", "mz.prm", &["liaison_officer"])
}

/// An alert of ours to `tz.tpf`.
fn to_tpf() -> Value {
    let mut draft = motorcycle();
    draft["recipients"] = json!(["tz.tpf"]);
    draft
}

impl Fixture {
    /// Issues an alert: its id, as a text and as a value, and the digest of its bytes.
    async fn issued(&self, draft: &Value) -> (String, MessageId, Digest) {
        let id = officer(self).issue(draft).await;
        let message: MessageId = id.parse().expect("an id");
        let sent = self.digest_of("mz.prm", &message).await;
        (id, message, sent)
    }
}

/// What `tz.tpf` signs to `mz.prm`: that a post acts on this message, whose bytes have this digest.
async fn deliver(fixture: &Fixture, from: &str, id: MessageId, sent: Digest, posts: &[String]) {
    let now = fixture.gateway.base.now();
    let entry =
        |post: &String| ListedEntry { id, digest: sent, post: post.parse().expect("a post"), listed_at: now };
    let body = Body::ReceiptListed(Receipts { entries: posts.iter().map(entry).collect() });
    let jws = fixture.tz.transport_under(MessageId::draw(now), (from, "mz.prm"), body, now);
    fixture.deliver("mz.prm", Origin::Ingress(agency(from).country()), jws).await;
}

/// The issuer sees at which posts its alert is acted on, and which still act on what it said before.
#[tokio::test]
async fn an_issuer_sees_the_posts_of_each_recipient() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    let draft = to_tpf();
    let (id, message, sent) = fixture.issued(&draft).await;
    let posts = ["namatil", "namoto_kilambo"].map(str::to_owned);
    let shown = async || officer.case("mz.prm", &id).await["alert"]["recipients"][0].clone();
    assert_eq!(shown().await["posts"], json!([]));
    deliver(&fixture, "tz.tpf", message, sent, &posts[..1]).await;
    let seen = shown().await;
    assert_eq!((&seen["posts"][0]["post"], seen["posts"][0]["since"].is_string()), (&json!("namatil"), true));
    // It is nothing else than what it says: nobody has stored or read the message.
    assert_eq!(seen["state"], "not_delivered");
    deliver(&fixture, "tz.tpf", message, sent, &posts).await;
    assert_eq!(shown().await["posts"].as_array().map(Vec::len), Some(2));
    let accepted = fixture.audited("receipt.accept").await;
    let kinds: Vec<&Value> = accepted.iter().map(|event| &event["details"]["kind"]).collect();
    assert_eq!(kinds, ["listed namatil", "listed namoto_kilambo"], "each post once");
    let read = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json;
    assert_eq!(read["sent"]["receipts"][1]["post"], "namoto_kilambo", "{read}");
    let trace = officer.get(&format!("/v1/messages/{id}/trace")).await.expect(200).json;
    let hop = trace["hops"].as_array().expect("hops").last().expect("a hop").clone();
    assert_eq!((&hop["hop"], &hop["post"]), (&json!("listed"), &json!("namoto_kilambo")));

    // Taken back: neither post has said that it dropped it, until one does.
    let case: CaseId = format!("alert/mz.prm/{id}").parse().expect("a case");
    let withdraw = json!({
        "type": "alert.withdraw", "status": draft["status"], "case": case, "terms": draft["terms"],
        "body": { "reason": "error" },
    });
    let withdrawal: MessageId =
        officer.send_at_once(&withdraw).await.expect(201).id().parse().expect("an id");
    assert!(shown().await["posts"].as_array().expect("posts").iter().all(|post| post["since"].is_null()));
    let sent = fixture.digest_of("mz.prm", &withdrawal).await;
    deliver(&fixture, "tz.tpf", withdrawal, sent, &posts[1..]).await;
    let since: Vec<bool> = shown().await["posts"]
        .as_array()
        .expect("posts")
        .iter()
        .map(|post| post["since"].is_string())
        .collect();
    assert_eq!(since, [false, true]);
}

/// Whoever is no recipient, or names other bytes, says nothing; and a recipient that invents posts fills no store.
#[tokio::test]
async fn what_a_partner_says_of_posts_is_checked_and_bounded() {
    let fixture = Fixture::start().await;
    let (_, message, sent) = fixture.issued(&to_tpf()).await;
    let posts = ["namatil".to_owned()];
    deliver(&fixture, "tz.tisd", message, sent, &posts).await;
    deliver(&fixture, "tz.tpf", message, digest(b"other"), &posts).await;
    let count = async || fixture.count("SELECT COUNT(*) FROM receipt").await;
    assert_eq!(count().await, 0);
    assert_eq!(fixture.alarms("false_receipt").await.len(), 1);
    for round in 0..3 {
        let invented: Vec<String> = (0..40).map(|post| format!("post_{round}_{post}")).collect();
        deliver(&fixture, "tz.tpf", message, sent, &invented).await;
    }
    assert_eq!(count().await, 64);
}

/// What `tz.tpf` signs to `mz.prm`: that it does not take this message.
async fn reject(fixture: &Fixture, message: MessageId, sent: Digest) {
    let now = fixture.gateway.base.now();
    let rejected = RejectedEntry {
        id: message,
        digest: sent,
        code: RejectionCode::Schema,
        detail: None,
        rejected_at: now,
        audit: AuditPosition { source: "tz.gateway".to_owned(), epoch: StoreId::draw(), sequence: 7 },
    };
    let body = Body::ReceiptRejected(Receipts { entries: vec![rejected] });
    let jws = fixture.tz.transport_under(MessageId::draw(now), ("tz.tpf", "mz.prm"), body, now);
    fixture.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), jws).await;
}

/// What a recipient says of posts after it rejected the message fills no store either, and no post of it is shown as acting on it.
#[tokio::test]
async fn whoever_rejected_an_alert_acts_on_it_nowhere() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    let draft = to_tpf();
    let (id, message, sent) = fixture.issued(&draft).await;
    reject(&fixture, message, sent).await;
    for round in 0..3 {
        let invented: Vec<String> = (0..40).map(|post| format!("post_{round}_{post}")).collect();
        deliver(&fixture, "tz.tpf", message, sent, &invented).await;
    }
    assert_eq!(
        fixture.count("SELECT COUNT(*) FROM receipt").await,
        2,
        "the rejection, and one word against it"
    );
    assert_eq!(fixture.alarms("contrary_receipt").await.len(), 1);
    let shown = officer.case("mz.prm", &id).await["alert"]["recipients"][0].clone();
    assert_eq!(shown["posts"], json!([]));
}

/// A message that changes nothing of what is screened for takes nothing back: the posts act as before.
#[tokio::test]
async fn a_longer_alert_is_acted_on_as_before() {
    let fixture = Fixture::start().await;
    let mut draft = to_tpf();
    draft["body"]["validity"] = json!({ "until": "2028-01-01T00:00:00Z" });
    let (id, message, sent) = fixture.issued(&draft).await;
    deliver(&fixture, "tz.tpf", message, sent, &["namatil".to_owned()]).await;
    let case: CaseId = format!("alert/mz.prm/{id}").parse().expect("a case");
    let mut extend = example("alert-extend");
    (extend["status"], extend["case"]) = (draft["status"].clone(), json!(case));
    let supervisor = fixture.person("supervisor-1", "mz.prm", &["supervisor"]);
    supervisor.send_at_once(&extend).await.expect(201);
    let shown = supervisor.case("mz.prm", &id).await["alert"]["recipients"][0].clone();
    assert!(shown["posts"][0]["since"].is_string(), "{shown}");
}

/// A post that acts on the first version acts on no second one that its agency rejected, whatever it signs afterwards.
#[tokio::test]
async fn a_version_that_its_recipient_rejected_is_acted_on_nowhere() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    let draft = to_tpf();
    let (id, message, sent) = fixture.issued(&draft).await;
    let post = ["namatil".to_owned()];
    deliver(&fixture, "tz.tpf", message, sent, &post).await;
    let withdraw = json!({
        "type": "alert.withdraw", "status": draft["status"], "case": format!("alert/mz.prm/{id}").parse::<CaseId>().expect("a case"),
        "terms": draft["terms"], "body": { "reason": "error" },
    });
    let withdrawal: MessageId =
        officer.send_at_once(&withdraw).await.expect(201).id().parse().expect("an id");
    let sent = fixture.digest_of("mz.prm", &withdrawal).await;
    reject(&fixture, withdrawal, sent).await;
    deliver(&fixture, "tz.tpf", withdrawal, sent, &post).await;
    let shown = officer.case("mz.prm", &id).await["alert"]["recipients"][0].clone();
    assert_eq!((&shown["posts"][0]["post"], &shown["posts"][0]["since"]), (&json!("namatil"), &Value::Null));
}
