//! Starts frontdesk-ingress.

use frontdesk_core::config::IngressConfig;

fn main() -> std::process::ExitCode {
    frontdesk_core::process::run(
        |config: &IngressConfig| &config.log,
        async |config, shutdown| frontdesk_ingress::serve(config, shutdown).await?.stopped().await,
    )
}
