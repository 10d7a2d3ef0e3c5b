//! The configuration file of the identity service.

use std::{path::PathBuf, time::Duration};

use rovuma_broker::BrokerConfig;
use rovuma_policy::Role;
use rovuma_runtime::{ListenConfig, SecretFile};
use rovuma_schemas::AgencyCode;
use rovuma_store::StoreConfig;
use serde::Deserialize;

/// The whole file; `[admin]`, `[log]` and `[telemetry]` belong to the runtime.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// Who signs the tokens: this service's own URL as its clients see it, without a path.
    pub issuer: String,
    /// For whom the tokens are: what services expect in `aud`.
    #[serde(default = "rovuma")]
    pub audience: String,
    /// `[http]`: where it listens.
    pub http: ListenConfig,
    /// `[store]`: accounts, machine clients, codes, audit events on their way.
    pub store: StoreConfig,
    /// `[signing]`: the keys that tokens are signed with.
    pub signing: SigningConfig,
    /// `[audit]`: where audit events go.
    pub audit: AuditConfig,
    /// `[broker]`: the country's own broker, which carries audit events.
    pub broker: BrokerConfig,
    /// `[policy]`: other access policies than the built-in ones.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// `[[applications]]`: programs through which people log in.
    #[serde(default)]
    pub applications: Vec<ApplicationConfig>,
    /// `[[bootstrap]]`: accounts made when there is nobody of that log-in name yet.
    #[serde(default)]
    pub bootstrap: Vec<BootstrapConfig>,
}

/// `[signing]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningConfig {
    /// The folder of private keys, made if it is not there; only the service may read it.
    pub directory: PathBuf,
    /// A key signs for so long before the next one does. At least 3 days: a key is published a day
    /// before it signs and kept a day after.
    #[serde(default = "ninety")]
    pub rotate_after_days: u64,
}

/// `[audit]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// The name under which this service writes audit events, `mz.identity`.
    pub source: String,
    /// The key that signs its batches, PKCS#8 PEM.
    pub key_file: SecretFile,
    /// The audit service's age recipient, to which batches are sealed.
    pub recipient_file: PathBuf,
    /// The audit service's public key (JWK), which signs acknowledgements.
    pub ack_key_file: PathBuf,
}

/// `[policy]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// A folder of `*.cedar` files in place of the built-in policies.
    pub folder: Option<PathBuf>,
}

/// `[[applications]]`: an OAuth 2.0 client (RFC 6749 §2) that logs people in. It has no rights of its
/// own. Machine clients, which have, are made through the API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationConfig {
    /// `client_id`: lower-case letters, digits and hyphens.
    pub client_id: String,
    /// The name that the log-in page shows.
    pub name: String,
    /// Where people may be sent back to, letter by letter. Of `http://127.0.0.1/…` and
    /// `http://[::1]/…` the port is free (RFC 8252 §7.3).
    pub redirect_uris: Vec<String>,
    /// The secret of an application that can keep one: a server's, never a program on a desk.
    #[serde(default)]
    pub secret_file: Option<SecretFile>,
}

/// `[[bootstrap]]`: without it nobody could make the first account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapConfig {
    /// The agency.
    pub agency: AgencyCode,
    /// What the person types to log in.
    pub login: String,
    /// The name to show.
    pub name: String,
    /// Roles; `agency_admin` when not given.
    #[serde(default = "agency_admin")]
    pub roles: Vec<Role>,
    /// A file with the first password. Not looked at once the account is there.
    pub password_file: SecretFile,
    /// Whether the person must choose another password at the first log-in.
    #[serde(default = "yes")]
    pub change_at_first_login: bool,
}

impl SigningConfig {
    /// For how long a key signs.
    pub(crate) fn rotate_after(&self) -> Duration {
        const DAY_S: u64 = 24 * 60 * 60;
        Duration::from_secs(self.rotate_after_days.saturating_mul(DAY_S))
    }
}

fn rovuma() -> String {
    "rovuma".to_owned()
}

const fn ninety() -> u64 {
    90
}

fn agency_admin() -> Vec<Role> {
    vec![Role::AgencyAdmin]
}

const fn yes() -> bool {
    true
}
