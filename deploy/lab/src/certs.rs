//! TLS certificates of one country's installation.
//!
//! Each country has its own authority, and its broker trusts no other: RabbitMQ takes the common name of a
//! client certificate for the user, so a second trusted authority could issue one for `gateway.police`. A
//! partner's link therefore uses a certificate issued by the country that it *writes to*; the partner keeps the
//! private key and hands over only the public one.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Term of a lab's certificate authority.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3650);

/// Term of the certificates that it issues. They are issued again at each start.
const LEAF_LIFE: Duration = DAY.saturating_mul(397);

/// Certificates are valid from a little before now, because clocks differ.
const BACKDATE: Duration = Duration::from_secs(5 * 60);

/// Modes of the files.
const OWNER_ONLY: u32 = 0o600;
const EVERYBODY_READS: u32 = 0o644;

/// A certificate and its private key, as files (PEM, PKCS #8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsIdentity {
    /// The certificate.
    pub cert_file: PathBuf,
    /// The private key, readable by its owner only.
    pub key_file: PathBuf,
}

/// A private key whose certificate somebody else is still to issue.
#[derive(Debug)]
pub struct PendingTlsIdentity {
    key: KeyPair,
    files: TlsIdentity,
}

/// A country's certificate authority.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    /// Opens the authority in `folder`, or creates it the first time. `name` is its common name.
    ///
    /// # Errors
    /// When the folder or its files cannot be read or written.
    pub fn open(folder: &Path, name: &str) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let (key_file, ca_file) = (folder.join("ca.key"), ca_file(folder));
        let key = match fs::read_to_string(&key_file) {
            Ok(pem) => KeyPair::from_pem(&pem).with_context(|| format!("reading {}", key_file.display()))?,
            Err(_) => {
                let key = KeyPair::generate()?;
                let certificate = authority_params(name)?.self_signed(&key)?;
                write_private(&key_file, &key.serialize_pem())?;
                write(&ca_file, &certificate.pem())?;
                key
            }
        };
        Ok(Self { issuer: Issuer::new(authority_params(name)?, key), folder: folder.to_owned() })
    }

    /// The authority's own certificate, for everybody who should trust it.
    pub fn ca_file(&self) -> PathBuf {
        ca_file(&self.folder)
    }

    /// Issues a certificate for a server on this machine: `localhost` and `127.0.0.1`.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn issue_server(&self, name: &str) -> Result<TlsIdentity> {
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let pending = PendingTlsIdentity::new(&self.folder, name)?;
        let params = leaf_params(name, &hosts, ExtendedKeyUsagePurpose::ServerAuth)?;
        pending.complete(&params.signed_by(&pending.key, &self.issuer)?)
    }

    /// Issues a client certificate. Its common name is the user at the broker.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn issue_client(&self, user: &str) -> Result<TlsIdentity> {
        let pending = PendingTlsIdentity::new(&self.folder, user)?;
        self.issue_client_to(user, &pending)
    }

    /// Issues a client certificate for a key that the partner keeps, whose link writes here.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn issue_client_to(&self, user: &str, pending: &PendingTlsIdentity) -> Result<TlsIdentity> {
        pending.complete(&self.certify_client(user, &pending.key)?)
    }

    fn certify_client(&self, user: &str, public_key: &impl PublicKeyData) -> Result<Certificate> {
        let params = leaf_params(user, &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(params.signed_by(public_key, &self.issuer)?)
    }
}

impl PendingTlsIdentity {
    /// The private key in `<folder>/<name>.key`, drawn the first time.
    ///
    /// The key stays the same: whoever reads the two files while a certificate is issued again gets a pair that
    /// matches.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn new(folder: &Path, name: &str) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let files = TlsIdentity {
            cert_file: folder.join(format!("{name}.pem")),
            key_file: folder.join(format!("{name}.key")),
        };
        Ok(Self { key: key_in(&files.key_file)?, files })
    }

    fn complete(&self, certificate: &Certificate) -> Result<TlsIdentity> {
        write(&self.files.cert_file, &certificate.pem())?;
        Ok(self.files.clone())
    }
}

/// The key in a file, drawn if there is none. When several processes draw one at once, the first wins.
fn key_in(file: &Path) -> Result<KeyPair> {
    if !file.exists() {
        let pem = KeyPair::generate()?.serialize_pem();
        match rovuma_files::create(file, pem.as_bytes(), OWNER_ONLY) {
            Err(fault) if fault.kind() != ErrorKind::AlreadyExists => {
                return Err(fault).with_context(|| format!("creating {}", file.display()));
            }
            _ => {}
        }
    }
    let pem = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    KeyPair::from_pem(&pem).with_context(|| format!("reading {}", file.display()))
}

fn ca_file(folder: &Path) -> PathBuf {
    folder.join("ca.pem")
}

fn authority_params(name: &str) -> Result<CertificateParams> {
    let mut params = named(name, &[], AUTHORITY_LIFE)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn leaf_params(name: &str, hosts: &[String], usage: ExtendedKeyUsagePurpose) -> Result<CertificateParams> {
    let mut params = named(name, hosts, LEAF_LIFE)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn named(name: &str, hosts: &[String], life: Duration) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let now = SystemTime::now();
    params.not_before = (now - BACKDATE).into();
    params.not_after = (now + life).into();
    Ok(params)
}

/// Replaces a file as a whole: others may be reading the old one.
fn write(path: &Path, text: &str) -> Result<()> {
    rovuma_files::replace(path, text.as_bytes(), EVERYBODY_READS)
        .with_context(|| format!("writing {}", path.display()))
}

/// Writes a file that only its owner can read.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    rovuma_files::replace(path, text.as_bytes(), OWNER_ONLY)
        .with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_authority_is_kept_and_private_keys_are_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Authority::open(folder.path(), "Test CA mz").expect("created");
        let ca = fs::read_to_string(first.ca_file()).expect("the certificate");
        let again = Authority::open(folder.path(), "Test CA mz").expect("opened");
        assert_eq!(fs::read_to_string(again.ca_file()).expect("the certificate"), ca);

        let client = again.issue_client("gateway.police").expect("issued");
        let mode = fs::metadata(&client.key_file).expect("the key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_identity_that_is_issued_again_can_be_read_at_any_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open(folder.path(), "Test CA mz").expect("created");
        let read = |client: &TlsIdentity| {
            let certificate = fs::read_to_string(&client.cert_file).expect("the certificate");
            assert!(certificate.trim_end().ends_with("-----END CERTIFICATE-----"), "{certificate:?}");
            fs::read_to_string(&client.key_file).expect("the key")
        };
        let issue = || (0..200).map(|_| read(&authority.issue_client("link.mz").expect("issued")));
        let keys = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| issue().collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "a key was replaced");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 4, "something was left behind");
    }
}
