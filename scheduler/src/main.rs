//! Starts frontdesk-scheduler.

use std::process::ExitCode;

use frontdesk_core::config::{Config, SchedulerConfig};
use frontdesk_core::telemetry;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let config = match SchedulerConfig::from_command_line() {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("frontdesk-scheduler: {problems}");
            return ExitCode::from(2);
        }
    };
    telemetry::logs(&config.log);
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(cause = format!("{error:#}"), "the scheduler cannot run");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(config: SchedulerConfig) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping");
            shutdown.cancel();
        }
    });
    if let Some(address) = config.metrics_addr {
        telemetry::serve_metrics(address, shutdown.clone()).await?;
    }
    frontdesk_scheduler::run(config, shutdown).await
}
