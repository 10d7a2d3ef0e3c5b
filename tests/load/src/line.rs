//! Measures bytes on the line: of one alert alone in its bundle, and of a receipt with as many entries as fit.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use rovuma_envelope::Jws;
use rovuma_lab::border::{Border, Nodes};
use rovuma_schemas::{MessageId, limits::RECEIPT_ENTRIES_MAX};
use serde_json::Value;

use crate::{draft, follow::Follower, ledger::Ledger, proxy::Proxy, report::median, sender::AgencySystem};

/// Number of receipts that are measured.
const RECEIPTS: usize = 5;

/// Maximum attempts at a receipt with all entries in one: the alerts must reach the recipient within one batch.
const ATTEMPTS: usize = 5 * RECEIPTS;

/// Maximum alerts sent until both directions are seen to use the proxies.
const WARM_UP: usize = 50;

/// Bytes on the line, in both directions together.
pub(crate) struct LineBytes {
    pub(crate) per_message: f64,
    pub(crate) per_receipt: f64,
}

/// The lines between two countries, with a counting proxy in each direction.
pub(crate) struct Lines {
    there: Proxy,
    back: Proxy,
    sender: AgencySystem,
}

impl Lines {
    /// Routes the product's links through proxies.
    ///
    /// # Errors
    /// When a node refuses, or no traffic passes the proxies.
    pub(crate) async fn lay(border: &Border, nodes: &Nodes) -> Result<Self> {
        let (mut mz, mut tz) = nodes.links()?;
        let (there, back) = (Proxy::start(mz.port).await?, Proxy::start(tz.port).await?);
        (mz.port, tz.port) = (there.port(), back.port());
        border.mz.declare(&nodes.mz, &[mz]).await?;
        border.tz.declare(&nodes.tz, &[tz]).await?;
        let lines = Self { there, back, sender: AgencySystem::officer(&border.mz, "prm").await?.repeating() };
        lines.warm_up().await?;
        Ok(lines)
    }

    /// Measures both figures.
    ///
    /// # Errors
    /// When an alert is lost.
    pub(crate) async fn measure(&self, messages: u32) -> Result<LineBytes> {
        let mut per_message = Vec::new();
        for _ in 0..messages {
            per_message.push(self.measure_alone().await?.0);
        }
        let mut per_receipt = Vec::new();
        for _ in 0..ATTEMPTS {
            per_receipt.extend(self.measure_receipt().await?);
            if per_receipt.len() == RECEIPTS {
                break;
            }
        }
        if per_receipt.is_empty() {
            bail!("in {ATTEMPTS} attempts no receipt had {RECEIPT_ENTRIES_MAX} entries");
        }
        Ok(LineBytes { per_message: median(&per_message), per_receipt: median(&per_receipt) })
    }

    /// The links have just been declared again: the first alerts may still use the old ones, or wait for the new.
    async fn warm_up(&self) -> Result<()> {
        for _ in 0..WARM_UP {
            let (there, back) = self.measure_alone().await?;
            if there > 0.0 && back > 0.0 {
                return Ok(());
            }
        }
        bail!("after {WARM_UP} alerts the links still do not go by the proxies")
    }

    /// Sends one example alert to both recipients, each copy alone in its bundle. Returns the bytes in both
    /// directions per copy.
    async fn measure_alone(&self) -> Result<(f64, f64)> {
        let before = (self.there.quiet().await?, self.back.quiet().await?);
        let ledger = Arc::new(Ledger::new());
        let mut follower = Follower::start(&self.sender, Arc::clone(&ledger)).await?;
        self.sender.send(draft::example(), &ledger).await?;
        follower.until_delivered(&ledger, 2).await?;
        let after = (self.there.quiet().await?, self.back.quiet().await?);
        Ok((to_f64(after.0 - before.0) / 2.0, to_f64(after.1 - before.1) / 2.0))
    }

    /// Sends as many alerts as a receipt holds, held back on the line until all are on it. Returns the bytes that
    /// came back per entry, when one receipt answered them all.
    async fn measure_receipt(&self) -> Result<Option<f64>> {
        let ledger = Arc::new(Ledger::new());
        let mut follower = Follower::start(&self.sender, Arc::clone(&ledger)).await?;
        let mut drafts = Vec::new();
        for _ in 0..RECEIPT_ENTRIES_MAX {
            drafts.push(self.sender.create(draft::to("tz.tpf")?).await?);
        }
        let before = self.back.quiet().await?;
        self.there.hold(true);
        let wanted = RECEIPT_ENTRIES_MAX as u64;
        let released =
            try_join_all(drafts.into_iter().map(|draft| self.sender.release(draft, &ledger))).await;
        let queued = ledger.until(|seen| seen.queued >= wanted).await;
        self.there.hold(false);
        let (released, ()) = (released?, queued?);
        follower.until_delivered(&ledger, wanted).await?;
        let carried = self.back.quiet().await? - before;
        let entries = self.entries_of_receipt(&released[0]).await?;
        Ok((entries == RECEIPT_ENTRIES_MAX).then(|| to_f64(carried) / to_f64(wanted)))
    }

    /// Number of messages that the receipt for this one answers.
    async fn entries_of_receipt(&self, id: &MessageId) -> Result<usize> {
        let originals = self.sender.read(&format!("/v1/messages/{id}/jws")).await?;
        let compact = originals["receipts"][0]["jws"].as_str().context("a receipt")?;
        let receipt: Value = serde_json::from_slice(Jws::from_compact(compact)?.unverified_payload())?;
        Ok(receipt["body"]["entries"].as_array().context("entries")?.len())
    }
}

/// Converts a number of bytes, which is far below where a float loses precision.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn to_f64(count: u64) -> f64 {
    count as f64
}
