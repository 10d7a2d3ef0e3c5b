//! Describes the machine on which the figures were measured.

use std::fs;

use anyhow::Result;
use rovuma_lab::border::Nodes;
use serde::Serialize;

/// The properties of the machine on which figures depend.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MachineFacts {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    pub(crate) rabbitmq: String,
}

impl MachineFacts {
    /// Describes this machine.
    ///
    /// # Errors
    /// When a broker does not report its version.
    pub(crate) async fn this(nodes: &Nodes) -> Result<Self> {
        let overview = nodes.mz.management().get("/overview").await?;
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let kib: f64 = field(&memory, "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: field(&processors, "model name").to_owned(),
            memory_gib: (kib / 1024.0 / 1024.0).round(),
            kernel: kernel.trim().to_owned(),
            rabbitmq: overview["rabbitmq_version"].as_str().unwrap_or("unknown").to_owned(),
        })
    }
}

/// The value of `name: value`.
fn field<'t>(text: &'t str, name: &str) -> &'t str {
    let value = |line: &'t str| line.strip_prefix(name)?.trim_start().strip_prefix(':').map(str::trim);
    text.lines().find_map(value).unwrap_or_default()
}
