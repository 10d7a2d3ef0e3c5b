//! jwcrypto, a JOSE library, reads and writes our signatures.

use anyhow::{Context, Result};
use rovuma_envelope::Jws;
use rovuma_schemas::Timestamp;
use rovuma_tests::{
    Lab, Tap, drafts, eventually,
    forge::{self, Intruder},
    items, trust,
};
use serde_json::{Value, json};

use crate::{
    bundles::receipts_for,
    desk::{ScriptFolder, schema_file, trust_lists},
};

/// Verifies with jwcrypto a message of `mz.prm` to `tz.tpf`, as a gateway returns it, and one receipt for it.
async fn verify(lab: &Lab, desk: &ScriptFolder, id: &str, originals: &Value) -> Result<()> {
    let facts = json!({
        "originals": desk.put("originals.json", originals.to_string())?,
        "lists": trust_lists(lab)?,
        "id": id,
        "sender": "mz.prm",
        "recipients": ["tz.tpf"],
        "receipts": 1,
    });
    desk.run("verify_messages.py", &facts).await
}

#[tokio::test(flavor = "multi_thread")]
async fn jwcrypto_verifies_our_messages_and_receipts() -> Result<()> {
    let lab = Lab::start().await?;
    let desk = ScriptFolder::new()?;
    let sender = lab.officer("mz.prm").await?;
    let id = lab.send("mz.prm", &drafts::motorcycle(&["tz.tpf"])).await?;
    lab.hops(&sender, &id, "delivered", 1).await?;

    let originals = sender.get(&format!("/v1/messages/{id}/jws")).await?.ok()?;
    verify(&lab, &desk, &id, &originals).await?;
    let received = lab.officer("tz.tpf").await?.get(&format!("/v1/messages/{id}/jws")).await?.ok()?;
    assert_eq!(received["messages"], originals["messages"], "both sides hold the same bytes");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_jwcrypto_signed_is_taken_and_answered() -> Result<()> {
    let lab = Lab::start().await?;
    let desk = ScriptFolder::new()?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let receipts = Tap::outbound(&lab, "tz", "mz.prm.*").await?;
    let example = schema_file("examples/valid/message-alert.issue.json");
    let facts = json!({ "example": example, "sender": "mz.prm", "recipient": "tz.tpf" });
    desk.run("sign_message.py", &facts).await?;
    let (id, compact) = (desk.answered_text("id")?, desk.answered_text("message.jws")?);

    // jwcrypto drew the key. Mozambique's authority lists it as valid from an hour ago, because the message is older
    // than the list.
    let from = Timestamp::system_now().minus(std::time::Duration::from_secs(3600)).to_string();
    let key = desk.file("key.jwk").to_string_lossy().into_owned();
    let add = ["trust", "add-key", "mz.prm", "--signing", &key, "--from", &from];
    trust::hand_over(&lab, &trust::revise(lab.border.mz.layout(), &[trust::words(&add)])?)?;

    intruder.deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[Jws::from_compact(&compact)?])?).await?;
    let officer = lab.officer("tz.tpf").await?;
    eventually("the stranger's message in the inbox", || async {
        let rows = items(&officer.get("/v1/inbox").await?.ok()?);
        Ok(rows.into_iter().find(|row| row["id"] == id && row["disposition"] == "operative"))
    })
    .await?;
    let mut originals = officer.get(&format!("/v1/messages/{id}/jws")).await?.ok()?;
    assert_eq!(originals["messages"][0]["jws"], compact, "kept as it was signed");

    // The sender's own gateway does not know this message, so its receipt is read from the broker.
    let receipt = receipts_for(&lab, &desk, &receipts, &[&id]).await?;
    originals["receipts"] = receipt.into_iter().map(|jws| json!({ "jws": jws })).collect();
    verify(&lab, &desk, &id, &originals).await?;

    let bent = Jws::from_compact(&desk.answered_text("bent.jws")?)?;
    intruder.deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[bent])?).await?;
    let row = lab.quarantined("tz.tpf", "signature").await?;
    assert_eq!(row["times"], 1, "{row}");
    let inbox = items(&officer.get("/v1/inbox").await?.ok()?);
    let received: Vec<&Value> = inbox.iter().map(|row| &row["id"]).collect();
    assert_eq!(received.first().context("a row")?, &&json!(id));
    assert_eq!(received.len(), 1, "only the one that holds: {inbox:?}");
    Ok(())
}
