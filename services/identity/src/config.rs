//! The configuration file of the identity service.

use std::{path::PathBuf, time::Duration};

use rovuma_broker::BrokerConfig;
use rovuma_policy::{PolicyConfig, Role};
use rovuma_runtime::{ListenConfig, SecretFile};
use rovuma_schemas::AgencyCode;
use rovuma_store::StoreConfig;
use serde::Deserialize;

/// The whole file; `[admin]`, `[log]` and `[telemetry]` belong to the runtime.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// The issuer of the tokens: this service's own URL as its clients see it, without a path.
    pub issuer: String,
    /// The audience of the tokens: services expect it in `aud`.
    #[serde(default = "rovuma")]
    pub audience: String,
    /// `[http]`: the address that the service listens on.
    pub http: ListenConfig,
    /// `[store]`: accounts, machine clients, codes, audit events that are not yet acknowledged.
    pub store: StoreConfig,
    /// `[signing]`: the keys that sign tokens.
    pub signing: SigningConfig,
    /// `[audit]`: the source of audit events, and the keys that protect them on the way.
    pub audit: AuditConfig,
    /// `[broker]`: the country's own broker, which carries audit events.
    pub broker: BrokerConfig,
    /// `[policy]`: access policies in place of the built-in ones.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// `[[applications]]`: programs through which people log in.
    #[serde(default)]
    pub applications: Vec<ApplicationConfig>,
    /// `[[bootstrap]]`: accounts that the service creates at its start if nobody has their log-in name.
    #[serde(default)]
    pub bootstrap: Vec<BootstrapConfig>,
    /// `[[bootstrap_clients]]`: machine clients that the service creates at its start if nobody has their id.
    #[serde(default)]
    pub bootstrap_clients: Vec<BootstrapClientConfig>,
}

/// `[signing]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningConfig {
    /// The folder of private keys. The service creates it if it is missing; only the service may read it.
    pub directory: PathBuf,
    /// How many days a key signs before the next one does. At least 3: a key is published a day before it
    /// signs and stays published a day after.
    #[serde(default = "ninety_days")]
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

/// `[[applications]]`: an OAuth 2.0 client (RFC 6749 §2) that logs people in. It has no rights of its
/// own. Machine clients, which have rights, are created through the API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationConfig {
    /// `client_id`: lower-case letters, digits and hyphens.
    pub client_id: String,
    /// The name that the log-in page shows.
    pub name: String,
    /// The URIs that a browser may be redirected to, compared letter by letter; in `http://127.0.0.1/…` and
    /// `http://[::1]/…` the port may differ (RFC 8252 §7.3).
    pub redirect_uris: Vec<String>,
    /// The secret of an application that can keep one: a server can, a program on a person's machine cannot.
    #[serde(default)]
    pub secret_file: Option<SecretFile>,
}

/// `[[bootstrap]]`: an account to begin with; without one nobody could create accounts through the API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapConfig {
    /// The agency.
    pub agency: AgencyCode,
    /// The log-in name.
    pub login: String,
    /// The name to show.
    pub name: String,
    /// Roles; `agency_admin` when not given.
    #[serde(default = "agency_admin")]
    pub roles: Vec<Role>,
    /// A file with the first password. The service does not read it once the account exists.
    pub password_file: SecretFile,
    /// Whether the person must choose another password at the first log-in.
    #[serde(default = "yes")]
    pub change_at_first_login: bool,
}

/// `[[bootstrap_clients]]`: a machine client of this installation's own, such as the watchlist's account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapClientConfig {
    /// Its id, which begins with its agency: `mz.prm.watchlist`.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// Roles of machines.
    pub roles: Vec<Role>,
    /// A file with its secret, at least 32 random characters. The service does not read it once the client exists.
    pub secret_file: SecretFile,
}

/// The shortest rotation: a key is published for a day, signs for a day, and stays published for a day.
const ROTATE_DAYS_MIN: u64 = 3;

impl SigningConfig {
    /// Refuses a rotation that is too short.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.rotate_after_days >= ROTATE_DAYS_MIN,
            "signing.rotate_after_days must be at least {ROTATE_DAYS_MIN}"
        );
        Ok(())
    }

    /// How long a key signs.
    pub(crate) fn rotate_after(&self) -> Duration {
        const DAY_S: u64 = 24 * 60 * 60;
        Duration::from_secs(self.rotate_after_days.saturating_mul(DAY_S))
    }
}

fn rovuma() -> String {
    "rovuma".to_owned()
}

const fn ninety_days() -> u64 {
    90
}

fn agency_admin() -> Vec<Role> {
    vec![Role::AgencyAdmin]
}

const fn yes() -> bool {
    true
}
