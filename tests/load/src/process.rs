//! Reads what processes use from /proc (proc(5)).

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// Clock ticks per second in /proc: `USER_HZ`, 100 on every Linux that Rust's standard library runs on.
const TICKS_PER_S: f64 = 100.0;

/// User and system time that a process has used, without the children that it has waited for.
///
/// # Errors
/// When there is no such process.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    // The second field is a name in parentheses and may contain spaces; `utime` is the 14th, `stime` the 15th.
    let (_, rest) = text.rsplit_once(')').context("a process has a name")?;
    let ticks: f64 =
        rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks / TICKS_PER_S))
}

/// The largest resident memory that the process ever had, in MiB.
///
/// # Errors
/// When there is no such process.
pub(crate) fn peak_rss_mib(pid: u32) -> Result<f64> {
    memory_mib(pid, "VmHWM:")
}

/// The resident memory that the process has now, in MiB.
///
/// # Errors
/// When there is no such process.
pub(crate) fn rss_mib(pid: u32) -> Result<f64> {
    memory_mib(pid, "VmRSS:")
}

fn memory_mib(pid: u32, field: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)).context("a process has memory")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().context("memory in kB")?;
    Ok(kib / 1024.0)
}

/// Time that all processors together have been busy, with any program.
///
/// # Errors
/// When /proc is missing.
pub(crate) fn machine() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat").context("reading /proc/stat")?;
    let fields = text.lines().next().context("a line for all processors")?.split_whitespace().skip(1);
    let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq: all but idle and iowait, in which nothing runs.
    let busy = ticks.iter().take(7).sum::<f64>() - ticks.iter().skip(3).take(2).sum::<f64>();
    Ok(Duration::from_secs_f64(busy / TICKS_PER_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_uses_is_seen() {
        let own = std::process::id();
        let (before, machine_before) = (cpu(own).expect("time"), machine().expect("time"));
        let mut spun = 0_u64;
        while cpu(own).expect("time") < before + Duration::from_millis(50) {
            spun = spun.wrapping_add(1);
        }
        assert!(machine().expect("time") >= machine_before + Duration::from_millis(30), "{spun}");
        assert!(peak_rss_mib(own).expect("memory") > 1.0);
    }
}
