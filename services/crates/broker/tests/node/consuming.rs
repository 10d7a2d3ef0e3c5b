use std::{sync::Arc, time::Duration};

use rovuma_broker::{Broker, BrokerConfig, ConsumerState, PublishError, Verdict, topology::VHOST};
use rovuma_runtime::Shutdown;
use serde_json::json;

use crate::fixture::{
    Keeper, broker, config, consumer, eventually, node, peek, publication, quarantined, spec, within,
};

/// More often than the twenty times after which RabbitMQ 4 throws a message out by itself.
const GIVEN_BACK: usize = 30;

async fn publish(broker: &Broker, gateway: &str, ids: &[&str]) {
    for id in ids {
        let key = format!("mz.{gateway}.urgent");
        broker.publish(publication("outbound", &key, id)).await.expect("confirmed");
    }
}

async fn is_empty(queue: &str) {
    let path = format!("/queues/{VHOST}/{queue}");
    eventually(|| async {
        let state = node().await.management().get(&path).await.ok()?;
        (state["messages"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn batches_keep_to_their_limits_and_are_acknowledged() {
    let broker = broker("gateway.batched").await;
    publish(&broker, "batched", &["a", "b", "c", "d", "e", "f"]).await;
    let keeper = Keeper::accepting();
    let started = broker.consume(consumer("inbox.batched.urgent"), keeper.clone());
    keeper.until(|batches| batches.iter().map(|batch| batch.len()).sum::<usize>() == 6).await;
    assert_eq!(keeper.ids(), ["a", "b", "c", "d", "e", "f"]);
    assert!(keeper.batches().iter().all(|batch| batch.len() <= 4), "a batch is larger than its limit");
    is_empty("inbox.batched.urgent").await;
    started.stop().await;
    assert_eq!(started.state(), ConsumerState::Stopped);
}

#[tokio::test]
async fn a_batch_whose_handler_fails_is_kept_and_tried_again() {
    let broker = broker("gateway.failing").await;
    publish(&broker, "failing", &["again-1", "again-2"]).await;
    let keeper = Keeper::answering(vec![|_| Err(()), |_| Err(())]);
    broker.consume(consumer("inbox.failing.urgent"), keeper.clone());
    keeper.until(|batches| batches.len() >= 3).await;
    is_empty("inbox.failing.urgent").await;
    let batches = keeper.batches();
    assert!(Arc::ptr_eq(&batches[0], &batches[1]), "the batch was not kept in memory");
    assert!(batches[0].iter().all(|one| !one.redelivered));
}

#[tokio::test]
async fn a_batch_that_keeps_failing_goes_back_to_the_queue_and_comes_again() {
    let broker = broker("gateway.patient").await;
    publish(&broker, "patient", &["later"]).await;
    let keeper = Keeper::impatient(vec![|_| Err(()); 3], Duration::from_millis(300));
    let consumer = broker.consume(consumer("inbox.patient.urgent"), keeper.clone());
    assert!(within(consumer.reached(ConsumerState::Retrying)).await);
    assert!(within(consumer.reached(ConsumerState::Waiting)).await, "it did not pause");
    is_empty("inbox.patient.urgent").await;
    let batches = keeper.batches();
    assert!(!batches[0][0].redelivered && batches[batches.len() - 1][0].redelivered, "it was not given back");
}

#[tokio::test]
async fn a_soft_shutdown_does_not_wait_for_a_broker_that_is_not_there() {
    let shutdown = Shutdown::new();
    let config = BrokerConfig { url: "amqps://localhost:1/rovuma".into(), ..config("gateway.police").await };
    let broker = Broker::start(config, "alone", &shutdown).expect("sound");
    let consumer = broker.consume(consumer("inbox.police.urgent"), Keeper::accepting());
    let waiting =
        tokio::spawn(
            async move { broker.publish(publication("outbound", "mz.police.urgent", "unsent")).await },
        );
    tokio::task::yield_now().await;
    shutdown.begin();
    let drained = tokio::time::timeout(Duration::from_secs(3), shutdown.drained()).await;
    assert!(drained.expect("at once"), "tasks were dropped: {:?}", shutdown.still_running());
    assert!(matches!(within(waiting).await.expect("no panic"), Err(PublishError::Closed { .. })));
    assert_eq!(consumer.state(), ConsumerState::Stopped);
}

#[tokio::test]
async fn what_can_never_be_taken_goes_to_the_quarantine_as_it_came() {
    let broker = broker("gateway.dead").await;
    publish(&broker, "dead", &["good-1", "poison", "good-2"]).await;
    let keeper = Keeper::answering(vec![
        |one| {
            let poison = one.message_id == "poison";
            Ok(if poison { Verdict::DeadLetter { reason: "poison" } } else { Verdict::Accept })
        };
        3
    ]);
    broker.consume(consumer("inbox.dead.urgent"), keeper.clone());
    let found = quarantined("poison").await;
    assert_eq!((&found["payload"], &found["routing_key"]), (&json!("poison"), &json!("mz.dead.urgent")));
    is_empty("inbox.dead.urgent").await;
    let quarantine = peek("quarantine").await;
    assert!(quarantine.iter().all(|one| !one["properties"]["message_id"].to_string().contains("good")));
}

#[tokio::test]
async fn what_is_given_back_again_and_again_is_still_there() {
    let broker = broker("gateway.returned").await;
    publish(&broker, "returned", &["healthy"]).await;
    let path = format!("/queues/{VHOST}/inbox.returned.urgent/get");
    let ask = json!({ "count": 1, "ackmode": "reject_requeue_true", "encoding": "auto" });
    for time in 0..GIVEN_BACK {
        let found = eventually(|| async {
            let found = node().await.management().post(&path, &ask).await.ok()?;
            found.get(0).cloned()
        })
        .await;
        assert_eq!(found["redelivered"], time > 0);
    }
    let keeper = Keeper::accepting();
    broker.consume(consumer("inbox.returned.urgent"), keeper.clone());
    keeper.until(|batches| !batches.is_empty()).await;
    assert_eq!(keeper.ids(), ["healthy"]);
}

#[tokio::test]
async fn a_consumer_comes_back_when_its_queue_is_deleted_and_declared_again() {
    let broker = broker("gateway.deleted").await;
    let keeper = Keeper::accepting();
    let consumer = broker.consume(consumer("inbox.deleted.urgent"), keeper.clone());
    assert!(within(consumer.reached(ConsumerState::Consuming)).await);
    let management = node().await.management();
    management.delete(&format!("/queues/{VHOST}/inbox.deleted.urgent")).await.expect("deleted");
    assert!(within(consumer.reached(ConsumerState::Waiting)).await);
    let failure = broker.publish(publication("outbound", "mz.deleted.urgent", "gone")).await;
    assert!(matches!(failure, Err(PublishError::Unroutable { .. })));

    let definitions = rovuma_broker::topology::definitions(&spec()).expect("sound");
    management.import(&definitions).await.expect("applied again");
    publish(&broker, "deleted", &["back"]).await;
    keeper.until(|batches| !batches.is_empty()).await;
    assert_eq!(keeper.ids(), ["back"]);
}

#[tokio::test]
async fn a_soft_shutdown_finishes_what_is_in_hand_and_closes() {
    let shutdown = Shutdown::new();
    let broker = Broker::start(config("gateway.stopped").await, "stopped", &shutdown).expect("sound");
    let keeper = Keeper::accepting();
    let consumer = broker.consume(consumer("inbox.stopped.urgent"), keeper.clone());
    publish(&broker, "stopped", &["last"]).await;
    keeper.until(|batches| !batches.is_empty()).await;

    shutdown.begin();
    let drained = tokio::time::timeout(Duration::from_secs(5), shutdown.drained()).await;
    assert!(drained.expect("well within the grace"), "tasks were dropped: {:?}", shutdown.still_running());
    assert_eq!(consumer.state(), ConsumerState::Stopped);
    is_empty("inbox.stopped.urgent").await;
    let failure = broker.publish(publication("outbound", "mz.stopped.urgent", "late")).await;
    let failure = failure.expect_err("closed");
    assert!(matches!(failure, PublishError::Closed { .. }) && failure.is_transient());
}
