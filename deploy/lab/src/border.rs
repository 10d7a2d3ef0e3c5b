//! Two countries and the links between them.

use std::path::Path;

use anyhow::Result;

use crate::{
    config::LabTimings,
    country::{Country, PartnerLink, link},
    ctl::Ctl,
    keys,
    plan::CountryPlan,
    rabbit::{RabbitNode, RabbitOptions},
};

/// The brokers of two countries.
#[derive(Debug)]
pub struct Nodes {
    /// Mozambique's.
    pub mz: RabbitNode,
    /// Tanzania's.
    pub tz: RabbitNode,
}

/// Two installations that exchange messages with each other.
#[derive(Debug)]
pub struct Border {
    /// Mozambique.
    pub mz: Country,
    /// Tanzania.
    pub tz: Country,
}

impl Nodes {
    /// Starts both brokers side by side, each in `<lab>/<country>/rabbitmq`.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start(lab: &Path, progress: impl Fn(&str)) -> Result<Self> {
        let start = |name: &'static str| {
            let folder = lab.join(name).join("rabbitmq");
            let progress = &progress;
            async move { RabbitNode::start(&folder, RabbitOptions::new(name), progress).await }
        };
        let (mz, tz) = tokio::try_join!(start("mz"), start("tz"))?;
        Ok(Self { mz, tz })
    }

    /// Stops both nodes at the same time.
    pub async fn stop(&mut self) {
        tokio::join!(self.mz.stop(), self.tz.stop());
    }

    /// The links in both directions: Mozambique's first.
    ///
    /// # Errors
    /// When a certificate cannot be written.
    pub fn links(&self) -> Result<(PartnerLink, PartnerLink)> {
        let (mz, tz) = (CountryPlan::mozambique().country, CountryPlan::tanzania().country);
        Ok((link(&self.mz, mz, &self.tz, tz)?, link(&self.tz, tz, &self.mz, mz)?))
    }
}

impl Border {
    /// Prepares both countries below `lab`: keys, trust lists handed over, topology, configuration.
    ///
    /// # Errors
    /// When a step fails; the error names it.
    pub async fn prepare(
        lab: &Path,
        nodes: &Nodes,
        programs: &Path,
        vhost: &str,
        timings: &LabTimings,
        progress: impl Fn(&str),
    ) -> Result<Self> {
        progress("making keys and trust lists");
        let mz = Country::prepare(lab, CountryPlan::mozambique(), programs, vhost)?;
        let tz = Country::prepare(lab, CountryPlan::tanzania(), programs, vhost)?;
        keys::hand_over_first(mz.layout(), tz.layout(), mz.plan())?;
        keys::hand_over_first(tz.layout(), mz.layout(), tz.plan())?;
        let both = [(mz.layout(), mz.plan()), (tz.layout(), tz.plan())];
        keys::agree_on_audit_policy(&Ctl::new(programs), &both)?;
        let countries = [mz.plan().country, tz.plan().country];
        mz.configure(&nodes.mz, &countries, timings)?;
        tz.configure(&nodes.tz, &countries, timings)?;
        let border = Self { mz, tz };
        progress("declaring exchanges, queues and links");
        border.declare(nodes).await?;
        Ok(border)
    }

    /// Declares the topology in both countries' virtual hosts. The links come last, because they need both
    /// sides.
    ///
    /// # Errors
    /// When a node refuses it.
    pub async fn declare(&self, nodes: &Nodes) -> Result<()> {
        let (mz, tz) = nodes.links()?;
        self.mz.declare(&nodes.mz, &[mz]).await?;
        self.tz.declare(&nodes.tz, &[tz]).await
    }

    /// Starts both countries' services and waits until all are ready.
    ///
    /// # Errors
    /// When one does not become ready; the error has the end of its log.
    pub async fn start(&mut self, progress: impl Fn(&str)) -> Result<()> {
        tokio::try_join!(self.mz.start(&progress), self.tz.start(&progress)).map(drop)
    }

    /// Stops both countries' services.
    pub async fn stop(&mut self) {
        tokio::join!(self.mz.stop(), self.tz.stop());
    }
}
