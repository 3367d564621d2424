//! The processes under measurement: started, awaited, stopped.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

/// How long a process may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a process may drain. The product's own limit is 25 s.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);

/// How to start a process.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// What it is called in the table; its log is `<name>.log`.
    pub(crate) name: &'static str,
    /// The binary, beside our own.
    pub(crate) binary: &'static str,
    /// Beyond the settings that our own environment holds.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Arguments.
    pub(crate) arguments: Vec<String>,
    /// Answers 200 once the process is ready.
    pub(crate) ready: String,
}

struct Running {
    program: Program,
    child: Child,
}

/// What runs. Dropped, it kills; `stop_all` lets everything drain.
pub(crate) struct Stack {
    programs: PathBuf,
    logs: PathBuf,
    http: reqwest::Client,
    running: Vec<Running>,
}

impl Stack {
    /// `programs` is where the binaries are, `logs` where the logs go.
    pub(crate) fn new(programs: PathBuf, logs: PathBuf, http: reqwest::Client) -> Self {
        Self { programs, logs, http, running: Vec::new() }
    }

    /// Starts a process and waits until it is ready.
    #[expect(clippy::disallowed_methods, reason = "the benchmark starts what it measures")]
    pub(crate) async fn start(&mut self, program: &Program) -> anyhow::Result<()> {
        let log = self.logs.join(format!("{}.log", program.name));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).with_context(|| log.display().to_string())?;
        let child = Command::new(self.programs.join(program.binary))
            .args(&program.arguments)
            .envs(program.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.binary))?;
        self.running.push(Running { program: program.clone(), child });
        self.ready(program).await.with_context(|| format!("{}: see {}", program.name, log.display()))
    }

    async fn ready(&mut self, program: &Program) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < READY_WITHIN {
            if self.http.get(&program.ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            let exited = self.running.last_mut().map(|running| running.child.try_wait()).transpose()?.flatten();
            if let Some(status) = exited {
                bail!("ended at its start ({status})");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("not ready after a minute")
    }

    /// Asks the named processes to end, all at once, and waits until they have.
    pub(crate) async fn stop(&mut self, names: &[&str]) {
        let (mut stopping, staying): (Vec<_>, Vec<_>) = self.running.drain(..).partition(|running| names.contains(&running.program.name));
        self.running = staying;
        for running in &stopping {
            terminate(&running.child).await;
        }
        for running in &mut stopping {
            if tokio::time::timeout(STOPPED_WITHIN, running.child.wait()).await.is_err() {
                eprintln!("    {} did not drain in time and is killed", running.program.name);
                // It has ended already, then.
                let _ = running.child.kill().await;
            }
        }
    }

    /// Stops everything, the latest first in line.
    pub(crate) async fn stop_all(&mut self) {
        let names: Vec<&str> = self.running.iter().rev().map(|running| running.program.name).collect();
        self.stop(&names).await;
    }

    /// What runs now, with its process id.
    pub(crate) fn processes(&self) -> Vec<(&'static str, u32)> {
        self.running.iter().filter_map(|running| Some((running.program.name, running.child.id()?))).collect()
    }
}

/// SIGTERM; tokio itself can only kill.
#[expect(clippy::disallowed_methods, reason = "the benchmark stops what it started")]
async fn terminate(child: &Child) {
    if let Some(pid) = child.id() {
        let asked = Command::new("kill").arg("-TERM").arg(pid.to_string()).stderr(Stdio::null()).status().await;
        if let Err(error) = asked {
            eprintln!("    cannot run kill: {error}");
        }
    }
}

/// A port that is free now.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
