//! The jobs of retention: erasing what is due, daily, and moving states on, hourly.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rovuma_runtime::Shutdown;
use rovuma_schemas::{Date, Timestamp};
use rovuma_store::{FutureExt, RowExt, WriteError};
use tracing::{error, info, warn};

use super::{
    certificate,
    due::{self, DueCase},
    erase, states,
};
use crate::{
    alarm::{self, AlarmKind},
    cases::kept::CaseKey,
    config::RetentionConfig,
    drafts::Drafts,
    error::DbError,
    exchange::send::SendError,
};

/// Duty number: only one of the gateways sharing a store erases.
const RETENTION_DUTY: u8 = 3;

/// Cases that are looked up at once. Each is erased in a transaction of its own, so that other writers get their turn between any two.
const PAGE: u32 = 20;

/// Cases that one run leaves because they cannot be erased: with more of them something else is wrong.
const LEFT_MAX: usize = 200;

/// How often it is checked whether a job is due.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// The tables of which rows hold content.
const TABLES: &[&str] = &[
    "received",
    "sent",
    "outbox_message",
    "draft",
    "conflict",
    "idempotency",
    "case_file",
    "case_identifier",
    "mentioned_identifier",
];

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// Cases erased.
    pub(crate) erased: u64,
    /// Cases that could not be erased; the log says why.
    pub(crate) left: u64,
}

/// Runs the jobs until a soft shutdown, whenever this process has the duty.
pub(crate) async fn run(drafts: Arc<Drafts>, settings: RetentionConfig, shutdown: Shutdown) {
    let store = &drafts.exchange.base.store;
    while !shutdown.is_stopping() {
        let mut duty = tokio::select! {
            duty = store.take_duty(RETENTION_DUTY) => duty,
            () = shutdown.soft() => return,
        };
        tokio::select! {
            () = work(&drafts, settings, &shutdown) => {}
            () = duty.lost() => warn!("lost the duty of erasing: another gateway has it now"),
        }
    }
}

async fn work(drafts: &Arc<Drafts>, settings: RetentionConfig, shutdown: &Shutdown) {
    let (every, states_every) = (settings.every(), settings.states_every());
    let mut moved_on_at = None;
    loop {
        let now = drafts.exchange.base.now();
        if moved_on_at.is_none_or(|at| now.since(at) >= states_every) {
            match move_on(drafts, now).await {
                Ok(()) => moved_on_at = Some(now),
                Err(fault) => warn!(%fault, "the states of cases were not moved on; tried again"),
            }
        }
        match is_due(drafts, every, now).await {
            Ok(false) => {}
            Ok(true) => {
                if let Err(fault) = erase_due(drafts, settings.rewrite, shutdown).await {
                    error!(%fault, "what is due was not all erased; tried again");
                }
            }
            Err(fault) => warn!(%fault, "cannot check whether anything is to be erased"),
        }
        if !shutdown.pause(CHECK_EVERY.min(every).min(states_every)).await {
            return;
        }
    }
}

/// Moves the states of all our agencies' cases on.
pub(crate) async fn move_on(drafts: &Drafts, now: Timestamp) -> Result<(), WriteError<DbError>> {
    for (agency, _) in drafts.exchange.agencies.iter() {
        states::move_on(&drafts.exchange.base, agency, now).await?;
    }
    Ok(())
}

/// Whether the last run was long enough ago, or on an earlier day: retention ends with a day.
async fn is_due(drafts: &Drafts, every: Duration, now: Timestamp) -> Result<bool, DbError> {
    let last = sqlx::query("SELECT ran_at FROM retention_run WHERE job = 'erase'")
        .fetch_optional(drafts.exchange.base.store.read())
        .await?;
    let Some(last) = last else { return Ok(true) };
    let last = last.instant("ran_at")?;
    Ok(now.since(last) >= every || Date::of(last) != Date::of(now))
}

/// Erases every case that is due, and then makes the bytes unreachable that the files still hold. A run that was broken off has
/// erased whole cases; the next one goes on with the others.
///
/// # Errors
/// [`WriteError`] when the store does not write, or its files cannot be rewritten.
pub(crate) async fn erase_due(
    drafts: &Arc<Drafts>,
    rewrite: bool,
    shutdown: &Shutdown,
) -> Result<Run, WriteError<SendError>> {
    let base = &drafts.exchange.base;
    let mut run = Run::default();
    // A certificate is a release, and nothing is released while it could not be audited.
    if drafts.overdue.check(&base.trail, base.now()).await.is_err() {
        warn!("nothing is erased until the audit service acknowledges what happened here");
        return Ok(run);
    }
    let mut left: BTreeSet<CaseKey> = BTreeSet::new();
    while !shutdown.is_stopping() && left.len() < LEFT_MAX {
        let most = PAGE + u32::try_from(left.len()).unwrap_or(u32::MAX);
        let mut page = list(drafts, most).await.map_err(|fault| WriteError::Job(fault.into()))?;
        page.retain(|case| !left.contains(&case.key));
        if page.is_empty() {
            break;
        }
        for case in page {
            if shutdown.is_stopping() {
                break;
            }
            match erase_case(drafts, case.clone()).await {
                Ok(true) => {
                    run.erased += 1;
                    metrics::counter!("rovuma_cases_erased_total").increment(1);
                }
                Ok(false) => drop(left.insert(case.key)),
                Err(WriteError::Job(fault)) if !fault.is_transient() => {
                    error!(case = %case.key.case(), agency = %case.key.agency, %fault, "a case was not erased");
                    left.insert(case.key);
                    run.left += 1;
                }
                Err(fault) => return Err(fault),
            }
        }
    }
    if rewrite && let Err(fault) = rewrite_owed(drafts).await {
        // Not tried again before the next run: it occupies the store for as long as it takes to fail.
        error!(%fault, "the store could not be rewritten: its files may still hold what was erased");
        raise_not_rewritten(drafts, fault.to_string()).await?;
    }
    finish(drafts).await?;
    info!(erased = run.erased, left = run.left, "erased what was due");
    Ok(run)
}

async fn list(drafts: &Drafts, most: u32) -> Result<Vec<DueCase>, DbError> {
    let base = &drafts.exchange.base;
    let mut conn = base.store.read().acquire().await?;
    due::due(&mut conn, base.now(), most).await
}

/// Erases one case, in a transaction of its own. Returns whether it was still due.
pub(crate) async fn erase_case(drafts: &Arc<Drafts>, case: DueCase) -> Result<bool, WriteError<SendError>> {
    let base = &drafts.exchange.base;
    let now = base.now();
    let prepared = async {
        let mut conn = base.store.read().acquire().await.map_err(DbError::from)?;
        certificate::prepare(&mut conn, drafts, &case, now).await
    };
    let certificate = prepared.await.map_err(|fault| WriteError::Job(fault.into()))?;
    let shared = Arc::clone(drafts);
    let erased = base
        .store
        .write(move |tx| async move { erase::erase(tx, &shared, &case, &certificate, now).await }.boxed());
    Ok(erased.await?.is_some())
}

/// Rewrites the files if anything was erased since they were last rewritten.
async fn rewrite_owed(drafts: &Drafts) -> Result<(), WriteError<SendError>> {
    let store = &drafts.exchange.base.store;
    let owed =
        sqlx::query("SELECT ran_at FROM retention_run WHERE job = 'rewrite'").fetch_optional(store.read());
    let owed = owed.await.map_err(|fault| WriteError::Job(fault.into()))?;
    let Some(owed) = owed else { return Ok(()) };
    let erased_at = owed.instant("ran_at").map_err(|fault| WriteError::Job(fault.into()))?;
    store.rewrite(TABLES).await.map_err(|fault| fault.map_job(SendError::from))?;
    let write = store.write(move |tx| {
        let paid = sqlx::query("DELETE FROM retention_run WHERE job = 'rewrite' AND ran_at <= $1");
        async move { paid.bind(erased_at.as_micros()).execute(tx).await.map(drop) }.boxed()
    });
    write.await.map_err(|fault: WriteError<sqlx::Error>| fault.map_job(SendError::from))
}

/// Raises an alarm for every agency: an operator must make room, or end what keeps the store busy.
async fn raise_not_rewritten(drafts: &Drafts, detail: String) -> Result<(), WriteError<SendError>> {
    let base = &drafts.exchange.base;
    let (agencies, now) =
        (drafts.exchange.agencies.iter().map(|(code, _)| code.clone()).collect::<Vec<_>>(), base.now());
    let write = base.store.write(move |tx| {
        async move {
            for agency in &agencies {
                alarm::raise(tx, agency, AlarmKind::StoreNotRewritten, "store", &detail, now).await?;
            }
            Ok::<_, SendError>(())
        }
        .boxed()
    });
    write.await
}

/// Records that a run came to its end.
async fn finish(drafts: &Drafts) -> Result<(), WriteError<SendError>> {
    let (store, now) = (&drafts.exchange.base.store, drafts.exchange.base.now());
    let write = store.write(move |tx| {
        let ran = sqlx::query(
            "INSERT INTO retention_run (job, ran_at) VALUES ('erase', $1)
             ON CONFLICT (job) DO UPDATE SET ran_at = excluded.ran_at",
        );
        async move { ran.bind(now.as_micros()).execute(tx).await.map(drop) }.boxed()
    });
    write.await.map_err(|fault: WriteError<sqlx::Error>| fault.map_job(SendError::from))
}
