use std::collections::BTreeSet;

use futures::future::join_all;
use rovuma_broker::{Publication, PublishError, topology::VHOST};
use serde_json::json;

use crate::fixture::{Keeper, broker, consumer, eventually, node, publication};

#[tokio::test]
async fn what_is_published_is_confirmed_and_consumed_as_it_was() {
    let broker = broker("gateway.routed").await;
    let keeper = Keeper::accepting();
    broker.consume(consumer("inbox.routed.urgent"), keeper.clone());
    let mut sent = publication("outbound", "mz.routed.urgent", "routed-1");
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    sent.headers.insert("traceparent".into(), trace.into());
    sent.body = vec![0, 159, 146, 150];
    broker.publish(sent.clone()).await.expect("confirmed");

    keeper.until(|batches| !batches.is_empty()).await;
    let received = keeper.batches()[0][0].clone();
    assert_eq!((received.exchange, received.routing_key), (sent.exchange, sent.routing_key));
    assert_eq!((received.message_id, received.content_type), (sent.message_id, sent.content_type));
    assert_eq!((received.headers, received.body), (sent.headers, sent.body));
}

#[tokio::test]
async fn what_leads_nowhere_is_returned() {
    let broker = broker("gateway.police").await;
    let failure = broker.publish(publication("outbound", "mz.nobody.urgent", "lost-1")).await;
    let failure = failure.expect_err("nobody takes it");
    assert!(
        matches!(&failure, PublishError::Unroutable { routing_key, .. } if routing_key == "mz.nobody.urgent")
    );
    assert!(!failure.is_transient());
}

/// The client library pairs returns with confirms in no particular order when several are confirmed at once.
#[tokio::test]
async fn among_many_in_flight_exactly_the_unroutable_are_returned() {
    let broker = broker("gateway.mixed").await;
    let lanes = ["urgent", "normal", "bulk"];
    let publish = |number: usize| {
        let routable = number.is_multiple_of(2);
        let agency = if routable { "mixed".to_owned() } else { format!("nobody{number}") };
        let key = format!("mz.{agency}.{}", lanes[number % 3]);
        let sent = broker.publish(publication("outbound", &key, &format!("mixed-{number}")));
        async move { (number, routable, sent.await) }
    };
    for (number, routable, outcome) in join_all((0..900).map(publish)).await {
        match outcome {
            Ok(()) => assert!(routable, "{number} leads nowhere and was confirmed"),
            Err(PublishError::Unroutable { .. }) => assert!(!routable, "{number} was returned"),
            Err(other) => panic!("{number}: {other}"),
        }
    }
}

#[tokio::test]
async fn one_key_keeps_its_order_with_many_in_flight() {
    let broker = broker("gateway.ordered").await;
    let keeper = Keeper::accepting();
    broker.consume(consumer("inbox.ordered.normal"), keeper.clone());
    let expected: Vec<String> = (0..200).map(|number| format!("ordered-{number}")).collect();
    let mut confirms = Vec::new();
    for id in &expected {
        let mut confirm = Box::pin(broker.publish(publication("outbound", "mz.ordered.normal", id)));
        // The first poll takes the place in the order; a task that never yields is made to by tokio.
        let _ = futures::poll!(confirm.as_mut());
        confirms.push(confirm);
        tokio::task::yield_now().await;
    }
    for outcome in join_all(confirms).await {
        outcome.expect("confirmed");
    }
    keeper.until(|batches| batches.iter().map(|batch| batch.len()).sum::<usize>() >= 200).await;
    assert_eq!(keeper.ids(), expected);
}

#[tokio::test]
async fn what_is_refused_does_not_harm_its_neighbours() {
    let broker = broker("identity").await;
    let publish = |number: usize| {
        let own = number.is_multiple_of(2);
        let key = if own { "event.mz.identity".to_owned() } else { format!("event.mz.other{number}") };
        let id = format!("audit-{number}");
        let broker = broker.clone();
        // A refusal closes its channel, and what was already on its way there can cost the connection (AMQP
        // 0-9-1 §4.10.2): a neighbour is then told that it may try again, and never that it was refused.
        async move {
            loop {
                match broker.publish(publication("audit", &key, &id)).await {
                    Err(failure) if failure.is_transient() => {}
                    outcome => return (number, own, outcome),
                }
            }
        }
    };
    for (number, own, outcome) in join_all((0..48).map(publish)).await {
        match outcome {
            Ok(()) => assert!(own, "{number} is another's source and was taken"),
            Err(PublishError::Refused { reason, .. }) => assert!(!own, "{number}: {reason}"),
            Err(other) => panic!("{number}: {other}"),
        }
    }
}

#[tokio::test]
async fn refusals_say_which_message_and_why() {
    let broker = broker("gateway.police").await;
    let mut codes = BTreeSet::new();
    for exchange in ["ingress.tz", "nowhere", "amq.topic", "quarantine", ""] {
        let failure = broker.publish(publication(exchange, "mz.police.urgent", "refused-1")).await;
        match failure.expect_err("refused") {
            PublishError::Refused { message_id, exchange: got, reason } => {
                assert_eq!((message_id.as_str(), got.as_str()), ("refused-1", exchange));
                codes.insert(reason);
            }
            other => panic!("{exchange}: {other}"),
        }
    }
    assert!(codes.iter().any(|reason| reason.contains("ACCESS_REFUSED")), "{codes:?}");
    let mut large = publication("outbound", "mz.police.urgent", "large");
    large.body = vec![0; 3 << 20];
    let failure = broker.publish(large).await.expect_err("larger than the node takes");
    assert!(matches!(&failure, PublishError::Refused { .. }), "{failure}");
    let failure = broker.publish(publication("outbound", "mz.police.urgent", &"x".repeat(256))).await;
    assert!(matches!(failure, Err(PublishError::TooLong { field: "message_id", .. })));
}

#[tokio::test]
async fn a_queue_that_is_full_refuses_and_the_others_go_on() {
    let broker = broker("gateway.full").await;
    let management = node().await.management();
    let policy = json!({ "pattern": "^inbox\\.full\\.bulk$", "definition": { "max-length-bytes": 1000 }, "apply-to": "queues" });
    management.put(&format!("/policies/{VHOST}/full"), &policy).await.expect("a policy");
    let large = |id: &str, lane: &str| {
        let body = vec![7; 600];
        Publication { body, ..publication("outbound", &format!("mz.full.{lane}"), id) }
    };
    // A quorum queue checks its length after it took a message, and refuses the next.
    let refused = eventually(|| async {
        match broker.publish(large("more", "bulk")).await {
            Err(PublishError::Nacked { .. }) => Some(()),
            Ok(()) => None,
            other => panic!("{other:?}"),
        }
    });
    refused.await;
    broker.publish(large("other", "urgent")).await.expect("another queue takes it");
}
