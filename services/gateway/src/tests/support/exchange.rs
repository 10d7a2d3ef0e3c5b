//! Deliveries as the broker would hand them over.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rovuma_envelope::{Jws, Origin, digest};
use rovuma_schemas::{
    Body, CaseId, CaseSoFar, DeliveredEntry, Digest, Header, MessageId, Receipts, StoreId, Timestamp,
    audit::AuditPosition,
};
use rovuma_store::FutureExt;
use serde_json::Value;

use super::{Fixture, agency};
use crate::{
    exchange::{
        accept::{Acceptor, DeliveryContext},
        open::{DeliveryVerifier, OpenedMessage},
        send::SendError,
    },
    messages::sent,
};

impl Fixture {
    /// Accepts one message that was opened with `to`'s key.
    pub(in crate::tests) async fn deliver(&self, to: &str, origin: Origin, jws: Jws) {
        self.deliver_together(to, origin, vec![jws]).await;
    }

    /// Accepts messages that were opened with `to`'s key in one transaction.
    pub(in crate::tests) async fn deliver_together(&self, to: &str, origin: Origin, messages: Vec<Jws>) {
        self.decide(to, self.verify(to, origin, messages)).await;
    }

    /// Verifies messages, which touches no store, with their compact forms.
    pub(in crate::tests) fn verify(
        &self,
        to: &str,
        origin: Origin,
        messages: Vec<Jws>,
    ) -> Vec<(Vec<u8>, OpenedMessage)> {
        let (exchange, to) = (&self.gateway.exchange, agency(to));
        let trust = exchange.trust.current();
        let verifier =
            DeliveryVerifier { agencies: &exchange.agencies, trust: &trust, now: self.gateway.base.now() };
        let open = |jws: Jws| (jws.to_compact().into_bytes(), verifier.verify_message(jws, origin, &to));
        messages.into_iter().map(open).collect()
    }

    /// Decides on verified messages in one transaction.
    pub(in crate::tests) async fn decide(&self, to: &str, opened: Vec<(Vec<u8>, OpenedMessage)>) {
        let (gateway, to, now) = (Arc::clone(&self.gateway), agency(to), self.gateway.base.now());
        let shared = Arc::clone(&gateway);
        let work = gateway.base.store.write(move |tx| {
            async move {
                let mut acceptor = Acceptor::new(&shared.exchange, now);
                for (compact, message) in opened {
                    let context = DeliveryContext {
                        queue: "inbox.north.urgent",
                        exchange: "ingress.tz",
                        unverified_routing_key: "test",
                        body: &compact,
                    };
                    acceptor.message(tx, &context, Some(&to), digest(&compact), message).await?;
                }
                acceptor.finish(tx).await?;
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

    /// What `from`, an agency of `tz`, says to `mz.prm` in a case: its `turn`th message there, signed when it had this many of the
    /// owner's turns.
    pub(in crate::tests) async fn says(
        &self,
        from: &str,
        draft: &Value,
        case: &CaseId,
        (turn, seen): (u64, u64),
        so_far: &CaseSoFar,
    ) -> MessageId {
        self.says_with(from, draft, case, so_far, |header| {
            header.turn = Some(turn);
            if case.owner != agency(from) {
                header.seen = [(case.owner.clone(), seen)].into();
            }
        })
        .await
    }

    /// The same, with a header that `change` has changed.
    pub(in crate::tests) async fn says_with(
        &self,
        from: &str,
        draft: &Value,
        case: &CaseId,
        so_far: &CaseSoFar,
        change: impl FnOnce(&mut Header),
    ) -> MessageId {
        // Numbers in the streams to mz.prm that no message had before.
        static NEXT: AtomicU64 = AtomicU64::new(1_000);
        let (now, number) = (self.gateway.base.now(), NEXT.fetch_add(1, Ordering::Relaxed));
        let id = MessageId::draw(now);
        let jws = self.tz.message_with(id, (from, "mz.prm", number), draft, now, so_far, |header| {
            header.case = Some(case.clone());
            header.turn = Some(1);
            change(header);
        });
        self.deliver("mz.prm", Origin::Ingress(agency(from).country()), jws).await;
        id
    }

    /// Delivers a receipt in which `from`, an agency of `tz`, confirms that it stored the message of `to`.
    pub(in crate::tests) async fn delivered(&self, from: &str, to: &str, id: &str) {
        self.delivered_at(from, to, id, self.gateway.base.now()).await;
    }

    /// The same, with the time at which it says to have stored it.
    pub(in crate::tests) async fn delivered_at(&self, from: &str, to: &str, id: &str, stored_at: Timestamp) {
        let id: MessageId = id.parse().expect("an id");
        let entry = DeliveredEntry {
            id,
            digest: self.digest_of(to, &id).await,
            stored_at,
            audit: AuditPosition { source: "tz.gateway".to_owned(), epoch: StoreId::draw(), sequence: 7 },
        };
        let body = Body::ReceiptDelivered(Receipts { entries: vec![entry] });
        let jws = self.tz.transport(from, to, body, self.gateway.base.now());
        self.deliver(to, Origin::Ingress(agency(from).country()), jws).await;
    }

    pub(in crate::tests) async fn digest_of(&self, sender: &str, id: &MessageId) -> Digest {
        let mut conn = self.gateway.base.store.read().acquire().await.expect("a connection");
        let signed = sent::signed(&mut conn, &agency(sender), id).await.expect("reads");
        signed.first().expect("a signature").digest
    }
}
