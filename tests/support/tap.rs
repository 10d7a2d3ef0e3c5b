//! A queue of a test's own beside those of the topology, to see what travels.

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use rovuma_broker::topology::names;
use rovuma_lab::rabbit::RabbitManagement;
use serde_json::{Value, json};

use crate::Lab;

/// More than any test lets gather between two looks.
const TAKEN_AT_ONCE: u32 = 1000;

/// A queue that gets a copy of every bundle that a country's gateway publishes, whoever else gets it.
pub struct Tap<'a> {
    management: &'a RabbitManagement,
    queue: String,
}

impl<'a> Tap<'a> {
    /// Declared by the administrator: the queue `tap` on `outbound` of a country's broker, for what is
    /// published with these routing keys, `tz.tpf.*`.
    ///
    /// # Errors
    /// When the broker refuses it.
    pub async fn outbound(lab: &'a Lab, country: &str, routing_key: &str) -> Result<Self> {
        let node = if country == "mz" { &lab.nodes.mz } else { &lab.nodes.tz };
        let (management, vhost) = (node.management(), lab.country(country).vhost());
        let definitions = json!({
            "queues": [{
                "name": "tap", "vhost": vhost, "durable": true, "auto_delete": false,
                "arguments": { "x-queue-type": "quorum" },
            }],
            "bindings": [{
                "source": names::OUTBOUND, "vhost": vhost, "destination": "tap",
                "destination_type": "queue", "routing_key": routing_key, "arguments": {},
            }],
        });
        management.import(&definitions).await?;
        Ok(Self { management, queue: format!("/queues/{vhost}/tap") })
    }

    /// Takes what has come since the last time, byte for byte as it was published.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn take(&self) -> Result<Vec<Vec<u8>>> {
        let wanted = json!({ "count": TAKEN_AT_ONCE, "ackmode": "ack_requeue_false", "encoding": "base64" });
        let answer = self.management.post(&format!("{}/get", self.queue), &wanted).await?;
        let body = |delivery: &Value| {
            let text = delivery["payload"].as_str().context("a payload")?;
            STANDARD.decode(text).context("a payload in base64")
        };
        answer.as_array().context("a list of deliveries")?.iter().map(body).collect()
    }
}
