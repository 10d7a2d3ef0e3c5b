//! Processor time that the parts of the lab take.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rovuma_lab::{
    border::{Border, Nodes},
    country::SERVICES,
};

use crate::process;

/// How often the lab is checked for being at rest.
const POLL: Duration = Duration::from_millis(250);

/// At rest: all parts together take less than this within [`POLL`]. The brokers alone always take a little.
const REST: Duration = Duration::from_millis(30);

/// Time limit to come to rest.
const REST_TIMEOUT: Duration = Duration::from_secs(60);

/// The processes of a lab.
pub(crate) struct LabProcesses {
    services: Vec<(String, u32)>,
    brokers: Vec<u32>,
}

/// Processor time of each kind of process since its start, at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) services: Duration,
    pub(crate) brokers: Duration,
    /// This program, which posts and counts.
    pub(crate) client: Duration,
    /// Everything on the machine, including the above.
    machine: Duration,
    at: Option<Instant>,
}

/// The usage between two moments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UsageDelta {
    pub(crate) services: Duration,
    pub(crate) brokers: Duration,
    pub(crate) client: Duration,
    /// Processors that other programs kept busy.
    pub(crate) other_load: f64,
}

impl LabProcesses {
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

    /// The usage so far.
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

    /// Waits until no work is left over: audit events are shipped and receipts acknowledged.
    ///
    /// # Errors
    /// When work goes on for a minute.
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
    /// The usage since `before`.
    pub(crate) fn since(&self, before: &Self) -> UsageDelta {
        let (services, brokers) = (self.services - before.services, self.brokers - before.brokers);
        let client = self.client - before.client;
        let ours = (services + brokers + client).as_secs_f64();
        let elapsed = self.at.zip(before.at).map_or(0.0, |(now, then)| (now - then).as_secs_f64());
        let others = (self.machine - before.machine).as_secs_f64() - ours;
        let other_load = if elapsed > 0.0 { (others / elapsed).max(0.0) } else { 0.0 };
        UsageDelta { services, brokers, client, other_load }
    }
}
