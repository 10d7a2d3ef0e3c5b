//! The setting of scenarios: two brokers for the whole programme, and both countries anew for each scenario.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use rovuma_lab::{
    api::Api,
    border::{Border, Nodes},
    config::LabTimings,
    country::Country,
    person,
    postgres::PostgresServer,
};
use rovuma_tests::{programs, quick};
use tempfile::TempDir;

use crate::proxy::BrokerLine;

/// The brokers and the programs.
#[derive(Debug)]
pub(crate) struct TestBed {
    pub(crate) nodes: Nodes,
    programs: PathBuf,
    folder: TempDir,
    stages: u32,
}

/// Both countries of one scenario, their services running.
#[derive(Debug)]
pub(crate) struct RunningCountries {
    pub(crate) border: Border,
}

/// The line in each direction: from Mozambique to Tanzania's broker, and from Tanzania to Mozambique's.
#[derive(Debug)]
pub(crate) struct CutLines {
    pub(crate) from_mz: BrokerLine,
    pub(crate) from_tz: BrokerLine,
}

impl TestBed {
    pub(crate) async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let nodes = Nodes::start(folder.path(), |_| ()).await?;
        Ok(Self { nodes, programs: programs()?, folder, stages: 0 })
    }

    /// Prepares and starts both countries, with timings quick enough for a test.
    pub(crate) async fn stage(&mut self) -> Result<RunningCountries> {
        self.stage_with(&quick()).await
    }

    /// The same with other timings.
    pub(crate) async fn stage_with(&mut self, timings: &LabTimings) -> Result<RunningCountries> {
        let mut border = self.prepare(timings).await?;
        border.start(|_| ()).await?;
        Ok(RunningCountries { border })
    }

    /// Prepares both countries without starting their services.
    pub(crate) async fn prepare(&mut self, timings: &LabTimings) -> Result<Border> {
        self.stages += 1;
        let (folder, vhost) =
            (self.folder.path().join(self.stages.to_string()), format!("fault-{}", self.stages));
        Border::prepare(&folder, &self.nodes, &self.programs, &vhost, timings, |_| ()).await
    }

    /// As [`Self::stage`], with the store of Mozambique's gateway on a PostgreSQL server.
    pub(crate) async fn stage_on(&mut self, server: &PostgresServer) -> Result<RunningCountries> {
        let mut border = self.prepare(&quick()).await?;
        server.create_database("gateway")?;
        let file = border.mz.layout().config("gateway");
        let text = fs::read_to_string(&file)?;
        let store =
            text.lines().find(|line| line.starts_with("url = \"")).context("a store in the configuration")?;
        fs::write(&file, text.replacen(store, &format!("url = \"{}\"", server.url("gateway")), 1))?;
        border.start(|_| ()).await?;
        Ok(RunningCountries { border })
    }

    /// Routes the links through lines that can be cut and slowed down.
    pub(crate) async fn lay_lines(&self, border: &Border) -> Result<CutLines> {
        let (mut to_tz, mut to_mz) = self.nodes.links()?;
        let lines = CutLines {
            from_mz: BrokerLine::to(to_tz.port).await?,
            from_tz: BrokerLine::to(to_mz.port).await?,
        };
        (to_tz.port, to_mz.port) = (lines.from_mz.port(), lines.from_tz.port());
        border.mz.declare(&self.nodes.mz, &[to_tz]).await?;
        border.tz.declare(&self.nodes.tz, &[to_mz]).await?;
        Ok(lines)
    }

    /// Repairs what a failed scenario may have left broken.
    pub(crate) async fn mend(&mut self) -> Result<()> {
        for node in [&mut self.nodes.mz, &mut self.nodes.tz] {
            if node.pids().is_empty() {
                node.restart(|_| ()).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn stop(mut self) {
        self.nodes.stop().await;
    }
}

impl RunningCountries {
    pub(crate) fn country(&mut self, code: &str) -> &mut Country {
        if code == "mz" { &mut self.border.mz } else { &mut self.border.tz }
    }

    /// A client of a service's API for a person of an agency, newly logged in.
    pub(crate) async fn api(&self, agency: &str, role: &str, service: &str) -> Result<Api> {
        let country = if agency.starts_with("mz") { &self.border.mz } else { &self.border.tz };
        Api::new(&country.url(service)?, Some(self.token(agency, role).await?))
    }

    /// An access token of a person of an agency, newly issued.
    pub(crate) async fn token(&self, agency: &str, role: &str) -> Result<String> {
        let (code, name) = agency.split_once('.').context("an agency code")?;
        let country = if code == "mz" { &self.border.mz } else { &self.border.tz };
        let login = format!("{role}.{name}");
        person::log_in(&country.url("identity")?, &login, &country.layout().secret(&login)).await
    }

    /// Starts a service again that was killed or stopped, and waits until it is ready.
    pub(crate) async fn restart_service(&mut self, code: &str, service: &'static str) -> Result<()> {
        let country = self.country(code);
        country.start_service(service)?;
        country.ready(service).await
    }
}
