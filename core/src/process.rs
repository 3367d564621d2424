//! How every process starts and stops: settings read whole, logs on, then work until it is told to stop, then drained.

use std::fmt::Display;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, LogConfig};
use crate::telemetry;

/// Runs a process from its command line to its exit code. SIGTERM and SIGINT cancel the token; `work` drains and returns. Bad settings end it with
/// code 2 and every problem by name, a failure with code 1.
pub fn run<C, F, Fut, E>(log: impl FnOnce(&C) -> &LogConfig, work: F) -> ExitCode
where
    C: Config,
    F: FnOnce(C, CancellationToken) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Display,
{
    let name = C::PROCESS.binary();
    let config = match C::from_command_line() {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{name}: {problems}");
            return ExitCode::from(2);
        }
    };
    let telemetry = telemetry::start(name, log(&config));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(name, &error),
    };
    let ended = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        if let Err(error) = cancel_on_signal(shutdown.clone()) {
            return Some(failed(name, &error));
        }
        work(config, shutdown).await.err().map(|error| failed(name, &format_args!("{error:#}")))
    });
    telemetry.flush();
    ended.unwrap_or(ExitCode::SUCCESS)
}

fn failed(name: &str, cause: &dyn Display) -> ExitCode {
    tracing::error!(%cause, "{name} cannot run");
    ExitCode::FAILURE
}

fn cancel_on_signal(shutdown: CancellationToken) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop; draining");
        shutdown.cancel();
    });
    Ok(())
}
