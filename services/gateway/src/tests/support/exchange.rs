//! Deliveries, as if the broker had handed them over.

use std::sync::Arc;

use rovuma_envelope::{Jws, Origin, digest};
use rovuma_schemas::{Body, DeliveredEntry, Digest, MessageId, Receipts, StoreId, audit::AuditPosition};
use rovuma_store::FutureExt;
use serde_json::Value;

use super::{World, agency};
use crate::{
    exchange::{
        accept::{Decisions, Door},
        open::Judge,
        send::SendError,
    },
    messages::sent,
};

impl World {
    /// Takes one message that was opened with `to`'s key.
    pub(in crate::tests) async fn deliver(&self, to: &str, origin: Origin, jws: Jws) {
        self.deliver_together(to, origin, vec![jws]).await;
    }

    /// Takes messages that were opened with `to`'s key in one transaction.
    pub(in crate::tests) async fn deliver_together(&self, to: &str, origin: Origin, messages: Vec<Jws>) {
        let (gateway, to, now) = (Arc::clone(&self.gateway), agency(to), self.gateway.base.now());
        let trust = gateway.exchange.trust.current();
        let judge = Judge { agencies: &gateway.exchange.agencies, trust: &trust, now };
        let found = messages.into_iter().map(|jws| {
            let compact = jws.to_compact().into_bytes();
            (compact, judge.judge(jws, origin, &to))
        });
        let found: Vec<_> = found.collect();
        let shared = Arc::clone(&gateway);
        let work = gateway.base.store.write(move |tx| {
            async move {
                let mut decisions = Decisions::new(&shared.exchange, now);
                for (compact, finding) in found {
                    let door = Door {
                        queue: "inbox.north.urgent",
                        exchange: "ingress.tz",
                        unverified_routing_key: "test",
                        body: &compact,
                    };
                    decisions.finding(tx, &door, Some(&to), digest(&compact), finding).await?;
                }
                decisions.finish(tx).await?;
                Ok::<_, SendError>(())
            }
            .boxed()
        });
        work.await.expect("decided");
    }

    /// An alert of `tz.tpf`, received by `to`.
    pub(in crate::tests) async fn receive(&self, to: &str, number: u64, draft: &Value) -> String {
        let (id, jws) = self.tz.alert(("tz.tpf", to, number), draft, self.gateway.base.now());
        self.deliver(to, Origin::Ingress(agency("tz.tpf").country()), jws).await;
        id.to_string()
    }

    /// An alert of `from`, an agency of `tz`, received by `to` under an id that another message has.
    pub(in crate::tests) async fn receive_under(&self, id: &str, from: &str, to: &str, draft: &Value) {
        let id: MessageId = id.parse().expect("an id");
        let jws = self.tz.alert_under(id, (from, to, 1), draft, self.gateway.base.now());
        self.deliver(to, Origin::Ingress(agency(from).country()), jws).await;
    }

    /// The signed word of `from`, an agency of `tz`, that it stored what `to` sent.
    pub(in crate::tests) async fn delivered(&self, from: &str, to: &str, id: &str) {
        let id: MessageId = id.parse().expect("an id");
        let entry = DeliveredEntry {
            id,
            digest: self.digest_of(to, &id).await,
            stored_at: self.gateway.base.now(),
            audit: AuditPosition { source: "tz.gateway".to_owned(), epoch: StoreId::draw(), sequence: 7 },
        };
        let body = Body::ReceiptDelivered(Receipts { entries: vec![entry] });
        let jws = self.tz.transport(from, to, body, self.gateway.base.now());
        self.deliver(to, Origin::Ingress(agency(from).country()), jws).await;
    }

    async fn digest_of(&self, sender: &str, id: &MessageId) -> Digest {
        let mut conn = self.gateway.base.store.read().acquire().await.expect("a connection");
        let signed = sent::signed(&mut conn, &agency(sender), id).await.expect("reads");
        signed.first().expect("a signature").digest
    }
}
