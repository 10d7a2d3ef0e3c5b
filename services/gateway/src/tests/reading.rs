//! Reading one message: who may, which part of it, and the audit event recorded before it is shown.

use rovuma_envelope::Origin;
use serde_json::json;

use super::support::{Fixture, agency, motorcycle};

#[tokio::test]
async fn an_officer_reads_and_the_sender_gets_one_receipt() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let path = format!("/v1/messages/{id}");
    let receipts = "SELECT COUNT(*) FROM outbox_message WHERE message_type = 'receipt.read'";

    let first = officer.get(&path).await.expect(200);
    assert_eq!(first.json["payload"]["body"]["category"], "vehicle");
    assert_eq!(first.json["header"]["sender"]["agency"], "tz.tpf");
    assert_eq!(first.headers["cache-control"], "no-store");
    officer.get(&path).await.expect(200);
    assert_eq!(fixture.count(receipts).await, 1);
    let reads = fixture.audited("message.read").await;
    assert_eq!(
        (reads.len(), &reads[0]["object"]["id"], &reads[0]["session"]),
        (2, &json!(id), &json!("session-of-officer-1"))
    );
    let row = &officer.get("/v1/inbox").await.expect(200).json["items"][0];
    assert!(row["read_at"].is_string() && !row.to_string().contains("Mueda"), "{row}");
}

#[tokio::test]
async fn an_analyst_reads_and_no_receipt_is_sent() {
    let fixture = Fixture::start().await;
    let analyst = fixture.person("analyst-1", "mz.prm", &["analyst"]);
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    analyst.get(&format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received WHERE read_at IS NOT NULL").await, 0);
    assert_eq!(fixture.audited("message.read").await.len(), 1);
    assert_eq!(fixture.audited("access.refuse").await.len(), 0, "nothing was refused");
    assert_eq!(analyst.step(&format!("/v1/messages/{id}/read")).await.expect(403).code(), "role");
}

#[tokio::test]
async fn a_machine_reports_when_an_officer_has_read() {
    let fixture = Fixture::start().await;
    let machine = fixture.machine("system-1", "mz.prm", &["agency_system"]);
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    machine.get(&format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received WHERE read_at IS NOT NULL").await, 0);
    let marked = machine.step(&format!("/v1/messages/{id}/read")).await.expect(200);
    let again = machine.step(&format!("/v1/messages/{id}/read")).await.expect(200);
    assert_eq!(marked.json["read_at"], again.json["read_at"]);
    let receipts = "SELECT COUNT(*) FROM outbox_message WHERE message_type = 'receipt.read'";
    assert_eq!(fixture.count(receipts).await, 1);
    let sent = machine.issue(&motorcycle()).await;
    assert_eq!(machine.step(&format!("/v1/messages/{sent}/read")).await.expect(409).code(), "not_received");
}

#[tokio::test]
async fn an_auditor_states_a_reason_and_it_is_logged() {
    let fixture = Fixture::start().await;
    let auditor = fixture.person("auditor-1", "mz.prm", &["auditor"]);
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let path = format!("/v1/messages/{id}");
    assert_eq!(auditor.get(&path).await.expect(403).code(), "reason_required");
    assert_eq!(auditor.get(&format!("{path}/jws")).await.expect(403).code(), "reason_required");
    assert_eq!(auditor.get(&format!("{path}?reason=Jo%C3%A3o")).await.expect(400).code(), "reason");

    let metadata = auditor.get(&format!("{path}?view=metadata")).await.expect(200);
    assert!(metadata.json.get("payload").is_none(), "{metadata:?}");
    assert!(!metadata.json.to_string().contains("Mueda") && metadata.json["terms"]["handling"] == "H0");
    auditor.get(&format!("{path}?reason=complaint-2026/17")).await.expect(200);
    auditor.get(&format!("{path}/jws?reason=complaint-2026/17")).await.expect(200);
    let (reads, exports) = (fixture.audited("message.read").await, fixture.audited("export").await);
    assert_eq!((&reads[0]["details"]["view"], reads[0].get("purpose")), (&json!("metadata"), None));
    assert_eq!(
        (&reads[1]["purpose"], &exports[0]["purpose"]),
        (&json!("complaint-2026/17"), &json!("complaint-2026/17"))
    );
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received WHERE read_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn the_originals_check_with_the_keys_of_the_list() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.issue(&motorcycle()).await;
    fixture.delivered("tz.tpf", "mz.prm", &id).await;
    let originals = officer.get(&format!("/v1/messages/{id}/jws")).await.expect(200).json;
    let text = originals["messages"][0]["jws"].as_str().expect("a JWS");
    let jws = rovuma_envelope::Jws::from_compact(text).expect("compact");
    assert_eq!(originals["messages"][0]["digest"], json!(jws.digest()));
    let key = fixture
        .gateway
        .exchange
        .agencies
        .get(&super::support::agency("mz.prm"))
        .expect("served")
        .signer
        .public_key();
    jws.verify_with(key, rovuma_envelope::Typ::MESSAGE).expect("signed by mz.prm");
    assert_eq!(originals["receipts"][0]["signer"], "tz.tpf");
    let read = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json;
    assert_eq!(read["sent"]["receipts"][0]["kind"], "delivered");
    assert_eq!(read["sent"]["receipts"][0]["audit"]["sequence"], 7);
}

#[tokio::test]
async fn a_trace_shows_the_steps_on_both_sides() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.issue(&motorcycle()).await;
    fixture.delivered("tz.tpf", "mz.prm", &id).await;
    let names = |trace: &serde_json::Value| -> Vec<String> {
        let hops = trace["hops"].as_array().expect("hops");
        hops.iter().map(|hop| hop["hop"].as_str().expect("a name").to_owned()).collect()
    };
    let sent = officer.get(&format!("/v1/messages/{id}/trace")).await.expect(200).json;
    assert_eq!(names(&sent), ["saved", "released", "delivered"]);
    assert_eq!(sent["hops"][2]["audit"]["source"], "tz.gateway");
    assert_eq!(sent["copies"].as_array().expect("copies").len(), 2);

    let received = fixture.receive("mz.prm", 1, &motorcycle()).await;
    officer.get(&format!("/v1/messages/{received}")).await.expect(200);
    let trace = officer.get(&format!("/v1/messages/{received}/trace")).await.expect(200).json;
    assert_eq!(names(&trace), ["created", "received", "receipt_issued", "read", "read_receipt_issued"]);
    assert_eq!(trace["hops"][1]["audit"]["source"], "mz.gateway");
}

/// A rejected message has a verified header; the rest is any content that the partner's agency signed.
#[tokio::test]
async fn what_was_rejected_because_it_is_no_message_can_be_opened() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let changes: [(&str, &[u8], bool); 4] = [
        ("a null in the header", br#""replaces":null},"terms":"#, true),
        ("a name twice", br#""x":1,"x":2},"terms":"#, false),
        ("no text", b"\"x\":\"\xff\"},\"terms\":", false),
        ("too deep", &[br#""x":"#, deep.as_bytes(), br#"},"terms":"#].concat(), false),
    ];
    for (number, (name, change, is_shown)) in (1..).zip(changes) {
        let (id, jws) =
            fixture.tz.alert(("tz.tpf", "mz.prm", number), &motorcycle(), fixture.gateway.base.now());
        let payload = String::from_utf8(jws.unverified_payload().to_vec()).expect("text");
        let (header, rest) = payload.split_once("},\"terms\":").expect("a header, then terms");
        let changed = [header.as_bytes(), b",", change, rest.as_bytes()].concat();
        let jws = fixture.tz.sign_bytes(&agency("tz.tpf"), changed);
        fixture.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), jws).await;

        let read = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json;
        assert_eq!(read["received"]["row"]["disposition"], "rejected", "{name}");
        assert_eq!((&read["header"]["id"], read["payload"].is_object()), (&json!(id), is_shown), "{name}");
    }
}

#[tokio::test]
async fn an_alert_past_its_end_is_shown_as_expired() {
    let fixture = Fixture::start().await;
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let state = async |expected: &str| {
        let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
        for view in ["content", "metadata"] {
            let read = officer.get(&format!("/v1/messages/{id}?view={view}")).await.expect(200);
            assert_eq!(read.json["state"], expected, "{view}");
        }
    };
    state("active").await;
    fixture.clock.advance(std::time::Duration::from_secs(3 * 366 * 24 * 60 * 60));
    state("expired").await;
}
