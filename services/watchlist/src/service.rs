//! Opens the service's store and lists, and starts its tasks.

use std::{
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use rovuma_api::watch_store;
use rovuma_broker::Broker;
use rovuma_policy::Policy;
use rovuma_runtime::{Context, Service, Shutdown, http::serve_long_bodies};
use rovuma_schemas::{AgencyCode, CodeLists, Timestamp, audit::AuditAction, subjects::CrossingCode};
use rovuma_store::{FutureExt, Migrations, Store};
use rovuma_tokens::TokenVerifier;
use rovuma_trail::{AuditRecord, Shipper, ShipperKeys, Trail};
use tokio::sync::{Notify, Semaphore};

use crate::{
    alerts,
    at_rest::AtRest,
    config::WatchlistConfig,
    coverage, entries,
    error::DbError,
    flow::Flow,
    forward, http, imports,
    look_ups::LookUps,
    peer::{AsMachine, MachineAccount, Peer},
    retention, rules,
    screening::Index,
    standings::{ListStandings, StaleAfter},
    watchlist::{OwnAgency, Watchlist},
};

/// This service's tables.
pub(crate) const MIGRATIONS: Migrations = rovuma_store::migrations!(1001 "watchlist", 1002 "imports", 1003 "rules", 1004 "crossed", 1005 "coverage", 1006 "expected");

/// The tables of the service's store.
pub(crate) const fn migrations() -> [Migrations; 2] {
    [rovuma_trail::MIGRATIONS, MIGRATIONS]
}

/// Entries that are read together when the index is built.
const INDEXED_TOGETHER: i64 = 1000;

/// The watchlist.
#[derive(Debug)]
pub struct WatchlistService;

impl Service for WatchlistService {
    const NAME: &'static str = "rovuma-watchlist";
    const ABOUT: &'static str =
        "Screens travellers, documents and vehicles, and tells the owners of alerts what is certain";
    type Config = WatchlistConfig;

    fn check(config: &WatchlistConfig) -> anyhow::Result<()> {
        rovuma_runtime::http::check(&config.http)?;
        Store::check(&config.store)?;
        Broker::check(&config.broker)?;
        shipper_keys(config)?;
        policy(config)?;
        TokenVerifier::new(config.tokens.clone())?;
        own_agencies(config)?;
        AtRest::of(config.at_rest.as_ref())?;
        if config.at_rest.is_some() && config.screening.remember_crossings_h > 0 {
            anyhow::bail!(
                "screening.remember_crossings_h is no good beside [at_rest]: what is looked for by its order cannot be sealed"
            );
        }
        posts(config)?;
        Ok(())
    }

    async fn start(config: WatchlistConfig, context: &Context) -> anyhow::Result<()> {
        let watchlist = Arc::new(open(&config, context).await?);
        watch_store(context, watchlist.store.clone());
        let shutdown = &context.shutdown;
        record_start(&watchlist).await?;
        let own = watchlist.own().cloned().collect();
        coverage::compare_posts(&watchlist.store, &watchlist.posts, own, watchlist.now()).await?;
        let broker = Broker::start(config.broker.clone(), Self::NAME, shutdown)?;
        context.expiries.register_certificates(&config.broker.cert_file)?;
        let shipper =
            Shipper::new(watchlist.trail.clone(), broker, context.clock.clone(), shipper_keys(&config)?);
        shutdown.spawn("audit", shipper.run(shutdown.clone()));
        for agency in &watchlist.agencies {
            shutdown.spawn(
                "alerts",
                alerts::follow(Arc::clone(&watchlist), Arc::clone(agency), shutdown.clone()),
            );
            if !watchlist.posts.is_empty() {
                shutdown.spawn(
                    "coverage",
                    coverage::run(Arc::clone(&watchlist), Arc::clone(agency), shutdown.clone()),
                );
            }
        }
        shutdown.spawn("forward", forward::run(Arc::clone(&watchlist), shutdown.clone()));
        shutdown.spawn("flow", Flow::run(Arc::clone(&watchlist), shutdown.clone()));
        shutdown.spawn("retention", retention::run(Arc::clone(&watchlist), shutdown.clone()));
        shutdown.spawn("record of the stop", record_stop(Arc::clone(&watchlist), shutdown.clone()));
        serve(&watchlist, &config, context)?;
        Ok(())
    }
}

fn serve(
    watchlist: &Arc<Watchlist>,
    config: &WatchlistConfig,
    context: &Context,
) -> anyhow::Result<SocketAddr> {
    let router = http::router(Arc::clone(watchlist));
    Ok(serve_long_bodies(context, "watchlist", &config.http, router, &http::LONG_BODIES)?)
}

/// Opens the store, and builds the index from it.
async fn open(config: &WatchlistConfig, context: &Context) -> anyhow::Result<Watchlist> {
    let ready = context.health.register("store");
    let store = Store::open(&config.store, &migrations()).await?;
    let at_rest = Arc::new(AtRest::of(config.at_rest.as_ref())?);
    let own: Vec<_> = config.agencies.iter().map(|agency| agency.code.clone()).collect();
    let (lists, index) = load(&store, &at_rest, &own, context.clock.now()).await?;
    let mut conn = store.read().acquire().await?;
    let rules = rules::in_force(&mut conn).await?;
    drop(conn);
    ready.ready();
    let screening = &config.screening;
    Ok(Watchlist {
        trail: Trail::new(store.clone(), config.audit.source.clone()),
        store,
        at_rest,
        clock: context.clock.clone(),
        policy: policy(config)?,
        tokens: TokenVerifier::new(config.tokens.clone())?,
        agencies: own_agencies(config)?,
        national_office: config.screening.national_office.clone(),
        index: RwLock::new(index),
        changing: tokio::sync::Mutex::new(()),
        lists,
        remembered_for: Duration::from_secs(u64::from(screening.remember_crossings_h) * 60 * 60),
        stale_after: StaleAfter {
            alerts: Duration::from_secs(screening.alerts_stale_after_s),
            imported: Duration::from_secs(screening.lists_stale_after_days.saturating_mul(24 * 60 * 60)),
        },
        rules: RwLock::new(rules),
        flow: Flow::default(),
        look_ups: LookUps::default(),
        importing: Arc::new(Semaphore::new(1)),
        tasks: context.shutdown.clone(),
        posts: posts(config)?,
        to_forward: Notify::new(),
    })
}

/// Reads the lists, removes what is not in force, and builds the index.
pub(crate) async fn load(
    store: &Store,
    at_rest: &AtRest,
    own: &[AgencyCode],
    now: Timestamp,
) -> anyhow::Result<(ListStandings, Index)> {
    let mut conn = store.read().acquire().await?;
    let lists = ListStandings::load(&mut conn, own).await?;
    drop(conn);
    imports::clean((store, at_rest), None, &lists.in_force(), now)
        .await
        .context("cannot remove what is not in force")?;
    let index = index(store, at_rest).await.context("cannot read what is listed")?;
    Ok((lists, index))
}

/// Builds the index of what is in the store.
pub(crate) async fn index(store: &Store, at_rest: &AtRest) -> Result<Index, DbError> {
    let (mut index, mut after) = (Index::default(), 0);
    loop {
        let mut conn = store.read().acquire().await?;
        let page = entries::page(&mut conn, at_rest, after, INDEXED_TOGETHER).await?;
        let Some((last, _)) = page.last() else { return Ok(index) };
        after = *last;
        for (entry, listed) in &page {
            index.add(*entry, listed);
        }
    }
}

fn own_agencies(config: &WatchlistConfig) -> anyhow::Result<Vec<Arc<OwnAgency>>> {
    anyhow::ensure!(!config.agencies.is_empty(), "there is no [[agency]] whose alerts are screened");
    if let Some(office) = &config.screening.national_office {
        let is_own = config.agencies.iter().any(|agency| agency.code == *office);
        anyhow::ensure!(is_own, "screening.national_office is {office}, which is no [[agency]] of this file");
    }
    let bases = CodeLists::shipped().get("legal_bases");
    let gateway = Peer::new(&config.gateway, "the gateway")?;
    let mut agencies: Vec<Arc<OwnAgency>> = Vec::new();
    for agency in &config.agencies {
        anyhow::ensure!(
            agency.code.country() == config.country,
            "{} is no agency of {}",
            agency.code,
            config.country
        );
        anyhow::ensure!(
            agencies.iter().all(|other| other.config.code != agency.code),
            "{} is there twice",
            agency.code
        );
        anyhow::ensure!(
            bases.is_some_and(|bases| bases.find(&agency.legal_basis).is_some()),
            "the legal_basis of {} is {:?}, which is no code of legal_bases",
            agency.code,
            agency.legal_basis
        );
        let account = MachineAccount::load(&config.identity, &agency.client_id, &agency.client_secret_file)?;
        agencies.push(Arc::new(OwnAgency {
            config: agency.clone(),
            gateway: AsMachine::new(gateway.clone(), account),
            to_report: Notify::new(),
        }));
    }
    Ok(agencies)
}

fn posts(config: &WatchlistConfig) -> anyhow::Result<Vec<CrossingCode>> {
    /// Maximum posts of one report, which the gateway takes.
    const POSTS_MAX: usize = 64;
    anyhow::ensure!(
        config.screening.posts.len() <= POSTS_MAX,
        "screening.posts has more than {POSTS_MAX} posts"
    );
    let (posts, known) = (&config.screening.posts, CodeLists::shipped().get("crossings"));
    let unknown = posts.iter().find(|post| known.is_none_or(|known| known.find(post.as_str()).is_none()));
    if let Some(post) = unknown {
        anyhow::bail!("screening.posts has {post}, which is no code of crossings");
    }
    Ok(posts.clone())
}

fn shipper_keys(config: &WatchlistConfig) -> anyhow::Result<ShipperKeys> {
    let audit = &config.audit;
    Ok(ShipperKeys::load(&audit.key_file, &audit.recipient_file, &audit.ack_key_file)?)
}

fn policy(config: &WatchlistConfig) -> anyhow::Result<Policy> {
    Policy::configured(&config.policy).context("cannot load the access policies")
}

/// Records the start, after the restore of an older copy of the store if there was one.
async fn record_start(watchlist: &Watchlist) -> anyhow::Result<()> {
    let (trail, now) = (watchlist.trail.clone(), watchlist.now());
    let write = watchlist.store.write(move |tx| {
        async move {
            trail.record_restore(tx, trail.source(), now).await?;
            let start = AuditRecord::new(now, trail.source(), AuditAction::ServiceStart);
            trail.record(tx, &start).await.map(|_| ())
        }
        .boxed()
    });
    Ok(write.await?)
}

async fn record_stop(watchlist: Arc<Watchlist>, shutdown: Shutdown) {
    shutdown.soft().await;
    let (trail, now) = (watchlist.trail.clone(), watchlist.now());
    let write = watchlist.store.write(move |tx| {
        async move {
            let stop = AuditRecord::new(now, trail.source(), AuditAction::ServiceStop);
            trail.record(tx, &stop).await.map(|_| ())
        }
        .boxed()
    });
    if let Err(fault) = write.await {
        tracing::error!(%fault, "the service's stop could not be recorded");
    }
}
