//! Spans to an OpenTelemetry collector, if one is named. Without one nothing of this runs.

use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::TraceParent;

/// A collector that takes longer loses the batch; no process waits for it.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends spans from a thread of its own, in batches, to `<endpoint>/v1/traces` as OTLP over HTTP.
pub(super) fn export(process: &'static str, endpoint: &str) -> Result<(SdkTracerProvider, SdkTracer), ExporterBuildError> {
    // The exporter's client wants one; another part of the process may have set it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    let resource =
        Resource::builder().with_service_name(process).with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer = provider.tracer("frontdesk");
    Ok((provider, tracer))
}

impl TraceParent {
    /// Makes `span` a child of this point, and gives the point where the span is: what it enqueues or calls belongs under it.
    #[must_use]
    pub fn lead(self, span: &Span) -> Self {
        let flags = if self.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let parent = SpanContext::new(TraceId::from(self.trace), SpanId::from(self.span), flags, true, TraceState::default());
        // Fails where nothing is exported: then there is nothing to tie together but the log lines.
        if span.set_parent(Context::new().with_remote_span_context(parent)).is_err() {
            return self.child();
        }
        let here = span.context().span().span_context().clone();
        if !here.is_valid() || here.trace_id() != TraceId::from(self.trace) {
            return self.child();
        }
        Self { span: u64::from_be_bytes(here.span_id().to_bytes()), ..self }
    }
}
