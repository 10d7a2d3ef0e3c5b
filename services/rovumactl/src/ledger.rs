//! The audit trail of this tool's own acts.
//!
//! Making keys, signing trust lists and changing the broker are acts like any other: with a configuration
//! they are recorded in a small local store and shipped to the audit service before the command ends. The
//! first keys of an installation come before its broker; then the command says that it is not audited.

use std::os::unix::fs::MetadataExt as _;

use rovuma_schemas::{AgencyCode, audit::AuditAction};
pub(crate) use rovuma_trail::Act;

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
};

/// An act of this run, by whoever runs it.
pub(crate) fn act(app: &App, action: AuditAction) -> Act {
    let act = Act::new(app.now(), actor(), action);
    match app.config.country {
        Some(country) => act.agency(&AgencyCode::node_of(country)),
        None => act,
    }
}

/// The operating system's number for the user: a name would be personal data.
fn actor() -> String {
    match std::fs::metadata("/proc/self") {
        Ok(process) => format!("uid:{}", process.uid()),
        Err(_) => "uid:unknown".to_owned(),
    }
}

/// Does `work`, records how it ended, and ships what is recorded.
///
/// # Errors
/// Those of `work`; or that it was done and could not be recorded.
pub(crate) async fn audited<T>(
    app: &App,
    act: Act,
    work: impl AsyncFnOnce(&mut Act) -> Outcome<T>,
) -> Outcome<T> {
    let mut act = act;
    app.out.note("warning: this act is not audited");
    let done = work(&mut act).await;
    done
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
    }
}
