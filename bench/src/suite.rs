//! Runs a plan: one block after the other, and the bad ones again.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::timeout;

use crate::adapter;
use crate::load::{self, Observer, Span, Target};
use crate::measure::{Block, LoadReport, Run, Usage};
use crate::plan::{Group, Part, Ramp, Subject};
use crate::procfs::{self, MachineTime, Used};
use crate::render;
use crate::server::{Cores, Kind, Programs, Server, ServerError, pin_this_process};
use crate::stats::{failures, holds, validity};

/// How often an invalid block is run again before its place stays empty.
const REPEATS: u32 = 1;
/// How much longer than planned a block may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a run can't go on.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// No server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The generator could not work.
    #[error("{0}: {1}")]
    Load(String, io::Error),
    /// The generator does not end.
    #[error("{0} does not end")]
    Stuck(String),
    /// Results can't be kept.
    #[error("keep results in {0}: {1}")]
    Results(PathBuf, io::Error),
}

/// Measures one block.
pub trait Runner {
    /// Puts the subject's load on a fresh server.
    fn block(
        &mut self,
        subject: &Subject,
        span: Span,
        pinned: bool,
    ) -> impl Future<Output = Result<Block, SuiteError>>;
}

/// Runs `plan`. `keep` is called with all blocks until now after each part, and `tell` with a line for people.
///
/// # Errors
/// [`SuiteError`] if our own servers or the generator do not work; a foreign one that doesn't is left out.
pub async fn run(
    plan: &[Part],
    runner: &mut impl Runner,
    mut keep: impl FnMut(&[Block]) -> Result<(), SuiteError>,
    tell: impl Fn(String),
) -> Result<(), SuiteError> {
    let mut progress = Progress {
        runner,
        blocks: Vec::new(),
        tell,
    };
    for (number, part) in plan.iter().enumerate() {
        (progress.tell)(format!("part {} of {}", number + 1, plan.len()));
        match part {
            Part::Group(group) => progress.group(group).await?,
            Part::Ramp(ramp) => progress.ramp(ramp).await?,
        }
        keep(&progress.blocks)?;
    }
    Ok(())
}

struct Progress<'a, R, T> {
    runner: &'a mut R,
    blocks: Vec<Block>,
    tell: T,
}

impl<R: Runner, T: Fn(String)> Progress<'_, R, T> {
    async fn group(&mut self, group: &Group) -> Result<(), SuiteError> {
        for subject in group.blocks() {
            self.valid_block(subject, group.span, group.pinned).await?;
        }
        Ok(())
    }

    /// The last step that the server keeps up with. Missing one twice ends the search: once may be the machine's fault.
    async fn ramp(&mut self, ramp: &Ramp) -> Result<(), SuiteError> {
        let mut capacity = None;
        'steps: for receivers in ramp.steps {
            let subject = ramp.step(*receivers);
            for _ in 0..2 {
                let Some(block) = self.one_block(&subject, ramp.span(), false).await? else {
                    break 'steps;
                };
                let kept_up = holds(&block);
                self.blocks.push(block);
                if kept_up {
                    capacity = Some(*receivers);
                    continue 'steps;
                }
            }
            break;
        }
        if let Some(capacity) = capacity.filter(|_| ramp.around) {
            for group in ramp.around(capacity) {
                self.group(&group).await?;
            }
        }
        Ok(())
    }

    async fn valid_block(
        &mut self,
        subject: &Subject,
        span: Span,
        pinned: bool,
    ) -> Result<(), SuiteError> {
        let mut attempts = 0;
        while let Some(block) = self.one_block(subject, span, pinned).await? {
            match validity(&block) {
                // An error is never measured away by running again, and that another server can't keep up is a result.
                Err(invalid)
                    if failures(&block) == 0
                        && !subject.kind.is_foreign()
                        && attempts < REPEATS =>
                {
                    (self.tell)(format!("  again: {invalid}"));
                    attempts += 1;
                }
                _ => {
                    self.blocks.push(block);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Nothing if a foreign server does not work.
    async fn one_block(
        &mut self,
        subject: &Subject,
        span: Span,
        pinned: bool,
    ) -> Result<Option<Block>, SuiteError> {
        match self.runner.block(subject, span, pinned).await {
            Ok(mut block) => {
                block.order = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
                (self.tell)(render::line(&block));
                Ok(Some(block))
            }
            Err(error) if subject.kind.is_foreign() => {
                (self.tell)(format!("  {} is left out: {error}", subject.kind.name()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Measures servers on this machine.
pub struct Loopback {
    /// What there is to start.
    pub programs: Programs,
}

impl Runner for Loopback {
    async fn block(
        &mut self,
        subject: &Subject,
        span: Span,
        pinned: bool,
    ) -> Result<Block, SuiteError> {
        let (server_cores, own_cores) = if pinned {
            (Cores::Server, Cores::Generator)
        } else {
            (Cores::Both, Cores::Both)
        };
        pin_this_process(own_cores)?;
        let server = Server::start(
            subject.kind,
            subject.transport,
            &self.programs,
            server_cores,
        )
        .await?;
        let mut meter = Meter::new(server.groups());
        let name = || format!("{} {}", subject.kind.name(), subject.scenario.name);
        let limit = subject.scenario.ramp + span.warm_up + span.measured + PATIENCE;
        let load = timeout(
            limit,
            self.load(&server, subject, span, own_cores, &mut meter),
        )
        .await
        .map_err(|_| SuiteError::Stuck(name()))?
        .map_err(|error| SuiteError::Load(name(), error))?;
        let (mut usage, steal) = meter.read();
        if matches!(subject.kind, Kind::Services(_)) {
            usage.ingress_bytes = server.counter("relay_bytes_received_total")?;
            usage.bus_bytes = server.counter("relay_bus_bytes_sent_total")?;
        }
        Ok(Block {
            scenario: subject.scenario.name.into(),
            server: subject.kind.name(),
            transport: subject.transport,
            framing: subject.framing,
            order: 0,
            pinned,
            load,
            usage,
            steal,
        })
    }
}

impl Loopback {
    async fn load(
        &self,
        server: &Server,
        subject: &Subject,
        span: Span,
        cores: Cores,
        meter: &mut Meter,
    ) -> io::Result<LoadReport> {
        let target = |address: &SocketAddr| Target {
            address: *address,
            transport: subject.transport,
            framing: subject.framing,
        };
        match (subject.kind, server.addresses.first()) {
            (Kind::Bus(processes), Some(nats)) => {
                load::bus::run(*nats, processes, &subject.scenario, span, meter).await
            }
            (Kind::Moq, Some(address)) => {
                let program = &self.programs.moq_load;
                adapter::run(program, *address, &subject.scenario, span, cores, meter).await
            }
            _ => {
                let targets: Vec<Target> = server.addresses.iter().map(target).collect();
                load::run(&targets, &subject.scenario, span, meter).await
            }
        }
    }
}

/// Reads what a server uses, at the moments that the generator tells.
struct Meter {
    groups: Vec<u32>,
    idle_bytes: u64,
    loaded_bytes: u64,
    before: (Used, MachineTime),
    after: (Used, MachineTime),
}

impl Meter {
    fn new(groups: Vec<u32>) -> Self {
        Self {
            idle_bytes: procfs::pss(&groups),
            loaded_bytes: 0,
            groups,
            before: Default::default(),
            after: Default::default(),
        }
    }

    fn now(&self) -> (Used, MachineTime) {
        (procfs::used(&self.groups), procfs::machine_time())
    }

    /// What was used between the two moments, and the share of the machine's time that was taken away.
    fn read(self) -> (Usage, f64) {
        let ((used, time), (used_before, time_before)) = (self.after, self.before);
        let usage = Usage {
            cpu_seconds: used.cpu_seconds - used_before.cpu_seconds,
            broker_cpu_seconds: used.broker_cpu_seconds - used_before.broker_cpu_seconds,
            context_switches: used
                .context_switches
                .saturating_sub(used_before.context_switches),
            idle_bytes: self.idle_bytes,
            loaded_bytes: self.loaded_bytes,
            ingress_bytes: 0,
            bus_bytes: 0,
        };
        (usage, time.stolen_since(time_before))
    }
}

impl Observer for Meter {
    fn begins(&mut self) {
        self.before = self.now();
    }

    fn ends(&mut self) {
        self.after = self.now();
        self.loaded_bytes = procfs::pss(&self.groups);
    }
}

/// Keeps `run`, one block a line so that a new run changes few lines of the file's history.
///
/// # Errors
/// [`SuiteError::Results`] if the file can't be written.
pub fn save(path: &Path, run: &Run) -> Result<(), SuiteError> {
    let lines = || -> Result<String, serde_json::Error> {
        let machine = serde_json::to_string(&run.machine)?;
        let blocks: Result<Vec<String>, _> = run.blocks.iter().map(serde_json::to_string).collect();
        Ok(format!(
            "{{\"machine\":{machine},\n\"blocks\":[\n{}\n]}}\n",
            blocks?.join(",\n")
        ))
    };
    let write = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, lines()?)
    };
    write().map_err(|error| SuiteError::Results(path.to_owned(), error))
}

/// Reads what [`save`] has written.
///
/// # Errors
/// [`SuiteError::Results`] if it isn't there, or is something else.
pub fn read(path: &Path) -> Result<Run, SuiteError> {
    let parse = || -> io::Result<Run> { Ok(serde_json::from_str(&fs::read_to_string(path)?)?) };
    parse().map_err(|error| SuiteError::Results(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::measure::{Framing, Transport};
    use crate::plan;
    use crate::scenario::TEN;
    use crate::testing;

    /// Answers with what a function makes of the number of blocks until now and the receivers.
    struct Fake<F>(Vec<Subject>, F);

    impl<F: Fn(usize, usize, &mut Block) -> io::Result<()>> Runner for Fake<F> {
        async fn block(
            &mut self,
            subject: &Subject,
            _: Span,
            pinned: bool,
        ) -> Result<Block, SuiteError> {
            let mut block = testing::block(subject.scenario.name, &subject.kind.name());
            block.pinned = pinned;
            let number = self.0.len();
            self.0.push(subject.clone());
            (self.1)(number, subject.scenario.listeners, &mut block)
                .map_err(|error| SuiteError::Load("fake".into(), error))?;
            Ok(block)
        }
    }

    async fn blocks(
        plan: impl AsRef<[Part]>,
        change: impl Fn(usize, usize, &mut Block) -> io::Result<()>,
    ) -> Result<Vec<Block>, SuiteError> {
        let kept = RefCell::new(Vec::new());
        let keep = |blocks: &[Block]| {
            *kept.borrow_mut() = blocks.to_vec();
            Ok(())
        };
        run(plan.as_ref(), &mut Fake(Vec::new(), change), keep, |_| ()).await?;
        Ok(kept.into_inner())
    }

    fn pair(other: Kind) -> Part {
        let subject = |kind| Subject {
            kind,
            transport: Transport::WebSocket,
            framing: Framing::Native,
            scenario: TEN,
        };
        Part::Group(Group {
            subjects: vec![subject(Kind::Relay), subject(other)],
            cycles: 1,
            span: Span {
                warm_up: Duration::ZERO,
                measured: Duration::ZERO,
            },
            pinned: true,
        })
    }

    fn servers(blocks: &[Block]) -> Vec<&str> {
        blocks.iter().map(|block| block.server.as_str()).collect()
    }

    #[tokio::test]
    async fn blocks_are_kept_in_order() {
        let blocks = blocks([pair(Kind::Floor)], |_, _, _| Ok(())).await.unwrap();
        assert_eq!(servers(&blocks), ["relay", "floor", "floor", "relay"]);
        let orders: Vec<u32> = blocks.iter().map(|block| block.order).collect();
        assert_eq!(orders, [0, 1, 2, 3]);
    }

    #[tokio::test]
    async fn an_invalid_block_is_run_again_a_few_times() {
        let once = blocks([pair(Kind::Floor)], |number, _, block| {
            block.steal = if number == 1 { 0.5 } else { 0.0 };
            Ok(())
        });
        let blocks_once = once.await.unwrap();
        assert_eq!(blocks_once.len(), 4);
        assert!(blocks_once.iter().all(|block| block.steal == 0.0));

        let always = blocks([pair(Kind::Floor)], |number, _, block| {
            block.steal = 0.5;
            assert!(number < 4 * 2);
            Ok(())
        });
        assert_eq!(always.await.unwrap().len(), 4);
    }

    #[tokio::test]
    async fn an_error_is_kept_even_in_an_invalid_block() {
        let blocks = blocks([pair(Kind::Floor)], |number, _, block| {
            if number == 0 {
                block.steal = 0.5;
                block.load.errors.corrupt = 1;
            }
            Ok(())
        });
        let blocks = blocks.await.unwrap();
        assert_eq!((blocks.len(), failures(&blocks[0])), (4, 1));
    }

    #[tokio::test]
    async fn a_foreign_server_that_does_not_work_is_left_out() {
        let fails = |odd: fn(&Block) -> bool| {
            move |_: usize, _: usize, block: &mut Block| {
                if odd(block) {
                    Err(io::ErrorKind::NotConnected.into())
                } else {
                    Ok(())
                }
            }
        };
        let found = blocks([pair(Kind::Peer)], fails(|block| block.server == "peer")).await;
        assert_eq!(servers(&found.unwrap()), ["relay", "relay"]);
        let found = blocks([pair(Kind::Moq)], fails(|block| block.server == "moq")).await;
        assert_eq!(servers(&found.unwrap()), ["relay", "relay"]);
        let found = blocks([pair(Kind::Peer)], fails(|block| block.server == "relay")).await;
        assert!(matches!(found, Err(SuiteError::Load(..))));
    }

    fn ramp() -> [Part; 1] {
        [Part::Ramp(Ramp {
            kind: Kind::Relay,
            transport: Transport::WebSocket,
            framing: Framing::Native,
            steps: &[100, 200, 300, 400],
            around: true,
        })]
    }

    #[tokio::test]
    async fn the_ramp_ends_where_a_step_is_missed_twice() {
        // 200 is missed once, 300 for good.
        let blocks = blocks(ramp(), |number, receivers, block| {
            block.load.connections = receivers as u64 + 1;
            if number == 1 || (receivers >= 300 && block.scenario == "capacity") {
                block.load.errors.closed = 1;
            }
            Ok(())
        });
        let blocks = blocks.await.unwrap();
        let steps: Vec<(&str, &str, u64)> = blocks
            .iter()
            .map(|block| {
                let receivers = block.load.connections - 1;
                (block.scenario.as_str(), block.server.as_str(), receivers)
            })
            .collect();
        assert_eq!(
            steps,
            [
                ("capacity", "relay", 100),
                ("capacity", "relay", 200),
                ("capacity", "relay", 200),
                ("capacity", "relay", 300),
                ("capacity", "relay", 300),
                ("half", "relay", 100),
                ("half", "floor", 100),
                ("half", "floor", 100),
                ("half", "relay", 100),
                ("overload", "relay", 300),
                ("overload", "relay", 300),
            ]
        );
    }

    #[test]
    fn results_are_read_as_they_were_kept() {
        let folder = std::env::temp_dir().join(format!("bench-{}", std::process::id()));
        let path = folder.join("quick.json");
        let run = Run {
            machine: crate::machine::facts(),
            blocks: vec![
                testing::block("ten", "relay"),
                testing::block("ten", "floor"),
            ],
        };
        save(&path, &run).unwrap();
        assert_eq!(read(&path).unwrap(), run);
        fs::remove_dir_all(folder).unwrap();
        assert!(read(&path).is_err());
    }

    #[test]
    fn every_plan_is_told_apart_by_names() {
        for part in plan::full(|_| true) {
            if let Part::Group(group) = part {
                let mut names: Vec<String> = group
                    .subjects
                    .iter()
                    .map(|subject| {
                        format!(
                            "{} {} {:?}",
                            subject.kind.name(),
                            subject.scenario.name,
                            subject.framing
                        )
                    })
                    .collect();
                names.sort();
                let all = names.len();
                names.dedup();
                assert_eq!(names.len(), all);
            }
        }
    }
}
