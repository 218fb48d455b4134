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

/// CPU seconds of all processes named `postgres`, with their ended children: none where PostgreSQL runs elsewhere.
pub(crate) fn postgres_cpu_seconds() -> Result<f64, Failure> {
    let mut seconds = 0.0;
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        // A process may end while it is looked at; its time is its parent's then.
        if name.trim_end() == "postgres" {
            seconds += cpu_seconds(pid).unwrap_or_default();
        }
    }
    Ok(seconds)
}

/// Forgets the peak of a process's memory, so that the next peak is that of what comes.
pub(crate) fn forget_peak(pid: u32) -> Result<(), Failure> {
    Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

/// A line of `/proc/PID/status` in MiB.
pub(crate) fn memory_mib(pid: u32, line: &str) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let found = status.lines().find_map(|known| known.strip_prefix(line)).ok_or("the process has no status")?;
    let kib: f64 = found.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
