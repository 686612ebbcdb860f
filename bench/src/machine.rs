//! Where and of what a run is made.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::measure::Machine;

/// What can be told of this machine and the checkout in the working folder.
#[must_use]
pub fn facts() -> Machine {
    // The results of earlier runs do not change what is measured.
    let changes = [
        "status",
        "--porcelain",
        "--",
        ".",
        ":!bench/results",
        ":!PERFORMANCE.md",
    ];
    let dirty = output("git", &changes).is_none_or(|files| !files.is_empty());
    let commit = output("git", &["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".into());
    Machine {
        commit: if dirty { commit + "-dirty" } else { commit },
        kernel: output("uname", &["-r"]).unwrap_or_default(),
        cpu: model(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
        cores: available_parallelism().map_or(0, |cores| u32::try_from(cores.get()).unwrap_or(0)),
        rustc: output("rustc", &["--version"]).unwrap_or_default(),
        unix_time: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
    }
}

/// The first `model name` of `/proc/cpuinfo`.
fn model(cpuinfo: &str) -> String {
    cpuinfo
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == "model name")
        .map_or_else(String::new, |(_, model)| model.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_has_a_name() {
        assert_eq!(
            model("processor\t: 0\nmodel name\t: Some CPU: 2 GHz\nflags: x"),
            "Some CPU: 2 GHz"
        );
        assert_eq!(model("processor: 0"), "");
    }
}
