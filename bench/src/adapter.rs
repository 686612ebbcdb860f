//! A load generator that is a program of its own, because its network's libraries are none of ours.
//!
//! It says [`BEGINS`] and [`ENDS`] on lines of their own when the measured time begins and ends, then the
//! [`LoadReport`] in one line of JSON.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::load::{Observer, Span};
use crate::measure::LoadReport;
use crate::scenario::Scenario;
use crate::server::Cores;

const BEGINS: &str = "begins";
const ENDS: &str = "ends";

/// Lets `program` put `scenario` on `target` and tells `observer` of its moments. The program ends with the future.
///
/// # Errors
/// If it can't be started, or ends without a report.
pub async fn run(
    program: &Path,
    target: SocketAddr,
    scenario: &Scenario,
    span: Span,
    cores: Cores,
    observer: &mut impl Observer,
) -> io::Result<LoadReport> {
    let mut child = Command::new("taskset")
        .args(["-c", cores.list()])
        .arg(program)
        .arg(target.to_string())
        .arg(format!("--scenario={}", scenario.name))
        .arg(format!("--warm-up={}", span.warm_up.as_secs_f64()))
        .arg(format!("--seconds={}", span.measured.as_secs_f64()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        match line.as_str() {
            BEGINS => observer.begins(),
            ENDS => observer.ends(),
            report => return Ok(serde_json::from_str(report)?),
        }
    }
    Err(io::Error::other(format!(
        "{} has ended without a report",
        program.display()
    )))
}

/// The other end: tells the moments to whoever started this program.
pub struct Announcer;

impl Observer for Announcer {
    fn begins(&mut self) {
        say(BEGINS);
    }

    fn ends(&mut self) {
        say(ENDS);
    }
}

/// Gives the report to whoever started this program.
///
/// # Errors
/// If it can't be written as JSON.
pub fn report(report: &LoadReport) -> serde_json::Result<()> {
    say(&serde_json::to_string(report)?);
    Ok(())
}

fn say(line: &str) {
    // Who does not listen any more has stopped the run.
    let _ = writeln!(io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::scenario::TEN;

    struct Heard(Vec<&'static str>);

    impl Observer for Heard {
        fn begins(&mut self) {
            self.0.push(BEGINS);
        }

        fn ends(&mut self) {
            self.0.push(ENDS);
        }
    }

    async fn run_script(name: &str, text: &str) -> (io::Result<LoadReport>, Vec<&'static str>) {
        let path: PathBuf =
            std::env::temp_dir().join(format!("bench-{name}-{}", std::process::id()));
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let span = Span {
            warm_up: Duration::from_secs(1),
            measured: Duration::from_millis(2_500),
        };
        let target = ([127, 0, 0, 1], 4443).into();
        let mut heard = Heard(Vec::new());
        let report = run(&path, target, &TEN, span, Cores::Both, &mut heard).await;
        fs::remove_file(path).unwrap();
        (report, heard.0)
    }

    #[tokio::test]
    async fn a_report_comes_after_the_moments() {
        let report = serde_json::to_string(&LoadReport {
            sent: 7,
            ..LoadReport::default()
        });
        let script = format!(
            "[ \"$*\" = '127.0.0.1:4443 --scenario=ten --warm-up=1 --seconds=2.5' ] || exit 1\n\
             echo begins; echo ends; echo '{}'",
            report.unwrap()
        );
        let (report, heard) = run_script("adapter", &script).await;
        assert_eq!(report.unwrap().sent, 7);
        assert_eq!(heard, [BEGINS, ENDS]);
    }

    #[tokio::test]
    async fn a_program_that_fails_is_an_error() {
        let (report, heard) = run_script("failure", "echo begins").await;
        assert!(report.is_err());
        assert_eq!(heard, [BEGINS]);
    }
}
