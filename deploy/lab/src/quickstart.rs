//! The quickstart: brokers, keys, topology, services, and one alert with its trace.

mod alert;
mod folder;
mod introduction;
mod watch;

use anyhow::{Context, Result};
use rovuma_lab::{
    border::{Border, Nodes},
    config::LabTimings,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{options::Options, show::Terminal};

/// Runs the quickstart with these options.
///
/// # Errors
/// When a step fails; the error names it.
pub(crate) async fn run(options: &Options, show: &Terminal) -> Result<()> {
    if options.clean {
        let removed = folder::clean(&options.folder)?;
        show.line(&if removed {
            format!("everything that the quickstart made in {} is removed", options.folder.display())
        } else {
            "there was nothing".to_owned()
        });
        return Ok(());
    }
    let draft = alert::read(options.file.as_deref())?;
    let lab = folder::LockedFolder::open(&options.folder)?;
    let stopped = async {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        Ok::<(), anyhow::Error>(())
    };
    tokio::pin!(stopped);
    let mut running = StartedParts::default();
    let outcome = tokio::select! {
        outcome = running.start_and_send(&lab, options, show, &draft) => outcome,
        outcome = &mut stopped => outcome.and_then(|()| anyhow::bail!("stopped before the alert was delivered")),
    };
    let outcome = match outcome {
        Ok(way) if options.once => {
            running.stop(show).await;
            show.line(&way.last_line());
            return Ok(());
        }
        Ok(_) => {
            running.introduce(show)?;
            tokio::select! {
                outcome = running.watch(show) => outcome,
                outcome = &mut stopped => outcome,
            }
        }
        Err(error) => Err(error),
    };
    running.stop(show).await;
    outcome
}

/// What has been started so far, to be stopped in order.
#[derive(Default)]
struct StartedParts {
    nodes: Option<Nodes>,
    border: Option<Border>,
}

impl StartedParts {
    async fn start_and_send(
        &mut self,
        lab: &folder::LockedFolder,
        options: &Options,
        show: &Terminal,
        draft: &serde_json::Value,
    ) -> Result<alert::SentAlert> {
        let programs = std::env::current_exe()?.parent().context("a folder of programs")?.to_owned();
        let progress = |what: &str| show.step(what);
        let nodes = self.nodes.insert(Nodes::start(lab.path(), progress).await?);
        let vhost = rovuma_broker::topology::VHOST;
        let timings = LabTimings::default();
        let border = Border::prepare(lab.path(), nodes, &programs, vhost, &timings, progress).await?;
        let border = self.border.insert(border);
        for note in border.mz.notes().into_iter().chain(border.tz.notes()) {
            show.line(&note);
        }
        border.start(progress).await?;
        show.step("sending the alert");
        let way = alert::send(border, draft, options.file.is_none()).await?;
        show.done();
        way.print(show);
        Ok(way)
    }

    fn introduce(&self, show: &Terminal) -> Result<()> {
        let Some(border) = &self.border else { return Ok(()) };
        show.line("");
        for country in [&border.mz, &border.tz] {
            show.line(&format!("{}", country.plan().country));
            for (what, service) in
                [("gateway API", "gateway"), ("log-in", "identity"), ("audit API", "audit")]
            {
                show.line(&format!("  {what:12} {}", country.url(service)?));
            }
            show.line(&format!("  {:12} {}", "rovumactl", country.layout().config("rovumactl").display()));
        }
        let countries = [&border.mz, &border.tz].map(|country| (country.plan(), country.layout()));
        show.line(&format!("\n{}", introduction::log_ins(&countries)));
        show.line("\nUp until Ctrl-C.");
        Ok(())
    }

    async fn watch(&mut self, show: &Terminal) -> Result<()> {
        match (&mut self.border, &mut self.nodes) {
            (Some(border), Some(nodes)) => watch::watch(border, nodes, show).await,
            // Nothing to watch: only the person at the terminal ends it.
            _ => std::future::pending().await,
        }
    }

    async fn stop(&mut self, show: &Terminal) {
        show.step("stopping the services");
        if let Some(border) = &mut self.border {
            border.stop().await;
        }
        show.step("stopping RabbitMQ");
        if let Some(nodes) = &mut self.nodes {
            nodes.stop().await;
        }
        show.done();
    }
}
