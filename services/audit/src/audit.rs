//! The service: what it opens and what it runs.

use std::sync::Arc;

use anyhow::Context as _;
use rovuma_broker::{Broker, BrokerState, Consumer, ConsumerState};
use rovuma_policy::Policy;
use rovuma_runtime::{Context, ReadyHandle, Service, http};
use rovuma_schemas::{CountryCode, audit::AuditAction};
use rovuma_store::{FutureExt, Restored, Store};
use rovuma_tokens::TokenVerifier;

use crate::{
    alarm,
    auditor::Auditor,
    config::AuditConfig,
    http::router,
    intake::{self, Acknowledger, Intake, Keys},
    log::{self, Appender, Found, Lineage},
    own::{self, OwnEvent, OwnSource},
};

/// The audit service, as the common main runs it.
#[derive(Debug)]
pub struct Audit;

impl Service for Audit {
    const NAME: &'static str = "rovuma-audit";
    const ABOUT: &'static str = "Keeps one country's audit log and answers its auditors.";
    type Config = AuditConfig;

    async fn start(config: AuditConfig, context: &Context) -> anyhow::Result<()> {
        let own_name = own_source_name(config.country);
        let keys = Arc::new(Keys::load(&config.keys, &config.producers, &own_name)?);
        let signer = Arc::new(Keys::signing(&config.keys.signing_key_file)?);
        let store = open_store(&config, context).await?;
        let own = OwnSource { source: own_name, epoch: store.identity() };
        begin(&store, &own, context).await?;

        let broker = Broker::start(config.broker.clone(), Self::NAME, &context.shutdown)?;
        context.expiries.register_certificates(&config.broker.cert_file)?;
        let acknowledger = Acknowledger::default();
        let acknowledging =
            acknowledger.clone().run(broker.clone(), signer, context.clock.clone(), context.shutdown.clone());
        context.shutdown.spawn("acknowledge", acknowledging);
        let intake = Intake {
            store: store.clone(),
            own: own.clone(),
            keys,
            clock: context.clock.clone(),
            acknowledger,
        };
        let consumer = broker.consume(intake::consumer_config(), intake);
        watch(context, broker, consumer);

        let auditor = auditor(&config, store.clone(), own.clone(), context)?;
        http::serve(context, "audit API", &config.http, router(Arc::new(auditor)))?;
        context.shutdown.spawn("last event", end(store, own, context.clone()));
        Ok(())
    }
}

/// The service's own source: its broker user is `audit`.
pub(crate) fn own_source_name(country: CountryCode) -> String {
    rovuma_broker::topology::names::audit_source(country, "audit")
}

/// Opens the log, and checks that it holds.
pub(crate) async fn open_store(config: &AuditConfig, context: &Context) -> anyhow::Result<Store> {
    let ready = context.health.register("store");
    let store = Store::open(&config.store, &[log::MIGRATIONS]).await.context("cannot open the log")?;
    log::check_edge(store.read())
        .await
        .context("the log does not hold; it was changed outside this service")?;
    ready.ready();
    Ok(store)
}

/// What every request needs.
pub(crate) fn auditor(
    config: &AuditConfig,
    store: Store,
    own: OwnSource,
    context: &Context,
) -> anyhow::Result<Auditor> {
    let policy = match &config.policy.folder {
        Some(folder) => Policy::from_folder(folder).context("cannot load the access policies")?,
        None => Policy::built_in(),
    };
    let mut producers: Vec<_> = config.producers.iter().map(|producer| producer.source.clone()).collect();
    producers.push(own.source.clone());
    Ok(Auditor {
        country: config.country,
        store,
        own,
        producers,
        policy,
        tokens: TokenVerifier::new(config.tokens.issuers.clone())?,
        clock: context.clock.clone(),
    })
}

/// The first event of this run; and an alarm when the log itself has a new epoch: it was restored.
pub(crate) async fn begin(store: &Store, own: &OwnSource, context: &Context) -> anyhow::Result<()> {
    let (own, now) = (own.clone(), context.clock.now());
    let write = store.write(move |tx| {
        async move {
            let mut appender = Appender::begin(tx, now).await?;
            let (lineage, found) = Lineage::find_or_open(tx, &own.source, own.epoch, now).await?;
            if found == Found::NewEpoch {
                alarm::raise(tx, &mut appender, &own, &lineage, &intake::new_epoch()).await?;
            }
            if let Some(restored) = Restored::take(tx).await? {
                let event = OwnEvent::of_service(&own.source, AuditAction::StoreRestore)
                    .object("store", restored.to.to_string())
                    .detail("before", restored.from);
                own::record(tx, &mut appender, &own, event).await?;
            }
            let event = OwnEvent::of_service(&own.source, AuditAction::ServiceStart);
            own::record(tx, &mut appender, &own, event).await
        }
        .boxed()
    });
    write.await.context("cannot write to the log")
}

/// The last event of this run, when it ends in order.
async fn end(store: Store, own: OwnSource, context: Context) {
    context.shutdown.soft().await;
    let now = context.clock.now();
    let write = store.write(move |tx| {
        async move {
            let mut appender = Appender::begin(tx, now).await?;
            let event = OwnEvent::of_service(&own.source, AuditAction::ServiceStop);
            own::record(tx, &mut appender, &own, event).await
        }
        .boxed()
    });
    if let Err(fault) = write.await {
        tracing::error!(%fault, "the end of this run could not be written to the log");
    }
}

/// Ready while batches are taken.
fn watch(context: &Context, broker: Broker, consumer: Consumer) {
    let ready = context.health.register("broker");
    let shutdown = context.shutdown.clone();
    context.shutdown.spawn("watch broker", async move {
        tokio::select! {
            () = follow(&broker, &consumer, &ready) => {}
            () = shutdown.soft() => {}
        }
    });
}

async fn follow(broker: &Broker, consumer: &Consumer, ready: &ReadyHandle) {
    let mut state = broker.state();
    loop {
        match state {
            BrokerState::Connected => ready.ready(),
            other => ready.not_ready(format!("{other:?}").to_lowercase()),
        }
        if state == BrokerState::Closed || consumer.state() == ConsumerState::Stopped {
            return;
        }
        state = broker.state_after(state).await;
    }
}
