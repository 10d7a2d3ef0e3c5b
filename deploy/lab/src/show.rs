//! What the person at the terminal sees.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// Progress on standard error, results on standard output.
pub(crate) struct Show {
    started: Instant,
    bar: ProgressBar,
    once: bool,
    terminal: bool,
}

impl Show {
    pub(crate) fn new(once: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        // The template is a constant and well-formed.
        bar.set_style(ProgressStyle::with_template("{spinner} {msg} ({elapsed})").expect("a template"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { started: Instant::now(), bar, once, terminal }
    }

    /// What is being done now.
    pub(crate) fn step(&self, what: &str) {
        if self.terminal {
            self.bar.set_message(what.to_owned());
        } else {
            eprintln!("[{:6.1} s] {what}", self.started.elapsed().as_secs_f64());
        }
    }

    /// The end of what was being done.
    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }

    /// A line of the result.
    pub(crate) fn line(&self, text: &str) {
        self.bar.suspend(|| println!("{text}"));
    }

    /// Why it did not work.
    pub(crate) fn failed(&self, error: &anyhow::Error) {
        self.bar.finish_and_clear();
        eprintln!("quickstart: {error:#}");
        if self.once {
            println!("{}", serde_json::json!({ "delivered": false, "reason": format!("{error:#}") }));
        }
    }
}
