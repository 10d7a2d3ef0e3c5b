//! How much processor time the parts of the laboratory take.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rovuma_lab::{
    border::{Border, Nodes},
    country::SERVICES,
};

use crate::process;

/// How often it is looked whether everything is at rest.
const POLL: Duration = Duration::from_millis(250);

/// At rest: all parts together take less than this within [`POLL`]. The brokers alone take a little always.
const REST: Duration = Duration::from_millis(30);

/// What is not at rest by then never will be.
const REST_TIMEOUT: Duration = Duration::from_secs(60);

/// The processes of a laboratory.
pub(crate) struct Parts {
    services: Vec<(String, u32)>,
    brokers: Vec<u32>,
}

/// Processor time of each kind of process since its start, at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) services: Duration,
    pub(crate) brokers: Duration,
    /// This program: the one that posts and counts.
    pub(crate) client: Duration,
    /// Everything on the machine, the above included.
    machine: Duration,
    at: Option<Instant>,
}

/// What was used between two moments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    pub(crate) services: Duration,
    pub(crate) brokers: Duration,
    pub(crate) client: Duration,
    /// Processors that others kept busy.
    pub(crate) other_load: f64,
}

impl Parts {
    /// The processes of both countries.
    ///
    /// # Errors
    /// When a service is not running.
    pub(crate) fn of(border: &Border, nodes: &Nodes) -> Result<Self> {
        let mut services = Vec::new();
        for country in [&border.mz, &border.tz] {
            for service in SERVICES {
                let name = format!("{} {service}", country.plan().country);
                let pid = country.pid(service).with_context(|| format!("{name} is not running"))?;
                services.push((name, pid));
            }
        }
        Ok(Self { services, brokers: [nodes.mz.pids(), nodes.tz.pids()].concat() })
    }

    /// The services by name, each with its process id.
    pub(crate) fn services(&self) -> &[(String, u32)] {
        &self.services
    }

    /// What has been used until now.
    ///
    /// # Errors
    /// When a process has ended.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let sum = |pids: &[u32]| pids.iter().map(|pid| process::cpu(*pid)).sum::<Result<Duration>>();
        let services: Vec<u32> = self.services.iter().map(|(_, pid)| *pid).collect();
        Ok(Usage {
            services: sum(&services)?,
            brokers: sum(&self.brokers)?,
            client: process::cpu(std::process::id())?,
            machine: process::machine()?,
            at: Some(Instant::now()),
        })
    }

    /// Waits until nothing that was begun goes on any more: audit events shipped, receipts acknowledged.
    ///
    /// # Errors
    /// When it goes on for a minute.
    pub(crate) async fn at_rest(&self) -> Result<()> {
        let started = Instant::now();
        let mut before = self.usage()?;
        while started.elapsed() < REST_TIMEOUT {
            tokio::time::sleep(POLL).await;
            let now = self.usage()?;
            if now.services + now.brokers < before.services + before.brokers + REST {
                return Ok(());
            }
            before = now;
        }
        anyhow::bail!("the services were still busy after {} s", REST_TIMEOUT.as_secs())
    }
}

impl Usage {
    /// What was used since `before`.
    pub(crate) fn since(&self, before: &Self) -> Used {
        let (services, brokers) = (self.services - before.services, self.brokers - before.brokers);
        let client = self.client - before.client;
        let ours = (services + brokers + client).as_secs_f64();
        let elapsed = self.at.zip(before.at).map_or(0.0, |(now, then)| (now - then).as_secs_f64());
        let others = (self.machine - before.machine).as_secs_f64() - ours;
        let other_load = if elapsed > 0.0 { (others / elapsed).max(0.0) } else { 0.0 };
        Used { services, brokers, client, other_load }
    }
}
