//! What the system says of a process.

use std::fs;

use crate::Failure;

/// Clock ticks a second, as Linux counts them for programs.
const TICKS: f64 = 100.0;

/// CPU seconds of a process, all its threads and ended children.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name stands in brackets and may hold anything; the numbers begin behind it.
    let (_, numbers) = stat.rsplit_once(") ").ok_or("the process has no stat")?;
    let ticks = numbers.split(' ').skip(11).take(4).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS)
}

/// A line of `/proc/PID/status` in MiB.
pub(crate) fn memory_mib(pid: u32, line: &str) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let found = status.lines().find_map(|known| known.strip_prefix(line)).ok_or("the process has no status")?;
    let kib: f64 = found.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
