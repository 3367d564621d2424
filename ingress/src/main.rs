//! Starts frontdesk-ingress.

use std::process::ExitCode;

use frontdesk_core::config::{Config, IngressConfig};
use frontdesk_core::telemetry;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let config = match IngressConfig::from_command_line() {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("frontdesk-ingress: {problems}");
            return ExitCode::from(2);
        }
    };
    telemetry::logs(&config.log);
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(cause = format!("{error:#}"), "the ingress cannot run");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(config: IngressConfig) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("draining");
            shutdown.cancel();
        }
    });
    frontdesk_ingress::serve(config, shutdown).await?.stopped().await
}
