//! The audit trail of this tool's own acts.
//!
//! Making keys, signing trust lists and changing the broker are acts like any other: with a configuration, the tool
//! records them in a small local store and ships them to the audit service before the command ends. The first keys of
//! an installation exist before its broker; such commands warn that they are not audited.

mod ship;

use std::os::unix::fs::MetadataExt as _;

use rovuma_schemas::{AgencyCode, Timestamp, audit::AuditAction};
use rovuma_store::{FutureExt as _, Store};
pub(crate) use rovuma_trail::AuditRecord;
use rovuma_trail::{MIGRATIONS, Trail};

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome, chain},
};
pub(crate) use ship::{ShipSummary, ship};

/// Begins the record of an act by the user of this run.
pub(crate) fn act(app: &App, action: AuditAction) -> AuditRecord {
    let act = AuditRecord::new(app.now(), actor(), action);
    match app.config.country {
        Some(country) => act.agency(&AgencyCode::node_of(country)),
        None => act,
    }
}

/// The operating system's number of the user: a name would be personal data.
fn actor() -> String {
    match std::fs::metadata("/proc/self") {
        Ok(process) => format!("uid:{}", process.uid()),
        Err(_) => "uid:unknown".to_owned(),
    }
}

/// Does `work`, records its outcome, and ships the record.
///
/// The store is opened first, so that nothing is done that cannot be recorded.
///
/// # Errors
/// Those of `work`; that the store cannot be opened; or that the act was done but could not be recorded.
pub(crate) async fn audited<T>(
    app: &App,
    act: AuditRecord,
    work: impl AsyncFnOnce(&mut AuditRecord) -> Outcome<T>,
) -> Outcome<T> {
    let mut act = act;
    let Some(trail) = open(app).await? else {
        app.out.note(format_args!(
            "warning: this act is not audited: {} has no [store] and [audit]",
            app.config_name
        ));
        return work(&mut act).await;
    };
    let done = work(&mut act).await;
    let act = match &done {
        Ok(_) => act,
        Err(failure) => failed(act, failure.exit),
    };
    record(&trail, act).await?;
    if let Err(late) = ship(app, &trail).await {
        app.out.note(format_args!("warning: the audit event stays on this machine for now: {}", late.what));
    }
    done
}

/// Opens the trail in the configured store. None when neither store nor audit is configured.
pub(crate) async fn open(app: &App) -> Outcome<Option<Trail>> {
    let (store, audit) = match (&app.config.store, &app.config.audit) {
        (Some(store), Some(audit)) => (store, audit),
        (None, None) => return Ok(None),
        _ => {
            return Err(Failure::usage(format!("{} has only one of [store] and [audit]", app.config_name))
                .next("give both, or none for acts that are not audited"));
        }
    };
    let store = Store::open(store, &[MIGRATIONS]).await.map_err(|error| {
        Failure::local(chain("the store of audit events", &error)).next(
            "nothing is done that cannot be recorded; repair the store, or wait for the other rovumactl",
        )
    })?;
    let trail = Trail::new(store, &audit.source);
    if trail.store().was_restored().is_some() {
        record_restore(&trail, app.now()).await?;
        app.out.note("warning: the store of audit events was restored from an older copy; that is recorded");
    }
    Ok(Some(trail))
}

async fn record_restore(trail: &Trail, now: Timestamp) -> Outcome<()> {
    let writer = trail.clone();
    let write = trail
        .store()
        .write(move |tx| async move { writer.record_restore(tx, &actor(), now).await.map(|_| ()) }.boxed());
    write.await.map_err(|error| {
        Failure::local(chain("the store of audit events", &error))
            .next("nothing is done that cannot be recorded; repair the store")
    })
}

async fn record(trail: &Trail, act: AuditRecord) -> Outcome<()> {
    let writer = trail.clone();
    trail
        .store()
        .write(move |tx| async move { writer.record(tx, &act).await }.boxed())
        .await
        .map(|_| ())
        .map_err(|error| {
            Failure::local(chain("the act was done, but could not be recorded", &error))
                .next("write down what was done and when, and repair the store")
        })
}

fn failed(act: AuditRecord, exit: Exit) -> AuditRecord {
    match exit {
        Exit::Refused | Exit::NotLoggedIn => act.refused(code(exit)),
        _ => act.failed(code(exit)),
    }
}

const fn code(exit: Exit) -> &'static str {
    match exit {
        Exit::Ok => "ok",
        Exit::Negative => "negative",
        Exit::Usage => "usage",
        Exit::Refused => "refused",
        Exit::Unreachable => "unreachable",
        Exit::Verification => "verification",
        Exit::NotLoggedIn => "not_logged_in",
        Exit::Local => "local",
        Exit::Found => "found",
    }
}
