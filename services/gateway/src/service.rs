//! The service: opens store, keys and lists, and starts the gateway's tasks.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use rovuma_api::{idempotency, watch_store};
use rovuma_broker::{Broker, BrokerState};
use rovuma_outbox::{Outbox, Relay};
use rovuma_policy::Policy;
use rovuma_runtime::{Context, ReadyHandle, Service, Shutdown};
use rovuma_schemas::{CodeLists, Timestamp, audit::AuditAction};
use rovuma_store::{FutureExt, Migrations, Store};
use rovuma_tokens::TokenVerifier;
use rovuma_trail::{AuditRecord, Shipper, ShipperKeys, Trail};

use crate::{
    base::Base,
    config::{GatewayConfig, ValidationConfig},
    directory::Directory,
    drafts::{
        Drafts,
        draft::NewDrafts,
        overdue::{self, AuditOverdue},
    },
    events::{Events, feed::Feed},
    exchange::{
        self, Exchange, SYSTEM,
        agencies::OwnAgencies,
        key_check, restored,
        send::SentMessages,
        trust::{self, ListFiles},
        witness::WitnessQueue,
    },
    gateway::Gateway,
    http,
    messages::live::LiveStreams,
    reminders, retention,
};

/// The gateway's own tables.
pub(crate) const MIGRATIONS: Migrations = rovuma_store::migrations!(1001 "gateway", 1002 "cases", 1003 "retention", 1004 "duplicates", 1005 "requests", 1006 "mentions", 1007 "hits", 1008 "screening");

/// The gateway, for [`rovuma_runtime::main`].
#[derive(Debug)]
pub struct GatewayService;

impl Service for GatewayService {
    const NAME: &'static str = "rovuma-gateway";
    const ABOUT: &'static str =
        "The service through which agencies exchange signed messages between countries";

    type Config = GatewayConfig;

    fn check(config: &GatewayConfig) -> anyhow::Result<()> {
        rovuma_runtime::http::check(&config.http)?;
        Store::check(&config.store)?;
        Broker::check(&config.broker)?;
        shipper_keys(config)?;
        trust::check(&config.trust)?;
        OwnAgencies::load(config.country, &config.agencies)?;
        code_lists(&config.validation)?;
        config.agreements.check()?;
        policy(config)?;
        TokenVerifier::new(config.tokens.clone())?;
        Ok(())
    }

    fn warnings(config: &GatewayConfig) -> Vec<String> {
        key_check::warnings(config, Timestamp::system_now())
    }

    async fn start(config: GatewayConfig, context: &Context) -> anyhow::Result<()> {
        let shutdown = &context.shutdown;
        let keys = shipper_keys(&config)?;
        let gateway = Arc::new(open(&config, context).await?);
        watch_store(context, gateway.base.store.clone());
        let exchange = &gateway.exchange;
        restored::record_if_restored(exchange).await?;
        record(&gateway.base, AuditAction::ServiceStart).await?;
        let mut lists = ListFiles::new(&config.trust, context.expiries.clone());
        lists.reload(exchange).await;
        let broker = Broker::start(config.broker.clone(), &format!("gateway.{}", config.name), shutdown)?;
        context.expiries.register_certificates(&config.broker.cert_file)?;
        shutdown.spawn(
            "broker readiness",
            readiness(broker.clone(), context.health.register("broker"), shutdown.clone()),
        );
        let relay = Relay::new(
            exchange.outbox.clone(),
            broker.clone(),
            context.clock.clone(),
            Arc::clone(exchange) as _,
        );
        shutdown.spawn("relay", relay.run(shutdown.clone()));
        let shipper = Shipper::with_settings(
            gateway.base.trail.clone(),
            broker.clone(),
            context.clock.clone(),
            keys,
            config.audit.shipping,
        );
        shutdown.spawn("audit shipper", shipper.run(shutdown.clone()));
        let every = Duration::from_millis(config.trust.look_every_ms.max(1));
        shutdown.spawn("trust lists", lists.watch(Arc::clone(exchange), every, shutdown.clone()));
        shutdown.spawn("audit overdue", overdue::watch(Arc::clone(&gateway.drafts), shutdown.clone()));
        shutdown.spawn(
            "retention",
            retention::job::run(Arc::clone(&gateway.drafts), config.retention, shutdown.clone()),
        );
        shutdown.spawn(
            "reminders",
            reminders::run(Arc::clone(&gateway.drafts), config.reminders, shutdown.clone()),
        );
        shutdown.spawn("restored", restored::watch(Arc::clone(exchange), shutdown.clone()));
        shutdown.spawn(
            "idempotency",
            idempotency::sweep(Arc::clone(&gateway), gateway.base.store.clone(), shutdown.clone()),
        );
        shutdown.spawn("record of the stop", record_stop(gateway.base.clone(), shutdown.clone()));
        exchange::start(exchange, &broker, shutdown);
        // After those who follow it have been started, so that they hear of the service's own first events.
        shutdown.spawn("events", gateway.base.feed.clone().run(shutdown.clone()));
        rovuma_runtime::http::serve(context, "api", &config.http, http::router(gateway))?;
        Ok(())
    }
}

/// Records that the service started or was told to stop. A start without a stop before it shows a crash.
async fn record(base: &Base, action: AuditAction) -> anyhow::Result<()> {
    let record = AuditRecord::new(base.now(), SYSTEM, action)
        .object("gateway", &base.name)
        .detail("version", env!("CARGO_PKG_VERSION"));
    let trail = base.trail.clone();
    base.store.write(move |tx| async move { trail.record(tx, &record).await.map(|_| ()) }.boxed()).await?;
    Ok(())
}

async fn record_stop(base: Base, shutdown: Shutdown) {
    shutdown.soft().await;
    if let Err(fault) = record(&base, AuditAction::ServiceStop).await {
        tracing::error!(%fault, "the stop was not recorded");
    }
}

/// Opens the store and reads keys, pins, policies and code lists: all that needs no broker.
pub(crate) async fn open(config: &GatewayConfig, context: &Context) -> anyhow::Result<Gateway> {
    let store = context.health.register("store");
    let migrations = [rovuma_trail::MIGRATIONS, rovuma_outbox::MIGRATIONS, MIGRATIONS];
    let opened = Store::open_shared(&config.store, &migrations).await?;
    store.ready();
    on_store(config, context, opened).await
}

/// Makes the gateway on an open store.
pub(crate) async fn on_store(
    config: &GatewayConfig,
    context: &Context,
    opened: Store,
) -> anyhow::Result<Gateway> {
    let base = Base {
        country: config.country,
        name: config.name.clone(),
        clock: context.clock.clone(),
        shutdown: context.shutdown.clone(),
        trail: Trail::new(opened.clone(), config.audit.source.clone()),
        events: Events::of(&opened),
        feed: Feed::of(&opened).await?,
        store: opened.clone(),
    };
    let exchange = Arc::new(Exchange {
        outbox: Outbox::new(opened.clone(), config.outbox.clone()),
        sent: SentMessages::of(&opened),
        witness: WitnessQueue::default(),
        trust: Arc::new(trust::pinned(&config.trust, &opened).await?),
        agencies: OwnAgencies::load(config.country, &config.agencies)?,
        timings: config.exchange,
        agreements: config.agreements.clone(),
        base: base.clone(),
    });
    let drafts = Drafts {
        exchange: Arc::clone(&exchange),
        directory: Directory::default(),
        codes: code_lists(&config.validation)?,
        new: NewDrafts::of(&opened),
        overdue: AuditOverdue::new(Duration::from_millis(config.audit.overdue_after_ms)),
    };
    Ok(Gateway {
        base,
        exchange,
        drafts: Arc::new(drafts),
        policy: policy(config)?,
        tokens: TokenVerifier::new(config.tokens.clone())?,
        live_streams: LiveStreams::default(),
    })
}

fn shipper_keys(config: &GatewayConfig) -> anyhow::Result<ShipperKeys> {
    let audit = &config.audit;
    Ok(ShipperKeys::load(&audit.key_file, &audit.recipient_file, &audit.ack_key_file)?)
}

fn policy(config: &GatewayConfig) -> anyhow::Result<Policy> {
    Policy::configured(&config.policy).context("cannot load the access policies")
}

fn code_lists(config: &ValidationConfig) -> anyhow::Result<CodeLists> {
    let mut lists = CodeLists::shipped().clone();
    for path in &config.code_lists {
        let json = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let list =
            serde_json::from_slice(&json).with_context(|| format!("{}: no code list", path.display()))?;
        lists = lists.with(list);
    }
    Ok(lists)
}

/// Reports the state of the broker's connection in `/health/ready`.
async fn readiness(broker: Broker, ready: ReadyHandle, shutdown: Shutdown) {
    let mut state = broker.state();
    loop {
        match state {
            BrokerState::Connected => ready.ready(),
            BrokerState::Connecting => ready.not_ready("not connected, trying"),
            BrokerState::Blocked => ready.not_ready("the broker is short of memory or disk"),
            BrokerState::Closed => ready.not_ready("closed"),
        }
        tokio::select! {
            () = shutdown.soft() => return,
            next = broker.state_after(state) => state = next,
        }
    }
}
