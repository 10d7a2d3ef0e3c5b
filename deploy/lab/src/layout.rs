//! The files and folders of one country.

use std::path::{Path, PathBuf};

use rovuma_schemas::{AgencyCode, CountryCode};

/// One country's folder.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of `country` in the folder `lab`.
    pub fn new(lab: &Path, country: CountryCode) -> Self {
        Self { root: lab.join(country.as_str()) }
    }

    /// The folders that must exist before anything is written.
    pub fn folders(&self) -> [PathBuf; 6] {
        ["keys", "trust", "config", "data", "logs", "secrets"].map(|name| self.root.join(name))
    }

    /// The folder of the country's RabbitMQ node.
    pub fn rabbitmq(&self) -> PathBuf {
        self.root.join("rabbitmq")
    }

    /// An agency's private signing key; its public half ends in `.jwk`.
    pub fn signing_key(&self, agency: &AgencyCode) -> PathBuf {
        self.root.join("keys").join(format!("{agency}.signing.pem"))
    }

    /// An agency's private sealing key; its public half ends in `.pub`.
    pub fn sealing_key(&self, agency: &AgencyCode) -> PathBuf {
        self.root.join("keys").join(format!("{agency}.sealing.key"))
    }

    /// A service's private key, or the authority's, by its name.
    pub fn key(&self, name: &str) -> PathBuf {
        self.root.join("keys").join(name)
    }

    /// The draft of the country's trust list.
    pub fn trust_draft(&self) -> PathBuf {
        self.root.join("trust").join("draft.json")
    }

    /// A country's signed trust list, in this country's copy.
    pub fn trust_list(&self, country: CountryCode) -> PathBuf {
        self.root.join("trust").join(format!("{country}.json"))
    }

    /// A country's authority key, as this country pinned it.
    pub fn authority(&self, country: CountryCode) -> PathBuf {
        self.root.join("trust").join(format!("{country}.authority.jwk"))
    }

    /// The policy that says whose cosignatures the heads of audit logs need.
    pub fn audit_policy(&self) -> PathBuf {
        self.root.join("trust").join("audit.policy")
    }

    /// A configuration file.
    pub fn config(&self, service: &str) -> PathBuf {
        self.root.join("config").join(format!("{service}.toml"))
    }

    /// The topology's specification, which `rovumactl broker apply` and `check` read.
    pub fn topology(&self) -> PathBuf {
        self.root.join("config").join("topology.json")
    }

    /// A service's store.
    pub fn store(&self, service: &str) -> PathBuf {
        self.root.join("data").join(format!("{service}.db"))
    }

    /// A folder or file of a service's data.
    pub fn data(&self, name: &str) -> PathBuf {
        self.root.join("data").join(name)
    }

    /// A service's log.
    pub fn log(&self, service: &str) -> PathBuf {
        self.root.join("logs").join(format!("{service}.log"))
    }

    /// A file with a password or another secret.
    pub fn secret(&self, name: &str) -> PathBuf {
        self.root.join("secrets").join(name)
    }
}
