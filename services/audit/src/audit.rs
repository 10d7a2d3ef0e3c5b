//! Opens the service's store and keys, and starts its tasks.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use rovuma_api::watch_store;
use rovuma_broker::{Broker, BrokerState, Consumer, ConsumerState};
use rovuma_policy::Policy;
use rovuma_runtime::{Context, ReadyHandle, Service, http};
use rovuma_schemas::{CountryCode, Timestamp, audit::AuditAction};
use rovuma_store::{FutureExt, Restored, Store, StoreConfig};
use rovuma_tokens::TokenVerifier;
use rovuma_trail::AuditRecord;

use crate::{
    alarm,
    auditor::Auditor,
    checkpoint_tasks::CheckpointTasks,
    config::AuditConfig,
    error::DbError,
    http::router,
    intake::{self, Acknowledger, Intake, IntakeKeys},
    log::{self, Lineage, LineageStatus, Sequencer, Tree},
    own::{self, OwnSource},
    publish::LogFolder,
    witness::WitnessStatus,
};

/// The audit service, as the common main runs it.
#[derive(Debug)]
pub struct Audit;

impl Service for Audit {
    const NAME: &'static str = "rovuma-audit";
    const ABOUT: &'static str = "Keeps one country's audit log and answers its auditors.";
    type Config = AuditConfig;

    fn check(config: &AuditConfig) -> anyhow::Result<()> {
        http::check(&config.http)?;
        Store::check(&config.store)?;
        Broker::check(&config.broker)?;
        IntakeKeys::load(&config.keys, &config.producers, &audit_source_name(config.country))?;
        IntakeKeys::load_signing_key(&config.keys.signing_key_file)?;
        IntakeKeys::load_signing_key(&config.keys.log_key_file)?;
        IntakeKeys::load_payload_key(&config.keys.payload_key_file)?;
        CheckpointTasks::check(config.witness.as_ref())?;
        policy(config)?;
        TokenVerifier::new(config.tokens.clone())?;
        Ok(())
    }

    async fn start(config: AuditConfig, context: &Context) -> anyhow::Result<()> {
        let own_name = audit_source_name(config.country);
        let keys = Arc::new(IntakeKeys::load(&config.keys, &config.producers, &own_name)?);
        let signer = Arc::new(IntakeKeys::load_signing_key(&config.keys.signing_key_file)?);
        let (store, sequencer) = open_log(&config, own_name, context).await?;
        watch_store(context, store.clone());
        let checkpoint_tasks = {
            let settings = (&config.publish, config.witness.as_ref());
            CheckpointTasks::load(config.country, settings, &store, &sequencer, &context.clock)?
        };
        let publisher = checkpoint_tasks.publisher();
        let now = context.clock.now();
        let restored = abandon_after_restore(&store, now).await?;
        publisher.check().await.context("the log contradicts its published files")?;
        record_start(&store, &sequencer, restored, now).await?;

        let broker = Broker::start(config.broker.clone(), Self::NAME, &context.shutdown)?;
        context.expiries.register_certificates(&config.broker.cert_file)?;
        let acknowledger = Acknowledger::default();
        let acknowledging =
            acknowledger.clone().run(broker.clone(), signer, context.clock.clone(), context.shutdown.clone());
        context.shutdown.spawn("acknowledge", acknowledging);
        let intake = Intake {
            store: store.clone(),
            sequencer: Arc::clone(&sequencer),
            keys,
            clock: context.clock.clone(),
            acknowledger,
        };
        let consumer = broker.consume(intake::consumer_config(), intake);
        context.shutdown.spawn("publish", publisher.run(context.shutdown.clone()));
        checkpoint_tasks.start_witnessing(&broker, &context.shutdown);
        let pruner = checkpoint_tasks.pruner(config.retention.as_ref());
        context.shutdown.spawn("prune", pruner.run(context.shutdown.clone()));
        spawn_readiness(context, broker, consumer);

        let auditor = new_auditor(&config, store.clone(), Arc::clone(&sequencer), context)?;
        http::serve(context, "audit API", &config.http, router(Arc::new(auditor)))?;
        context.shutdown.spawn("last event", record_stop(store, sequencer, context.clone()));
        Ok(())
    }
}

/// The name of a country's audit service as a source of events, as a witness, and in the origins of its logs. Its broker user is
/// `audit`.
pub(crate) fn audit_source_name(country: CountryCode) -> String {
    rovuma_broker::topology::names::audit_source(country, "audit")
}

/// Opens the log, and checks it.
pub(crate) async fn open_log(
    config: &AuditConfig,
    own_name: String,
    context: &Context,
) -> anyhow::Result<(Store, Arc<Sequencer>)> {
    let ready = context.health.register("store");
    let log_key = Arc::new(IntakeKeys::load_signing_key(&config.keys.log_key_file)?);
    let payload_key = IntakeKeys::load_payload_key(&config.keys.payload_key_file)?;
    let store = Store::open(&config.store, &[log::MIGRATIONS]).await.context("cannot open the log")?;
    let own = OwnSource { source: own_name, epoch: store.identity() };
    let fail_closed_after = config.witness.as_ref().and_then(|witness| witness.fail_closed_after_s);
    let sequencer = Arc::new(Sequencer {
        own,
        log_key,
        payload_key,
        witness_status: WitnessStatus::default(),
        fail_closed_after: fail_closed_after.map(Duration::from_secs),
    });
    overwrite_erased_data(&store, &config.store).await?;
    log::check_edge(store.read(), &sequencer)
        .await
        .context("the log contradicts itself; it was changed outside this service")?;
    // Before the first event is appended, the service must know whether the log is closed.
    sequencer.witness_status.refresh(store.read(), context.clock.now()).await?;
    ready.ready();
    Ok((store, sequencer))
}

/// Makes SQLite overwrite erased data in its file. A PostgreSQL server does so in its own time (`VACUUM`).
pub(crate) async fn overwrite_erased_data(store: &Store, config: &StoreConfig) -> anyhow::Result<()> {
    if config.is_file() {
        let set = "PRAGMA secure_delete = ON";
        store.write(move |tx| async move { sqlx::query(set).execute(tx).await }.boxed()).await?;
    }
    Ok(())
}

/// Builds the state that every request shares.
pub(crate) fn new_auditor(
    config: &AuditConfig,
    store: Store,
    sequencer: Arc<Sequencer>,
    context: &Context,
) -> anyhow::Result<Auditor> {
    let mut producers: Vec<_> = config.producers.iter().map(|producer| producer.source.clone()).collect();
    producers.push(sequencer.own.source.clone());
    Ok(Auditor {
        country: config.country,
        store,
        is_file: config.store.is_file(),
        sequencer,
        folder: LogFolder::new(config.publish.folder.clone()),
        producers,
        policy: policy(config)?,
        tokens: TokenVerifier::new(config.tokens.clone())?,
        clock: context.clock.clone(),
    })
}

fn policy(config: &AuditConfig) -> anyhow::Result<Policy> {
    Policy::configured(&config.policy).context("cannot load the access policies")
}

/// Abandons the present tree if the store was restored, because it may lack leaves that were published. Those stay provable, and
/// no other leaves take their places.
pub(crate) async fn abandon_after_restore(store: &Store, now: Timestamp) -> anyhow::Result<Option<Restored>> {
    let write = store.write(move |tx| {
        async move {
            let restored = Restored::take(tx).await?;
            if restored.is_some() {
                Tree::abandon_present(tx, now).await?;
            }
            Ok::<_, DbError>(restored)
        }
        .boxed()
    });
    write.await.context("cannot write to the log")
}

/// Records the service's start, after an alarm and an event about a restore if the log has a new epoch.
pub(crate) async fn record_start(
    store: &Store,
    sequencer: &Arc<Sequencer>,
    restored: Option<Restored>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let sequencer = Arc::clone(sequencer);
    let write = store.write(move |tx| {
        async move {
            let own = &sequencer.own;
            let mut appender = sequencer.begin_even_unwitnessed(tx, now).await?;
            let (lineage, status) = Lineage::find_or_open(tx, &own.source, own.epoch, now).await?;
            if status == LineageStatus::NewEpoch {
                alarm::raise(tx, &mut appender, &lineage, &intake::new_epoch()).await?;
            }
            if let Some(restored) = restored {
                let event = AuditRecord::new(now, &own.source, AuditAction::StoreRestore)
                    .object("store", restored.to.to_string())
                    .detail("before", restored.from);
                own::record(tx, &mut appender, event).await?;
            }
            let event = AuditRecord::new(now, &own.source, AuditAction::ServiceStart);
            own::record(tx, &mut appender, event).await?;
            appender.finish(tx).await
        }
        .boxed()
    });
    write.await.context("cannot write to the log")
}

/// Records the service's stop, when it ends in order.
async fn record_stop(store: Store, sequencer: Arc<Sequencer>, context: Context) {
    context.shutdown.soft().await;
    let now = context.clock.now();
    let write = store.write(move |tx| {
        async move {
            let appender = sequencer.begin_even_unwitnessed(tx, now).await?;
            let event = AuditRecord::new(now, &sequencer.own.source, AuditAction::ServiceStop);
            own::record_alone(tx, appender, event).await
        }
        .boxed()
    });
    if let Err(fault) = write.await {
        tracing::error!(%fault, "the service's stop could not be recorded in the log");
    }
}

/// Starts the task that keeps the service ready while the broker delivers batches.
fn spawn_readiness(context: &Context, broker: Broker, consumer: Consumer) {
    let ready = context.health.register("broker");
    let shutdown = context.shutdown.clone();
    context.shutdown.spawn("broker readiness", async move {
        tokio::select! {
            () = update_readiness(&broker, &consumer, &ready) => {}
            () = shutdown.soft() => {}
        }
    });
}

async fn update_readiness(broker: &Broker, consumer: &Consumer, ready: &ReadyHandle) {
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
