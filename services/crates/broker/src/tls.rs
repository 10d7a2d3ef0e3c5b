//! TLS to the broker: its authority alone is trusted, our client certificate is who we are.

use std::{fs, path::Path, sync::Arc};

use rovuma_runtime::SecretFile;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};

use crate::{BrokerConfig, ConfigFault};

/// Reads the files and says how TLS is spoken. Called for each attempt to connect, so that a renewed certificate
/// is taken without a restart.
///
/// # Errors
/// [`ConfigFault`] naming the file that is missing or unusable.
pub fn client_config(config: &BrokerConfig) -> Result<ClientConfig, ConfigFault> {
    let certificates = certificates(&config.cert_file)?;
    let key = private_key(&config.key_file)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| unusable(&config.ca_file, &fault))?
        .with_root_certificates(roots(&config.ca_file)?)
        .with_client_auth_cert(certificates, key)
        .map_err(|fault| match fault {
            rustls::Error::InconsistentKeys(_) => ConfigFault::NotAPair {
                key_file: config.key_file.clone(),
                cert_file: config.cert_file.clone(),
            },
            fault => unusable(&config.cert_file, &fault),
        })
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
    let pem = SecretFile::new(path).read()?;
    let key =
        PrivatePkcs8KeyDer::from_pem_slice(pem.expose_bytes()).map_err(|fault| unusable(path, &fault))?;
    Ok(PrivateKeyDer::Pkcs8(key))
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigFault> {
    fs::read(path).map_err(|source| ConfigFault::File { path: path.to_owned(), source })
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> ConfigFault {
    ConfigFault::Content { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rovuma_lab::certs::Authority;

    use super::*;

    fn config(folder: &Path) -> BrokerConfig {
        let authority = Authority::open(folder, "Test CA").expect("an authority");
        let identity = authority.issue_client("identity").expect("a certificate");
        BrokerConfig {
            url: "amqps://localhost/rovuma".into(),
            ca_file: authority.ca_file(),
            cert_file: identity.cert_file,
            key_file: identity.key_file,
            server_name: None,
        }
    }

    #[test]
    fn sound_files_are_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        client_config(&config(folder.path())).expect("sound");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let sound = config(folder.path());
        let missing = BrokerConfig { ca_file: folder.path().join("none.pem"), ..sound.clone() };
        assert!(
            matches!(client_config(&missing), Err(ConfigFault::File { path, .. }) if path.ends_with("none.pem"))
        );
        let swapped = BrokerConfig { cert_file: sound.key_file.clone(), ..sound.clone() };
        assert!(matches!(client_config(&swapped), Err(ConfigFault::Content { .. })));
        let foreign = BrokerConfig { cert_file: sound.ca_file.clone(), ..sound.clone() };
        let fault = client_config(&foreign).expect_err("a key of another certificate").to_string();
        for said in ["do not belong together", "identity.key", "ca.pem"] {
            assert!(fault.contains(said), "{said}: {fault}");
        }
        fs::set_permissions(&sound.key_file, fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(matches!(client_config(&sound), Err(ConfigFault::Key(_))), "a key that everybody can read");
    }
}
