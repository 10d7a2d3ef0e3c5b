//! What comes in by a partner's door and is not what it should be: quarantined or answered, audited, and
//! the lane goes on.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use rovuma_envelope::Bundle;
use rovuma_schemas::Timestamp;
use rovuma_tests::{
    Lab, eventually,
    forge::{self, Intruder},
    items,
};
use serde_json::{Value, json};

/// What is bent in a message before it is signed.
type Bend = fn(&mut Value);

const DAY: Duration = Duration::from_secs(24 * 3600);

fn now() -> Timestamp {
    Timestamp::system_now()
}

/// Sends one honest message after everything else, and waits until it is in the inbox: the lane goes on.
async fn lane_goes_on(lab: &Lab, intruder: &Intruder) -> Result<()> {
    let message = forge::message("tz.tpf", now());
    let id = message["header"]["id"].clone();
    intruder
        .deliver("tz.tpf", forge::bundle(lab, "tz.tpf", &[forge::sign(lab, "mz.prm", &message)?])?)
        .await?;
    let officer = lab.officer("tz.tpf").await?;
    eventually("an honest message after all that", || async {
        let rows = items(&officer.get("/v1/inbox").await?.ok()?);
        Ok(rows.iter().any(|row| row["id"] == id).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_verified_is_quarantined_and_never_answered() -> Result<()> {
    let lab = Lab::start().await?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let to_tpf = |jws| forge::bundle(&lab, "tz.tpf", &[jws]);
    let honest = forge::message("tz.tpf", now());

    // Not sealed to us at all; sealed but no bundle; a bundle that unpacks to a thousand times its size.
    intruder.deliver("tz.tpf", b"{}".to_vec()).await?;
    lab.quarantined("tz.tpf", "unsealing").await?;
    intruder.deliver("tz.tpf", forge::seal_to(&lab, "tz.tpf", b"\x01nonsense")?).await?;
    lab.quarantined("tz.tpf", "bundle").await?;
    let huge = forge::sign_bytes(&lab, "mz.prm", vec![b' '; 900 * 1024])?;
    let mut bomb = Bundle::pack(std::slice::from_ref(&huge))?;
    bomb.extend(Bundle::pack(&[huge])?.split_off(1));
    intruder.deliver("tz.tpf", forge::seal_to(&lab, "tz.tpf", &bomb)?).await?;

    // A stranger's key is held: it might be in the next list. What is altered after signing is not.
    let signed = forge::sign(&lab, "mz.prm", &honest)?;
    let mut altered = honest.clone();
    altered["body"]["category"] = json!("threat_warning");
    let forged = rovuma_envelope::Jws::from_segments(
        signed.protected().to_vec(),
        serde_json::to_vec(&altered)?,
        *signed.signature(),
    );
    intruder.deliver("tz.tpf", to_tpf(forged)?).await?;
    lab.quarantined("tz.tpf", "signature").await?;
    intruder.deliver("tz.tpf", to_tpf(forge::sign_bytes(&lab, "mz.prm", b"not JSON".to_vec())?)?).await?;

    // Meant for another agency of the same gateway, and of another country.
    let for_dci = forge::message("tz.dci", now());
    intruder.deliver("tz.tpf", to_tpf(forge::sign(&lab, "mz.prm", &for_dci)?)?).await?;
    lab.quarantined("tz.tpf", "misrouted").await?;
    // Sealed to one agency and routed to another.
    let sealed_to_dci = forge::bundle(&lab, "tz.dci", &[forge::sign(&lab, "mz.prm", &for_dci)?])?;
    intruder.deliver("tz.tpf", sealed_to_dci).await?;
    // An urgent message by the normal lane.
    let mut urgent = forge::message("tz.tpf", now());
    urgent["header"]["recipients"][0]["lane"] = json!("urgent");
    intruder.deliver("tz.tpf", to_tpf(forge::sign(&lab, "mz.prm", &urgent)?)?).await?;
    // A Tanzanian agency's true message, by Mozambique's door.
    let mut ours = honest.clone();
    ours["header"]["sender"] = json!({ "agency": "tz.dci" });
    ours["header"]["case"]["owner"] = json!("tz.dci");
    intruder.deliver("tz.tpf", to_tpf(forge::sign(&lab, "tz.dci", &ours)?)?).await?;

    let supervisor = lab.api("tz.tpf", "supervisor", "gateway").await?;
    eventually("all nine in quarantine", || async {
        let rows = items(&supervisor.get("/v1/quarantine").await?.ok()?);
        Ok((rows.len() == 9).then_some(()))
    })
    .await?;
    lane_goes_on(&lab, &intruder).await?;
    let inbox = items(&lab.officer("tz.tpf").await?.get("/v1/inbox").await?.ok()?);
    assert_eq!(inbox.len(), 1, "only the honest one: {inbox:?}");
    lab.audited("tz", "action=message.quarantine&outcome=refused", |_| true).await?;
    // The partner's node is told that something of its could not be verified.
    let node = lab.api("mz.node", "supervisor", "gateway").await?;
    eventually("the partner's node is told", || async {
        let alarms = items(&node.get("/v1/alarms").await?.ok()?);
        Ok(alarms.iter().any(|row| row["kind"] == "link_fault").then_some(()))
    })
    .await?;
    Ok(())
}

/// One message of the link's user, without any agency's key, once stopped every lane of the country for ever.
#[tokio::test(flavor = "multi_thread")]
async fn no_header_of_a_link_stops_a_lane() -> Result<()> {
    let lab = Lab::start().await?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let large = |length: usize| BTreeMap::from([("a".to_owned(), "a".repeat(length))]);
    let many = (0..3_000).map(|index| (format!("header-{index}"), String::new())).collect();
    for headers in [large(17 * 1024), large(100 * 1024), large(131_000), many] {
        intruder.publish_with(headers, "ingress.mz", "tz.tpf.normal", b"x".to_vec()).await?;
        tokio::time::timeout(Duration::from_secs(10), lane_goes_on(&lab, &intruder)).await??;
    }
    let row = lab.quarantined("tz.tpf", "header").await?;
    assert_eq!(row["times"], 4, "{row}");
    let alarms = items(&lab.api("tz.tpf", "supervisor", "gateway").await?.get("/v1/alarms").await?.ok()?);
    let of_door: Vec<_> = alarms.iter().filter(|row| row["kind"] == "quarantined").collect();
    assert_eq!(of_door.len(), 1, "{alarms:?}");
    assert_eq!(of_door[0]["subject"], "ingress.mz");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn verified_messages_that_are_not_acceptable_are_answered_with_their_code() -> Result<()> {
    let lab = Lab::start().await?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let cases: [(&str, Bend); 6] = [
        ("schema", |message| message["header"]["case"]["owner"] = json!("tz.tpf")),
        ("schema", |message| message["body"]["category"] = json!("weather")),
        ("unsupported_version", |message| message["header"]["version"] = json!("2.0")),
        ("expired", |message| message["header"]["expires"] = json!(now().plus(Duration::from_millis(1)))),
        ("clock", |message| message["header"]["created"] = json!(now().plus(DAY))),
        ("unauthorised", |message| message["header"]["type"] = json!("audit.checkpoint")),
    ];
    for (code, bend) in cases {
        let mut message = forge::message("tz.tpf", now());
        bend(&mut message);
        let id = message["header"]["id"].as_str().context("an id")?.to_owned();
        let jws = forge::sign(&lab, "mz.prm", &message)?;
        intruder.deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[jws])?).await?;
        let query = format!("action=message.reject&message={id}");
        let event = lab.audited("tz", &query, |_| true).await?;
        assert_eq!(event["event"]["reason"], code, "{event}");
    }
    // Larger than a message may be, well within a bundle: set aside, whoever signed it.
    let mut large = forge::message("tz.tpf", now());
    large["body"]["padding"] = json!("x".repeat(300 * 1024));
    intruder
        .deliver("tz.tpf", forge::bundle(&lab, "tz.tpf", &[forge::sign(&lab, "mz.prm", &large)?])?)
        .await?;
    lab.quarantined("tz.tpf", "too_large").await?;

    lane_goes_on(&lab, &intruder).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_user_can_write_to_its_own_door_alone() -> Result<()> {
    let lab = Lab::start().await?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    for exchange in ["outbound", "events", "audit", "", "ingress.tz", "quarantine"] {
        let refused = intruder.publish(exchange, "tz.tpf.normal", b"x".to_vec()).await;
        assert!(refused.is_err(), "{exchange:?} took it");
    }
    lane_goes_on(&lab, &intruder).await
}
