//! Webhooks accepted per second, by the ingress and by the bare server, in alternating rounds under the same load.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hyper::StatusCode;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::clock;
use crate::figures::Sample;
use crate::metrics;
use crate::webhook::{Customer, PRODUCTS, Signer, message_id};
use crate::wire::Connection;

/// The group of customers that write here.
const GROUP: u32 = 9;
/// How many there are: a mailbox holds 100 messages, and none shall overflow.
const CUSTOMERS: u64 = 50_000;
/// Before the first round, so that connections, caches and allocators are warm.
const WARM_UP: Duration = Duration::from_secs(1);

/// Endless distinct webhooks of many customers.
pub(crate) struct Source {
    signer: Signer,
    run: u32,
    next: AtomicU64,
}

impl Source {
    pub(crate) fn new(signer: Signer) -> Self {
        Self { signer, run: rand::random(), next: AtomicU64::new(0) }
    }
}

/// What one side accepted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    /// Per second, a value per round.
    pub(crate) per_second: Vec<f64>,
    /// From request to answer, ms, of all rounds.
    pub(crate) took_ms: Vec<f64>,
    /// In all, the warm-up included.
    pub(crate) accepted: u64,
}

/// Both sides.
#[derive(Debug, Default)]
pub(crate) struct Accepting {
    pub(crate) ingress: Side,
    pub(crate) bare: Side,
    pub(crate) connections: usize,
}

/// Measures both in alternating rounds, each side first in every other one.
pub(crate) async fn measure(
    source: Arc<Source>,
    ingress: SocketAddr,
    bare: SocketAddr,
    rounds: usize,
    round: Duration,
    connections: usize,
) -> anyhow::Result<Accepting> {
    let mut result = Accepting { connections, ..Accepting::default() };
    for server in [bare, ingress] {
        let warm = drive(&source, server, WARM_UP, connections).await?;
        let side = if server == bare { &mut result.bare } else { &mut result.ingress };
        side.accepted += warm.took_ms.len() as u64;
    }
    for number in 0..rounds {
        let order = if number % 2 == 0 { [bare, ingress] } else { [ingress, bare] };
        for server in order {
            let driven = drive(&source, server, round, connections).await?;
            let side = if server == bare { &mut result.bare } else { &mut result.ingress };
            side.per_second.push(driven.per_second);
            side.accepted += driven.took_ms.len() as u64;
            side.took_ms.extend(driven.took_ms);
        }
    }
    Ok(result)
}

struct Driven {
    per_second: f64,
    took_ms: Vec<f64>,
}

/// Every connection asks, waits for the answer and asks again, for `time`. Anything but 200 voids the measurement.
async fn drive(source: &Arc<Source>, server: SocketAddr, time: Duration, connections: usize) -> anyhow::Result<Driven> {
    let together = Arc::new(Barrier::new(connections + 1));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (source, together) = (source.clone(), together.clone());
        let mut connection = Connection::open(server).await?;
        tasks.spawn(async move {
            together.wait().await;
            let begun = Instant::now();
            let mut took_ms = Vec::new();
            while begun.elapsed() < time {
                let n = source.next.fetch_add(1, Ordering::Relaxed);
                let (customer, id) = (Customer::new(GROUP, n % CUSTOMERS), message_id(source.run, n));
                let webhook =
                    source.signer.text(PRODUCTS, &customer, &id, clock::now().timestamp(), "hi, do you have red sneakers in 42?")?;
                let asked = Instant::now();
                let status = connection.post(webhook).await?;
                anyhow::ensure!(status == StatusCode::OK, "{server} answered {status}");
                took_ms.push(asked.elapsed().as_secs_f64() * 1_000.0);
            }
            Ok(took_ms)
        });
    }
    together.wait().await;
    let begun = Instant::now();
    let mut took_ms = Vec::new();
    while let Some(done) = tasks.join_next().await {
        took_ms.extend(done??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    Ok(Driven { per_second: took_ms.len() as f64 / elapsed, took_ms })
}

impl Accepting {
    /// Fails unless the ingress itself counted as many new messages as were answered with 200.
    pub(crate) fn check(&self, text: &str) -> anyhow::Result<()> {
        let counted = metrics::sum(text, r#"frontdesk_webhook_events_total{kind="new"}"#).context("the ingress counts no new events")?;
        anyhow::ensure!(
            counted == self.ingress.accepted as f64,
            "{} webhooks got 200, but {counted} are new events",
            self.ingress.accepted
        );
        Ok(())
    }

    /// The ingress's median over the bare server's.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let median = |side: &Side| Sample::new(side.per_second.clone()).median();
        Some(median(&self.ingress)? / median(&self.bare)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "# TYPE frontdesk_webhook_events_total counter\n\
        frontdesk_webhook_events_total{kind=\"duplicate\"} 0\nfrontdesk_webhook_events_total{kind=\"new\"} 12\n";

    #[test]
    fn a_measurement_that_the_ingress_does_not_confirm_is_void() {
        let mut accepting = Accepting { ingress: Side { accepted: 12, ..Side::default() }, ..Accepting::default() };
        accepting.check(METRICS).unwrap();
        accepting.ingress.accepted = 13;
        accepting.check(METRICS).unwrap_err();
        accepting.check("").unwrap_err();
    }

    #[test]
    fn the_ratio_is_that_of_the_medians() {
        let side = |per_second: &[f64]| Side { per_second: per_second.to_vec(), ..Side::default() };
        let accepting = Accepting { ingress: side(&[10.0, 50.0, 60.0]), bare: side(&[100.0, 1.0, 1_000.0]), ..Accepting::default() };
        assert_eq!(accepting.ratio(), Some(0.5));
        assert_eq!(Accepting::default().ratio(), None);
    }
}
