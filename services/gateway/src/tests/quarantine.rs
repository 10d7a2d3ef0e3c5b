//! Deliveries that nobody can read.

use rovuma_envelope::digest;
use rovuma_store::FutureExt;

use super::support::Fixture;
use crate::exchange::quarantine::{self, QuarantineItem, QuarantineOutcome, QuarantineReason};

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
