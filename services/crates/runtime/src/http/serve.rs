//! Serves a router until a soft shutdown.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde::Deserialize;
use tracing::info;

use super::{
    LongBody,
    connections::{ConnectionLimits, Connections, LimitedAcceptor},
    with_long_bodies,
};
use crate::{
    Context, SecretFile,
    expiry::{CertificateError, certificate_ends},
};

/// How long requests in hand may take after a soft shutdown: less than the grace of the whole service, so that work that they
/// began can still be finished.
const FINISH: Duration = Duration::from_secs(5);

/// How long a client may take to send a request's header before its connection is closed: a connection costs memory.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// How long an idle connection is kept for another request: longer than clients keep theirs (usually 90 s), so that none is
/// closed just when it is used again.
const NEXT_REQUEST: Duration = Duration::from_secs(120);

/// The address and the certificate of a listener: `[http]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate and key. Without them only a loopback address is accepted, unless `behind_proxy` is set.
    #[serde(default)]
    pub tls: Option<TlsFiles>,
    /// Whether a proxy in front of this address terminates TLS: then plain HTTP is accepted on any address.
    #[serde(default)]
    pub behind_proxy: bool,
}

/// A server's certificate chain and private key, PEM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub cert_file: PathBuf,
    /// The private key, PKCS#8.
    pub key_file: SecretFile,
}

/// A service cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is in use, or not one of this machine.
    #[error("cannot listen on {listen}")]
    Bind {
        /// The configured address.
        listen: SocketAddr,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Plain HTTP on an address others can reach.
    #[error(
        "{listen} is not a loopback address and [http.tls] is missing; give cert_file and key_file, \
         or behind_proxy = true when a proxy in front terminates TLS"
    )]
    Plaintext {
        /// The configured address.
        listen: SocketAddr,
    },
    /// The certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The private key cannot be read.
    #[error(transparent)]
    Key(#[from] crate::SecretError),
    /// The key is not that of the certificate.
    #[error(
        "the private key {} and the certificate {} do not belong together: the certificate was issued for another key. Give \
         the key that it was requested with, or have a certificate issued for this key",
        key_file.display(), cert_file.display()
    )]
    NotAPair {
        /// The private key's file.
        key_file: PathBuf,
        /// The certificate's file.
        cert_file: PathBuf,
    },
    /// The certificate and the key do not make a TLS server.
    #[error("the certificate {} and its key are not usable: {reason}", cert_file.display())]
    Tls {
        /// The certificate's file.
        cert_file: PathBuf,
        /// The error of rustls.
        reason: String,
    },
}

/// Listens as `config` says, wraps `router` with the common layers and serves it until a soft shutdown.
/// Returns the address it listens on.
///
/// # Errors
/// [`ServeError`] when it cannot listen; nothing is running then.
pub fn serve(
    context: &Context,
    name: &'static str,
    config: &ListenConfig,
    router: Router,
) -> Result<SocketAddr, ServeError> {
    serve_long_bodies(context, name, config, router, &[])
}

/// Serves `router` as [`serve`] does, and lets these routes take longer bodies.
///
/// # Errors
/// As [`serve`].
pub fn serve_long_bodies(
    context: &Context,
    name: &'static str,
    config: &ListenConfig,
    router: Router,
    long: &'static [LongBody],
) -> Result<SocketAddr, ServeError> {
    let tls = tls_of(config)?;
    if let Some(files) = &config.tls {
        context.expiries.register_certificates(&files.cert_file)?;
    }
    let limits = if config.behind_proxy { ConnectionLimits::BEHIND_PROXY } else { ConnectionLimits::API };
    run(context, name, (config.listen, limits), tls, with_long_bodies(router, long))
}

/// Refuses what [`serve`] would refuse, except an address that is in use or not one of this machine.
///
/// # Errors
/// [`ServeError`] when a service must not or cannot listen as `config` says.
pub fn check(config: &ListenConfig) -> Result<(), ServeError> {
    tls_of(config).map(drop)
}

fn tls_of(config: &ListenConfig) -> Result<Option<RustlsConfig>, ServeError> {
    if config.tls.is_none() && !config.behind_proxy && !config.listen.ip().is_loopback() {
        return Err(ServeError::Plaintext { listen: config.listen });
    }
    config.tls.as_ref().map(load).transpose()
}

/// Serves `router` without the common layers, in plain HTTP: the operators' listener.
pub(crate) fn serve_plain(
    context: &Context,
    name: &'static str,
    listen: SocketAddr,
    router: Router,
) -> Result<SocketAddr, ServeError> {
    run(context, name, (listen, ConnectionLimits::ADMIN), None, router)
}

fn run(
    context: &Context,
    name: &'static str,
    (listen, limits): (SocketAddr, ConnectionLimits),
    tls: Option<RustlsConfig>,
    router: Router,
) -> Result<SocketAddr, ServeError> {
    let bind = |source| ServeError::Bind { listen, source };
    let listener = TcpListener::bind(listen).map_err(bind)?;
    listener.set_nonblocking(true).map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let (handle, connections) = (Handle::new(), Connections::new(limits));
    let scheme = if tls.is_some() { "https" } else { "http" };
    let mut server = axum_server::from_tcp(listener)
        .map_err(bind)?
        .handle(handle.clone())
        // What is above HTTP knows HTTP/1.1 alone: connections that are closed, and times between requests.
        .http1_only()
        .first_request_timeout(FIRST_REQUEST);
    server.http_builder().http1().header_read_timeout(NEXT_REQUEST);
    match tls {
        Some(config) => {
            let acceptor = axum_server::tls_rustls::RustlsAcceptor::new(config);
            let server = server.acceptor(LimitedAcceptor::new(acceptor, connections));
            context.shutdown.spawn_fallible(name, server.serve(service));
        }
        None => {
            let server = server.map(|acceptor| LimitedAcceptor::new(acceptor, connections));
            context.shutdown.spawn_fallible(name, server.serve(service));
        }
    }
    let shutdown = context.shutdown.clone();
    context.shutdown.spawn("http-stop", async move {
        shutdown.soft().await;
        handle.graceful_shutdown(Some(FINISH));
    });
    info!("{name} listens on {scheme}://{address}");
    Ok(address)
}

fn load(files: &TlsFiles) -> Result<RustlsConfig, ServeError> {
    certificate_ends(&files.cert_file)?;
    let fault = |reason: String| ServeError::Tls { cert_file: files.cert_file.clone(), reason };
    let chain = CertificateDer::pem_file_iter(&files.cert_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(files.key_file.read()?.expose_bytes())
        .map_err(|error| fault(error.to_string()))?;
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => ServeError::NotAPair {
                    key_file: files.key_file.path().to_owned(),
                    cert_file: files.cert_file.clone(),
                },
                error => fault(error.to_string()),
            })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}
