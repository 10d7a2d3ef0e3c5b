//! What a long command is doing, on standard error.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter waits show no spinner.
const PATIENCE: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(120);

/// Awaits `work`, and shows `what` it waits for on a terminal once that takes longer than two seconds.
pub(crate) async fn waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(PATIENCE) => {}
    }
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    let done = work.await;
    bar.finish_and_clear();
    done
}

/// Where there is no terminal, a line is written each time so many things more are done.
const LINE_EVERY: u64 = 1_000;

/// Counts the things of a long piece of work: a bar on a terminal, otherwise a line now and then.
pub(crate) struct Counter {
    what: &'static str,
    bar: ProgressBar,
    is_terminal: bool,
}

impl Counter {
    /// Begins to count `what`.
    pub(crate) fn new(what: &'static str) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(what);
        let style = "{spinner} {msg}: {pos} of {len} {wide_bar} {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self { what, bar, is_terminal }
    }

    /// Sets how many there will be.
    pub(crate) fn expect(&self, count: u64) {
        self.bar.set_length(count);
    }

    /// Counts one more.
    pub(crate) fn advance(&mut self) {
        self.bar.inc(1);
        let done = self.bar.position();
        if !self.is_terminal && done.is_multiple_of(LINE_EVERY) {
            let all = self.bar.length().map_or_else(String::new, |all| format!(" of {all}"));
            eprintln!("{done}{all} {}", self.what);
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Counts the bytes of a file that is being sent: a bar on a terminal, once that takes longer than two seconds.
pub(crate) struct BytesSent {
    bar: ProgressBar,
    begun: Instant,
    is_shown: bool,
}

impl BytesSent {
    /// Begins to send so many bytes.
    pub(crate) fn new(all: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bytes} of {total_bytes} {wide_bar} {eta}") {
            bar.set_style(style);
        }
        Self { bar, begun: Instant::now(), is_shown: !std::io::stderr().is_terminal() }
    }

    /// Counts bytes more.
    pub(crate) fn advance(&mut self, bytes: u64) {
        self.bar.inc(bytes);
        if !self.is_shown && self.begun.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.is_shown = true;
        }
    }
}

impl Drop for BytesSent {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
