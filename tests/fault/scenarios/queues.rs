//! Queues are deleted while messages are in them.

use anyhow::{Context, Result};
use rovuma_broker::topology::names;
use rovuma_lab::{plan::GATEWAY, rabbit::RabbitNode};
use rovuma_schemas::{CountryCode, Lane};
use rovuma_tests::eventually;

use crate::{
    chance::Chance,
    reconcile::{FaultReport, reconcile},
    stage::TestBed,
    traffic::{Accepted, DIRECTIONS, Traffic, post},
};

/// Messages posted from the other side while the consumers are away, to fill the queues.
const FILLING: u32 = 10;

pub(super) async fn run(ground: &mut TestBed, mut chance: Chance, messages: u32) -> Result<FaultReport> {
    let mut stage = ground.stage().await?;
    let traffic = Traffic::start(&stage, messages).await?;
    let (mut inside, mut accepted) = (0, Vec::new());
    for (own, far) in [("mz", "tz"), ("tz", "mz")] {
        // While the consumers are away their queues fill.
        for service in ["audit", "gateway"] {
            stage.country(own).take_service(service)?.kill();
        }
        let vhost = stage.country(own).vhost().to_owned();
        let node = if own == "mz" { &ground.nodes.mz } else { &ground.nodes.tz };
        // A log-in leaves an audit event.
        stage.token(sender_of(own), "officer").await?;
        let far_api = stage.api(sender_of(far), "officer", "gateway").await?;
        for turn in 0..FILLING {
            let direction = DIRECTIONS.iter().find(|direction| direction.sender == sender_of(far));
            let direction = direction.context("a direction for each country")?;
            let draft = rovuma_tests::drafts::motorcycle(&direction.recipients);
            let id = post(std::slice::from_ref(&far_api), turn, &draft).await?;
            accepted.push(Accepted {
                id,
                sender: direction.sender,
                recipients: direction.recipients.to_vec(),
            });
        }
        for queue in [names::AUDIT_INGEST.to_owned(), names::inbox_queue(GATEWAY, Lane::Urgent)] {
            let path = format!("/queues/{vhost}/{queue}");
            eventually(&format!("something in {queue} of {own}"), || async {
                let messages = node.management().get(&path).await?["messages"].as_u64().unwrap_or(0);
                Ok((messages > 0).then_some(()))
            })
            .await?;
        }
        tokio::time::sleep(chance.pause(0..1000)).await;
        inside += delete(node, &vhost, far.parse()?).await?;
        stage.border.declare(&ground.nodes).await?;
        for service in ["audit", "gateway"] {
            stage.restart_service(own, service).await?;
        }
    }
    accepted.extend(traffic.accepted().await?);
    Ok(reconcile(&stage, &accepted).await?.note(format!("{inside} messages were in the deleted queues")))
}

fn sender_of(country: &str) -> &'static str {
    if country == "mz" { "mz.prm" } else { "tz.tpf" }
}

/// Deletes a country's queues. Returns the number of messages in them.
async fn delete(node: &RabbitNode, vhost: &str, far: CountryCode) -> Result<u64> {
    let mut queues = vec![names::AUDIT_INGEST.to_owned()];
    for lane in Lane::ALL {
        queues.extend([names::link_queue(far, lane), names::inbox_queue(GATEWAY, lane)]);
    }
    let mut inside = 0;
    for queue in queues {
        let path = format!("/queues/{vhost}/{queue}");
        inside += node.management().get(&path).await?["messages"].as_u64().unwrap_or(0);
        node.management().delete(&path).await?;
    }
    Ok(inside)
}
