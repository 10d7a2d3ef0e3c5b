//! Keys that are rotated, unknown, revoked; and lists that are older than what is known.

use std::fs;

use anyhow::{Context, Result};
use rovuma_lab::{country::STOP_GRACE, ctl::Ctl, process::Process};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_tests::{
    Lab, drafts, eventually,
    forge::{self, Intruder},
    items, programs, send,
    trust::{hand_over, revise, words},
};
use serde_json::{Value, json};

async fn arrives(lab: &Lab, id: &Value) -> Result<()> {
    let officer = lab.officer("tz.tpf").await?;
    eventually(&format!("{id} in the inbox"), || async {
        let rows = items(&officer.get("/v1/inbox").await?.ok()?);
        Ok(rows.iter().any(|row| row["id"] == *id).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_under_a_new_key_is_held_until_the_list_comes() -> Result<()> {
    let lab = Lab::start().await?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let layout = lab.border.mz.layout();
    let prm: AgencyCode = "mz.prm".parse()?;
    let old_list = fs::read(layout.trust_list("mz".parse()?))?;

    let new_key = layout.key("mz.prm.next.pem");
    let new_key_text = new_key.to_string_lossy().into_owned();
    let ctl = Ctl::new(&programs()?);
    ctl.run(["keys", "generate", "signing", "--out", &new_key_text])?;
    let public = new_key.with_extension("jwk").to_string_lossy().into_owned();
    let rotate = words(&["trust", "rotate", "mz.prm", "--signing", &public]);
    let new_list = revise(layout, &[rotate])?;

    fs::copy(layout.signing_key(&prm), layout.key("mz.prm.former.pem"))?;
    fs::copy(&new_key, layout.signing_key(&prm))?;
    let message = forge::message("tz.tpf", Timestamp::system_now());
    let jws = forge::sign(&lab, "mz.prm", &message)?;
    intruder.deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[jws])?).await?;

    let supervisor = lab.api("tz.tpf", "supervisor", "gateway").await?;
    let held = || async {
        let rows = items(&supervisor.get("/v1/held").await?.ok()?);
        Ok(rows.into_iter().find(|row| row["reason"] == "unknown_key"))
    };
    eventually("the message is held", held).await?;
    assert!(items(&lab.officer("tz.tpf").await?.get("/v1/inbox").await?.ok()?).is_empty());
    lab.audited("tz", "action=message.hold", |_| true).await?;

    hand_over(&lab, &new_list)?;
    arrives(&lab, &message["header"]["id"]).await?;
    eventually("nothing is held any more", || async {
        Ok(items(&supervisor.get("/v1/held").await?.ok()?).is_empty().then_some(()))
    })
    .await?;

    // The old list is not taken back: a message under the new key still arrives.
    hand_over(&lab, &old_list)?;
    lab.audited("tz", "action=trust.refuse", |_| true).await?;
    let after = forge::message("tz.tpf", Timestamp::system_now());
    intruder
        .deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[forge::sign(&lab, "mz.prm", &after)?])?)
        .await?;
    arrives(&lab, &after["header"]["id"]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compromised_key_signs_nothing_more_and_what_it_signed_is_flagged() -> Result<()> {
    let lab = Lab::start().await?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let layout = lab.border.mz.layout();
    let before = forge::message("tz.tpf", Timestamp::system_now());
    intruder
        .deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[forge::sign(&lab, "mz.prm", &before)?])?)
        .await?;
    arrives(&lab, &before["header"]["id"]).await?;

    let public = layout.signing_key(&"mz.prm".parse()?).with_extension("jwk");
    let key: Value = serde_json::from_slice(&fs::read(&public)?)?;
    let jwk = rovuma_envelope::PublicKey::from_jwk(&serde_json::to_vec(&key)?)?;
    let kid = jwk.key_id().to_string();
    let revoke = words(&["trust", "revoke", "mz.prm", &kid, "--reason", "compromised"]);
    hand_over(&lab, &revise(layout, &[revoke])?)?;

    let supervisor = lab.api("tz.tpf", "supervisor", "gateway").await?;
    eventually("what it signed is flagged", || async {
        let alarms = items(&supervisor.get("/v1/alarms").await?.ok()?);
        Ok(alarms.iter().any(|row| row["kind"] == "compromised_key").then_some(()))
    })
    .await?;
    let id = before["header"]["id"].as_str().context("an id")?;
    let row = items(&lab.officer("tz.tpf").await?.get("/v1/inbox").await?.ok()?);
    let row = row.into_iter().find(|row| row["id"] == id).context("still there")?;
    assert!(row["compromised_at"].is_string(), "{row}");

    let after = forge::message("tz.tpf", Timestamp::system_now());
    intruder
        .deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[forge::sign(&lab, "mz.prm", &after)?])?)
        .await?;
    lab.quarantined("tz.tpf", "signature").await?;
    assert_eq!(items(&lab.officer("tz.tpf").await?.get("/v1/inbox").await?.ok()?).len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_key_signs_nothing_more() -> Result<()> {
    let lab = Lab::start().await?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let layout = lab.border.mz.layout();
    let new_key = layout.key("mz.prm.brief.pem").to_string_lossy().into_owned();
    Ctl::new(&programs()?).run(["keys", "generate", "signing", "--out", &new_key])?;
    let public = layout.key("mz.prm.brief.jwk").to_string_lossy().into_owned();
    // Valid for one second from an hour ago: over before anything is signed with it.
    let from = Timestamp::system_now().minus(std::time::Duration::from_secs(3600)).to_string();
    let add =
        words(&["trust", "add-key", "mz.prm", "--signing", &public, "--from", &from, "--valid-for", "1s"]);
    hand_over(&lab, &revise(layout, &[add])?)?;
    lab.audited("tz", "action=trust.load", |row| row["event"]["details"]["serial"] == "2").await?;

    fs::copy(&new_key, layout.signing_key(&"mz.prm".parse()?))?;
    let message = forge::message("tz.tpf", Timestamp::system_now());
    intruder
        .deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[forge::sign(&lab, "mz.prm", &message)?])?)
        .await?;
    lab.quarantined("tz.tpf", "signature").await?;
    assert!(items(&lab.officer("tz.tpf").await?.get("/v1/inbox").await?.ok()?).is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_under_a_key_found_to_be_compromised_arrives_under_a_new_one() -> Result<()> {
    let mut lab = Lab::start().await?;
    let prm: AgencyCode = "mz.prm".parse()?;
    let stop = |process: Result<Process>| async move { process?.stop(STOP_GRACE).await.context("it stayed") };
    stop(lab.border.tz.take_service("gateway")).await?;
    let sent = send(&lab.officer("mz.prm").await?, &drafts::motorcycle(&["tz.tpf"])).await?;

    let layout = lab.border.mz.layout();
    let former =
        rovuma_envelope::PublicKey::from_jwk(&fs::read(layout.signing_key(&prm).with_extension("jwk"))?)?;
    let new_key = layout.key("mz.prm.next.pem");
    let new_key_text = new_key.to_string_lossy().into_owned();
    Ctl::new(&programs()?).run(["keys", "generate", "signing", "--out", &new_key_text])?;
    let public = new_key.with_extension("jwk").to_string_lossy().into_owned();
    let rotate = words(&["trust", "rotate", "mz.prm", "--signing", &public]);
    let revoke =
        words(&["trust", "revoke", "mz.prm", &former.key_id().to_string(), "--reason", "compromised"]);
    let list = revise(layout, &[rotate, revoke])?;
    fs::copy(&new_key, layout.signing_key(&prm))?;
    hand_over(&lab, &list)?;
    stop(lab.border.mz.take_service("gateway")).await?;
    for country in [&mut lab.border.mz, &mut lab.border.tz] {
        country.start_service("gateway")?;
        country.ready("gateway").await?;
    }

    let receiver = lab.officer("tz.tpf").await?;
    let row = eventually("the alert under the new key", || async {
        Ok(items(&receiver.get("/v1/inbox").await?.ok()?).into_iter().next())
    })
    .await?;
    assert_eq!((&row["replaces"], &row["compromised_at"]), (&json!(sent), &Value::Null), "{row}");
    lab.quarantined("tz.tpf", "signature").await?;
    let sender = lab.officer("mz.prm").await?;
    eventually("the receipt of the new one", || async {
        let rows = items(&sender.get("/v1/sent?state=delivered").await?.ok()?);
        Ok(rows.iter().any(|delivered| delivered["id"] == row["id"]).then_some(()))
    })
    .await?;
    assert_eq!(items(&receiver.get("/v1/inbox").await?.ok()?).len(), 1);
    let streams = sender.get("/v1/streams").await?.ok()?;
    assert_eq!(
        streams["outgoing"][0]["voided"],
        json!([1]),
        "the recipient is told not to wait for it: {streams}"
    );
    lab.audited("mz", "action=message.reissue", |_| true).await?;
    Ok(())
}
