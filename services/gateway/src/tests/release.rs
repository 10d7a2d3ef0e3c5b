//! Release: who may release, that a draft is released once, and that it is checked again at that moment.

use std::time::Duration;

use serde_json::json;

use super::support::{Fixture, agency, missing_person, motorcycle};

#[tokio::test]
async fn an_author_releases_what_one_person_may_send() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.create(&motorcycle()).await.id();
    let released = officer.step(&format!("/v1/drafts/{id}/release")).await.expect(200);
    let copies = released.json["copies"].as_array().expect("copies");
    let numbers: Vec<_> = copies.iter().map(|copy| copy["number"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(1)], "one stream to each recipient: {released:?}");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM outbox_copy").await, 2);
    for action in ["draft.release", "message.send"] {
        let events = fixture.audited(action).await;
        assert_eq!((events.len(), &events[0]["object"]["id"]), (1, &json!(id)), "{action}");
        assert_eq!(events[0]["actor"], "officer-1");
    }
}

#[tokio::test]
async fn nothing_is_released_twice() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.create(&motorcycle()).await.id();
    let path = format!("/v1/drafts/{id}/release");
    let all = futures::future::join_all((0..8).map(|_| officer.step(&path))).await;
    let mut statuses: Vec<u16> = all.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    // One wins; the others find it released, or at another version than the one they read.
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|status| [409, 412].contains(status)), "{statuses:?}");
    assert_eq!(officer.step(&path).await.expect(409).code(), "not_allowed_in_state");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 1);
    assert_eq!(fixture.audited("message.send").await.len(), 1);
}

#[tokio::test]
async fn what_is_about_a_person_needs_a_second_one() {
    let fixture = Fixture::start().await;
    let both = fixture.person("officer-1", "mz.prm", &["liaison_officer", "supervisor"]);
    let id = both.create(&missing_person()).await.id();
    let path = format!("/v1/drafts/{id}");
    assert_eq!(both.step(&format!("{path}/release")).await.expect(403).code(), "second_person");

    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let release = format!("{path}/release");
    assert_eq!(supervisor.step(&release).await.expect(409).code(), "not_allowed_in_state");
    let submitted = both.step(&format!("{path}/submit")).await.expect(200);
    assert_eq!(submitted.json["state"], "pending_release");
    assert_eq!(supervisor.step(&release).await.expect(428).code(), "if_match_required");
    let version = format!("\"{}\"", submitted.json["version"]);
    let colleague = fixture.person("officer-2", "mz.prm", &["liaison_officer"]).with("If-Match", &version);
    assert_eq!(colleague.step(&release).await.expect(403).code(), "other_author");
    supervisor.with("If-Match", "\"1\"").step(&release).await.expect(412);
    assert_eq!(supervisor.get(&path).await.expect(200).headers["etag"], version.as_str());
    supervisor.with("If-Match", &version).step(&release).await.expect(200);

    let header = &both.get(&format!("/v1/messages/{id}")).await.expect(200).json["header"];
    assert_eq!(header["sender"]["officer"], "officer-1", "the author speaks");
    let sent = both.get("/v1/sent").await.expect(200);
    assert_eq!(sent.json["items"][0]["released_by"], "chief-1");
}

#[tokio::test]
async fn a_draft_is_checked_again_at_release() {
    let mut fixture = Fixture::start().await;
    let expires = fixture.gateway.base.now().plus(Duration::from_secs(3600));
    let mut draft = motorcycle();
    draft["expires"] = json!(expires);
    draft["recipients"] = json!(["tz.tisd"]);
    let id = fixture.person("officer-1", "mz.prm", &["liaison_officer"]).create(&draft).await.id();
    let path = format!("/v1/drafts/{id}/release");

    fixture.clock.advance(Duration::from_secs(4000));
    let now = fixture.gateway.base.now();
    fixture.tz.revise();
    fixture
        .tz
        .list
        .end_agency(&agency("tz.tisd"), now.minus(Duration::from_secs(2 * 86_400)))
        .expect("ended");
    fixture.tz.publish(now);
    fixture.lists.reload(&fixture.gateway.exchange).await;

    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let refused = officer.step(&path).await.expect(422);
    let codes: Vec<_> = refused.json["faults"]
        .as_array()
        .expect("faults")
        .iter()
        .map(|fault| fault["code"].clone())
        .collect();
    assert!(
        codes.contains(&json!("expiry_past")) && codes.contains(&json!("recipient_not_in_force")),
        "{codes:?}"
    );
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 0);
}

#[tokio::test]
async fn a_key_that_recipients_would_refuse_signs_nothing() {
    let mut fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.create(&motorcycle()).await.id();
    let now = fixture.gateway.base.now();
    let prm = agency("mz.prm");
    let kid = *fixture.gateway.exchange.agencies.get(&prm).expect("served").signer.key_id();
    fixture.mz.revise();
    fixture
        .mz
        .list
        .revoke_signing_key(
            &prm,
            &kid,
            rovuma_envelope::trust::Revocation {
                at: now.minus(Duration::from_secs(60)),
                reason: rovuma_envelope::trust::RevocationReason::Superseded,
            },
        )
        .expect("revoked");
    fixture.mz.publish(now);
    fixture.lists.reload(&fixture.gateway.exchange).await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let refused = officer.step(&format!("/v1/drafts/{id}/release")).await.expect(503);
    assert_eq!(refused.code(), "signing_key");
    let trust = officer.get("/v1/trust").await.expect(200);
    assert_eq!(trust.json["warnings"][0]["code"], "key_revoked");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 0);
}

#[tokio::test]
async fn a_message_that_one_person_may_send_is_sent_in_one_request() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let sent = officer.post("/v1/messages", &motorcycle()).await.expect(201);
    let id = sent.id();
    assert_eq!(sent.headers["location"], format!("/v1/messages/{id}"));
    assert_eq!(sent.json["copies"].as_array().expect("copies").len(), 2);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft").await, 0);
    let events = fixture.audited("message.send").await;
    assert_eq!((events.len(), &events[0]["object"]["id"]), (1, &json!(id)));
    assert_eq!(events[0]["actor"], "officer-1");
    let header = &officer.get(&format!("/v1/messages/{id}")).await.expect(200).json["header"];
    assert_eq!(header["sender"]["officer"], "officer-1");
    let trace = officer.get(&format!("/v1/messages/{id}/trace")).await.expect(200);
    assert_eq!(trace.json["hops"][0]["hop"], "released");
}

#[tokio::test]
async fn what_needs_a_second_person_is_not_sent_at_once() {
    let fixture = Fixture::start().await;
    let both = fixture.person("officer-1", "mz.prm", &["liaison_officer", "supervisor"]);
    assert_eq!(both.post("/v1/messages", &missing_person()).await.expect(403).code(), "second_person");
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    assert_eq!(supervisor.post("/v1/messages", &motorcycle()).await.expect(403).code(), "own_draft");
    let analyst = fixture.person("analyst-1", "mz.prm", &["analyst"]);
    assert_eq!(analyst.post("/v1/messages", &motorcycle()).await.expect(403).code(), "role");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 0);
    assert_eq!(fixture.audited("access.refuse").await.len(), 3);
}

#[tokio::test]
async fn a_released_alert_opens_its_own_case() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.create(&motorcycle()).await.id();
    officer.step(&format!("/v1/drafts/{id}/release")).await.expect(200);
    let other = officer.post("/v1/messages", &motorcycle()).await.expect(201).id();
    let header = &officer.get(&format!("/v1/messages/{id}")).await.expect(200).json["header"];
    assert_eq!(header["case"], json!({ "kind": "alert", "owner": "mz.prm", "id": id }));
    assert_eq!((&header["turn"], &header["version"]), (&json!(1), &json!("1.1")));
    let listed = officer.get(&format!("/v1/sent?case=alert/mz.prm/{id}")).await.expect(200);
    assert_eq!(listed.ids(), [id.as_str()]);
    assert_eq!(
        (&listed.json["items"][0]["case"]["id"], &listed.json["items"][0]["turn"]),
        (&json!(id), &json!(1))
    );
    for elsewhere in [format!("alert/mz.senami/{id}"), format!("request/mz.prm/{id}")] {
        assert!(officer.get(&format!("/v1/sent?case={elsewhere}")).await.expect(200).ids().is_empty());
    }
    assert!(officer.get(&format!("/v1/sent?in_reply_to={other}")).await.expect(200).ids().is_empty());
    officer.get(&format!("/v1/sent?case=alert/mz.prm/{id}&in_reply_to={other}")).await.expect(400);
    officer.get("/v1/sent?case=alert").await.expect(400);
}

#[tokio::test]
async fn whoever_may_not_write_a_draft_may_not_send_at_once() {
    let fixture = Fixture::start_with(|config, dir| {
        let (built_in, folder) =
            (concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/policy"), dir.join("policy"));
        std::fs::create_dir(&folder).expect("a folder");
        for file in std::fs::read_dir(built_in).expect("the policies") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), folder.join(file.file_name())).expect("copied");
        }
        // The proof at the start asks about roles; what one agency may not do passes it.
        let limit = r#"
            @id("senami_writes_nothing") @code("separation")
            forbid (principal, action == Action::"draft.create", resource)
            when { principal.agency == "mz.senami" };
        "#;
        std::fs::write(folder.join("95-local.cedar"), limit).expect("written");
        config.policy.folder = Some(folder);
    })
    .await;
    let senami = fixture.person("officer-1", "mz.senami", &["liaison_officer"]);
    for path in ["/v1/drafts", "/v1/messages"] {
        assert_eq!(senami.post(path, &motorcycle()).await.expect(403).code(), "separation", "{path}");
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 0);
    let officer = fixture.person("officer-2", "mz.prm", &["liaison_officer"]);
    officer.post("/v1/messages", &motorcycle()).await.expect(201);
}
