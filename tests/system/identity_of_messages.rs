//! The same message again, and two messages that claim to be the same.

use anyhow::{Context, Result};
use rovuma_schemas::Timestamp;
use rovuma_tests::{
    Lab, eventually,
    forge::{self, Intruder},
    items,
};
use serde_json::{Value, json};

async fn inbox_of(lab: &Lab, agency: &str) -> Result<Vec<Value>> {
    Ok(items(&lab.officer(agency).await?.get("/v1/inbox").await?.ok()?))
}

async fn arrives(lab: &Lab, agency: &str, id: &str) -> Result<()> {
    eventually(&format!("{id} at {agency}"), || async {
        let arrived = inbox_of(lab, agency).await?.iter().any(|row| row["id"] == id);
        Ok(arrived.then_some(()))
    })
    .await
}

fn id_of(message: &Value) -> Result<String> {
    Ok(message["header"]["id"].as_str().context("an id")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_stored_once_and_a_conflict_is_kept_apart() -> Result<()> {
    let lab = Lab::start().await?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let message = forge::message("tz.tpf", Timestamp::system_now());
    let id = id_of(&message)?;
    let jws = forge::sign(&lab, "mz.prm", &message)?;

    // Three times, in bundles of their own and side by side.
    for copies in [vec![jws.clone()], vec![jws.clone(), jws.clone()], vec![jws.clone()]] {
        intruder.deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &copies)?).await?;
    }
    arrives(&lab, "tz.tpf", &id).await?;

    // The same id, and other content under the same real key.
    let mut other = message.clone();
    other["body"]["circumstances"] = json!("something else");
    let conflict = forge::sign(&lab, "mz.prm", &other)?;
    intruder.deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[conflict])?).await?;
    lab.quarantined("tz.tpf", "conflict").await?;

    // Another id under a number that is taken.
    let mut reused = message.clone();
    reused["header"]["id"] = json!(rovuma_schemas::MessageId::draw(Timestamp::system_now()));
    let reused_id = id_of(&reused)?;
    intruder
        .deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[forge::sign(&lab, "mz.prm", &reused)?])?)
        .await?;
    let supervisor = lab.api("tz.tpf", "supervisor", "gateway").await?;
    eventually("an alarm for each", || async {
        let alarms = items(&supervisor.get("/v1/alarms").await?.ok()?);
        let has =
            |kind: &str, about: &str| alarms.iter().any(|row| row["kind"] == kind && row["subject"] == about);
        Ok((has("conflict", &id) && has("number_reused", &reused_id)).then_some(()))
    })
    .await?;
    let stored = inbox_of(&lab, "tz.tpf").await?;
    assert_eq!(stored.len(), 1, "the first stands, once: {stored:?}");
    lab.audited("tz", &format!("action=message.reject&message={id}"), |_| true).await?;

    // Our own gateway in Mozambique never sent any of this: the receipts that came back are refused.
    lab.audited("mz", &format!("action=receipt.refuse&message={id}"), |row| {
        row["event"]["reason"] == "unknown_message"
    })
    .await?;
    Ok(())
}
