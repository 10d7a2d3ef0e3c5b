//! Receipts that settle a copy, and receipts that do not.

use rovuma_schemas::{Digest, MessageId, RejectionCode};

use rovuma_store::FutureExt;

use super::fixture::{Enqueued, Fixture, PRM, TISD, TPF, TestMessage, agency, at};
use crate::{CopyState, DeliveryReceipt, SettleOutcome, Settlement};

#[tokio::test]
async fn the_way_of_a_copy_is_traced() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF, TISD]), at(0)).await;
    assert_eq!(fixture.trace(put, TPF).await.state, CopyState::Waiting);
    assert_eq!(fixture.publish_next(TPF, at(1)).await, 1);
    assert_eq!(fixture.deliver(put, TPF, at(3)).await, SettleOutcome::Now);
    assert_eq!(fixture.settle(put, TPF, Settlement::Read { at: at(9) }, at(10)).await, SettleOutcome::Now);
    let trace = fixture.trace(put, TPF).await;
    assert_eq!((trace.state, trace.attempts), (CopyState::Delivered, 1));
    let times = (trace.queued_at, trace.delivered_at, trace.settled_at, trace.read_at);
    assert_eq!(times, (Some(at(1)), Some(at(3)), Some(at(3)), Some(at(9))));
    assert_eq!(fixture.trace(put, TISD).await.state, CopyState::Waiting, "each copy for itself");
}

#[tokio::test]
async fn the_first_answer_stands() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(1)).await;
    let rejected = Settlement::Rejected { at: at(2), code: RejectionCode::Expired };
    assert_eq!(fixture.settle(put, TPF, rejected, at(2)).await, SettleOutcome::Now);
    assert_eq!(fixture.deliver(put, TPF, at(3)).await, SettleOutcome::Contradiction);
    let trace = fixture.trace(put, TPF).await;
    assert_eq!((trace.state, trace.code.as_deref()), (CopyState::Rejected, Some("expired")));
}

#[tokio::test]
async fn a_receipt_that_does_not_fit_settles_nothing() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(1)).await;
    let other_bytes = Enqueued { digest: Digest::from_bytes([7; 32]), ..put };
    let other_id = Enqueued { id: MessageId::draw(at(5)), ..put };
    let cases = [
        (PRM, other_bytes, TPF, SettleOutcome::DigestMismatch),
        (PRM, put, TISD, SettleOutcome::NotARecipient),
        (PRM, other_id, TPF, SettleOutcome::UnknownMessage),
        ("mz.senami", put, TPF, SettleOutcome::UnknownMessage),
    ];
    for (sender, put, by, expected) in cases {
        for settlement in [Settlement::Delivered { at: at(2) }, Settlement::Read { at: at(2) }] {
            let settled = fixture.settle_as(sender, put, by, settlement, at(2)).await;
            assert_eq!(settled, expected);
        }
    }
    let trace = fixture.trace(put, TPF).await;
    assert_eq!((trace.state, trace.read_at), (CopyState::Queued, None));
    assert!(SettleOutcome::DigestMismatch.is_alarming() && SettleOutcome::NotARecipient.is_alarming());
}

#[tokio::test]
async fn a_receipt_faster_than_the_brokers_confirm_is_not_undone() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    let lane = super::fixture::lane(TPF);
    let chosen = fixture.outbox.choose(&lane, at(0)).await.expect("chooses").positions;
    fixture.deliver(put, TPF, at(1)).await;
    fixture.record_published(&fixture.leases, &lane, &chosen, at(2)).await.expect("marked");
    let trace = fixture.trace(put, TPF).await;
    assert_eq!((trace.state, trace.queued_at), (CopyState::Delivered, Some(at(2))));
    assert_eq!(fixture.publish_next(TPF, at(3)).await, 0);
}

#[tokio::test]
async fn being_read_is_not_being_delivered() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(1)).await;
    assert_eq!(fixture.settle(put, TPF, Settlement::Read { at: at(2) }, at(2)).await, SettleOutcome::Now);
    assert_eq!(fixture.trace(put, TPF).await.state, CopyState::Queued);
    assert_eq!(fixture.settle(put, TPF, Settlement::Read { at: at(4) }, at(4)).await, SettleOutcome::Already);
    assert_eq!(fixture.trace(put, TPF).await.read_at, Some(at(2)));
}

#[tokio::test]
async fn a_receipt_settles_all_that_it_names_rightly_and_once() {
    let fixture = Fixture::new().await;
    let mut puts = Vec::new();
    for to in [TPF, TPF, TPF, TPF, TISD] {
        puts.push(fixture.put(&TestMessage::alert(&[to]), at(0)).await);
    }
    let [first, second, twice, settled, others] = puts.try_into().expect("five");
    fixture.deliver(settled, TPF, at(1)).await;
    let entry = |put: Enqueued, digest| DeliveryReceipt { id: put.id, digest, at: at(5) };
    let entries = [
        entry(first, first.digest),
        entry(second, first.digest),
        entry(twice, twice.digest),
        entry(twice, first.digest),
        entry(settled, settled.digest),
        entry(others, others.digest),
    ];
    let (outbox, sender, recipient) = (fixture.outbox.clone(), agency(PRM), agency(TPF));
    let work = fixture.outbox.store().write(move |tx| {
        async move {
            let now = outbox.settle_delivered(tx, (&sender, &recipient), &entries, at(6)).await?;
            let by_another = outbox.settle_delivered(tx, (&recipient, &sender), &entries, at(6)).await?;
            Ok::<_, sqlx::Error>((now, by_another))
        }
        .boxed()
    });
    let (now, by_another) = work.await.expect("settled");
    assert_eq!(now.into_iter().collect::<Vec<_>>(), [entries[0]]);
    assert!(by_another.is_empty());
    let trace = fixture.trace(first, TPF).await;
    assert_eq!(
        (trace.state, trace.delivered_at, trace.settled_at),
        (CopyState::Delivered, Some(at(5)), Some(at(6)))
    );
    for put in [second, twice] {
        assert_eq!(fixture.trace(put, TPF).await.state, CopyState::Waiting);
    }
    assert_eq!(fixture.trace(others, TISD).await.state, CopyState::Waiting);
}
