//! The auditor finds the whole story.

use anyhow::Result;
use reqwest::StatusCode;
use rovuma_tests::{Lab, drafts, send};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_an_alerts_story_is_found_in_both_countries() -> Result<()> {
    let lab = Lab::start().await?;
    let sender = lab.officer("mz.prm").await?;
    let id = send(&sender, &drafts::motorcycle(&["tz.tpf"])).await?;
    let delivered = lab.hops(&sender, &id, "delivered", 1).await?;
    lab.officer("tz.tpf").await?.get(&format!("/v1/messages/{id}")).await?.ok()?;
    lab.hops(&sender, &id, "read", 1).await?;

    for action in ["draft.create", "draft.release", "message.send", "receipt.accept"] {
        lab.audited("mz", &format!("action={action}&message={id}"), |_| true).await?;
    }
    for action in ["message.receive", "message.read"] {
        lab.audited("tz", &format!("action={action}&message={id}"), |_| true).await?;
    }
    for (country, action) in [("mz", "login.succeed"), ("tz", "login.succeed"), ("mz", "token.issue")] {
        lab.audited(country, &format!("action={action}"), |_| true).await?;
    }

    // The signed receipt names the place of the arrival in the other country's log, and it is there.
    let place = &delivered[0]["audit"];
    let auditor = lab.api("tz.node", "auditor", "audit").await?;
    let path = format!(
        "/v1/events/{}/{}/{}",
        place["source"].as_str().unwrap_or_default(),
        place["epoch"].as_str().unwrap_or_default(),
        place["sequence"]
    );
    let event = auditor.get(&path).await?.ok()?;
    assert_eq!(event["entry"]["event"]["action"], "message.receive", "{event}");
    assert_eq!(event["entry"]["event"]["object"]["id"], id.as_str());

    // An agency's auditor sees the own agency alone; nobody else sees anything.
    let own = lab.api("tz.tpf", "auditor", "audit").await?;
    assert!(own.get(&format!("/v1/events?agency=tz.tpf&message={id}")).await?.status.is_success());
    assert_eq!(own.get("/v1/events?agency=tz.dci").await?.status, StatusCode::FORBIDDEN);
    let officer = lab.api("tz.tpf", "officer", "audit").await?;
    assert_eq!(officer.get("/v1/events").await?.status, StatusCode::FORBIDDEN);
    // And that was written down too.
    lab.audited("tz", "action=access.refuse", |row| row["event"]["source"] == "tz.audit").await?;
    lab.audited("tz", "action=audit.search", |_| true).await?;
    Ok(())
}
