//! The quickstart: brokers, keys, topology, services, and one alert with its trace, or a story.

mod alert;
mod folder;
mod introduction;
mod watch;

use anyhow::{Context, Result};
use rovuma_lab::{
    border::{Border, Nodes},
    config::LabTimings,
    story,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    options::{Options, StoryName},
    show::Terminal,
};

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
    let play = match options.story {
        Some(story) => Play::Story(story),
        None => Play::Alert(alert::read(options.file.as_deref())?),
    };
    let lab = folder::LockedFolder::open(&options.folder)?;
    let stopped = async {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        Ok::<(), anyhow::Error>(())
    };
    tokio::pin!(stopped);
    let mut running = StartedParts::default();
    let outcome = tokio::select! {
        outcome = running.start_and_play(&lab, options, show, &play) => outcome,
        outcome = &mut stopped => outcome.and_then(|()| anyhow::bail!("stopped before the end")),
    };
    let outcome = match outcome {
        Ok(last_line) if options.once => {
            running.stop(show).await;
            show.line(&last_line);
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

/// What is shown once both countries are up.
enum Play {
    /// One alert and its way.
    Alert(serde_json::Value),
    /// A story.
    Story(StoryName),
}

/// What has been started so far, to be stopped in order.
#[derive(Default)]
struct StartedParts {
    nodes: Option<Nodes>,
    border: Option<Border>,
}

impl StartedParts {
    /// Starts both countries, and plays. Returns the last line of output with `--once`.
    async fn start_and_play(
        &mut self,
        lab: &folder::LockedFolder,
        options: &Options,
        show: &Terminal,
        play: &Play,
    ) -> Result<String> {
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
        for country in [&mut border.mz, &mut border.tz] {
            show.step(&format!("starting {} watchlist", country.plan().country));
            country.start_watchlist().await?;
        }
        match play {
            Play::Alert(draft) => {
                show.step("sending the alert");
                let way = alert::send(border, draft, options.file.is_none()).await?;
                show.done();
                way.print(show);
                Ok(way.last_line())
            }
            Play::Story(story) => {
                show.step("playing the story");
                show.line(&format!(
                    "rovumactl stands for {} --config {}/<country>/config/rovumactl.toml",
                    programs.join("rovumactl").display(),
                    lab.path().display()
                ));
                let say = |line: &str| show.line(line);
                let steps = match story {
                    StoryName::Alert => story::alert::play(border, &programs, &say).await?,
                    StoryName::Request => story::request::play(border, nodes, &say).await?,
                    StoryName::Hit => story::hit::play(border, &say).await?,
                };
                show.done();
                Ok(serde_json::json!({ "story": story.as_str(), "ok": true, "steps": steps }).to_string())
            }
        }
    }

    fn introduce(&self, show: &Terminal) -> Result<()> {
        let Some(border) = &self.border else { return Ok(()) };
        show.line("");
        for country in [&border.mz, &border.tz] {
            show.line(&format!("{}", country.plan().country));
            for (what, service) in [
                ("gateway API", "gateway"),
                ("log-in", "identity"),
                ("audit API", "audit"),
                ("watchlist", "watchlist"),
            ] {
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
