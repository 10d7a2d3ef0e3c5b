//! Keys by URL and by file: real listeners, real TLS.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

use rovuma_tokens::{IssuerConfig, IssuerFault, TokenError, TokenKey, TokenVerifier, TokensConfig};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivatePkcs8KeyDer};
use serde_json::json;

use crate::support::{AUDIENCE, ISSUER, claims, key, now};

fn jwks(key: &TokenKey) -> String {
    json!({"keys": [key.public()]}).to_string()
}

fn token(key: &TokenKey) -> String {
    key.sign("at+jwt", &claims()).expect("signed")
}

fn by_url(url: &str) -> IssuerConfig {
    let mut config = IssuerConfig::own(ISSUER, AUDIENCE);
    config.jwks_url = Some(url.parse().expect("a URL"));
    config
}

/// Answers one connection with these bytes.
fn answer(mut stream: impl Read + Write, response: &str) {
    let mut request = [0; 4096];
    let mut read = 0;
    while !request[..read].windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut request[read..]) {
            Ok(0) | Err(_) => return,
            Ok(more) => read += more,
        }
    }
    let _client_may_be_gone = stream.write_all(response.as_bytes()).and_then(|()| stream.flush());
}

fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A loopback server that answers every connection in the same way; it ends with the test process.
fn serve(handle: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(handle));
    port
}

async fn verdict(config: IssuerConfig, token: &str) -> Result<(), TokenError> {
    TokenVerifier::new(TokensConfig { issuers: vec![config] })
        .expect("a good issuer")
        .check(token, now())
        .await
        .map(|_| ())
}

#[tokio::test]
async fn keys_are_fetched_from_a_loopback_url() {
    let key = key();
    let body = response("200 OK", "", &jwks(&key));
    let port = serve(move |stream| answer(stream, &body));
    assert_eq!(verdict(by_url(&format!("http://127.0.0.1:{port}/jwks.json")), &token(&key)).await, Ok(()));
}

#[tokio::test]
async fn errors_rubbish_and_floods_are_no_keys() {
    let key = key();
    let flood = format!("{{\"keys\":[],\"x\":\"{}\"}}", "a".repeat(300 * 1024));
    for body in [
        response("500 Internal Server Error", "", &jwks(&key)),
        response("200 OK", "", "<html>"),
        response("200 OK", "", "{\"keys\":7}"),
        response("200 OK", "", &flood),
    ] {
        let port = serve(move |stream| answer(stream, &body));
        let refused = verdict(by_url(&format!("http://127.0.0.1:{port}/")), &token(&key)).await;
        assert!(matches!(refused, Err(TokenError::KeysUnavailable { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let key = key();
    let body = response("200 OK", "", &jwks(&key));
    let elsewhere = serve(move |stream| answer(stream, &body));
    let location = format!("location: http://127.0.0.1:{elsewhere}/\r\n");
    let port = serve(move |stream| answer(stream, &response("302 Found", &location, "")));
    let refused = verdict(by_url(&format!("http://127.0.0.1:{port}/")), &token(&key)).await;
    assert!(matches!(refused, Err(TokenError::KeysUnavailable { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_server_is_trusted_by_the_configured_ca_and_by_no_other() {
    let key = key();
    let (ca_pem, server) = tls_server();
    let body = response("200 OK", "", &jwks(&key));
    let port = serve(move |stream| {
        let connection = ServerConnection::new(server.clone()).expect("a connection");
        answer(StreamOwned::new(connection, stream), &body);
    });
    let folder = tempfile::tempdir().expect("a folder");
    let verdict_with_ca = async |pem: &str| {
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, pem).expect("written");
        let mut config = by_url(&format!("https://localhost:{port}/jwks.json"));
        config.ca_file = Some(path);
        verdict(config, &token(&key)).await
    };
    assert_eq!(verdict_with_ca(&ca_pem).await, Ok(()));
    let (other_ca, _) = tls_server();
    let refused = verdict_with_ca(&other_ca).await;
    assert!(matches!(refused, Err(TokenError::KeysUnavailable { .. })), "{refused:?}");
}

fn tls_server() -> (String, Arc<ServerConfig>) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .expect("its own key");
    (certified.cert.pem(), Arc::new(config))
}

#[tokio::test]
async fn keys_are_read_from_a_file() {
    let key = key();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jwks.json");
    let mut config = IssuerConfig::own(ISSUER, AUDIENCE);
    config.jwks_file = Some(path.clone());
    let verifier = TokenVerifier::new(TokensConfig { issuers: vec![config] }).expect("a good issuer");
    let refused = verifier.check(&token(&key), now()).await.expect_err("no file");
    assert!(refused.is_temporary(), "{refused:?}");
    std::fs::write(&path, jwks(&key)).expect("written");
    assert!(verifier.check(&token(&key), crate::support::at(31)).await.is_ok());
}

#[test]
fn keys_are_never_fetched_in_clear_over_a_network() {
    for url in [
        "http://id.mz.example/jwks.json",
        "http://10.0.0.7/jwks.json",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "ftp://127.0.0.1/",
    ] {
        let refused = TokenVerifier::new(TokensConfig { issuers: vec![by_url(url)] });
        assert!(matches!(refused, Err(IssuerFault::ClearText { .. })), "{url}: {refused:?}");
    }
}

#[test]
fn an_issuer_has_exactly_one_source_of_keys_and_a_ca_that_can_be_read() {
    let none = TokenVerifier::new(TokensConfig { issuers: vec![IssuerConfig::own(ISSUER, AUDIENCE)] });
    assert!(matches!(none, Err(IssuerFault::KeySource { .. })), "{none:?}");
    let mut both = by_url("https://id.mz.example/jwks.json");
    both.jwks_file = Some("jwks.json".into());
    let both = TokenVerifier::new(TokensConfig { issuers: vec![both] });
    assert!(matches!(both, Err(IssuerFault::KeySource { .. })), "{both:?}");
    let mut unreadable = by_url("https://id.mz.example/jwks.json");
    unreadable.ca_file = Some("/nonexistent/ca.pem".into());
    let unreadable = TokenVerifier::new(TokensConfig { issuers: vec![unreadable] });
    assert!(matches!(unreadable, Err(IssuerFault::CaFile { .. })), "{unreadable:?}");
}

#[test]
fn of_several_issuers_each_serves_agencies_of_its_own() {
    let issuer = |name: &str, agencies: Option<&[&str]>| IssuerConfig {
        issuer: name.to_owned(),
        agencies: agencies.map(|codes| codes.iter().map(|code| code.parse().expect("an agency")).collect()),
        ..by_url("https://id.mz.example/jwks.json")
    };
    let start = |second: Option<&[&str]>| {
        let issuers =
            vec![issuer("https://a.example", Some(&["mz.prm"])), issuer("https://b.example", second)];
        TokenVerifier::new(TokensConfig { issuers })
    };
    start(Some(&["mz.senami"])).expect("agencies of its own");
    let shared = start(Some(&["mz.senami", "mz.prm"]));
    assert!(
        matches!(&shared, Err(IssuerFault::AgencyTwice { agency, .. }) if agency.as_str() == "mz.prm"),
        "{shared:?}"
    );
    let every = start(None);
    assert!(matches!(every, Err(IssuerFault::AgenciesMissing { .. })), "{every:?}");
}
