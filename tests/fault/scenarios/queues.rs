//! Queues deleted while something is in them.

use anyhow::Result;
use rovuma_broker::topology::names;
use rovuma_lab::{plan::GATEWAY, rabbit::RabbitNode};
use rovuma_schemas::{CountryCode, Lane};

use crate::{
    chance::Chance,
    reconcile::{Report, reconcile},
    stage::Ground,
    traffic::Traffic,
};

pub(super) async fn run(ground: &mut Ground, mut chance: Chance, messages: u32) -> Result<Report> {
    let mut stage = ground.stage().await?;
    let traffic = Traffic::start(&stage, messages).await?;
    let mut inside = 0;
    for (own, far) in [("mz", "tz"), ("tz", "mz")] {
        // While the consumers are away their queues fill.
        for service in ["audit", "gateway"] {
            stage.country(own).take_service(service)?.kill();
        }
        tokio::time::sleep(chance.pause(500..1500)).await;
        let (node, vhost) = {
            let node = if own == "mz" { &ground.nodes.mz } else { &ground.nodes.tz };
            (node, stage.country(own).vhost().to_owned())
        };
        inside += delete(node, &vhost, far.parse()?).await?;
        stage.border.declare(&ground.nodes).await?;
        for service in ["audit", "gateway"] {
            stage.bring_back(own, service).await?;
        }
    }
    let accepted = traffic.accepted().await?;
    Ok(reconcile(&stage, &accepted).await?.note(format!("{inside} messages were in the deleted queues")))
}

/// Deletes a country's queues; how many messages were in them.
async fn delete(node: &RabbitNode, vhost: &str, far: CountryCode) -> Result<u64> {
    let mut queues = vec!["audit.ingest".to_owned()];
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
