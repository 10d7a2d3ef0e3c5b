//! Wakes those who follow domain events over the broker: publishes a CloudEvent (CloudEvents 1.0, JSON format) to the exchange
//! `events` after commits.
//!
//! It only wakes: readers then ask `GET /v1/events?after=`, which is authoritative. So of many events of one kind for one
//! agency only the last is published, an event without a bound queue is dropped, and one that the broker does not accept is
//! not published again.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;
use rovuma_broker::{Broker, Publication, PublishError, topology::names};
use rovuma_runtime::Shutdown;
use rovuma_schemas::AgencyCode;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    events::feed::{EventBatch, RecordedEvent},
    exchange::Exchange,
};

/// The media type of a CloudEvent in JSON.
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// Publishes the events of `batches`, until a soft shutdown.
pub(crate) async fn run(
    exchange: Arc<Exchange>,
    broker: Broker,
    mut batches: Receiver<Arc<EventBatch>>,
    shutdown: Shutdown,
) {
    loop {
        let batch = tokio::select! {
            () = shutdown.soft() => return,
            received = batches.recv() => match received {
                Ok(batch) => batch,
                // The broker was away for long; what was not published is in the table.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            },
        };
        let wakes = wakes(&exchange, &batch);
        tokio::select! {
            () = shutdown.soft() => return,
            () = publish(&broker, wakes) => {}
        }
    }
}

/// The last event of each agency and kind, ready to publish.
fn wakes(exchange: &Exchange, batch: &EventBatch) -> Vec<Publication> {
    let of_agency = |(agency, events): (&AgencyCode, &[RecordedEvent])| {
        let last: BTreeMap<&str, &RecordedEvent> =
            events.iter().map(|event| (event.event.as_str(), event)).collect();
        last.into_values().map(|event| wake(exchange, agency, event)).collect::<Vec<_>>()
    };
    batch.by_agency().flat_map(of_agency).collect()
}

fn wake(exchange: &Exchange, agency: &AgencyCode, event: &RecordedEvent) -> Publication {
    let id = format!("{}.{}/{}", exchange.base.country, exchange.base.name, event.seq);
    let body = json!({
        "specversion": "1.0",
        "id": id,
        "source": format!("/gateway/{}/{}", exchange.base.country, exchange.base.name),
        "type": format!("rovuma.{}", event.event),
        "time": event.at,
        "datacontenttype": "application/json",
        "data": { "agency": agency, "version": event.version },
    });
    Publication {
        exchange: names::EVENTS.to_owned(),
        routing_key: names::event_key(agency, &event.event),
        message_id: id,
        content_type: CLOUD_EVENT.to_owned(),
        headers: BTreeMap::new(),
        body: body.to_string().into_bytes(),
    }
}

async fn publish(broker: &Broker, wakes: Vec<Publication>) {
    let outcomes = join_all(wakes.into_iter().map(|wake| broker.publish(wake))).await;
    for outcome in outcomes {
        match outcome {
            Ok(()) | Err(PublishError::Unroutable { .. }) => {}
            Err(fault) => tracing::debug!(%fault, "an event was not published"),
        }
    }
}
