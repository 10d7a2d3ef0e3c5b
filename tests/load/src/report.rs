//! The figures of a run, and functions to summarise them.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use crate::machine::MachineFacts;

/// The last line of the output. Figures that were not asked for are `null`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LoadReport {
    pub(crate) raw_per_s: Option<f64>,
    pub(crate) full_per_s: Option<f64>,
    pub(crate) ratio: Option<f64>,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p95_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) cpu_us_per_message: Option<f64>,
    pub(crate) rss_mib: BTreeMap<String, f64>,
    pub(crate) line_bytes_per_message: Option<f64>,
    pub(crate) line_bytes_per_receipt: Option<f64>,
    pub(crate) mean_bundle: Option<f64>,
    pub(crate) clean: bool,
    /// The processors that other programs kept busy in the worst round.
    pub(crate) other_load: f64,
    pub(crate) messages_per_s: Option<f64>,
    pub(crate) raw_rounds: Vec<f64>,
    pub(crate) full_rounds: Vec<f64>,
    pub(crate) broker_cpu_us_per_message: Option<f64>,
    pub(crate) client_cpu_us_per_message: Option<f64>,
    pub(crate) raw_broker_cpu_us_per_message: Option<f64>,
    pub(crate) raw_client_cpu_us_per_message: Option<f64>,
    pub(crate) mean_receipt: Option<f64>,
    /// 99 of 100 releases were answered within this time, from the moment at which they should have been posted.
    pub(crate) accepted_p99_ms: Option<f64>,
    pub(crate) bundle_bytes: usize,
    pub(crate) duplicates: f64,
    pub(crate) machine: MachineFacts,
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&line)
    }
}

/// The middle figure, or the mean of the two in the middle.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (count, middle) if count % 2 == 1 => sorted[middle],
        (_, middle) => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The smallest time that `percent` percent of `times` do not exceed, in milliseconds.
pub(crate) fn percentile_ms(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0.0, |time| rounded(time.as_secs_f64() * 1000.0))
}

/// Rounds to as many digits as are significant.
pub(crate) fn rounded(figure: f64) -> f64 {
    if figure < 10.0 { (figure * 1000.0).round() / 1000.0 } else { (figure * 10.0).round() / 10.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends() {
        assert_eq!(median(&[3.0, 1.0, 2.0]).to_string(), "2");
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]).to_string(), "2.5");
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile_ms(&times, 50).to_string(), "50");
        assert_eq!(percentile_ms(&times, 99).to_string(), "99");
        assert_eq!(percentile_ms(&times[..1], 99).to_string(), "1");
    }
}
