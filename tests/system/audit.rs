//! The auditor finds the whole story.

use anyhow::Result;
use reqwest::StatusCode;
use rovuma_tests::{Lab, drafts, eventually, send};
use serde_json::{Value, json};

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

    // Whose pseudonym an account is stands in the log, for the auditors of its agency and of the node.
    let admin = lab.api("mz.prm", "admin", "identity").await?;
    let draft = json!({ "login": "lidia.mondlane", "name": "Lídia Mondlane", "roles": ["liaison_officer"] });
    admin.post("/v1/users", &draft).await?.ok()?;
    let in_prm = lab.api("mz.prm", "auditor", "audit").await?;
    let created = eventually("the account in the log", || async {
        let page = in_prm.get("/v1/events?agency=mz.prm&action=user.create&limit=200").await?.ok()?;
        let of_lidia = |row: &&Value| row["event"]["details"]["login"] == "lidia.mondlane";
        Ok(page["items"].as_array().into_iter().flatten().find(of_lidia).cloned())
    })
    .await?;
    let event = &created["event"];
    assert_eq!(event["details"]["name"], "Lídia Mondlane", "{created}");
    let (source, epoch) = (event["source"].as_str(), event["epoch"].as_str());
    let path = format!(
        "/v1/events/{}/{}/{}",
        source.unwrap_or_default(),
        epoch.unwrap_or_default(),
        event["sequence"]
    );
    assert_eq!(in_prm.get(&path).await?.ok()?["entry"]["event"]["details"]["login"], "lidia.mondlane");
    let in_senami = lab.api("mz.senami", "auditor", "audit").await?;
    assert_eq!(in_senami.get(&path).await?.status, StatusCode::NOT_FOUND);
    let of_senami = in_senami.get("/v1/events?agency=mz.senami&limit=200").await?.ok()?;
    assert!(!of_senami.to_string().contains("lidia"), "{of_senami}");

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
