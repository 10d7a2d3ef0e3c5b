//! `rovumactl store`: commands on a service's store, for the operator of its machine.

use std::{fmt, path::Path};

use clap::{Args, Subcommand};
use rovuma_schemas::{StoreId, audit::AuditAction};
use rovuma_store::{OpenError, Store, StoreConfig};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome, chain},
    files,
    ledger::{self, AuditRecord},
};

/// Commands on stores.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Tell a stopped service that its store was restored from an older copy
    ///
    /// The store gets a new name, so that no number that it gave out since the copy was made is given out again.
    /// Services notice a restored database by themselves. They cannot notice a copy of the whole folder or machine, in
    /// which the restore mark was put back together with the database: this command is for that. Calling it without
    /// need does no harm.
    ///
    /// The configuration is the service's own, and only its [store] section is read.
    Restored(RestoredArgs),
}

impl StoreCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Restored(command) => command.run(app).await,
        }
    }
}

/// Options of `store restored`.
#[derive(Debug, Args)]
pub(crate) struct RestoredArgs {
    /// The service's own configuration, `gateway.toml`
    #[arg(long, value_name = "FILE")]
    service: std::path::PathBuf,
    /// Do it: without this, the command only says what it would do
    #[arg(long)]
    yes: bool,
}

/// The result of `store restored`.
#[derive(Serialize)]
struct RestoreResult {
    store: String,
    before: StoreId,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<StoreId>,
}

impl RestoredArgs {
    async fn run(self, app: &App) -> Outcome {
        let config = store_section(&self.service)?;
        let store = open(&config).await?;
        let before = store.was_restored().map_or_else(|| store.identity(), |restored| restored.from);
        let name = self.service.display().to_string();
        if !self.yes {
            app.out.show(&RestoreResult { store: name, before, after: None })?;
            return Ok(Exit::Ok);
        }
        let act = ledger::act(app, AuditAction::StoreRestore).object("store", before);
        let after = ledger::audited(app, act, async |act: &mut AuditRecord| {
            let renewed = store.renew_identity().await;
            let after =
                renewed.map_err(|error| Failure::local(chain("the store was not renamed", &error)))?;
            act.details.insert("after".to_owned(), after.to_string());
            Ok(after)
        })
        .await?;
        app.out.show(&RestoreResult { store: name, before, after: Some(after) })?;
        Ok(Exit::Ok)
    }
}

async fn open(config: &StoreConfig) -> Outcome<Store> {
    if let Some(path) = config.url.strip_prefix("sqlite:")
        && !Path::new(path.strip_prefix("//").unwrap_or(path)).exists()
    {
        return Err(Failure::usage(format!("{}: there is no such store", config.url)));
    }
    Store::open(config, &[]).await.map_err(|error| match &error {
        OpenError::InUse { .. } => {
            Failure::local(error.to_string()).next("stop the service, then run the command again")
        }
        _ => Failure::local(chain("cannot open the store", &error)),
    })
}

/// The only section of a service's configuration that this tool reads.
#[derive(Deserialize)]
struct StoreSection {
    store: StoreConfig,
}

fn store_section(file: &Path) -> Outcome<StoreConfig> {
    let text = files::read_text(file)?;
    let section: StoreSection = rovuma_runtime::config::from_toml(&text).map_err(|error| {
        Failure::usage(format!("{}: {error}", file.display())).next("name the service's own configuration")
    })?;
    Ok(section.store)
}

impl fmt::Display for RestoreResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after {
            Some(after) => {
                write!(f, "{}: renamed from {} to {after}; start the service", self.store, self.before)
            }
            None => write!(
                f,
                "{}: the store is {}; it gets a new name with --yes. Nothing was changed",
                self.store, self.before
            ),
        }
    }
}
