//! The whole way of an alert, and who may send one.

use anyhow::{Context, Result};
use reqwest::StatusCode;
use rovuma_tests::{Lab, drafts, items, send};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_reaches_two_agencies_and_its_receipts_come_back() -> Result<()> {
    let lab = Lab::start().await?;
    let sender = lab.officer("mz.prm").await?;
    let id = send(&sender, &drafts::motorcycle(&["tz.tpf", "tz.tisd"])).await?;

    let delivered = lab.hops(&sender, &id, "delivered", 2).await?;
    let queued = lab.hops(&sender, &id, "queued", 2).await?;
    assert_eq!((delivered.len(), queued.len()), (2, 2));
    for hop in &delivered {
        // Signed by the recipient, and naming the place in its own country's audit log.
        assert_eq!(hop["audit"]["source"], "tz.gateway.national");
        assert!(hop["audit"]["sequence"].as_u64().context("a sequence")? > 0);
    }

    for agency in ["tz.tpf", "tz.tisd"] {
        let recipient = lab.officer(agency).await?;
        let inbox = recipient.get("/v1/inbox").await?.ok()?;
        let row = items(&inbox).into_iter().find(|row| row["id"] == id.as_str()).context("in the inbox")?;
        assert_eq!(row["sender"], "mz.prm");
        let read = recipient.get(&format!("/v1/messages/{id}")).await?.ok()?;
        assert_eq!(read["payload"]["body"]["category"], "vehicle", "{read}");
    }
    let read = lab.hops(&sender, &id, "read", 2).await?;
    assert_eq!(read.len(), 2);

    // Nobody else has it: neither an agency of the same gateway nor the sender's neighbours.
    for stranger in ["tz.dci", "mz.senami"] {
        let api = lab.officer(stranger).await?;
        assert_eq!(api.get(&format!("/v1/messages/{id}")).await?.status, StatusCode::NOT_FOUND);
        assert!(items(&api.get("/v1/inbox").await?.ok()?).is_empty());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_within_one_country_needs_no_link() -> Result<()> {
    let lab = Lab::start().await?;
    let sender = lab.officer("mz.prm").await?;
    let id = send(&sender, &drafts::motorcycle(&["mz.senami"])).await?;
    lab.hops(&sender, &id, "delivered", 1).await?;
    let inbox = lab.officer("mz.senami").await?.get("/v1/inbox").await?.ok()?;
    assert!(items(&inbox).iter().any(|row| row["id"] == id.as_str()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_refused_with_every_fault_at_once() -> Result<()> {
    let lab = Lab::start().await?;
    let mut draft = drafts::motorcycle(&["tz.tpf", "tz.xyz"]);
    draft["terms"]["legal_basis"] = json!("no_such_basis");
    draft["terms"]["religion"] = json!("none of your business");
    draft["terms"]["urgency"] = json!({ "level": "urgent" });
    let answer = lab.officer("mz.prm").await?.post("/v1/messages", &draft).await?;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let faults = answer.body["faults"].as_array().context("faults")?;
    for pointer in ["/recipients/1", "/terms/legal_basis", "/terms/religion", "/terms/urgency/reason"] {
        assert!(faults.iter().any(|fault| fault["pointer"] == pointer), "{pointer} is not in {faults:?}");
    }
    assert!(items(&lab.officer("mz.prm").await?.get("/v1/drafts").await?.ok()?).is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_on_a_person_is_released_by_a_second_person() -> Result<()> {
    let lab = Lab::start().await?;
    let officer = lab.officer("mz.prm").await?;
    let created = officer.post("/v1/drafts", &drafts::wanted_person(&["tz.tpf"])).await?;
    let etag = created.etag.clone().context("a version")?;
    let id = created.ok()?["id"].as_str().context("an id")?.to_owned();

    // Not by the author, neither before nor after submitting.
    let path = |act: &str| format!("/v1/drafts/{id}/{act}");
    let alone = officer.post_if_match(&path("release"), &json!({}), &etag).await?;
    assert_eq!(alone.status, StatusCode::FORBIDDEN, "{}", alone.body);
    let submitted = officer.post_if_match(&path("submit"), &json!({}), &etag).await?;
    let etag = submitted.etag.clone().context("a version")?;
    submitted.ok()?;
    let alone = officer.post_if_match(&path("release"), &json!({}), &etag).await?;
    assert_eq!(alone.status, StatusCode::FORBIDDEN, "{}", alone.body);
    // Not by another agency's supervisor, who does not even learn that it exists.
    let stranger = lab.api("mz.senami", "supervisor", "gateway").await?;
    let foreign = stranger.post_if_match(&path("release"), &json!({}), &etag).await?;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{}", foreign.body);
    assert!(items(&lab.officer("tz.tpf").await?.get("/v1/inbox").await?.ok()?).is_empty());

    // Nor by a supervisor who has not read it.
    let supervisor = lab.api("mz.prm", "supervisor", "gateway").await?;
    let unread = supervisor.post_if_match(&path("release"), &json!({}), &etag).await?;
    assert_eq!((unread.status, &unread.body["code"]), (StatusCode::CONFLICT, &json!("not_read")));
    supervisor.get(&format!("/v1/drafts/{id}")).await?.ok()?;
    supervisor.post_if_match(&path("release"), &json!({}), &etag).await?.ok()?;
    lab.hops(&officer, &id, "delivered", 1).await?;
    // And not twice.
    let again = supervisor.post_if_match(&path("release"), &json!({}), &etag).await?;
    assert!(again.status.is_client_error(), "{}", again.body);
    lab.audited("mz", "action=access.refuse&agency=mz.prm", |row| {
        row["event"]["object"]["id"] == id.as_str()
    })
    .await?;
    Ok(())
}
