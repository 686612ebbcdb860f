//! What Linux tells of processes, see proc(5). The parsers are pure; what is missing or odd counts as nothing.

use std::fs;
use std::path::Path;

/// `USER_HZ`, the unit of CPU times in /proc, is 100 on every architecture that Rust and Linux share today.
const TICKS_PER_SECOND: f64 = 100.0;

/// A part of `/proc/<pid>/stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Name of the program, at most 15 characters.
    pub name: String,
    /// Process group.
    pub group: u32,
    /// User and system time of all threads, those that have ended included.
    pub ticks: u64,
}

/// Reads `/proc/<pid>/stat`. The name stands in parentheses and may hold any character, so the last one ends it.
#[must_use]
pub fn parse_process(stat: &str) -> Option<Process> {
    let (pid, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some(Process {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        group: u32::try_from(number(2)?).ok()?,
        ticks: number(11)? + number(12)?,
    })
}

/// Context switches, voluntary and not, of one thread's `status`.
#[must_use]
pub fn parse_context_switches(status: &str) -> u64 {
    status
        .lines()
        .filter_map(|line| line.split_once("voluntary_ctxt_switches:"))
        .filter_map(|(_, count)| count.trim().parse::<u64>().ok())
        .sum()
}

/// Bytes of `Pss` in `smaps_rollup`: private memory, and a share of what several processes map.
#[must_use]
pub fn parse_pss(smaps_rollup: &str) -> Option<u64> {
    let line = smaps_rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// CPU time of the whole machine, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MachineTime {
    /// All of it, idle time included.
    pub total: u64,
    /// Taken by the hypervisor, or idle because a disk was awaited.
    pub stolen: u64,
}

impl MachineTime {
    /// Share that was taken since `before`.
    #[must_use]
    pub fn stolen_since(self, before: Self) -> f64 {
        let total = self.total.saturating_sub(before.total).max(1);
        self.stolen.saturating_sub(before.stolen) as f64 / total as f64
    }
}

/// Reads the first line of `/proc/stat`.
#[must_use]
pub fn parse_machine_time(stat: &str) -> Option<MachineTime> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    // Of ten fields the last two, guests, are part of the first two.
    let times: Vec<u64> = fields
        .split_ascii_whitespace()
        .take(8)
        .map_while(|field| field.parse().ok())
        .collect();
    let (iowait, steal) = (times.get(4)?, times.get(7)?);
    Some(MachineTime {
        total: times.iter().sum(),
        stolen: iowait + steal,
    })
}

/// Whether `/proc/net/udp` or `udp6` has a socket on `port`. A server that has bound its port answers.
#[must_use]
pub fn has_udp_port(net_udp: &str, port: u16) -> bool {
    let suffix = format!(":{port:04X}");
    net_udp
        .lines()
        .skip(1)
        .filter_map(|line| line.split_ascii_whitespace().nth(1))
        .any(|local| local.ends_with(&suffix))
}

/// Whether somebody has bound this UDP port.
#[must_use]
pub fn udp_port_is_bound(port: u16) -> bool {
    ["/proc/net/udp", "/proc/net/udp6"]
        .into_iter()
        .any(|path| has_udp_port(&read(path), port))
}

/// The machine's CPU time until now.
#[must_use]
pub fn machine_time() -> MachineTime {
    parse_machine_time(&read("/proc/stat")).unwrap_or_default()
}

/// What the processes of some groups have used until now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    /// CPU seconds.
    pub cpu_seconds: f64,
    /// Those of `nats-server` among them.
    pub broker_cpu_seconds: f64,
    /// Context switches of all threads.
    pub context_switches: u64,
}

/// What the processes of `groups` have used until now.
#[must_use]
pub fn used(groups: &[u32]) -> Used {
    let mut used = Used::default();
    for process in processes(groups) {
        let seconds = process.ticks as f64 / TICKS_PER_SECOND;
        used.cpu_seconds += seconds;
        if process.name == "nats-server" {
            used.broker_cpu_seconds += seconds;
        }
        used.context_switches += entries(format!("/proc/{}/task", process.pid))
            .map(|task| parse_context_switches(&read(task.path().join("status"))))
            .sum::<u64>();
    }
    used
}

/// CPU seconds of this process until now.
#[must_use]
pub fn own_cpu_seconds() -> f64 {
    cpu_seconds(std::process::id())
}

/// CPU seconds of a process until now.
#[must_use]
pub fn cpu_seconds(process: u32) -> f64 {
    parse_process(&read(format!("/proc/{process}/stat")))
        .map_or(0.0, |process| process.ticks as f64 / TICKS_PER_SECOND)
}

/// Proportional set size of the processes of `groups`, in bytes.
#[must_use]
pub fn pss(groups: &[u32]) -> u64 {
    processes(groups)
        .into_iter()
        .filter_map(|process| parse_pss(&read(format!("/proc/{}/smaps_rollup", process.pid))))
        .sum()
}

/// A shell and what it starts share a group: brokers and children of a server count with it.
fn processes(groups: &[u32]) -> Vec<Process> {
    entries("/proc")
        .filter(|entry| {
            entry
                .file_name()
                .as_encoded_bytes()
                .first()
                .is_some_and(u8::is_ascii_digit)
        })
        .filter_map(|entry| parse_process(&read(entry.path().join("stat"))))
        .filter(|process| groups.contains(&process.group))
        .collect()
}

fn entries(folder: impl AsRef<Path>) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// A process may end at any time: then there is nothing to read.
fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_have_any_name() {
        let stat =
            "4242 (a) b (c) S 1 4200 4200 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 9 0 123 456 789";
        assert_eq!(
            parse_process(stat),
            Some(Process {
                pid: 4242,
                name: "a) b (c".into(),
                group: 4200,
                ticks: 200,
            })
        );
        for odd in [
            "",
            "1 (x",
            "1 (x) S 1 2",
            "x (x) S 1 2 3 4 5 6 7 8 9 10 11 12",
        ] {
            assert_eq!(parse_process(odd), None, "{odd}");
        }
    }

    #[test]
    fn context_switches_are_of_both_kinds() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(parse_context_switches(status), 157);
        assert_eq!(parse_context_switches(""), 0);
    }

    #[test]
    fn pss_is_in_bytes() {
        let rollup = "00400000-7fff rollup\nRss:    9000 kB\nPss:       2000 kB\nPss_Anon:  7 kB\n";
        assert_eq!(parse_pss(rollup), Some(2_048_000));
        assert_eq!(parse_pss("Rss: 1 kB"), None);
    }

    #[test]
    fn stolen_time_is_iowait_and_steal() {
        let before = parse_machine_time("cpu  10 0 20 100 5 1 1 3 0 0\ncpu0 1 1").unwrap();
        assert_eq!(
            before,
            MachineTime {
                total: 140,
                stolen: 8
            }
        );
        let after = parse_machine_time("cpu  60 0 20 130 10 1 1 18 0 0").unwrap();
        assert!((after.stolen_since(before) - 0.2).abs() < 1e-12);
        assert_eq!(parse_machine_time("cpu 1 2 3"), None);
    }

    #[test]
    fn a_bound_udp_port_is_found() {
        let table = "  sl  local_address rem_address   st\n   1: 0100007F:1151 00000000:0000 07\n";
        assert!(has_udp_port(table, 0x1151));
        assert!(!has_udp_port(table, 0x0151));
        assert!(!has_udp_port("", 0));
    }

    #[test]
    fn this_process_is_seen() {
        let me = parse_process(&read("/proc/self/stat")).unwrap();
        assert_eq!(me.pid, std::process::id());
        assert!(used(&[me.group]).context_switches > 0);
        assert!(pss(&[me.group]) > 0);
        assert!(machine_time().total > 0);
    }
}
