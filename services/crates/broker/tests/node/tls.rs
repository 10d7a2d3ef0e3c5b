//! Never in clear text, never with a stranger.

use std::{sync::Arc, time::Duration};

use rovuma_broker::{Broker, BrokerConfig, BrokerState, raw};
use rovuma_lab::certs::Authority;
use rovuma_runtime::Shutdown;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::{io::AsyncReadExt, net::TcpListener};

use crate::fixture::{config, eventually, within};

/// The client library has no TLS of its own here, and would speak in clear text, whatever the URL says.
#[tokio::test]
async fn a_listener_without_tls_never_sees_an_amqp_header() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    let config = BrokerConfig { url: format!("amqps://localhost:{port}/rovuma"), ..config("identity").await };
    let _broker = Broker::start(config, "clear", &Shutdown::new()).expect("a sound configuration");
    let (mut stream, _) = within(listener.accept()).await.expect("a connection");
    let mut first = [0; 8];
    within(stream.read_exact(&mut first)).await.expect("eight bytes");
    assert_eq!(first[..2], [0x16, 0x03], "not a TLS handshake: {first:?}");
    assert_ne!(&first[..4], b"AMQP");
}

/// What keeps it from connecting.
async fn failure(config: BrokerConfig) -> String {
    let broker = Broker::start(config, "stranger", &Shutdown::new()).expect("a sound configuration");
    let failure = eventually(|| async { broker.last_failure() }).await;
    assert_eq!(broker.state(), BrokerState::Connecting);
    failure
}

#[tokio::test]
async fn a_broker_of_another_authority_is_refused() {
    let folder = std::env::temp_dir().join(format!("rovuma-broker-tls-{}", std::process::id()));
    let stranger = Authority::open(&folder, "Stranger").expect("an authority");
    let config = BrokerConfig { ca_file: stranger.ca_file(), ..config("identity").await };
    let failure = failure(config).await;
    assert!(failure.contains("UnknownIssuer"), "{failure}");
    let _ = std::fs::remove_dir_all(folder);
}

#[tokio::test]
async fn a_broker_of_another_name_is_refused() {
    let config = BrokerConfig { server_name: Some("rabbit.tz.example".into()), ..config("identity").await };
    let failure = failure(config).await;
    assert!(failure.contains("not valid for name"), "{failure}");
}

/// A partner's authority that names itself one of our users.
#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_whatever_its_name() {
    let folder = std::env::temp_dir().join(format!("rovuma-broker-client-{}", std::process::id()));
    let stranger = Authority::open(&folder, "Stranger").expect("an authority");
    let identity = stranger.issue_client("gateway.police").expect("issued");
    let (cert_file, key_file) = (identity.cert_file, identity.key_file);
    let failure = failure(BrokerConfig { cert_file, key_file, ..config("identity").await }).await;
    assert!(!failure.is_empty());
    let _ = std::fs::remove_dir_all(folder);
}

#[tokio::test]
async fn a_name_that_is_no_user_is_refused() {
    let failure = failure(config("nobody").await).await;
    assert!(failure.contains("ACCESS_REFUSED"), "{failure}");
}

#[tokio::test]
async fn without_a_certificate_or_with_a_password_nobody_connects() {
    let config = config("identity").await;
    let certified = || raw::client_config(&config).expect("sound files");
    let by_password = config.url.replace("amqps://", "amqps://admin:admin@");
    for (url, tls) in [
        (format!("{}?auth_mechanism=external", config.url), uncertified(&config)),
        (format!("{by_password}?auth_mechanism=plain"), uncertified(&config)),
        (format!("{by_password}?auth_mechanism=plain"), certified()),
    ] {
        let connecting = raw::connect_with(url.parse().expect("an address"), tls);
        let outcome = tokio::time::timeout(Duration::from_secs(30), connecting).await.expect("an answer");
        assert!(outcome.is_err(), "connected by {url}");
    }
    let url = format!("{}?auth_mechanism=external", config.url);
    let connecting = raw::connect_with(url.parse().expect("an address"), certified());
    connecting.await.expect("who has a certificate connects in this way");
}

/// TLS by somebody who knows our authority and has no certificate.
fn uncertified(config: &BrokerConfig) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&config.ca_file).expect("a file") {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    versions.expect("versions").with_root_certificates(roots).with_no_client_auth()
}
