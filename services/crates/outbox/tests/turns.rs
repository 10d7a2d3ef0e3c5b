//! The relay's turns: a partner whose bundles the broker is slow to confirm holds up nobody else.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rovuma_broker::{Publication, PublishError};
use rovuma_envelope::{
    Jws, Pin, SealingKey, SharedTrust, Signer, SigningKey, TrustListDraft, TrustPolicy, TrustStore, Typ,
    trust::{Accepts, KeyTerm, NewAgency},
};
use rovuma_outbox::{
    CopyState, MIGRATIONS, Outbox, OutboxSettings, OutgoingCopy, OutgoingMessage, Publisher, Relay,
};
use rovuma_runtime::{Shutdown, SystemClock};
use rovuma_schemas::{AgencyCode, Lane, MessageId, MessageType, Timestamp};
use rovuma_store::{FutureExt, Store, StoreConfig};
use tokio::sync::watch;

const SENDER: &str = "mz.prm";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// More partners than a lane has turns.
const SLOW: [&str; 6] = ["tz.slowa", "tz.slowb", "tz.slowc", "tz.slowd", "tz.slowe", "tz.slowf"];
const PROMPT: &str = "tz.prompt";

fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency")
}

/// A broker that confirms at once what is for [`PROMPT`], and nothing else as long as the test runs.
struct SlowBroker(Arc<watch::Sender<usize>>);

impl Publisher for SlowBroker {
    fn publish(&self, publication: Publication) -> BoxFuture<'_, Result<(), PublishError>> {
        async move {
            if !publication.routing_key.starts_with(PROMPT) {
                self.0.send_modify(|slow| *slow += 1);
                std::future::pending::<()>().await;
            }
            Ok(())
        }
        .boxed()
    }
}

/// The trust lists in force: every recipient has a sealing key.
fn trust() -> SharedTrust {
    let (now, country) = (Timestamp::system_now(), "tz".parse().expect("a country"));
    let authority = SigningKey::generate().expect("a key");
    let mut draft = TrustListDraft::create(country, *authority.public_key(), now);
    for code in SLOW.iter().chain([&PROMPT]) {
        let added = NewAgency {
            code: agency(code),
            names: BTreeMap::from([("en".to_owned(), (*code).to_owned())]),
            parent: None,
            valid_from: now.minus(DAY),
            valid_until: None,
            may_send: Vec::new(),
            accepts: Accepts::this_build(),
        };
        draft.add_agency(added).expect("a new agency");
        let term = KeyTerm { not_before: now, not_after: now.plus(30 * DAY) };
        draft
            .add_sealing_key(&agency(code), SealingKey::generate().recipient().clone(), term)
            .expect("listed");
    }
    let pin = Pin::new(country, *authority.public_key());
    let trust = SharedTrust::new(TrustStore::new(TrustPolicy::default(), [pin]).expect("one pin"));
    let signed = draft.sign(&authority, now, now.plus(30 * DAY)).expect("signed");
    trust.offer(signed.to_json().as_bytes(), now).expect("newer");
    trust
}

/// Signs an urgent alert and puts it into the outbox.
async fn put(outbox: &Outbox, key: &SigningKey, to: &str) -> MessageId {
    let (now, own, to) = (Timestamp::system_now(), outbox.clone(), agency(to));
    let id = MessageId::draw(now);
    let jws = Jws::sign(Typ::MESSAGE, id.to_string().into_bytes(), key).expect("signed");
    let write = outbox.store().write(move |tx| {
        async move {
            let position = own.next_stream_position(tx, &agency(SENDER), &to, Lane::Urgent).await?;
            let outgoing = OutgoingMessage {
                id,
                message_type: MessageType::AlertIssue,
                sender: agency(SENDER),
                country: to.country(),
                jws,
                created: now,
                expires: None,
                copies: vec![OutgoingCopy { recipient: to, lane: Lane::Urgent, position: Some(position) }],
            };
            own.enqueue(tx, &outgoing, now);
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    write.await.expect("put in");
    id
}

#[tokio::test]
async fn slow_partners_do_not_starve_a_lane() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = rovuma_lab::postgres::test_store(folder.path(), "outbox").expect("a store");
    let store = Store::open(&StoreConfig::at(url), &[MIGRATIONS]).await.expect("opens");
    let outbox = Outbox::new(store, OutboxSettings::default());
    let key = SigningKey::generate().expect("a key");
    for to in SLOW {
        put(&outbox, &key, to).await;
    }
    let (shutdown, slow) = (Shutdown::new(), Arc::new(watch::Sender::new(0)));
    let mut under_way = slow.subscribe();
    let relay = Relay::new(outbox.clone(), SlowBroker(slow), SystemClock::shared(), Arc::new(trust()));
    shutdown.spawn("relay", relay.run(shutdown.clone()));

    let within = Duration::from_secs(60);
    let all_slow = under_way.wait_for(|count| *count == SLOW.len());
    tokio::time::timeout(within, all_slow).await.expect("all are published side by side").expect("goes on");
    let mut commits = outbox.store().commits();
    let prompt = put(&outbox, &key, PROMPT).await;
    let queued = async {
        while outbox.copies_of(prompt).await.expect("traces")[0].state != CopyState::Queued {
            commits.changed().await.expect("the store is open");
        }
    };
    tokio::time::timeout(within, queued).await.expect("the slow ones hold up nobody");
    shutdown.end();
}
