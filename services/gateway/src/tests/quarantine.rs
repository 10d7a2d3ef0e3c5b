//! Deliveries that nobody can read.

use std::{collections::BTreeMap, sync::Arc};

use rovuma_broker::{Delivery, Handler, HeaderFault, Verdict};
use rovuma_envelope::digest;
use rovuma_schemas::Lane;
use rovuma_store::FutureExt;

use super::support::Fixture;
use crate::exchange::{
    attempts,
    inbox::Inbox,
    quarantine::{self, QuarantineItem, QuarantineOutcome, QuarantineReason},
};

/// A delivery over the link from `tz` that nobody can open.
fn delivery(body: &[u8]) -> Delivery {
    Delivery {
        exchange: "ingress.tz".to_owned(),
        routing_key: "mz.prm.urgent".to_owned(),
        message_id: String::new(),
        content_type: String::new(),
        headers: BTreeMap::new(),
        header_fault: None,
        redelivered: false,
        body: body.to_vec(),
    }
}

async fn handle(inbox: &Inbox, delivery: Delivery) -> Verdict {
    let verdicts = inbox.handle(Arc::from([delivery])).await.expect("decided");
    assert_eq!(verdicts.len(), 1);
    verdicts[0]
}

/// The reason and count of each row, and the alarms about them.
async fn quarantined(fixture: &Fixture) -> (Vec<(String, i64)>, Vec<(String, String, i64)>) {
    let mut conn = fixture.gateway.base.store.read().acquire().await.expect("a connection");
    let rows = sqlx::query_as("SELECT reason, times FROM quarantine ORDER BY seq");
    let rows = rows.fetch_all(&mut *conn).await.expect("rows");
    let alarms = sqlx::query_as("SELECT subject, detail, times FROM alarm WHERE kind = 'quarantined'");
    (rows, alarms.fetch_all(&mut *conn).await.expect("rows"))
}

#[tokio::test]
async fn a_delivery_whose_headers_were_not_read_is_quarantined_and_one_alarm_names_the_door() {
    let fixture = Fixture::start().await;
    let inbox = Inbox::of(&fixture.gateway.exchange, Lane::Urgent);
    for _ in 0..2 {
        let foreign = Delivery { header_fault: Some(HeaderFault::TooLarge), ..delivery(b"x") };
        assert_eq!(handle(&inbox, foreign).await, Verdict::Accept);
    }
    let (rows, alarms) = quarantined(&fixture).await;
    assert_eq!(rows, [("header".to_owned(), 2)]);
    assert_eq!(alarms, [("ingress.tz".to_owned(), "header in inbox.north.urgent".to_owned(), 2)]);
}

/// The gateway ends while it reads a delivery: nothing is left but what was counted before.
#[tokio::test]
async fn a_delivery_that_ends_the_gateway_each_time_is_quarantined_unread() {
    let fixture = Fixture::start().await;
    let inbox = Inbox::of(&fixture.gateway.exchange, Lane::Urgent);
    let again = Delivery { redelivered: true, ..delivery(b"deadly") };
    for attempt in 1..=attempts::ATTEMPTS_MAX {
        let begun = fixture.gateway.base.store.write(move |tx| {
            async move { attempts::begin(tx, "inbox.north.urgent", digest(b"deadly")).await }.boxed()
        });
        assert_eq!(begun.await.expect("counted"), attempt);
    }
    assert_eq!(handle(&inbox, again).await, Verdict::DeadLetter { reason: "poison" });
    assert_eq!(quarantined(&fixture).await.0, [("poison".to_owned(), 1)]);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM delivery_attempt").await, 0);
}

#[tokio::test]
async fn a_delivery_that_comes_again_for_another_reason_is_read_however_often_it_comes() {
    let fixture = Fixture::start().await;
    let inbox = Inbox::of(&fixture.gateway.exchange, Lane::Urgent);
    let times = attempts::ATTEMPTS_MAX + 2;
    for _ in 0..times {
        let again = Delivery { redelivered: true, ..delivery(b"unlucky") };
        assert_eq!(handle(&inbox, again).await, Verdict::Accept);
    }
    assert_eq!(quarantined(&fixture).await.0, [("unsealing".to_owned(), times)]);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM delivery_attempt").await, 0);
}

/// A partner chooses the routing key. PostgreSQL refuses a NUL character in a text: the delivery would come back without end, and
/// hold up all behind it.
#[tokio::test]
async fn a_routing_key_that_no_store_takes_is_quarantined_as_one_line() {
    let fixture = Fixture::start().await;
    let now = fixture.gateway.base.now();
    let write = fixture.gateway.base.store.write(move |tx| {
        async move {
            let item = QuarantineItem {
                digest: digest(b"bytes"),
                agency: None,
                queue: "inbox.north.urgent",
                exchange: "ingress.tz",
                routing_key: "mz.prm\0\n.urgent",
                reason: QuarantineReason::Poison,
                detail: "a detail\0of strangers",
                body: b"bytes",
            };
            quarantine::store(tx, &item, now).await
        }
        .boxed()
    });
    assert_eq!(write.await.expect("stored"), QuarantineOutcome::Stored);
    let query = sqlx::query_as::<_, (String, String)>("SELECT routing_key, detail FROM quarantine");
    let mut conn = fixture.gateway.base.store.read().acquire().await.expect("a connection");
    let row = query.fetch_one(&mut *conn).await.expect("one row");
    assert_eq!(row, ("mz.prm  .urgent".to_owned(), "a detail of strangers".to_owned()));
}
