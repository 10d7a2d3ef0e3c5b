//! Opens the service's store, keys and listener, and starts its tasks.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use rovuma_api::watch_store;
use rovuma_broker::Broker;
use rovuma_policy::Policy;
use rovuma_runtime::{Context, Service, http::serve};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{FutureExt, Migrations, Store};
use rovuma_tokens::{IssuerConfig, TokenVerifier};
use rovuma_trail::{AuditRecord, Shipper, ShipperKeys, Trail};

use crate::{
    api, app::App, applications::Applications, bootstrap, config::IdentityConfig, issuer::Issuer,
    keys::TokenKeys, oidc, password::Hashers, sessions, throttle,
};

/// This service's tables.
pub(crate) const MIGRATIONS: Migrations = rovuma_store::migrations!(1001 "identity");

/// How often the service rotates keys and deletes old codes, sessions and counters.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);

/// The identity service.
pub struct Identity;

/// An identity service that is listening.
pub struct RunningIdentity {
    app: Arc<App>,
    address: SocketAddr,
    router: Router,
}

impl Service for Identity {
    const NAME: &'static str = "rovuma-identity";
    const ABOUT: &'static str = "OpenID Connect provider: officers, roles, machine clients, access tokens";
    type Config = IdentityConfig;

    fn check(config: &IdentityConfig) -> anyhow::Result<()> {
        rovuma_runtime::http::check(&config.http)?;
        Store::check(&config.store)?;
        Broker::check(&config.broker)?;
        shipper_keys(config)?;
        config.signing.check()?;
        Issuer::parse(&config.issuer)?;
        Applications::load(&config.applications)?;
        bootstrap::check(&config.bootstrap)?;
        bootstrap::clients::check(&config.bootstrap_clients)?;
        policy(config)?;
        Ok(())
    }

    async fn start(config: IdentityConfig, context: &Context) -> anyhow::Result<()> {
        let running = Self::open(&config, context).await?;
        watch_store(context, running.app.store.clone());
        spawn_shipper(&config, &running, context)?;
        running.record_restore().await?;
        running.record(AuditAction::ServiceStart).await;
        let shutdown = context.shutdown.clone();
        context.shutdown.spawn("maintenance", async move {
            while shutdown.pause(MAINTENANCE_INTERVAL).await {
                running.maintain().await;
            }
            running.record(AuditAction::ServiceStop).await;
        });
        Ok(())
    }
}

impl Identity {
    /// Opens the store and listens, without a broker: audit events stay in the store. For tests.
    ///
    /// # Errors
    /// The first failure of configuration, store, keys or listener.
    pub async fn open(config: &IdentityConfig, context: &Context) -> anyhow::Result<RunningIdentity> {
        config.signing.check()?;
        let ready = context.health.register("store");
        let store = Store::open(&config.store, &[rovuma_trail::MIGRATIONS, MIGRATIONS]).await?;
        ready.ready();
        let trail = Trail::new(store.clone(), config.audit.source.clone());
        let app = Arc::new(load_app(config, context, store, trail).await?);
        bootstrap::run(&app, &config.bootstrap).await?;
        bootstrap::clients::run(&app, &config.bootstrap_clients).await?;
        let router = oidc::router().merge(api::router()).with_state(Arc::clone(&app));
        let address = serve(context, "identity", &config.http, router.clone())?;
        Ok(RunningIdentity { app, address, router })
    }
}

impl RunningIdentity {
    /// The address that the service listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The routes, for tests that call them directly; [`rovuma_runtime::http::with_layers`] adds the layers of
    /// the server.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Rotates keys and deletes old rows. The service does so every minute; it logs a failure and tries again
    /// the next time.
    pub async fn maintain(&self) {
        let now = self.app.now();
        if let Err(fault) = self.app.keys.rotate(now).await {
            tracing::error!(%fault, "the token keys could not be rotated");
        }
        if let Err(fault) = self.app.write(move |tx| async move { prune(tx, now).await }.boxed()).await {
            tracing::error!(%fault, "old rows could not be deleted");
        }
    }
}

impl RunningIdentity {
    /// Records an audit event if the store was restored from an older copy.
    async fn record_restore(&self) -> anyhow::Result<()> {
        let (trail, now) = (self.app.trail.clone(), self.app.now());
        let write = self.app.write(move |tx| {
            async move { trail.record_restore(tx, trail.source(), now).await.map(|_| ()) }.boxed()
        });
        Ok(write.await?)
    }

    /// Records an audit event whose actor is the service itself.
    async fn record(&self, action: AuditAction) {
        let trail = self.app.trail.clone();
        let act = AuditRecord::new(self.app.now(), trail.source(), action);
        let write = self.app.write(move |tx| async move { trail.record(tx, &act).await.map(|_| ()) }.boxed());
        if let Err(fault) = write.await {
            tracing::error!(%fault, "an audit event of the service itself could not be written");
        }
    }
}

/// Starts the task that sends audit events to the audit service.
fn spawn_shipper(
    config: &IdentityConfig,
    running: &RunningIdentity,
    context: &Context,
) -> anyhow::Result<()> {
    let keys = shipper_keys(config)?;
    let broker = Broker::start(config.broker.clone(), Identity::NAME, &context.shutdown)?;
    context.expiries.register_certificates(&config.broker.cert_file)?;
    let shipper = Shipper::new(running.app.trail.clone(), broker, context.clock.clone(), keys);
    context.shutdown.spawn("audit", shipper.run(context.shutdown.clone()));
    Ok(())
}

fn shipper_keys(config: &IdentityConfig) -> anyhow::Result<ShipperKeys> {
    let audit = &config.audit;
    Ok(ShipperKeys::load(&audit.key_file, &audit.recipient_file, &audit.ack_key_file)?)
}

fn policy(config: &IdentityConfig) -> anyhow::Result<Policy> {
    Policy::configured(&config.policy).context("cannot load the access policies")
}

async fn prune(tx: &mut rovuma_store::Conn, now: Timestamp) -> sqlx::Result<()> {
    oidc::prune(tx, now).await?;
    sessions::prune(tx, now).await?;
    throttle::prune(tx, now).await
}

async fn load_app(
    config: &IdentityConfig,
    context: &Context,
    store: Store,
    trail: Trail,
) -> anyhow::Result<App> {
    let issuer = Issuer::parse(&config.issuer)?;
    let (directory, rotate_after) = (config.signing.directory.clone(), config.signing.rotate_after());
    let now = context.clock.now();
    let keys = TokenKeys::open(store.clone(), trail.clone(), directory, rotate_after, now).await?;
    let keys = Arc::new(keys);
    let own = IssuerConfig::own(issuer.as_str(), config.audience.clone());
    Ok(App {
        tokens: TokenVerifier::with_sources(vec![(own, keys.clone())])?,
        issuer,
        audience: config.audience.clone(),
        store,
        trail,
        clock: context.clock.clone(),
        policy: policy(config)?,
        keys,
        hashers: Hashers::new()?,
        applications: Applications::load(&config.applications)?,
        behind_proxy: config.http.behind_proxy,
    })
}
