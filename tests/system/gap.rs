//! A number that does not come: shown, asked for, and closed.

use anyhow::Result;
use rovuma_schemas::Lane;
use rovuma_tests::{Lab, drafts, eventually, forge, items, send};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_lost_on_a_broker_is_missed_asked_for_and_comes_again() -> Result<()> {
    let mut lab = Lab::start().await?;
    let sender = lab.officer("mz.prm").await?;
    let first = send(&sender, &drafts::motorcycle(&["tz.tpf"])).await?;
    lab.hops(&sender, &first, "delivered", 1).await?;

    // The recipient's gateway is away; a message reaches its queue, and the queue is emptied by somebody.
    let mut gateway = lab.border.tz.take_service("gateway")?;
    gateway.stop(rovuma_lab::country::STOP_GRACE).await;
    let lost = send(&sender, &drafts::motorcycle(&["tz.tpf"])).await?;
    lab.hops(&sender, &lost, "queued", 1).await?;
    let queue = forge::inbox_queue(Lane::Urgent);
    let path = format!("/queues/{}/{queue}", lab.border.tz.vhost());
    let management = lab.nodes.tz.management();
    let on_queue = || async {
        let messages = management.get(&path).await?["messages"].as_u64().unwrap_or(0);
        Ok((messages > 0).then_some(()))
    };
    eventually("the message in the far inbox", on_queue).await?;
    management.delete(&format!("{path}/contents")).await?;
    let second = send(&sender, &drafts::motorcycle(&["tz.tpf"])).await?;
    lab.border.tz.start_service("gateway")?;
    lab.border.tz.ready("gateway").await?;

    let recipient = lab.officer("tz.tpf").await?;
    eventually("the gap is shown, or closed already", || async {
        let streams = recipient.get("/v1/streams").await?.ok()?;
        let incoming = streams["incoming"].as_array().cloned().unwrap_or_default();
        let gap = |stream: &Value| stream["missing"].as_u64().is_some_and(|missing| missing > 0);
        let arrived = items(&recipient.get("/v1/inbox").await?.ok()?).len() == 3;
        Ok((incoming.iter().any(gap) || arrived).then_some(()))
    })
    .await?;
    for id in [&lost, &second] {
        lab.hops(&sender, id, "delivered", 1).await?;
    }
    lab.audited("mz", "action=message.resend", |_| true).await?;
    assert_eq!(items(&recipient.get("/v1/inbox").await?.ok()?).len(), 3);
    eventually("no number is missing any more", || async {
        let streams = recipient.get("/v1/streams").await?.ok()?;
        let incoming = streams["incoming"].as_array().cloned().unwrap_or_default();
        let gap = |stream: &Value| stream["missing"].as_u64().is_some_and(|missing| missing > 0);
        Ok((!incoming.iter().any(gap)).then_some(()))
    })
    .await
}
