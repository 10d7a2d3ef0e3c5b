//! W3C Trace Context as plain string maps, so that a trace continues through AMQP headers and HTTP.
//!
//! Headers from outside are untrusted: they only connect log lines and traces, and no decision depends on them.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use opentelemetry::{
    propagation::{Extractor, Injector, TextMapPropagator as _},
    trace::TraceContextExt as _,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The longest header value accepted from outside; `tracestate` may hold 512 characters.
const VALUE_MAX: usize = 512;

/// Writes the current span's `traceparent` and `tracestate` into `headers`. Writes nothing when
/// OpenTelemetry is off.
pub fn inject(headers: &mut BTreeMap<String, String>) {
    let context = Span::current().context();
    if context.span().span_context().is_valid() {
        TraceContextPropagator::new().inject_context(&context, &mut MapInjector(headers));
    }
}

/// Makes `span` a child of the trace that `headers` name, if they name a valid one.
pub fn extract(headers: &BTreeMap<String, String>, span: &Span) {
    adopt(&MapExtractor(headers), span);
}

/// Makes `span` a child of the trace that a request names, if it names a valid one.
pub fn extract_http(headers: &HeaderMap, span: &Span) {
    adopt(&HeaderExtractor(headers), span);
}

fn adopt(carrier: &dyn Extractor, span: &Span) {
    let context = TraceContextPropagator::new().extract(carrier);
    if context.span().span_context().is_valid() {
        // Fails only when OpenTelemetry is off: then there is no trace to join.
        let _ = span.set_parent(context);
    }
}

struct MapInjector<'a>(&'a mut BTreeMap<String, String>);

impl Injector for MapInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            self.0.insert(key.to_owned(), value);
        }
    }
}

struct MapExtractor<'a>(&'a BTreeMap<String, String>);

impl Extractor for MapExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| value.len() <= VALUE_MAX)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

struct HeaderExtractor<'a>(&'a HeaderMap);

impl Extractor for HeaderExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok()).filter(|value| value.len() <= VALUE_MAX)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn with_tracing<T>(act: impl FnOnce() -> T) -> T {
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let subscriber =
            tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
        tracing::subscriber::with_default(subscriber, act)
    }

    #[test]
    fn a_trace_goes_through_headers() {
        with_tracing(|| {
            let span = tracing::info_span!("delivery");
            extract(&BTreeMap::from([("traceparent".to_owned(), PARENT.to_owned())]), &span);
            let _entered = span.enter();
            let mut headers = BTreeMap::new();
            inject(&mut headers);
            let written = &headers["traceparent"];
            assert!(written.contains("0af7651916cd43dd8448eb211c80319c"), "{written}");
            assert!(!written.contains("b7ad6b7169203331"), "a new span has an id of its own");
        });
    }

    #[test]
    fn malformed_parents_are_ignored() {
        with_tracing(|| {
            for parent in ["", "00", "garbage", "ff-00-00-01", &"0".repeat(4096)] {
                let span = tracing::info_span!("delivery");
                extract(&BTreeMap::from([("traceparent".to_owned(), parent.to_owned())]), &span);
            }
        });
    }

    #[test]
    fn nothing_is_written_when_telemetry_is_off() {
        let mut headers = BTreeMap::new();
        inject(&mut headers);
        assert!(headers.is_empty());
    }
}
