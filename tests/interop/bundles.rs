//! The commands age and zstd open and seal our bundles.

use anyhow::{Context, Result};
use rovuma_envelope::Jws;
use rovuma_schemas::Timestamp;
use rovuma_tests::{
    Lab, Tap, drafts, eventually,
    forge::{self, Intruder},
    items,
};
use serde_json::{Value, json};

use crate::desk::{ScriptFolder, schema_file, trust_list};

const DICTIONARY: &str = "dictionary/v1.dict";

/// Opens with age and zstd what has arrived at a tap since the last call, for `agency`. Returns every message in it
/// as compact JWS. Checks that `other`, an agency of the same country, cannot open it.
async fn open(
    lab: &Lab,
    desk: &ScriptFolder,
    tap: &Tap<'_>,
    agency: &str,
    other: &str,
) -> Result<Vec<String>> {
    let sealed = tap.take().await?;
    if sealed.is_empty() {
        return Ok(Vec::new());
    }
    let layout = lab.country(&agency[..2]).layout();
    let put = |(at, bundle): (usize, &Vec<u8>)| desk.put(&format!("{at}.age"), bundle);
    let facts = json!({
        "bundles": sealed.iter().enumerate().map(put).collect::<Result<Vec<_>>>()?,
        "identity": layout.sealing_key(&agency.parse()?),
        "others": [layout.sealing_key(&other.parse()?)],
        "dictionary": schema_file(DICTIONARY),
    });
    desk.run("open_bundles.py", &facts).await?;
    let opened: Vec<Vec<String>> = serde_json::from_slice(&desk.answer("opened.json")?)?;
    Ok(opened.into_iter().flatten().collect())
}

/// Waits for a receipt to `mz.prm` for each of these messages, opening passing bundles with age.
pub(crate) async fn receipts_for(
    lab: &Lab,
    desk: &ScriptFolder,
    tap: &Tap<'_>,
    ids: &[&str],
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut missing = ids.to_vec();
    while !missing.is_empty() {
        let opened = eventually(&format!("receipts for {missing:?}"), || async {
            let opened = open(lab, desk, tap, "mz.prm", "mz.senami").await?;
            Ok((!opened.is_empty()).then_some(opened))
        })
        .await?;
        for compact in opened {
            let entries = receipt_entries(&compact)?;
            let before = missing.len();
            missing.retain(|id| !entries.contains(&json!(id)));
            if missing.len() < before {
                found.push(compact);
            }
        }
    }
    Ok(found)
}

/// The ids that a message names as delivered. Empty when it is not such a receipt.
fn receipt_entries(compact: &str) -> Result<Vec<Value>> {
    let jws = Jws::from_compact(compact)?;
    let message: Value = serde_json::from_slice(jws.unverified_payload())?;
    if message["header"]["type"] != "receipt.delivered" {
        return Ok(Vec::new());
    }
    let entries = message["body"]["entries"].as_array().context("entries")?;
    Ok(entries.iter().map(|entry| entry["id"].clone()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn age_and_zstd_open_our_bundles() -> Result<()> {
    let lab = Lab::start().await?;
    let desk = ScriptFolder::new()?;
    let tap = Tap::outbound(&lab, "mz", "tz.tpf.*").await?;
    let sender = lab.officer("mz.prm").await?;
    let id = lab.send("mz.prm", &drafts::motorcycle(&["tz.tpf"])).await?;
    lab.hops(&sender, &id, "delivered", 1).await?;

    let originals = sender.get(&format!("/v1/messages/{id}/jws")).await?.ok()?;
    let signed = originals["messages"][0]["jws"].as_str().context("a JWS")?;
    // It is delivered, so it has left, and the tap has it.
    let opened = open(&lab, &desk, &tap, "tz.tpf", "tz.tisd").await?;
    assert!(opened.iter().any(|compact| compact == signed), "the message is not among {}", opened.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_age_and_zstd_made_is_taken_and_answered() -> Result<()> {
    let lab = Lab::start().await?;
    let desk = ScriptFolder::new()?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let receipts = Tap::outbound(&lab, "tz", "mz.prm.*").await?;
    let messages: Vec<Value> = (0..2).map(|_| forge::message("tz.tpf", Timestamp::system_now())).collect();
    let sign = |message| Ok(forge::sign(&lab, "mz.prm", message)?.to_compact());
    let facts = json!({
        "messages": messages.iter().map(sign).collect::<Result<Vec<_>>>()?,
        "recipient": "tz.tpf",
        "list": trust_list(&lab, "tz")?,
        "dictionary": schema_file(DICTIONARY),
    });
    desk.run("seal_bundle.py", &facts).await?;

    intruder.deliver("tz.tpf", desk.answer("bent.age")?).await?;
    lab.quarantined("tz.tpf", "unsealing").await?;
    let officer = lab.officer("tz.tpf").await?;
    assert!(items(&officer.get("/v1/inbox").await?.ok()?).is_empty(), "nothing of a bent bundle is taken");

    intruder.deliver("tz.tpf", desk.answer("sealed.age")?).await?;
    let ids: Vec<&Value> = messages.iter().map(|message| &message["header"]["id"]).collect();
    eventually("both messages in the inbox", || async {
        let rows = items(&officer.get("/v1/inbox").await?.ok()?);
        let shown =
            |id: &&Value| rows.iter().any(|row| row["id"] == **id && row["disposition"] == "operative");
        Ok(ids.iter().all(shown).then_some(()))
    })
    .await?;
    let ids: Vec<&str> = ids.into_iter().filter_map(Value::as_str).collect();
    let answered = receipts_for(&lab, &desk, &receipts, &ids).await?;
    assert!(!answered.is_empty());
    Ok(())
}
