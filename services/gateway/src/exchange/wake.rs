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
use rovuma_store::RowExt;
use serde_json::json;
use sqlx::Row;

use crate::{error::DbError, exchange::Exchange};

/// The media type of a CloudEvent in JSON.
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// Publishes events that are committed from now on, until a soft shutdown.
pub(crate) async fn run(exchange: Arc<Exchange>, broker: Broker, shutdown: Shutdown) {
    let mut commits = exchange.base.store.commits();
    let mut after = match last_event(&exchange).await {
        Ok(last) => last,
        Err(fault) => {
            return tracing::error!(%fault, "domain events cannot be read: followers will not be woken");
        }
    };
    loop {
        tokio::select! {
            () = shutdown.soft() => return,
            changed = commits.changed() => if changed.is_err() { return },
        }
        match pending_wakes(&exchange, after).await {
            Ok(pending) => {
                after = pending.last.unwrap_or(after);
                tokio::select! {
                    () = shutdown.soft() => return,
                    () = publish(&broker, pending.wakes) => {}
                }
            }
            Err(fault) => {
                tracing::warn!(%fault, "domain events were not read; the next commit tries again")
            }
        }
    }
}

/// The events committed since the last publication, ready to publish.
struct PendingWakes {
    last: Option<i64>,
    wakes: Vec<Publication>,
}

async fn last_event(exchange: &Exchange) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COALESCE(MAX(seq), 0) AS last FROM domain_event")
        .fetch_one(exchange.base.store.read())
        .await?;
    Ok(row.try_get("last")?)
}

async fn pending_wakes(exchange: &Exchange, after: i64) -> Result<PendingWakes, DbError> {
    let rows = sqlx::query(
        "SELECT seq, agency, event, version, at FROM domain_event
         WHERE seq IN (SELECT MAX(seq) FROM domain_event WHERE seq > $1 GROUP BY agency, event) ORDER BY seq",
    )
    .bind(after)
    .fetch_all(exchange.base.store.read())
    .await?;
    let last = rows.last().map(|row| row.try_get("seq")).transpose()?;
    let wakes = rows
        .iter()
        .map(|row| {
            let (seq, event): (i64, String) = (row.try_get("seq")?, row.try_get("event")?);
            let agency: AgencyCode = row.parsed("agency")?;
            let id = format!("{}.{}/{seq}", exchange.base.country, exchange.base.name);
            let body = json!({
                "specversion": "1.0",
                "id": id,
                "source": format!("/gateway/{}/{}", exchange.base.country, exchange.base.name),
                "type": format!("rovuma.{event}"),
                "time": row.instant("at")?,
                "datacontenttype": "application/json",
                "data": { "agency": agency, "version": row.try_get::<i64, _>("version")? },
            });
            Ok(Publication {
                exchange: names::EVENTS.to_owned(),
                routing_key: names::event_key(&agency, &event),
                message_id: id,
                content_type: CLOUD_EVENT.to_owned(),
                headers: BTreeMap::new(),
                body: body.to_string().into_bytes(),
            })
        })
        .collect::<Result<_, DbError>>()?;
    Ok(PendingWakes { last, wakes })
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
