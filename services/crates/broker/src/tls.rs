//! TLS to the broker: its authority alone is trusted, our client certificate is who we are.

use std::{fs, path::Path, sync::Arc};

use lapin::tcp::RustlsConnector;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};

use crate::{BrokerConfig, ConfigFault};

/// Reads the files and makes a connector. Called for each attempt to connect, so that a renewed certificate
/// is taken without a restart.
///
/// # Errors
/// [`ConfigFault`] naming the file that is missing or unusable.
pub(crate) fn connector(config: &BrokerConfig) -> Result<RustlsConnector, ConfigFault> {
    let certificates = certificates(&config.cert_file)?;
    let key = private_key(&config.key_file)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| unusable(&config.ca_file, &fault))?
        .with_root_certificates(roots(&config.ca_file)?)
        .with_client_auth_cert(certificates, key)
        .map_err(|fault| unusable(&config.cert_file, &fault))?;
    Ok(client.into())
}

fn roots(path: &Path) -> Result<RootCertStore, ConfigFault> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|fault| unusable(path, &fault))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigFault> {
    let pem = read(path)?;
    let found = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|fault| unusable(path, &fault))?;
    if found.is_empty() { Err(unusable(path, &"it holds no certificate")) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ConfigFault> {
    let key = PrivatePkcs8KeyDer::from_pem_slice(&read(path)?).map_err(|fault| unusable(path, &fault))?;
    Ok(PrivateKeyDer::Pkcs8(key))
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigFault> {
    fs::read(path).map_err(|source| ConfigFault::File { path: path.to_owned(), source })
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> ConfigFault {
    ConfigFault::Content { path: path.to_owned(), reason: reason.to_string() }
}
