//! The common HTTP layers, over a real connection.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt as _, path::Path};

use axum::{
    Json, Router,
    body::Bytes,
    routing::{get, post},
};
use reqwest::{Client, StatusCode};
use rovuma_runtime::{
    CallerLocale, Context, ListenConfig, SecretFile, SystemClock, TlsFiles,
    http::{BODY_LIMIT_BYTES, ServeError, serve},
};
use serde_json::Value;

fn router() -> Router {
    Router::new()
        .route("/panic", get(panics))
        .route("/locale", get(async |CallerLocale(locale): CallerLocale| locale.as_str()))
        .route("/size", post(async |body: Bytes| body.len().to_string()))
        .route("/json", post(async |Json(value): Json<Value>| Json(value)))
}

async fn panics() -> &'static str {
    panic!("secret detail")
}

fn plain(listen: &str) -> ListenConfig {
    ListenConfig { listen: listen.parse().expect("an address"), tls: None, behind_proxy: false }
}

fn started() -> (Context, SocketAddr, Client) {
    let context = Context::new(SystemClock::shared());
    let address = serve(&context, "http", &plain("127.0.0.1:0"), router()).expect("listens");
    // The client wants a provider even where it speaks no TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    (context, address, Client::new())
}

async fn problem(answer: reqwest::Response) -> (StatusCode, Value) {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    (answer.status(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let (_context, address, client) = started();
    let answer = client.get(format!("http://{address}/panic")).send().await.expect("answers");
    let (status, body) = problem(answer).await;
    assert_eq!((status.as_u16(), &body["code"]), (500, &Value::from("internal")));
    assert!(!body.to_string().contains("secret detail"));
    let again = client.get(format!("http://{address}/locale")).send().await.expect("still serves");
    assert!(again.status().is_success());
}

#[tokio::test]
async fn refusals_of_the_framework_are_problems_too() {
    let (_context, address, client) = started();
    let answer = client.get(format!("http://{address}/nowhere")).send().await.expect("answers");
    assert_eq!(problem(answer).await.1["code"], "not_found");
    let answer = client.delete(format!("http://{address}/size")).send().await.expect("answers");
    assert_eq!(answer.headers()["allow"], "POST");
    assert_eq!(problem(answer).await.1["code"], "method_not_allowed");
    let answer = client
        .post(format!("http://{address}/json"))
        .header("content-type", "application/json")
        .body("{")
        .send()
        .await
        .expect("answers");
    assert_eq!(problem(answer).await.1["code"], "bad_request");
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused() {
    let (_context, address, client) = started();
    let send = |length: usize| client.post(format!("http://{address}/size")).body(vec![b'x'; length]).send();
    let fits = send(BODY_LIMIT_BYTES).await.expect("answers");
    assert_eq!(fits.text().await.expect("text"), BODY_LIMIT_BYTES.to_string());
    let (status, body) = problem(send(BODY_LIMIT_BYTES + 1).await.expect("answers")).await;
    assert_eq!((status.as_u16(), &body["code"]), (413, &Value::from("body_too_large")));
    // One that does not say how long it is.
    let streamed = |length: usize| {
        let pieces = futures::stream::iter([Ok::<_, std::io::Error>(vec![b'x'; length])]);
        client.post(format!("http://{address}/size")).body(reqwest::Body::wrap_stream(pieces)).send()
    };
    let fits = streamed(BODY_LIMIT_BYTES).await.expect("answers");
    assert_eq!(fits.text().await.expect("text"), BODY_LIMIT_BYTES.to_string());
    let (status, body) = problem(streamed(BODY_LIMIT_BYTES + 1).await.expect("answers")).await;
    assert_eq!((status.as_u16(), &body["code"]), (413, &Value::from("body_too_large")));
}

#[tokio::test]
async fn the_caller_says_its_language() {
    let (_context, address, client) = started();
    let ask = client.get(format!("http://{address}/locale"));
    let asked = ask.try_clone().expect("no body").header("accept-language", "sw-TZ, en;q=0.5");
    assert_eq!(asked.send().await.expect("answers").text().await.expect("text"), "sw");
    assert_eq!(ask.send().await.expect("answers").text().await.expect("text"), "en");
}

#[tokio::test]
async fn a_soft_shutdown_stops_the_listener() {
    let (context, address, client) = started();
    client.get(format!("http://{address}/locale")).send().await.expect("answers");
    context.shutdown.begin();
    assert!(context.shutdown.drained().await);
    assert!(client.get(format!("http://{address}/locale")).send().await.is_err());
}

#[tokio::test]
async fn plain_http_is_refused_where_others_can_reach_it() {
    let context = Context::new(SystemClock::shared());
    let refused = serve(&context, "http", &plain("0.0.0.0:0"), router());
    assert!(matches!(refused, Err(ServeError::Plaintext { .. })));
    let proxied = ListenConfig { behind_proxy: true, ..plain("0.0.0.0:0") };
    serve(&context, "http", &proxied, router()).expect("a proxy in front is taken on trust");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let (context, address, _client) = started();
    let error = serve(&context, "http", &plain(&address.to_string()), router()).expect_err("taken");
    assert!(error.to_string().contains(&address.to_string()));
}

fn certificate(dir: &Path) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (cert_file, key_file) = (dir.join("cert.pem"), dir.join("key.pem"));
    std::fs::write(&cert_file, made.cert.pem()).expect("written");
    std::fs::write(&key_file, made.signing_key.serialize_pem()).expect("written");
    std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o600)).expect("mode set");
    TlsFiles { cert_file, key_file: SecretFile::new(key_file) }
}

#[tokio::test]
async fn tls_is_served_and_the_certificate_is_watched() {
    let dir = tempfile::tempdir().expect("a folder");
    let files = certificate(dir.path());
    let pem = std::fs::read(&files.cert_file).expect("written");
    let config = ListenConfig { tls: Some(files), ..plain("127.0.0.1:0") };
    let context = Context::new(SystemClock::shared());
    let address = serve(&context, "http", &config, router()).expect("listens");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(&pem).expect("a certificate");
    let client = Client::builder().tls_certs_only([root]).build().expect("a client");
    let url = format!("https://localhost:{}/locale", address.port());
    assert_eq!(client.get(url).send().await.expect("answers").text().await.expect("text"), "en");
    let plain = client.get(format!("http://localhost:{}/locale", address.port())).send().await;
    assert!(plain.is_err(), "plain HTTP on a TLS port");
}

#[tokio::test]
async fn a_readable_key_and_a_foreign_key_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let context = Context::new(SystemClock::shared());
    let files = certificate(dir.path());
    let key = files.key_file.path().to_owned();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("mode set");
    let config = ListenConfig { tls: Some(files), ..plain("127.0.0.1:0") };
    assert!(matches!(serve(&context, "http", &config, router()), Err(ServeError::Key(_))));
    let foreign = rcgen::KeyPair::generate().expect("a key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("mode set");
    std::fs::write(&key, foreign.serialize_pem()).expect("written");
    assert!(matches!(serve(&context, "http", &config, router()), Err(ServeError::NotAPair { .. })));
}
