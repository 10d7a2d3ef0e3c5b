//! Least privilege, tried from outside: what each user may not do, the broker refuses.

use lapin::{
    Channel, Connection, ExchangeKind,
    options::{
        BasicConsumeOptions, BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::FieldTable,
};
use rovuma_broker::{PublishError, raw};
use serde_json::json;

use crate::fixture::{broker, config, publication, quarantined};

/// A bare channel, for what [`rovuma_broker::Broker`] does not offer.
pub(crate) async fn channel(user: &str) -> (Connection, Channel) {
    let connection = raw::connect(&config(user).await).await.expect("connected");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}

fn refused<T: std::fmt::Debug>(what: &str, outcome: Result<T, lapin::Error>) {
    let failure = outcome.expect_err(what).to_string();
    assert!(failure.contains("ACCESS_REFUSED"), "{what}: {failure}");
}

const USERS: [&str; 7] = ["gateway.police", "identity", "audit", "rovumactl", "link.tz", "shovel.tz", "desk"];

#[tokio::test]
async fn nobody_may_declare_anything() {
    for user in USERS {
        let (_connection, first) = channel(user).await;
        let queue = first.queue_declare("own".into(), QueueDeclareOptions::durable(), FieldTable::default());
        refused(&format!("{user} declares a queue"), queue.await);
        let (_connection, second) = channel(user).await;
        let (options, arguments) = (ExchangeDeclareOptions::default(), FieldTable::default());
        let exchange = second.exchange_declare("own".into(), ExchangeKind::Topic, options, arguments);
        refused(&format!("{user} declares an exchange"), exchange.await);
    }
}

#[tokio::test]
async fn nobody_may_bind_all_events() {
    let queues =
        ["inbox.police.urgent", "audit.ack.mz.identity", "audit.ingest", "quarantine", "events.desk"];
    for user in USERS {
        for queue in queues {
            let (_connection, channel) = channel(user).await;
            let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
            let bind = channel.queue_bind(queue.into(), "events".into(), "#".into(), options, arguments);
            refused(&format!("{user} binds {queue}"), bind.await);
        }
    }
}

#[tokio::test]
async fn a_link_writes_to_its_own_ingress_and_nowhere_else() {
    let link = broker("link.tz").await;
    for (exchange, key) in [
        ("ingress.ke", "mz.police.urgent"),
        ("outbound", "mz.police.urgent"),
        ("events", "mz.police.alert.received"),
        ("audit", "event.mz.identity"),
        ("quarantine", ""),
        ("", "inbox.police.urgent"),
    ] {
        let outcome = link.publish(publication(exchange, key, "intruder")).await;
        assert!(matches!(outcome, Err(PublishError::Refused { .. })), "{exchange:?} {key}: {outcome:?}");
    }
    link.publish(publication("ingress.tz", "mz.police.bulk", "guest")).await.expect("its own ingress");
}

#[tokio::test]
async fn what_a_link_brings_for_nobody_goes_to_the_quarantine() {
    let link = broker("link.tz").await;
    link.publish(publication("ingress.tz", "mz.nobody.urgent", "astray")).await.expect("confirmed");
    let found = quarantined("astray").await;
    assert_eq!(found["exchange"], json!("ingress.tz"));
}

#[tokio::test]
async fn everybody_reads_their_own_queues_only() {
    let forbidden = [
        ("gateway.police", "inbox.routed.urgent"),
        ("gateway.police", "link.tz.urgent"),
        ("gateway.police", "audit.ingest"),
        ("gateway.police", "audit.ack.mz.identity"),
        ("gateway.police", "quarantine"),
        ("link.tz", "inbox.police.urgent"),
        ("link.tz", "link.tz.urgent"),
        ("shovel.tz", "link.ke.urgent"),
        ("shovel.tz", "inbox.police.urgent"),
        ("desk", "inbox.police.urgent"),
        ("audit", "inbox.police.urgent"),
    ];
    for (user, queue) in forbidden {
        let (_connection, first) = channel(user).await;
        refused(
            &format!("{user} reads {queue}"),
            first.basic_get(queue.into(), BasicGetOptions::default()).await,
        );
        let (_connection, second) = channel(user).await;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consume = second.basic_consume(queue.into(), "".into(), options, arguments).await;
        refused(&format!("{user} consumes {queue}"), consume.map(|consumer| consumer.tag()));
    }
}

#[tokio::test]
async fn a_gateway_speaks_for_its_own_agencies_and_its_own_source() {
    let police = broker("gateway.police").await;
    for (exchange, key) in [
        ("events", "mz.routed.alert.received"),
        ("events", "tz.police.alert.received"),
        ("events", "mz.police"),
        ("audit", "event.mz.gateway.routed"),
        ("audit", "ack.mz.gateway.police"),
        ("outbound", "xx.police.urgent"),
        ("outbound", "tz.police.urgent.more"),
    ] {
        let outcome = police.publish(publication(exchange, key, "forged")).await;
        assert!(matches!(outcome, Err(PublishError::Refused { .. })), "{exchange} {key}: {outcome:?}");
    }
    police.publish(publication("events", "mz.police.alert.received", "own")).await.expect("its own agency");
    police.publish(publication("audit", "event.mz.gateway.police", "own")).await.expect("its own source");
}
