//! The relay on a real broker.

mod fixture;

use std::time::{Duration, Instant};

use fixture::{Fixture, Inbox, PRM, SENAMI, SERNIC, agency, put, put_too_large, within};
use rovuma_envelope::SigningKey;
use rovuma_outbox::{CopyState, Outbox};
use rovuma_runtime::Shutdown;
use rovuma_schemas::{MessageId, MessageType::AlertIssue, MessageType::ReceiptDelivered};

/// Waits until the broker has confirmed a message.
async fn queued(outbox: &Outbox, id: MessageId) {
    let mut commits = outbox.store().commits();
    within("confirmed by the broker", async {
        while state(outbox, id).await != CopyState::Queued {
            commits.changed().await.expect("the store is open");
        }
    })
    .await;
}

async fn state(outbox: &Outbox, id: MessageId) -> CopyState {
    outbox.copies_of(id).await.expect("traces")[0].state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_leaves_in_order_sealed_to_the_present_key() {
    let mut fixture = Fixture::start("relay-way").await;
    let (shutdown, key) = (Shutdown::new(), SigningKey::generate().expect("a key"));
    let (outbox, broker) = (fixture.outbox().await, fixture.connect(&shutdown));

    // Nobody knows yet whom to seal to: it waits, and what waits strands on no key.
    let early = put(&outbox, &key, SENAMI, AlertIssue).await;
    fixture.relay(&outbox, &broker, &shutdown);
    let first = fixture.list(SENAMI);
    let second = fixture.rotate(SENAMI);
    let own = fixture.list(PRM);
    fixture.publish_list();
    let inbox = Inbox::start(&broker, vec![second, own]);
    inbox.has(early).await;
    queued(&outbox, early).await;
    drop(first);

    // Many at once share bundles, and order holds.
    let mut ids = vec![early];
    for _ in 0..150 {
        ids.push(put(&outbox, &key, SENAMI, AlertIssue).await);
    }
    let arrived = inbox.has(ids[150]).await;
    assert!(arrived.iter().all(|bundle| bundle.routing_key == "mz.senami.urgent"));
    let order: Vec<String> = arrived.iter().flat_map(|bundle| bundle.ids.clone()).collect();
    assert_eq!(order, ids.iter().map(ToString::to_string).collect::<Vec<_>>());

    // A receipt leaves as well, and nothing of it stays.
    let receipt = put(&outbox, &key, PRM, ReceiptDelivered).await;
    inbox.has(receipt).await;
    within("gone", async {
        let mut commits = outbox.store().commits();
        while !outbox.copies_of(receipt).await.expect("traces").is_empty() {
            commits.changed().await.expect("the store is open");
        }
    })
    .await;

    // Nobody takes what is for a recipient without a queue: it stays, and holds up nobody else.
    fixture.list(SERNIC);
    fixture.publish_list();
    let lost = put(&outbox, &key, SERNIC, AlertIssue).await;
    let fine = put(&outbox, &key, SENAMI, AlertIssue).await;
    inbox.has(fine).await;
    assert_eq!(state(&outbox, lost).await, CopyState::Waiting);
    let waiting = outbox.stats().await.expect("counts");
    let of_sernic = waiting.iter().find(|lane| lane.recipient == agency(SERNIC)).expect("it waits");
    assert_eq!((of_sernic.waiting, of_sernic.queued), (1, 0));

    // Neither does what no bundle holds.
    let too_large = put_too_large(&outbox, &key, SENAMI).await;
    let behind = put(&outbox, &key, SENAMI, AlertIssue).await;
    inbox.has(behind).await;
    assert_eq!(state(&outbox, too_large).await, CopyState::Void);

    let began = Instant::now();
    shutdown.begin();
    assert!(shutdown.drained().await && began.elapsed() < Duration::from_secs(10));
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_dies_loses_nothing_that_was_put_in() {
    let mut fixture = Fixture::start("relay-death").await;
    let (shutdown, key) = (Shutdown::new(), SigningKey::generate().expect("a key"));
    let (outbox, broker) = (fixture.outbox().await, fixture.connect(&shutdown));
    let inbox = Inbox::start(&broker, vec![fixture.list(SENAMI)]);
    fixture.publish_list();
    fixture.relay(&outbox, &broker, &shutdown);
    let before = put(&outbox, &key, SENAMI, AlertIssue).await;
    inbox.has(before).await;
    fixture.node.kill();
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(put(&outbox, &key, SENAMI, AlertIssue).await);
    }
    fixture.node.restart(|_| {}).await.expect("restarts");
    for id in ids {
        inbox.has(id).await;
    }

    // A stop does not wait for a broker that is away; what was in hand goes after the next start.
    fixture.node.kill();
    let left = put(&outbox, &key, SENAMI, AlertIssue).await;
    shutdown.begin();
    assert!(shutdown.drained().await, "stops within its grace");
    assert_eq!(state(&outbox, left).await, CopyState::Waiting);
    fixture.end().await;
}
