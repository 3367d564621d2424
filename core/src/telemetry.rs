//! Logs, metrics and trace context, the same for every process.

mod traces;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat};

/// Seconds; the product's promises lie at 3 s (an answer) and 250 ms (a webhook, PROVIDERS 1.3).
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0];
/// How often old histogram samples are folded away.
const UPKEEP: Duration = Duration::from_secs(5);
/// A scrape's request is one short head.
const SCRAPE_HEAD_BYTES: usize = 8 * 1024;
/// A scraper that is slower than this has gone.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
/// More at once than any sane set of scrapers.
const SCRAPES_AT_ONCE: usize = 16;

/// Spans that are not sent yet; kept until the process ends.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Sends what is left.
    pub fn flush(self) {
        if let Some(Err(error)) = self.traces.map(|traces| traces.shutdown()) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Starts writing logs to standard output, and sending spans to the collector if one is set. A second call in one process (tests) changes nothing.
#[must_use]
pub fn start(process: &'static str, config: &LogConfig) -> Telemetry {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let exported = config.otlp_endpoint.as_deref().map(|endpoint| traces::export(process, endpoint));
    let (traces, refused) = match exported {
        Some(Ok((provider, tracer))) => (Some((provider, tracer)), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let (provider, tracer) = traces.unzip();
    let registry =
        tracing_subscriber::registry().with(filter).with(tracer.map(|tracer| tracing_opentelemetry::layer().with_tracer(tracer)));
    // Already set up, by another process in the same test: that one stands.
    let _ = match config.format {
        LogFormat::Json => registry
            .with(tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false))
            .try_init(),
        LogFormat::Pretty => registry.with(tracing_subscriber::fmt::layer().compact()).try_init(),
    };
    if let Some(error) = refused {
        tracing::error!(%error, "spans cannot be exported; going on without");
    }
    Telemetry { traces: provider }
}

/// The process's metrics; recording begins with the first call.
///
/// # Errors
/// When something else already records this process's metrics.
pub fn metrics() -> Result<&'static PrometheusHandle, MetricsError> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().set_buckets(BUCKETS).ok()?.install_recorder().ok()).as_ref().ok_or(MetricsError::Taken)
}

/// Why metrics cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// A recorder of another kind is installed.
    #[error("the process's metrics are already recorded by something else")]
    Taken,
    /// The listener cannot be opened.
    #[error("METRICS_ADDR: cannot listen there")]
    Listen(#[source] std::io::Error),
}

/// Serves `/metrics` (and `/healthz`, for whoever runs the process) on a listener of its own until `shutdown`. Returns where it listens.
///
/// # Errors
/// When the address cannot be taken.
pub async fn serve_metrics(address: SocketAddr, shutdown: CancellationToken) -> Result<SocketAddr, MetricsError> {
    let handle = metrics()?;
    let listener = TcpListener::bind(address).await.map_err(MetricsError::Listen)?;
    let bound = listener.local_addr().map_err(MetricsError::Listen)?;
    tokio::spawn(async move {
        let slots = std::sync::Arc::new(tokio::sync::Semaphore::new(SCRAPES_AT_ONCE));
        let mut upkeep = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = upkeep.tick() => handle.run_upkeep(),
                accepted = listener.accept() => match (accepted, slots.clone().try_acquire_owned()) {
                    (Ok((stream, _)), Ok(slot)) => {
                        tokio::spawn(async move {
                            // A scraper that goes away is its own loss.
                            let _ = tokio::time::timeout(SCRAPE_TIMEOUT, scrape(stream, handle)).await;
                            drop(slot);
                        });
                    }
                    (Ok(_), Err(_)) => {}
                    // Out of sockets, most likely: breathe.
                    (Err(_), _) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
            }
        }
    });
    Ok(bound)
}

/// Answers one request and closes.
async fn scrape(mut stream: TcpStream, handle: &PrometheusHandle) -> std::io::Result<()> {
    let mut head = Vec::with_capacity(1024);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() >= SCRAPE_HEAD_BYTES || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let target = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let (status, body) = match (head.starts_with(b"GET "), target) {
        (true, b"/metrics") => ("200 OK", handle.render()),
        (true, b"/healthz") => ("200 OK", "ok\n".to_owned()),
        _ => ("404 Not Found", "metrics are at /metrics\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// A W3C trace context (`traceparent`): what ties a webhook, its job and the calls it leads to together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace: u128,
    span: u64,
    sampled: bool,
}

impl TraceParent {
    /// Begins a trace.
    #[must_use]
    pub fn begin() -> Self {
        // Zero is the one value that is not allowed.
        Self { trace: rand::random::<u128>().max(1), span: rand::random::<u64>().max(1), sampled: true }
    }

    /// Reads version 00 of the header. Later versions may only append fields, so their first four are read the same way.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let hex = |text: &str, len: usize| text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mut parts = header.splitn(5, '-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let fine = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
        if !fine || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        Some(Self { trace, span, sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1 })
    }

    /// Goes on from this point under a new span.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: rand::random::<u64>().max(1), ..self }
    }

    /// The trace's id, 32 hex digits: the field `trace.id` of log lines.
    #[must_use]
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl std::fmt::Display for TraceParent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_context_reads_back() {
        let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = TraceParent::parse(given).unwrap();
        assert_eq!(context.to_string(), given);
        let child = context.child();
        assert_eq!(child.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(child, context);
        let begun = TraceParent::begin();
        assert_eq!(TraceParent::parse(&begun.to_string()), Some(begun));
    }

    #[test]
    fn a_broken_trace_context_is_no_context() {
        for broken in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(broken), None, "{broken}");
        }
        assert!(TraceParent::parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later").is_some());
    }

    #[tokio::test]
    async fn metrics_are_served_on_their_own_listener() {
        let shutdown = CancellationToken::new();
        let address = serve_metrics("127.0.0.1:0".parse().unwrap(), shutdown.clone()).await.unwrap();
        metrics::counter!("telemetry_test_total").increment(3);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("telemetry_test_total 3"), "{answer}");
        shutdown.cancel();
    }
}
