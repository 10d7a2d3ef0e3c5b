//! Output for the person at the terminal.

use std::{
    collections::BTreeSet,
    io::IsTerminal,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::options::StoryName;

/// Shows progress on standard error and results on standard output.
pub(crate) struct Terminal {
    started: Instant,
    bar: ProgressBar,
    once: bool,
    story: Option<StoryName>,
    terminal: bool,
    /// The steps that a log already has, without the seconds at their end.
    said: Mutex<BTreeSet<String>>,
}

impl Terminal {
    pub(crate) fn new(once: bool, story: Option<StoryName>) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        // The template is a constant and well-formed.
        bar.set_style(ProgressStyle::with_template("{spinner} {msg} ({elapsed})").expect("a template"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { started: Instant::now(), bar, once, story, terminal, said: Mutex::default() }
    }

    /// Shows the present step.
    pub(crate) fn step(&self, what: &str) {
        if self.terminal {
            self.bar.set_message(what.to_owned());
        } else if self.is_new(what) {
            eprintln!("[{:6.1} s] {what}", self.started.elapsed().as_secs_f64());
        }
    }

    /// Whether a log does not have this step yet. The seconds at its end do not count.
    fn is_new(&self, what: &str) -> bool {
        let step = what.split(" (").next().unwrap_or(what);
        // A set of texts is never half-written, so a poisoned lock is still usable.
        self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(step.to_owned())
    }

    /// Ends the display of steps.
    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }

    /// Prints a line of the result.
    pub(crate) fn line(&self, text: &str) {
        self.bar.suspend(|| println!("{text}"));
    }

    /// Prints why the quickstart failed.
    pub(crate) fn failed(&self, error: &anyhow::Error) {
        self.bar.finish_and_clear();
        eprintln!("quickstart: {error:#}");
        if self.once {
            let reason = format!("{error:#}");
            let line = match self.story {
                Some(story) => serde_json::json!({ "story": story.as_str(), "ok": false, "reason": reason }),
                None => serde_json::json!({ "delivered": false, "reason": reason }),
            };
            println!("{line}");
        }
    }
}
