//! The keys of the targets: they are public and protect nothing. They are files, so that a seed that was sealed or
//! signed once stays valid and a crash can be repeated.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rovuma_envelope::{SealingKey, SigningKey};
use rovuma_tokens::TokenKey;

/// The signers: authorities, agencies, sources of audit events, the audit service.
pub const SIGNING: [&str; 11] = [
    "mz.authority",
    "mz.authority.next",
    "tz.authority",
    "mz.prm",
    "mz.senami",
    "mz.node",
    "tz.tpf",
    "tz.tisd",
    "tz.node",
    "mz.gateway",
    "mz.audit",
];

/// The owners of sealing keys.
pub const SEALING: [&str; 7] = ["mz.prm", "mz.senami", "mz.node", "tz.tpf", "tz.tisd", "tz.node", "mz.audit"];

/// The issuer of access tokens.
pub const ISSUER: &str = "issuer";

/// The file of a signing key (PKCS#8 PEM), or of the issuer's key.
pub fn signing_file(name: &str) -> PathBuf {
    folder().join(format!("{name}.pem"))
}

/// The file of a sealing key (an age identity).
pub fn sealing_file(name: &str) -> PathBuf {
    folder().join(format!("{name}.age"))
}

/// A signing key.
pub fn signing(name: &str) -> SigningKey {
    SigningKey::from_pkcs8_pem(&read(&signing_file(name))).expect("an Ed25519 key")
}

/// A sealing key.
pub fn sealing(name: &str) -> SealingKey {
    SealingKey::from_text(&read(&sealing_file(name))).expect("an age identity")
}

/// The issuer's key.
pub fn issuer() -> TokenKey {
    TokenKey::from_pkcs8_pem(&read(&signing_file(ISSUER))).expect("an Ed25519 key")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("keys")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}
