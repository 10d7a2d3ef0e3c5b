//! Notices services that end by themselves, and starts them again.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rovuma_lab::border::{Border, Nodes};

use crate::show::Terminal;

/// How often the processes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A service that ends more often than this within [`RESTARTS_WITHIN`] will not stay, however often it is started:
/// its configuration or its store is broken.
const RESTARTS_MAX: usize = 3;
const RESTARTS_WITHIN: Duration = Duration::from_secs(60);

/// Watches the services for as long as they run: one that ends is said, with the last lines of its log, and started
/// again, as a service manager would.
///
/// # Errors
/// When a service keeps ending, or a RabbitMQ node has ended.
pub(crate) async fn watch(border: &mut Border, nodes: &mut Nodes, show: &Terminal) -> Result<()> {
    let mut restarts = Restarts::default();
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        for (name, node) in [("mz", &mut nodes.mz), ("tz", &mut nodes.tz)] {
            if let Some(status) = node.ended() {
                bail!("RabbitMQ {name} ended ({status}); its log is {}", node.log_file().display());
            }
        }
        for country in [&mut border.mz, &mut border.tz] {
            for (service, status) in country.ended() {
                let name = format!("{} {service}", country.plan().country);
                let last = country.log_tail(service);
                show.line(&format!("\n{name} ended by itself ({status}). Its last lines:\n{last}"));
                if !restarts.may_start(&name, Instant::now()) {
                    bail!(
                        "{name} ended {} times within {} s; its log is {}",
                        RESTARTS_MAX + 1,
                        RESTARTS_WITHIN.as_secs(),
                        country.layout().log(service).display()
                    );
                }
                country.start_service(service)?;
                show.line(&format!("{name} is started again."));
            }
        }
    }
}

/// When each service was started again.
#[derive(Default)]
struct Restarts(Vec<(String, Instant)>);

impl Restarts {
    /// Whether a service that has just ended may be started again; if so, it counts as started.
    fn may_start(&mut self, name: &str, now: Instant) -> bool {
        self.0.retain(|(_, at)| now.duration_since(*at) < RESTARTS_WITHIN);
        let recent = self.0.iter().filter(|(known, _)| known == name).count();
        let may = recent < RESTARTS_MAX;
        if may {
            self.0.push((name.to_owned(), now));
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_keeps_ending_is_given_up_and_the_others_are_not() {
        let (mut restarts, start) = (Restarts::default(), Instant::now());
        for _ in 0..RESTARTS_MAX {
            assert!(restarts.may_start("mz gateway", start));
        }
        assert!(!restarts.may_start("mz gateway", start + RESTARTS_WITHIN / 2));
        assert!(restarts.may_start("tz gateway", start));
        assert!(restarts.may_start("mz gateway", start + RESTARTS_WITHIN), "a minute later it may");
    }
}
