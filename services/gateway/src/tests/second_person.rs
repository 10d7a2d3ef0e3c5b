//! A second person releases only the version of a draft that they have read themselves.

use serde_json::json;

use super::support::{Client, Fixture, Reply, missing_person};

/// A submitted draft about a person, and its path.
async fn submitted(fixture: &Fixture) -> String {
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let path = format!("/v1/drafts/{}", officer.create(&missing_person()).await.id());
    officer.step(&format!("{path}/submit")).await.expect(200);
    path
}

async fn release(caller: &Client<'_>, path: &str, version: u64) -> Reply {
    caller.with("If-Match", &format!("\"{version}\"")).step(&format!("{path}/release")).await
}

#[tokio::test]
async fn a_second_person_reads_before_the_release() {
    let fixture = Fixture::start().await;
    let path = submitted(&fixture).await;
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    // Listed is not read.
    supervisor.get("/v1/drafts").await.expect(200);
    let refused = release(&supervisor, &path, 2).await.expect(409);
    assert_eq!(refused.code(), "not_read");
    let detail = refused.json["detail"].as_str().expect("a sentence");
    assert!(detail.contains("version 2") && detail.contains(&format!("GET {path}")), "{detail}");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 0);

    let read = supervisor.get(&path).await.expect(200);
    assert_eq!(read.headers["etag"], "\"2\"");
    // Reading again is a read like the first.
    supervisor.get(&path).await.expect(200);
    let reads = fixture.audited("draft.read").await;
    assert_eq!((reads.len(), &reads[0]["actor"]), (2, &json!("chief-1")));
    assert_eq!(reads[0]["details"]["version"], "2");
    release(&supervisor, &path, 1).await.expect(412);
    release(&supervisor, &path, 2).await.expect(200);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 1);
    assert_eq!(
        fixture.count("SELECT COUNT(*) FROM draft_read").await,
        0,
        "nothing can rest on them any more"
    );
}

#[tokio::test]
async fn what_a_colleague_read_nobody_else_has_read() {
    let fixture = Fixture::start().await;
    let path = submitted(&fixture).await;
    let [reader, other] = ["chief-1", "chief-2"].map(|who| fixture.person(who, "mz.prm", &["supervisor"]));
    reader.get(&path).await.expect(200);
    fixture.person("officer-1", "mz.prm", &["liaison_officer"]).get(&path).await.expect(200);
    assert_eq!(release(&other, &path, 2).await.expect(409).code(), "not_read");
    release(&reader, &path, 2).await.expect(200);
}

#[tokio::test]
async fn a_read_of_a_former_version_counts_no_more() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let path = format!("/v1/drafts/{}", officer.create(&missing_person()).await.id());
    // Before it was submitted.
    supervisor.get(&path).await.expect(200);
    officer.step(&format!("{path}/submit")).await.expect(200);
    assert_eq!(release(&supervisor, &path, 2).await.expect(409).code(), "not_read");
    // Before it was returned, changed and submitted again.
    supervisor.get(&path).await.expect(200);
    supervisor.post(&format!("{path}/return"), &json!({ "reason": "Which district?" })).await.expect(200);
    let mut other = missing_person();
    other["reference"] = json!("PRM-2");
    officer.with("If-Match", "\"3\"").put(&path, &other).await.expect(200);
    officer.step(&format!("{path}/submit")).await.expect(200);
    release(&supervisor, &path, 2).await.expect(412);
    assert_eq!(release(&supervisor, &path, 5).await.expect(409).code(), "not_read");
    assert_eq!(supervisor.get(&path).await.expect(200).json["version"], 5);
    release(&supervisor, &path, 5).await.expect(200);
}

#[tokio::test]
async fn a_supervisor_who_releases_for_another_reads_although_one_person_may_send_it() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let motorcycle = super::support::motorcycle();
    let path = format!("/v1/drafts/{}", officer.create(&motorcycle).await.id());
    officer.step(&format!("{path}/submit")).await.expect(200);
    assert_eq!(release(&supervisor, &path, 2).await.expect(409).code(), "not_read");
    assert!(fixture.audited("draft.read").await.is_empty());
    supervisor.get(&path).await.expect(200);
    release(&supervisor, &path, 2).await.expect(200);
}

/// One person may send it: but this one has asked for a second one's word.
#[tokio::test]
async fn an_author_does_not_release_what_a_supervisor_examines_or_has_returned() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let path = format!("/v1/drafts/{}", officer.create(&super::support::motorcycle()).await.id());
    officer.step(&format!("{path}/submit")).await.expect(200);
    let release = format!("{path}/release");
    assert_eq!(officer.step(&release).await.expect(409).code(), "not_allowed_in_state");
    supervisor.post(&format!("{path}/return"), &json!({ "reason": "Do not send" })).await.expect(200);
    assert_eq!(officer.step(&release).await.expect(409).code(), "not_allowed_in_state");
    officer.step(&format!("{path}/submit")).await.expect(200);
    assert_eq!(officer.step(&release).await.expect(409).code(), "not_allowed_in_state");
}

#[tokio::test]
async fn the_second_person_sees_every_reason() {
    let fixture = Fixture::start().await;
    let path = submitted(&fixture).await;
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let read = supervisor.get(&path).await.expect(200);
    assert_eq!(read.json["second_person"], "minor");
    assert_eq!(read.json["second_person_reasons"], json!(["minor", "person", "handling"]));
    let listed = supervisor.get("/v1/drafts").await.expect(200);
    assert!(listed.json["items"][0].get("second_person_reasons").is_none(), "{}", listed.json);
}
