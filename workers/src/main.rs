//! Starts frontdesk-worker.

fn main() -> std::process::ExitCode {
    frontdesk_core::process::run(|config: &frontdesk_core::config::WorkerConfig| &config.log, frontdesk_workers::run)
}
