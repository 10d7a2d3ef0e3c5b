//! `trust check`: verifies a signed list, and warns of what expires soon.

use std::{fmt, path::PathBuf};

use clap::Args;
use rovuma_envelope::{
    Pin, TrustPolicy, TrustStore,
    trust::{Expiring, ListState},
};
use rovuma_runtime::ExpiryLevel;
use rovuma_schemas::Timestamp;
use serde::Serialize;

use super::pins;
use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    files, keys, moments,
};

/// Options of `trust check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The signed list
    list: PathBuf,
    /// The authority key pinned for its country (JWK)
    #[arg(long, value_name = "FILE")]
    authority: PathBuf,
    /// The list in force until now, which the new one must follow
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    /// Check as of this instant [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    at: Option<Timestamp>,
}

/// The result of `trust check`.
#[derive(Serialize)]
struct ListSummary {
    country: String,
    serial: u64,
    next_update: Timestamp,
    /// Whether a succession has replaced the pinned key, so that the pin should be renewed.
    pin_outdated: bool,
    warnings: Vec<ExpiryWarning>,
}

#[derive(Serialize)]
struct ExpiryWarning {
    what: String,
    not_after: Timestamp,
    level: ExpiryLevel,
}

impl Check {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let now = self.at.unwrap_or_else(|| app.now());
        let list = pins::verify_list(&self.list, &self.authority)?;
        let pin = Pin::new(list.country(), keys::read_authority(&self.authority)?);
        let mut store = TrustStore::new(TrustPolicy::default(), [pin])
            .map_err(|error| Failure::usage(error.to_string()))?;
        for path in self.previous.iter().chain([&self.list]) {
            let json = files::read(path)?;
            (store, _) = store.with_list(&json, now).map_err(|error| pins::refused(path, &error))?;
        }
        let warnings = warnings(&store, now);
        let overdue = store.statuses(now).iter().any(|status| status.state != ListState::Current);
        app.out.show(&ListSummary {
            country: list.country().to_string(),
            serial: list.serial(),
            next_update: list.next_update(),
            pin_outdated: list.authorities().len() > 1,
            warnings,
        })?;
        Ok(if overdue { Exit::Negative } else { Exit::Ok })
    }
}

/// Warnings about everything that expires within 60 days, the nearest first. Keys that expired are history and give
/// no warning.
fn warnings(store: &TrustStore, now: Timestamp) -> Vec<ExpiryWarning> {
    let mut warnings: Vec<ExpiryWarning> = store
        .expiries()
        .into_iter()
        .map(|expiry| {
            let (what, history) = match expiry.what {
                Expiring::List(country) => (format!("trust list of {country}"), false),
                Expiring::SigningKey(agency, kid) => (format!("signing key {kid} of {agency}"), true),
                Expiring::SealingKey(agency, key) => (format!("sealing key {key} of {agency}"), true),
            };
            let level = ExpiryLevel::of(expiry.not_after, now);
            (ExpiryWarning { what, not_after: expiry.not_after, level }, history)
        })
        .filter(|(warning, history)| {
            warning.level > ExpiryLevel::Fine && !(*history && warning.level == ExpiryLevel::Expired)
        })
        .map(|(warning, _)| warning)
        .collect();
    warnings.sort_by_key(|warning| warning.not_after);
    warnings
}

impl fmt::Display for ListSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "trust list of {} holds: serial {}, next update {}",
            self.country, self.serial, self.next_update
        )?;
        if self.pin_outdated {
            write!(f, "\nthe pinned authority has been succeeded: pin its successor")?;
        }
        for warning in &self.warnings {
            let word = if warning.level == ExpiryLevel::Expired { "ended" } else { "ends" };
            write!(f, "\nwarning: {} {word} {}", warning.what, warning.not_after)?;
        }
        Ok(())
    }
}
