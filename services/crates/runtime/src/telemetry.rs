//! Writes logs to standard error, and sends spans to a collector when one is configured.

use std::{io::IsTerminal as _, path::Path, time::Duration};

use anyhow::Context as _;
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::config::{LogConfig, LogFormat, TelemetryConfig};

/// Turns off the log lines in which the AMQP library quotes whole messages, whatever the configured filter says.
const WITH_PAYLOADS: &str = "lapin::returned_messages=off";

/// How long sending the last spans may take at a shutdown.
const FLUSH: Duration = Duration::from_millis(500);

/// The running telemetry. [`Telemetry::end`] sends the last spans.
#[derive(Debug)]
pub(crate) struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Starts logging and, when configured, the exporter.
    pub(crate) fn start(
        service: &'static str,
        log: &LogConfig,
        telemetry: &TelemetryConfig,
    ) -> anyhow::Result<Self> {
        let filter = filter(log)?;
        let provider = telemetry
            .otlp_endpoint
            .as_deref()
            .map(|endpoint| provider(service, endpoint, telemetry))
            .transpose()?;
        let spans = provider
            .as_ref()
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("rovuma")));
        Registry::default()
            .with(spans)
            .with(lines(log.format.unwrap_or_else(default_format)))
            .with(filter)
            .try_init()
            .context("logging was started before")?;
        Ok(Self(provider))
    }

    /// Refuses what [`Telemetry::start`] would refuse, and starts nothing.
    pub(crate) fn check(log: &LogConfig, telemetry: &TelemetryConfig) -> anyhow::Result<()> {
        filter(log)?;
        if let Some(endpoint) = telemetry.otlp_endpoint.as_deref() {
            exporter(endpoint, telemetry)?;
        }
        Ok(())
    }

    /// Sends the spans that are not sent yet.
    pub(crate) fn end(self) {
        if let Some(provider) = self.0 {
            // A collector that cannot be reached must not keep a service from ending.
            let _ = provider.shutdown_with_timeout(FLUSH);
        }
    }
}

fn filter(log: &LogConfig) -> anyhow::Result<EnvFilter> {
    Ok(EnvFilter::try_new(&log.filter)
        .with_context(|| format!("configuration key log.filter: {:?}", log.filter))?
        .add_directive(WITH_PAYLOADS.parse()?))
}

fn default_format() -> LogFormat {
    if std::io::stderr().is_terminal() { LogFormat::Human } else { LogFormat::Json }
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Human => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
    }
}

fn provider(
    service: &'static str,
    endpoint: &str,
    config: &TelemetryConfig,
) -> anyhow::Result<SdkTracerProvider> {
    let exporter = exporter(endpoint, config)?;
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .build();
    Ok(SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio))))
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}

fn exporter(endpoint: &str, config: &TelemetryConfig) -> anyhow::Result<SpanExporter> {
    SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_http_client(client(config.ca_file.as_deref())?)
        .build()
        .with_context(|| format!("configuration key telemetry.otlp_endpoint: {endpoint:?}"))
}

/// Makes the exporter's HTTP client, a blocking one since the exporter has a thread of its own. It trusts only the
/// authorities in `ca_file`.
fn client(ca_file: Option<&Path>) -> anyhow::Result<reqwest::blocking::Client> {
    let roots = match ca_file {
        Some(path) => {
            let pem = std::fs::read(path)
                .with_context(|| format!("cannot read telemetry.ca_file {}", path.display()))?;
            reqwest::Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("no PEM certificates in telemetry.ca_file {}", path.display()))?
        }
        None => Vec::new(),
    };
    reqwest::blocking::Client::builder()
        .tls_certs_only(roots)
        .build()
        .context("cannot make the telemetry client")
}
