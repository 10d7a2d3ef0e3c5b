//! A number that does not come: shown, asked for, and closed.

use anyhow::Result;
use rovuma_lab::config::LabTimings;
use rovuma_schemas::{Lane, MessageId, StoreId, Timestamp};
use rovuma_tests::{
    Lab, drafts, eventually,
    forge::{self, Intruder},
    items, quick, send,
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_lost_on_a_broker_is_missed_asked_for_and_comes_again() -> Result<()> {
    // No retransmission by the clock: the message comes again because it is asked for.
    let mut lab = Lab::start_with(LabTimings { retransmit_first_ms: 3_600_000, ..quick() }).await?;
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

/// What an agency would say to ask `tz.tpf` for the first five numbers of a stream.
fn request(sender: &str, created: Timestamp) -> Value {
    json!({
        "header": {
            "id": MessageId::draw(created),
            "type": "stream.request",
            "version": "1.0",
            "status": "actual",
            "sender": { "agency": sender },
            "recipients": [{ "agency": "tz.tpf", "lane": "urgent" }],
            "created": created
        },
        "body": {
            "streams": [{ "lane": "normal", "stream": StoreId::draw(), "missing": [{ "from": 1, "to": 5 }] }]
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_requests_in_short_order_and_their_replays_the_first_is_answered() -> Result<()> {
    let lab = Lab::start().await?;
    let intruder = Intruder::from_mozambique(&lab).await?;
    let now = Timestamp::system_now();
    let later = now.plus(std::time::Duration::from_millis(1));
    let old = forge::sign(&lab, "mz.prm", &request("mz.prm", now))?;
    let new = forge::sign(&lab, "mz.prm", &request("mz.prm", later))?;
    let of_another = forge::sign(&lab, "mz.senami", &request("mz.senami", now))?;
    for jws in [&old, &old, &new, &old, &of_another] {
        let bundle = forge::bundle(&lab, "tz.tpf", std::slice::from_ref(jws))?;
        intruder.publish("ingress.mz", "tz.tpf.urgent", bundle).await?;
    }
    let auditor = lab.api("tz.node", "auditor", "audit").await?;
    let answered = eventually("the other agency's request is answered", || async {
        let page = auditor.get("/v1/events?action=message.resend").await?.ok()?;
        let rows = items(&page);
        let is_last = |row: &Value| row.to_string().contains("tz.tpf/mz.senami");
        Ok(rows.iter().any(is_last).then_some(rows.len()))
    })
    .await?;
    // One queue and one consumer: when the last was answered, all before it were decided.
    assert_eq!(answered, 2);
    Ok(())
}
