//! The quickstart: brokers, keys, topology, services, and one alert with its trace.

mod alert;
mod folder;

use anyhow::{Context, Result};
use rovuma_lab::{
    border::{Border, Nodes},
    config::{LabTimings, people},
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
        show.line(if removed {
            "everything that the quickstart made is removed"
        } else {
            "there was nothing"
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
            stopped.await
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
        show.line("\nDemo log-ins, each with its role; the password is in the file named:");
        for country in [&border.mz, &border.tz] {
            for (agency, person) in people(country.plan()) {
                let file = country.layout().secret(&person.login);
                show.line(&format!(
                    "  {:20} {:24} {:10} {}",
                    person.login,
                    person.role,
                    agency,
                    file.display()
                ));
            }
        }
        show.line("\nUp until Ctrl-C.");
        Ok(())
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
