//! What is measured and how much of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures Frontdesk in ratios, in one run. Started by `./dev bench`, which brings Postgres and Redis and sets the environment
#[derive(Parser, Debug)]
#[command(name = "load-bench", version)]
pub(crate) struct Args {
    /// Measure these alone
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Accept, Part::Latency, Part::Flood, Part::Footprint, Part::Summary])]
    pub(crate) only: Vec<Part>,
    /// Write the figures into this file, between its two marks
    #[arg(long, num_args = 0..=1, default_missing_value = "bench/README.md", value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,

    /// Accept: rounds of each side
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Accept: length of a round, ms
    #[arg(long, default_value_t = 2_000)]
    pub(crate) round_ms: u64,
    /// Accept: open connections, each with one request at a time
    #[arg(long, default_value_t = 64)]
    pub(crate) connections: usize,

    /// Latency: customers of a crowd, one message each
    #[arg(long, default_value_t = 100)]
    pub(crate) customers: usize,
    /// Latency: the time within which they arrive, ms
    #[arg(long, default_value_t = 1_000)]
    pub(crate) arrive_within_ms: u64,
    /// Latency: crowds while both models answer
    #[arg(long, default_value_t = 3)]
    pub(crate) crowds: usize,
    /// How long the sandbox's models take for a call, ms
    #[arg(long, default_value_t = 1_000)]
    pub(crate) model_ms: u64,
    /// Latency: how long neither model answers, ms
    #[arg(long, default_value_t = 6_000)]
    pub(crate) outage_ms: u64,

    /// Flood: messages
    #[arg(long, default_value_t = 3_000)]
    pub(crate) flood_messages: usize,
    /// Flood: who writes them
    #[arg(long, default_value_t = 1_000)]
    pub(crate) flood_customers: usize,
    /// Flood: the time within which they come, ms
    #[arg(long, default_value_t = 12_000)]
    pub(crate) flood_ms: u64,
    /// Flood: customers of the other shop, alone and again during the flood
    #[arg(long, default_value_t = 30)]
    pub(crate) calm_customers: usize,

    /// Footprint: how long idle processes are watched, ms
    #[arg(long, default_value_t = 10_000)]
    pub(crate) idle_ms: u64,
    /// Footprint: more processes, as name=pid
    #[arg(long, value_parser = name_and_pid)]
    pub(crate) watch: Vec<(String, u32)>,

    /// Redis at REDIS_URL belongs to this run alone: its data are thrown away after the first measurement
    #[arg(long, required = true)]
    pub(crate) discard_redis_data: bool,
    /// Where the processes' logs go
    #[arg(long, default_value = ".dev/bench/logs")]
    pub(crate) logs: PathBuf,

    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: String,
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub(crate) redis_url: String,
    /// Signs webhooks; of a list the first
    #[arg(long, env = "META_APP_SECRET", hide_env_values = true)]
    pub(crate) app_secret: String,
    #[arg(long, env = "INGRESS_PORT")]
    pub(crate) ingress_port: u16,
    #[arg(long, env = "SANDBOX_PORT")]
    pub(crate) sandbox_port: u16,
    #[arg(long, env = "INGRESS_METRICS_PORT")]
    pub(crate) ingress_metrics_port: u16,
    #[arg(long, env = "WORKER_1_METRICS_PORT")]
    pub(crate) worker_1_metrics_port: u16,
    #[arg(long, env = "WORKER_2_METRICS_PORT")]
    pub(crate) worker_2_metrics_port: u16,
    #[arg(long, env = "SCHEDULER_METRICS_PORT")]
    pub(crate) scheduler_metrics_port: u16,
}

/// A measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Webhooks accepted per second
    Accept,
    /// From the customer's message to the reply
    Latency,
    /// A flood from one shop
    Flood,
    /// Memory and idle processor time
    Footprint,
    /// A shop's figures over a thousand orders and over a million
    Summary,
}

impl Args {
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.contains(&part)
    }

    pub(crate) fn round(&self) -> Duration {
        Duration::from_millis(self.round_ms)
    }
}

fn name_and_pid(text: &str) -> Result<(String, u32), String> {
    let (name, pid) = text.split_once('=').ok_or("must be name=pid")?;
    Ok((name.to_owned(), pid.parse().map_err(|_| format!("{pid:?} is not a process id"))?))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn watched_processes_have_a_name_and_a_number() {
        assert_eq!(name_and_pid("redis=17"), Ok(("redis".to_owned(), 17)));
        name_and_pid("redis").unwrap_err();
        name_and_pid("redis=x").unwrap_err();
    }
}
