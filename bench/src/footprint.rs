//! Memory and processor time of processes, read from `/proc`; elsewhere there are no such figures.

use std::time::{Duration, Instant};

/// `USER_HZ`: what Linux counts processor time in, on every architecture it runs on today.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process takes.
#[derive(Debug, Clone)]
pub(crate) struct Footprint {
    /// Its name.
    pub(crate) name: String,
    /// Processes counted: a server with its children.
    pub(crate) processes: usize,
    /// Resident memory, MiB; of several processes their proportional shares, as far as the kernel tells them.
    pub(crate) memory_mib: f64,
    /// Processor time while idle, in percent of one core.
    pub(crate) idle_percent: f64,
}

/// Measures all of `roots` (name, process id) over `time`.
pub(crate) async fn measure(roots: &[(String, u32)], time: Duration) -> Vec<Footprint> {
    let families: Vec<Vec<u32>> = roots.iter().map(|(_, pid)| family(*pid)).collect();
    let ticks = |family: &Vec<u32>| family.iter().filter_map(|pid| cpu_ticks(*pid)).sum::<u64>();
    let before: Vec<u64> = families.iter().map(ticks).collect();
    let begun = Instant::now();
    tokio::time::sleep(time).await;
    let elapsed = begun.elapsed().as_secs_f64();
    let measured = roots.iter().zip(&families).zip(before);
    measured
        .filter(|((_, family), _)| family.iter().any(|pid| cpu_ticks(*pid).is_some()))
        .map(|(((name, _), family), before)| Footprint {
            name: name.clone(),
            processes: family.len(),
            memory_mib: memory_kib(family) as f64 / 1024.0,
            idle_percent: ticks(family).saturating_sub(before) as f64 / TICKS_PER_SECOND / elapsed * 100.0,
        })
        .collect()
}

/// Processor time that each of `roots` has taken so far, with its children that still run, in ms.
pub(crate) fn processor_ms(roots: &[(String, u32)]) -> Vec<f64> {
    let ticks = |pid: u32| family(pid).into_iter().filter_map(cpu_ticks).sum::<u64>();
    roots.iter().map(|(_, pid)| ticks(*pid) as f64 * 1_000.0 / TICKS_PER_SECOND).collect()
}

/// A process and its children.
fn family(root: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut family = vec![root];
    family.extend(pids.filter(|pid| *pid != root && parent(*pid) == Some(root)));
    family
}

/// The fields of `/proc/<pid>/stat` after the program's name, which may hold anything.
fn stat(pid: u32) -> Option<Vec<u64>> {
    fields(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn fields(stat: &str) -> Option<Vec<u64>> {
    let (_, rest) = stat.rsplit_once(')')?;
    // The first one is the state, a letter; some later ones are negative.
    Some(rest.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0)).collect())
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.first().and_then(|pid| u32::try_from(*pid).ok())
}

/// `utime` and `stime`, fields 14 and 15.
fn cpu_ticks(pid: u32) -> Option<u64> {
    let fields = stat(pid)?;
    Some(fields.get(10)? + fields.get(11)?)
}

fn memory_kib(family: &[u32]) -> u64 {
    let of = |pid: &u32, file: &str, key: &str| kib(&std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?, key);
    let resident = |pid: &u32| of(pid, "status", "VmRSS:");
    match family {
        [alone] => resident(alone).unwrap_or(0),
        many => many.iter().filter_map(|pid| of(pid, "smaps_rollup", "Pss:").or_else(|| resident(pid))).sum(),
    }
}

fn kib(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name_whatever_it_holds() {
        let stat = "42 (a) b) S 7 42 42 0 -1 4194304 1 2 3 4 150 25 0 0 20 0";
        let fields = fields(stat).unwrap();
        assert_eq!((fields[0], fields[10], fields[11]), (7, 150, 25));
    }

    #[test]
    fn kibibytes_are_found_by_their_key() {
        assert_eq!(kib("Name:\tx\nVmRSS:\t   5120 kB\n", "VmRSS:"), Some(5120));
        assert_eq!(kib("Name:\tx\n", "VmRSS:"), None);
    }
}
