//! Starts frontdesk-scheduler.

use frontdesk_core::config::SchedulerConfig;
use frontdesk_core::telemetry;

fn main() -> std::process::ExitCode {
    frontdesk_core::process::run(
        |config: &SchedulerConfig| &config.log,
        async |config, shutdown| {
            if let Some(address) = config.metrics_addr {
                telemetry::serve_metrics(address, shutdown.clone()).await?;
            }
            frontdesk_scheduler::run(config, shutdown).await
        },
    )
}
